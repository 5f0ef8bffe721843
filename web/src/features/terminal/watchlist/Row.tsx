import type { LucideIcon } from "lucide-react";
import { memo, useLayoutEffect, useRef } from "react";
import { fixed, NONE, pips, signed } from "@/format/number";
import { cx } from "@/kit/cx";
import { write } from "@/kit/live";
import { digitsOf } from "@/live/instruments";
import { quotes } from "@/live/quotes";
import { t } from "@/text";
import { change, wantDaily } from "./daily";

const TICK_MS = 450;

/** One instrument. React renders it once; the frame pump writes the text nodes of bid, ask, spread, change. */
export const Row = memo(function Row({
  symbol,
  index,
  start,
  columns,
  chosen,
  favourite,
  onChoose,
  onStar,
  star: Star,
}: {
  symbol: string;
  index: number;
  start: number;
  columns: string;
  chosen: boolean;
  favourite: boolean;
  onChoose: (symbol: string) => void;
  onStar: (symbol: string) => void;
  star: LucideIcon;
}) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const root = box.current;
    if (!root) return;
    const [bid, ask, spread, percent] = [...root.querySelectorAll<HTMLElement>("[data-live]")] as [
      HTMLElement,
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ];
    const bidParts = [...bid.children] as HTMLElement[];
    const askParts = [...ask.children] as HTMLElement[];
    const digits = digitsOf(symbol);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let lastBid = 0;
    let lastAsk = 0;
    const split = (parts: HTMLElement[], value: number) => {
      const [head, big, small] = pips(value, digits);
      write(parts[0] as HTMLElement, head);
      write(parts[1] as HTMLElement, big);
      write(parts[2] as HTMLElement, small);
    };
    const paint = (i: number) => {
      const [b, a] = [quotes.bid[i] as number, quotes.ask[i] as number];
      if (b === 0) {
        write(bidParts[0] as HTMLElement, NONE);
        write(askParts[0] as HTMLElement, NONE);
        return;
      }
      if (b !== lastBid) split(bidParts, b);
      if (a !== lastAsk) split(askParts, a);
      const spreadText = spreadOf(a - b, digits);
      write(spread, spreadText);
      const moved = change(i);
      write(percent, Number.isNaN(moved) ? NONE : signed(moved, 2));
      const sign = moved > 0 ? "up" : moved < 0 ? "down" : "";
      if (percent.dataset.sign !== sign) percent.dataset.sign = sign;
      if (lastBid !== 0 && (b !== lastBid || a !== lastAsk)) {
        const way = b > lastBid || (b === lastBid && a > lastAsk) ? "1" : "-1";
        if (bid.dataset.tick !== way) {
          bid.dataset.tick = way;
          ask.dataset.tick = way;
        }
        if (timer === undefined)
          timer = setTimeout(() => {
            timer = undefined;
            delete bid.dataset.tick;
            delete ask.dataset.tick;
          }, TICK_MS);
      }
      lastBid = b;
      lastAsk = a;
    };
    wantDaily(symbol);
    paint(quotes.index(symbol));
    const end = quotes.watch(symbol, paint);
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [symbol]);
  const price = (
    <>
      <span />
      <span className="font-semibold" />
      <span className="relative -top-[0.3em] text-[0.78em]" />
    </>
  );
  return (
    <div
      ref={box}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={chosen}
      data-symbol={symbol}
      onClick={() => onChoose(symbol)}
      className={cx(
        "live-row absolute inset-x-0 grid items-center border-line-subtle border-b px-1",
        columns,
        chosen ? "bg-active" : "hover:bg-hover",
      )}
      style={{ transform: `translateY(${start}px)` }}
    >
      <div role="cell" className="grid place-items-center">
        <button
          type="button"
          aria-label={
            favourite
              ? t("Remove {symbol} from favourites", { symbol })
              : t("Add {symbol} to favourites", { symbol })
          }
          aria-pressed={favourite}
          onClick={(event) => {
            event.stopPropagation();
            onStar(symbol);
          }}
          className={cx(
            "grid size-6 place-items-center",
            favourite ? "text-warning" : "text-line-strong opacity-60 hover:opacity-100",
          )}
        >
          <Star size={12} fill={favourite ? "currentColor" : "none"} aria-hidden />
        </button>
      </div>
      <div role="cell" className="truncate px-1 font-medium">
        {symbol}
      </div>
      <div role="cell" data-live className="whitespace-nowrap px-0.5 text-right">
        {price}
      </div>
      <div role="cell" data-live className="whitespace-nowrap px-0.5 text-right">
        {price}
      </div>
      <div role="cell" data-live className="px-0.5 text-right text-fg-2" />
      <div role="cell" data-live className="px-1 text-right" />
    </div>
  );
});

/** The spread in pips where prices have pipettes, else in points of the last digit. */
function spreadOf(spread: number, digits: number): string {
  const pip = digits === 5 || digits === 3 ? 10 ** (1 - digits) : 10 ** -digits;
  const value = spread / pip;
  return fixed(value, value < 100 && (digits === 5 || digits === 3) ? 1 : 0);
}
