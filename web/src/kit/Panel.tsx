import type { ReactNode } from "react";
import { cx } from "./cx";

/** A page's surface: title, actions, content. One of these per area, never one inside another. */
export function Panel({
  title,
  actions,
  children,
  className,
  flush = false,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  /** No padding: for tables. */
  flush?: boolean;
}) {
  return (
    <section
      className={cx(
        "flex min-h-0 min-w-0 flex-col rounded-panel border border-line-subtle bg-surface",
        className,
      )}
    >
      {(title || actions) && (
        <header className="flex min-h-9 shrink-0 flex-wrap items-center gap-2 border-line-subtle border-b px-3 py-1">
          {title && <h2 className="font-semibold text-body">{title}</h2>}
          {actions && <div className="ml-auto flex flex-wrap items-center gap-2">{actions}</div>}
        </header>
      )}
      <div className={cx("min-h-0 flex-1", !flush && "p-3")}>{children}</div>
    </section>
  );
}

/** One figure with its name: for strips of key numbers. */
export function Figure({
  label,
  children,
  className,
}: {
  label: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <div className={cx("flex items-baseline gap-1.5 whitespace-nowrap text-table", className)}>
      <span className="text-fg-2">{label}</span>
      <span className="font-medium">{children}</span>
    </div>
  );
}
