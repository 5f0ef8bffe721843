/**
 * The account's money now: balance and margin as the server said, profit from the live quotes. Written
 * into one plain object, recomputed at most once per painted frame; readers watch it, React does not.
 */
import { instrumentOf } from "./instruments";
import { closePrice, profitAt, type Side } from "./money";
import { quotes } from "./quotes";
import { type Position, useTrading } from "./trading";

export const account = {
  ready: false,
  balance: Number.NaN,
  credit: Number.NaN,
  equity: Number.NaN,
  margin: Number.NaN,
  free: Number.NaN,
  /** Percent; NaN while no margin is used. */
  level: Number.NaN,
  profit: Number.NaN,
  currency: "",
};

const watchers = new Set<() => void>();

/** Call `watcher` in each frame in which the account's money may have changed. */
export function watchAccount(watcher: () => void): () => void {
  watchers.add(watcher);
  if (watchers.size === 1) start();
  watcher();
  return () => {
    watchers.delete(watcher);
    if (watchers.size === 0) stop();
  };
}

/** Floating profit of a position in the account's currency at the present quotes; NaN if unknown. */
export function floating(position: Position, currency: string): number {
  const instrument = instrumentOf(position.instrument);
  if (!instrument) return Number.NaN;
  const side = position.side as Side;
  const close = closePrice(position.instrument, side);
  return profitAt(
    instrument,
    side,
    Number(position.volume),
    Number(position.price),
    close,
    currency,
  );
}

let stops: (() => void)[] = [];

function start(): void {
  stops = [quotes.watchAll(compute), useTrading.subscribe(compute)];
  compute();
}

function stop(): void {
  for (const each of stops) each();
  stops = [];
}

function compute(): void {
  const { view, positions, ready } = useTrading.getState();
  account.ready = ready && view !== null;
  if (view) {
    let profit = 0;
    let isolatedProfit = 0;
    for (const each of positions.values()) {
      const made = floating(each, view.currency);
      profit += made;
      if (each.isolated) isolatedProfit += made;
    }
    account.currency = view.currency;
    account.balance = Number(view.balance);
    account.credit = Number(view.credit);
    account.margin = Number(view.margin);
    account.profit = profit;
    account.equity = account.balance + account.credit + profit;
    const isolated = Number(view.isolated);
    const cross = account.equity - isolated - isolatedProfit;
    const crossMargin = account.margin - isolated;
    account.free = cross - crossMargin;
    account.level = crossMargin > 0 ? (cross / crossMargin) * 100 : Number.NaN;
  }
  for (const watcher of watchers) watcher();
}
