import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { openDemo } from "@/app/demo";
import { fixed, grouped, NONE, profit } from "@/format/number";
import { Button } from "@/kit/Button";
import { cx } from "@/kit/cx";
import { write } from "@/kit/live";
import { Status } from "@/kit/states";
import { toast } from "@/kit/toast";
import { useFreshness } from "@/live/freshness";
import { useTrading } from "@/live/trading";
import { account, watchAccount } from "@/live/valuation";
import { t } from "@/text";

const FIGURES = ["balance", "credit", "equity", "margin", "free", "level", "profit"] as const;
type Figure = (typeof FIGURES)[number];
const LABELS: Record<Figure, string> = {
  balance: "Balance",
  credit: "Credit",
  equity: "Equity",
  margin: "Margin",
  free: "Free",
  level: "Margin level",
  profit: "Open P&L",
};

function shown(name: Figure): string {
  const value = account[name];
  if (!account.ready || !Number.isFinite(value)) return NONE;
  if (name === "level")
    return `${value > 99_999 ? grouped(value, 0) : fixed(value, value < 1000 ? 1 : 0)} %`;
  return name === "profit" ? profit(value) : grouped(value);
}

/** The account's money, written by the frame pump; its state in words, shape and colour. */
export function AccountStrip({ className }: { className?: string }) {
  const box = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLSpanElement>(null);
  const id = useTrading((s) => s.account);
  const ready = useTrading((s) => s.ready);
  const level = useTrading((s) => s.view?.margin_level ?? "ok");
  const state = useTrading((s) => s.view?.state ?? "active");
  const currency = useTrading((s) => s.view?.currency ?? "");
  const credit = useTrading((s) => Number(s.view?.credit ?? 0) !== 0);
  const fresh = useFreshness((s) => s.state);
  const client = useQueryClient();
  useEffect(() => {
    void [id, credit]; // they decide which figures are there
    const cells = new Map<Figure, HTMLElement>();
    for (const each of box.current?.querySelectorAll<HTMLElement>("[data-figure]") ?? [])
      cells.set(each.dataset.figure as Figure, each);
    return watchAccount(() => {
      for (const [name, cell] of cells) {
        write(cell, shown(name));
        if (name === "profit") {
          const sign = account.profit > 0 ? "up" : account.profit < 0 ? "down" : "";
          if (cell.dataset.sign !== sign) cell.dataset.sign = sign;
        }
      }
      // Full at the margin call (100 %), empty from 1,000 % on: the bar is how near trouble is.
      const near = Number.isFinite(account.level) ? Math.min(1, 100 / account.level) : 0;
      if (bar.current) bar.current.style.transform = `scaleX(${near.toFixed(3)})`;
    });
  }, [id, credit]);
  if (!id)
    return (
      <div
        className={cx(
          "flex min-h-9 items-center gap-3 rounded-panel border border-line-subtle bg-surface px-3",
          className,
        )}
      >
        <span className="text-fg-2 text-table">{t("No account yet")}</span>
        <Button
          small
          look="primary"
          onClick={() => void openDemo(client).catch((e) => toast.problem(e))}
        >
          {t("Open a demo account")}
        </Button>
      </div>
    );
  const status =
    level === "stop_out" ? (
      <Status tone="critical">{t("Stop-out")}</Status>
    ) : level === "margin_call" ? (
      <Status tone="warning">{t("Margin call")}</Status>
    ) : state !== "active" ? (
      <Status tone="warning">{t(state === "halted" ? "Trading halted" : "Close only")}</Status>
    ) : fresh === "live" && ready ? (
      <Status tone="ok">{t("Live")}</Status>
    ) : (
      <Status tone="off">{t("Stale")}</Status>
    );
  return (
    <div
      ref={box}
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways where it is narrow
      tabIndex={0}
      aria-label={t("Account {account}", { account: id })}
      data-ready={ready}
      data-level={level}
      className={cx(
        "flex min-h-9 items-center gap-x-5 gap-y-0.5 overflow-x-auto rounded-panel border bg-surface px-3 text-table",
        level === "ok"
          ? "border-line-subtle"
          : level === "margin_call"
            ? "border-warning bg-warning/10"
            : "border-critical bg-critical/10",
        fresh !== "live" && "[&_[data-figure]]:opacity-60",
        className,
      )}
    >
      {status}
      {FIGURES.filter((name) => name !== "credit" || credit).map((name) => (
        <span key={name} className="flex items-baseline gap-1.5 whitespace-nowrap">
          <span className="text-fg-2">{t(LABELS[name])}</span>
          <span data-figure={name} className="font-medium" />
          {name === "level" && (
            <span
              aria-hidden
              className="ml-1 inline-block h-1.5 w-16 self-center overflow-hidden rounded-full bg-active"
            >
              <span
                ref={bar}
                className={cx(
                  "block h-full origin-left",
                  level === "ok" ? "bg-ok" : level === "margin_call" ? "bg-warning" : "bg-critical",
                )}
              />
            </span>
          )}
        </span>
      ))}
      <span className="ml-auto text-fg-3">{currency}</span>
    </div>
  );
}
