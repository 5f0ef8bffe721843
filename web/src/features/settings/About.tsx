import { useQuery } from "@tanstack/react-query";
import { versionQuery } from "@/api/queries";
import { t } from "@/text";
import { Part } from "./Heading";

const LINK = "text-accent underline";

/** Version, market, and whose work is inside. */
export function About() {
  const { data } = useQuery(versionQuery);
  return (
    <>
      <Part title="Tradeloom">
        <p className="text-table">
          {data ? `${t("Version")} ${data.version} · ${data.market}` : ""}
        </p>
        <p className="mt-1 text-table">
          <a className={LINK} href="/docs" target="_blank" rel="noreferrer">
            {t("API reference")}
          </a>
        </p>
      </Part>
      <Part title={t("Thanks to")}>
        <ul className="list-disc pl-5 text-fg-2 text-table">
          <li>
            <a
              className={LINK}
              href="https://www.tradingview.com/"
              target="_blank"
              rel="noreferrer"
            >
              TradingView
            </a>
            : Lightweight Charts™, Apache-2.0, © TradingView, Inc.
          </li>
          <li>
            React, TanStack, Base UI, FlexLayout, zustand, cmdk, Sonner, React Hook Form, uqr: MIT
          </li>
          <li>Lucide: ISC · Inter, JetBrains Mono: OFL-1.1</li>
        </ul>
      </Part>
    </>
  );
}
