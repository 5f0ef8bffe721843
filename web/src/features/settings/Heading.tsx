import type { ReactNode } from "react";

/** A part of a settings page: what it is for, then its controls. */
export function Part({
  title,
  children,
  said,
}: {
  title: string;
  said?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="mb-8 max-w-3xl">
      <h2 className="font-semibold text-[14px]">{title}</h2>
      {said && <p className="mt-0.5 mb-3 max-w-prose text-fg-2 text-table">{said}</p>}
      {!said && <div className="mb-3" />}
      {children}
    </section>
  );
}
