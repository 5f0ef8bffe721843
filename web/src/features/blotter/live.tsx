import { useLayoutEffect, useRef } from "react";
import { fixed, profit } from "@/format/number";
import { LiveText, write } from "@/kit/live";
import { digitsOf } from "@/live/instruments";
import { quotes } from "@/live/quotes";
import { account, watchAccount } from "@/live/valuation";

/** What a position would close at, or what an order waits for, as it moves. */
export function LiveTouch({ symbol, side }: { symbol: string; side: "bid" | "ask" }) {
  return (
    <LiveText symbol={symbol} text={(i) => fixed(quotes[side][i] as number, digitsOf(symbol))} />
  );
}

/** Floating profit of the whole account. */
export function LiveTotal() {
  const span = useRef<HTMLSpanElement>(null);
  useLayoutEffect(
    () =>
      watchAccount(() => {
        const root = span.current;
        if (!root) return;
        write(root, profit(account.profit));
        const sign = account.profit > 0 ? "up" : account.profit < 0 ? "down" : "";
        if (root.dataset.sign !== sign) root.dataset.sign = sign;
      }),
    [],
  );
  return <span ref={span} data-total />;
}
