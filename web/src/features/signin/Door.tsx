import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { versionQuery } from "@/api/queries";
import { t } from "@/text";

/** The frame of the pages before the door. */
export function Door({
  title,
  children,
  below,
}: {
  title: string;
  children: ReactNode;
  below: ReactNode;
}) {
  const { data: version } = useQuery(versionQuery);
  return (
    <div className="grid min-h-dvh grid-rows-[1fr_auto] overflow-auto">
      <main className="grid place-items-center p-4">
        <div className="w-full max-w-[360px]">
          <div className="mb-6 flex items-center justify-center gap-3">
            <img src="/favicon.svg" alt="" width={36} height={36} />
            <span className="font-semibold text-[20px]">Tradeloom</span>
          </div>
          <div className="rounded-dialog border border-line bg-surface p-5">
            <h1 className="mb-4 font-semibold text-[15px]">{title}</h1>
            {children}
          </div>
          <div className="mt-4 text-center text-fg-2 text-table">{below}</div>
        </div>
      </main>
      <footer className="flex flex-wrap justify-center gap-x-4 gap-y-1 p-4 text-fg-3 text-hint">
        <span>{version ? `v${version.version} · ${version.market}` : ""}</span>
        <a className="underline" href="/docs">
          {t("API reference")}
        </a>
      </footer>
    </div>
  );
}
