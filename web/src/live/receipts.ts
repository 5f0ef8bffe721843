/**
 * What this browser knows about the orders it sent: when it sent them, when the answer came, what the
 * market was at that moment. The server's own times are in its records; together they are the receipt.
 */
import { quotes } from "./quotes";
import { serverNow } from "./socket";

export type Receipt = {
  /** By the server's clock, ms since 1970. */
  sent: number;
  answered: number;
  /** The market on the screen when it was sent; NaN: none yet. */
  bid: number;
  ask: number;
};

/** Newest kept: enough for a day of trading by hand. */
const KEPT = 500;
const PLACE = "tradeloom.receipts";

const known = read();

function read(): Map<number, Receipt> {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(PLACE) ?? "[]") as [number, Receipt][]);
  } catch {
    return new Map();
  }
}

/** Begin a receipt just before sending; call the result with the order's number when the answer is there. */
export function sending(symbol: string): (order: number) => void {
  const has = quotes.has(symbol);
  const i = quotes.index(symbol);
  const sent = serverNow();
  const bid = has ? (quotes.bid[i] as number) : Number.NaN;
  const ask = has ? (quotes.ask[i] as number) : Number.NaN;
  return (order) => {
    if (!order || known.has(order)) return;
    known.set(order, { sent, answered: serverNow(), bid, ask });
    for (const oldest of known.keys()) {
      if (known.size <= KEPT) break;
      known.delete(oldest);
    }
    try {
      sessionStorage.setItem(PLACE, JSON.stringify([...known]));
    } catch {
      // No storage: the receipts live as long as the page.
    }
  };
}

/** The receipt of an order that this browser sent. */
export const receiptOf = (order: number): Receipt | undefined => known.get(order);
