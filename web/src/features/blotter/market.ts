/** What a position or an order needs to know of its instrument and the market now. */
import { instrumentOf } from "@/live/instruments";
import { closePrice, type Side } from "@/live/money";

export type Rules = { digits: number; step: number };

/** Digits and price step of a symbol. */
export function rulesOf(symbol: string): Rules {
  const found = instrumentOf(symbol);
  const digits = found?.digits ?? 5;
  return { digits, step: Number(found?.tick_size ?? 0) || 10 ** -digits };
}

/** Lots go in steps of this; decimal text. */
export const volumeStep = (symbol: string): string => instrumentOf(symbol)?.volume_step ?? "0.01";

/** What the position would close at now; NaN without a quote. */
export const touchOf = (row: { instrument: string; side: string }): number =>
  closePrice(row.instrument, row.side as Side);
