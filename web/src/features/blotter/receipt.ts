/** Everything known about how an order went: the record, its fills, and what this browser noted. */
import { api, ask, type FillOut, type OrderRowOut } from "@/api/client";
import { type Receipt, receiptOf } from "@/live/receipts";

export type Account = {
  order: OrderRowOut | null;
  fills: FillOut[];
  noted: Receipt | undefined;
};

/** How far back the record of an order is looked for. */
const PAGES_MAX = 5;
const PAGE = 200;

/** `before`: when the order had certainly been made (RFC 3339), to begin the search there. */
export async function receiptFor(
  account: number,
  order: number,
  instrument: string,
  before?: string,
): Promise<Account> {
  const [record, page] = await Promise.all([
    recordOf(account, order, instrument, before),
    ask(api.GET("/api/v1/fills", { params: { query: { account, order, limit: PAGE } } })),
  ]);
  return { order: record, fills: [...page.items].reverse(), noted: receiptOf(order) };
}

async function recordOf(
  account: number,
  order: number,
  instrument: string,
  before?: string,
): Promise<OrderRowOut | null> {
  // `until` is not included: one second later certainly holds it.
  const until = before ? new Date(Date.parse(before) + 1000).toISOString() : undefined;
  let cursor: string | undefined;
  for (let turn = 0; turn < PAGES_MAX; turn++) {
    const query = { account, instrument, until, cursor, limit: PAGE };
    const page = await ask(api.GET("/api/v1/history/orders", { params: { query } }));
    const found = page.items.find((each) => each.id === order);
    if (found) return found;
    if (!page.next || page.items.some((each) => each.id < order)) return null;
    cursor = page.next;
  }
  return null;
}

/** Milliseconds between two moments of the server's record; null when one is missing. */
export const between = (from: number, to: number): number | null =>
  Number.isFinite(from) && Number.isFinite(to) ? Math.max(0, to - from) : null;

/** Average price of fills, weighted by volume; NaN without any. */
export function average(fills: readonly { price: string; volume: string }[]): number {
  let volume = 0;
  let worth = 0;
  for (const each of fills) {
    volume += Number(each.volume);
    worth += Number(each.volume) * Number(each.price);
  }
  return volume > 0 ? worth / volume : Number.NaN;
}

/**
 * How much better (positive) or worse the price got than the price that was asked for, in points of the
 * last digit; NaN when either is unknown.
 */
export const slip = (side: string, asked: number, got: number, digits: number): number =>
  Math.round((side === "buy" ? asked - got : got - asked) * 10 ** digits);
