/**
 * What the blotter does to positions and orders. Every intention has one idempotency key until its
 * outcome is known: pressing again after a time-out repeats it and does nothing twice.
 */
import { api, command, type Done, newKey } from "@/api/client";
import { problemOf } from "@/api/problem";
import { toast } from "@/kit/toast";
import { sending } from "@/live/receipts";
import { type Fill, fills, type Order, onHappening, type Position, snapshot } from "@/live/trading";
import { t } from "@/text";

type Header = { "Idempotency-Key": string };
const keys = new Map<string, string>();
const KEYS_MAX = 200;

/** Send once per intention; `words` name the intention. */
async function once<T>(words: string, send: (header: Header) => Promise<T>): Promise<T> {
  const key = keys.get(words) ?? newKey();
  if (keys.size >= KEYS_MAX) keys.clear();
  keys.set(words, key);
  try {
    const made = await send({ "Idempotency-Key": key });
    keys.delete(words);
    return made;
  } catch (thrown) {
    const problem = problemOf(thrown);
    if (!problem.unknown) keys.delete(words);
    void snapshot(); // whatever happened, show what is true now
    throw problem;
  }
}

const carried = <T extends object>(
  words: string,
  send: Parameters<typeof command<T>>[0],
): Promise<Exclude<T, string>> =>
  once(words, (header) => command<T>(send, header["Idempotency-Key"]));

/** Close a position, or `volume` lots of it (exact decimal text); null: all of it. */
export async function close(position: Position, volume: string | null): Promise<Done> {
  const { id, account, instrument } = position;
  const sent = sending(instrument);
  const done = await carried(`close ${id} ${volume} of ${position.volume}`, (header) =>
    api.POST("/api/v1/positions/{position}/close", {
      params: { path: { position: id }, header },
      body: { account, volume },
    }),
  );
  sent(done.reference);
  return done;
}

/** Turn a position round at the market. */
export async function reverse(position: Position): Promise<Done> {
  const { id, account, instrument } = position;
  const sent = sending(instrument);
  const done = await carried(`reverse ${id} ${position.side} ${position.volume}`, (header) =>
    api.POST("/api/v1/positions/{position}/reverse", {
      params: { path: { position: id }, header },
      body: { account },
    }),
  );
  sent(done.reference);
  return done;
}

/** Close every position of the account; `reference` says how many. */
export const closeAll = (account: number): Promise<Done> =>
  carried(`close all ${account}`, (header) =>
    api.POST("/api/v1/positions/close-all", { params: { header }, body: { account } }),
  );

/** New stops of a position; null removes one. Exact decimal text. */
export const setStops = (
  position: Position,
  change: { sl?: string | null; tp?: string | null; trailing?: number },
): Promise<Done> => {
  const { id, account, sl, tp, trailing } = position;
  const body = { account, sl, tp, trailing, trailing_step: 0, ...change };
  return carried(`stops ${id} ${JSON.stringify(body)}`, (header) =>
    api.PATCH("/api/v1/positions/{position}", {
      params: { path: { position: id }, header },
      body,
    }),
  );
};

export type OrderChange = {
  price?: string;
  limit_price?: string | null;
  sl?: string | null;
  tp?: string | null;
  expire?: string | null;
};

/** New prices of a working order. */
export const setOrder = (order: Order, change: OrderChange): Promise<Done> => {
  const { id, account, limit_price, sl, tp, expire } = order;
  const body = { account, price: order.price ?? "", limit_price, sl, tp, expire, ...change };
  return carried(`order ${id} ${JSON.stringify(body)}`, (header) =>
    api.PATCH("/api/v1/orders/{order}", { params: { path: { order: id }, header }, body }),
  );
};

/** Cancel a working order. */
export const cancel = ({ id, account }: Order): Promise<Done> =>
  carried(`cancel ${id}`, (header) =>
    api.DELETE("/api/v1/orders/{order}", {
      params: { path: { order: id }, query: { account }, header },
    }),
  );

/** Cancel every working order of the account; `reference` says how many. */
export const cancelAll = (account: number): Promise<Done> =>
  carried(`cancel all ${account}`, (header) =>
    api.POST("/api/v1/orders/cancel-all", { params: { header }, body: { account } }),
  );

/** How long a toast waits for the fill's own words, which come by the event feed. */
const FILL_MS = 1500;

/** The first fill of an order; null when none is heard of in time. */
export function fillOf(order: number): Promise<Fill | null> {
  const known = fills.find((each) => each.order === order);
  if (known) return Promise.resolve(known);
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(null), FILL_MS);
    const stop = onHappening((what) => {
      if ("fill" in what && what.fill.order === order) end(what.fill);
    });
    function end(fill: Fill | null): void {
      clearTimeout(timer);
      stop();
      resolve(fill);
    }
  });
}

/** Say what a close or reverse came to, with its price and result. */
export async function tellFill(done: Done, title: string): Promise<void> {
  const fill = await fillOf(done.reference);
  toast.ok(title, {
    description: fill
      ? t("At {price}, result {profit}", { price: fill.price, profit: fill.profit })
      : undefined,
  });
}
