/**
 * Live values as text nodes: React renders the element once, the frame pump writes its text. Nothing
 * here re-renders when a price changes.
 */
import { useLayoutEffect, useRef } from "react";
import { fixed, NONE, pips, profit } from "@/format/number";
import { quotes } from "@/live/quotes";
import type { Position } from "@/live/trading";
import { useTrading } from "@/live/trading";
import { floating, watchAccount } from "@/live/valuation";

const TICK_MS = 450;

/** Write text only when it changed. */
export function write(node: { textContent: string | null }, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Any text computed from a symbol's quote, written in each frame in which the quote changed. */
export function LiveText({
  symbol,
  text,
  className,
}: {
  symbol: string;
  text: (index: number) => string;
  className?: string;
}) {
  const span = useRef<HTMLSpanElement>(null);
  const make = useRef(text);
  make.current = text;
  useLayoutEffect(() => {
    const paint = () => {
      if (span.current)
        write(span.current, quotes.has(symbol) ? make.current(quotes.index(symbol)) : NONE);
    };
    paint();
    return quotes.watch(symbol, paint);
  }, [symbol]);
  return <span ref={span} className={className} />;
}

/** Bid or ask with large pips, coloured for a moment after a change. */
export function LivePrice({
  symbol,
  side,
  digits,
  split = false,
  className,
}: {
  symbol: string;
  side: "bid" | "ask";
  digits: number;
  split?: boolean;
  className?: string;
}) {
  const span = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    const root = span.current;
    if (!root) return;
    const [head, big, small] = [...root.children] as HTMLElement[];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let shown = Number.NaN;
    const paint = (i: number) => {
      const value = quotes[side][i] as number;
      if (value === shown) return;
      const known = quotes.has(symbol);
      if (head && big && small) {
        const parts: string[] =
          split && known ? pips(value, digits) : [known ? fixed(value, digits) : NONE, "", ""];
        write(head, parts[0] as string);
        write(big, parts[1] as string);
        write(small, parts[2] as string);
      }
      if (!Number.isNaN(shown)) {
        root.dataset.tick = value > shown ? "1" : "-1";
        clearTimeout(timer);
        timer = setTimeout(() => delete root.dataset.tick, TICK_MS);
      }
      if (known) shown = value;
    };
    paint(quotes.index(symbol));
    const end = quotes.watch(symbol, paint);
    return () => {
      end();
      clearTimeout(timer);
    };
  }, [symbol, side, digits, split]);
  return (
    <span ref={span} className={className}>
      <span />
      <span className={split ? "font-semibold text-[1.35em]" : undefined} />
      <span className={split ? "align-super text-[0.75em]" : undefined} />
    </span>
  );
}

/** Floating profit of a position, with sign and colour. */
export function LiveProfit({ position, className }: { position: Position; className?: string }) {
  const span = useRef<HTMLSpanElement>(null);
  const now = useRef(position);
  now.current = position;
  useLayoutEffect(
    () =>
      watchAccount(() => {
        const root = span.current;
        if (!root) return;
        const value = floating(now.current, useTrading.getState().view?.currency ?? "");
        write(root, profit(value));
        const sign = value > 0 ? "up" : value < 0 ? "down" : "";
        if (root.dataset.sign !== sign) root.dataset.sign = sign;
      }),
    [],
  );
  return <span ref={span} className={className} />;
}
