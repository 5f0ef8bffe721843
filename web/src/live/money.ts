/**
 * What prices mean in money, computed in the browser between two words of the server. The formulas are
 * those of docs/engine/semantics.md, 7; floats are for showing only, nothing computed here is sent.
 */
import type { InstrumentOut } from "@/api/client";
import { useInstruments } from "./instruments";
import { quotes } from "./quotes";

export type Side = "buy" | "sell";

/** One step of a conversion: the rate of `symbol`, or one over it. */
type Step = { index: number; divide: boolean };

const paths = new Map<string, Step[] | null>();
let made: unknown = null;

function direct(from: string, to: string): Step | null {
  const list = useInstruments.getState().list as readonly (InstrumentOut & { base?: string })[];
  for (const [base, profit, divide] of [
    [from, to, false],
    [to, from, true],
  ] as const)
    for (const each of list)
      if (
        each.base === base &&
        each.profit === profit &&
        each.calc.startsWith("forex") &&
        quotes.has(each.symbol)
      )
        return { index: quotes.index(each.symbol), divide };
  return null;
}

function path(from: string, to: string): Step[] | null {
  const list = useInstruments.getState().list;
  if (made !== list) {
    paths.clear();
    made = list;
  }
  const key = `${from}>${to}`;
  const known = paths.get(key);
  if (known) return known;
  let found: Step[] | null = null;
  const one = from === to ? undefined : direct(from, to);
  if (from === to) found = [];
  else if (one) found = [one];
  else if (from !== "USD" && to !== "USD") {
    const first = direct(from, "USD");
    const second = direct("USD", to);
    if (first && second) found = [first, second];
  }
  if (found) paths.set(key, found);
  return found;
}

/** An amount in another currency at the present quotes; NaN without a path. `at`: which price. */
export function convert(
  amount: number,
  from: string,
  to: string,
  at: "bid" | "ask" | "mid" = "mid",
): number {
  const steps = path(from, to);
  if (!steps) return Number.NaN;
  let value = amount;
  for (const { index, divide } of steps) {
    const bid = quotes.bid[index] as number;
    const ask = quotes.ask[index] as number;
    const rate = at === "bid" ? bid : at === "ask" ? ask : (bid + ask) / 2;
    value = divide ? value / rate : value * rate;
  }
  return value;
}

/** Profit in the instrument's profit currency for a move of the price, per lot. */
export function perLot(instrument: InstrumentOut): number {
  const tick = Number(instrument.tick_size ?? 0);
  const value = Number(instrument.tick_value ?? 0);
  return instrument.calc === "futures" && tick > 0 && value > 0
    ? value / tick
    : Number(instrument.contract_size);
}

/** Money in `currency` won (lost: negative) by a position that closes at `close`. */
export function profitAt(
  instrument: InstrumentOut,
  side: Side,
  volume: number,
  open: number,
  close: number,
  currency: string,
): number {
  const move = side === "buy" ? close - open : open - close;
  const raw = move * volume * perLot(instrument);
  return convert(raw, instrument.profit, currency, side === "buy" ? "bid" : "ask");
}

/** The price a position of this side would close at now; NaN without a quote. */
export function closePrice(symbol: string, side: Side): number {
  if (!quotes.has(symbol)) return Number.NaN;
  const i = quotes.index(symbol);
  return (side === "buy" ? quotes.bid[i] : quotes.ask[i]) as number;
}
