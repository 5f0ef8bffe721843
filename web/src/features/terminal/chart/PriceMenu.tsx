import { useEffect, useRef } from "react";
import { fixed } from "@/format/number";
import { quotes } from "@/live/quotes";
import { t } from "@/text";
import { addAlert } from "../alerts/store";
import { askTicket } from "../ticket/ask";
import type { OrderType, Side } from "../ticket/draft";

export type PriceSpot = { x: number; y: number; price: number };

/** The menu at a price of the chart: pending orders that fit this side of the market, and an alert. */
export function PriceMenu({
  spot,
  symbol,
  digits,
  onClose,
}: {
  spot: PriceSpot;
  symbol: string;
  digits: number;
  onClose: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const i = quotes.index(symbol);
  const text = spot.price.toFixed(digits);
  const above = spot.price > (quotes.ask[i] as number);
  const orders: [Side, OrderType, string][] = above
    ? [
        ["sell", "limit", t("Sell limit at {price}", { price: text })],
        ["buy", "stop", t("Buy stop at {price}", { price: text })],
      ]
    : [
        ["buy", "limit", t("Buy limit at {price}", { price: text })],
        ["sell", "stop", t("Sell stop at {price}", { price: text })],
      ];
  useEffect(() => {
    box.current?.querySelector("button")?.focus();
    const away = (event: Event) => !box.current?.contains(event.target as Node) && onClose();
    addEventListener("pointerdown", away, true);
    return () => removeEventListener("pointerdown", away, true);
  }, [onClose]);
  const item = (label: string, run: () => void) => (
    <button
      key={label}
      type="button"
      role="menuitem"
      className="flex min-h-7 w-full items-center rounded-inner px-2 text-left text-table hover:bg-hover focus-visible:bg-hover"
      onClick={() => {
        onClose();
        run();
      }}
    >
      {label}
    </button>
  );
  return (
    <div
      ref={box}
      role="menu"
      aria-label={t("At {price}", { price: fixed(spot.price, digits) })}
      onKeyDown={(event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") onClose();
        if (!step) return;
        event.preventDefault();
        const all = [...(box.current?.querySelectorAll("button") ?? [])];
        const at = all.indexOf(document.activeElement as HTMLButtonElement);
        all[(at + step + all.length) % all.length]?.focus();
      }}
      className="absolute z-20 w-52 rounded-panel border border-line bg-surface p-1 shadow-float"
      style={{ left: spot.x, top: spot.y }}
    >
      {orders.map(([side, type, label]) => item(label, () => askTicket(side, type, text)))}
      <hr className="my-1 border-line-subtle" />
      {item(t("Alert at {price}", { price: text }), () => addAlert(symbol, Number(text)))}
    </div>
  );
}
