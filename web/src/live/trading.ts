/**
 * The account on the screen: positions, working orders and balances, kept true by the event channels.
 *
 * Order of things: follow the channels first, then read the snapshot, then apply what came meanwhile.
 * Events carry whole records, so applying one twice changes nothing, and whatever the snapshot did not
 * know yet follows in the stream. After a break the socket resumes; when it cannot, we read anew.
 */
import { create } from "zustand";
import { type AccountOut, api, ask, type OrderOut, type PositionOut } from "@/api/client";
import { accountsQuery, queries } from "@/api/queries";
import { type LiveEvent, socket } from "./socket";

export type Position = PositionOut;
export type Order = OrderOut;
/** A fill as the event feed tells it. */
export type Fill = {
  seq: number;
  time: string;
  order: number;
  position: number;
  account: number;
  instrument: string;
  side: "buy" | "sell";
  entry: "in" | "out";
  reason: string;
  volume: string;
  price: string;
  profit: string;
  commission: string;
};
/** An order after something happened to it. */
export type OrderEvent = Omit<Order, "id"> & {
  order: number;
  reason: string;
  code: string;
  time: string;
};

type State = {
  account: number;
  /** False until the first snapshot of this account is complete: show nothing rather than wrong numbers. */
  ready: boolean;
  view: AccountOut | null;
  positions: ReadonlyMap<number, Position>;
  orders: ReadonlyMap<number, Order>;
};

const NOTHING: Omit<State, "account"> = {
  ready: false,
  view: null,
  positions: new Map(),
  orders: new Map(),
};

export const useTrading = create<State>(() => ({ account: 0, ...NOTHING }));

/** Newest first; at most this many are kept for markers and toasts. */
const FILLS_KEPT = 500;
const LIVING = new Set([
  "working",
  "partial",
  "triggered",
  "routing",
  "routed",
  "cancel_pending",
  "modified",
  "unresolved",
]);
/** The account's margin is asked for again this long after an event that may have changed it. */
const REFRESH_MS = 60;

type Happening =
  | { fill: Fill }
  | { order: OrderEvent }
  | { margin: { level: string; equity: string } };
const listeners = new Set<(what: Happening) => void>();

/** Hear fills, order ends and margin changes of the account as they happen (for toasts, markers). */
export function onHappening(listener: (what: Happening) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const fills: Fill[] = [];

let ends: (() => void)[] = [];
let waiting: LiveEvent[] | null = null;
let generation = 0;
let refreshTimer: ReturnType<typeof setTimeout> | undefined;

/** Show another account (0: none). */
export function showAccount(account: number): void {
  if (useTrading.getState().account === account) return;
  for (const end of ends) end();
  ends = [];
  queue = [];
  fills.length = 0;
  generation++;
  useTrading.setState({ account, ...NOTHING });
  socket.viewAs(account);
  if (!account) return;
  const listener = { event: take, anew: () => void snapshot(account) };
  for (const channel of ["orders", "positions", "balances"])
    ends.push(socket.follow(channel, account, listener));
}

let reading: Promise<void> | null = null;

/** Read the whole present state; concurrent calls share one reading. */
export function snapshot(account = useTrading.getState().account): Promise<void> {
  if (reading) return reading;
  reading = read(account).finally(() => {
    reading = null;
  });
  return reading;
}

async function read(account: number): Promise<void> {
  const mine = generation;
  waiting ??= [];
  const query = { params: { query: { account } } };
  for (let turn = 0; mine === generation; turn++) {
    try {
      const [view, positions, orders] = await Promise.all([
        ask(api.GET("/api/v1/accounts/{account}", { params: { path: { account } } })),
        ask(api.GET("/api/v1/positions", query)),
        ask(api.GET("/api/v1/orders", query)),
      ]);
      if (mine !== generation) break;
      useTrading.setState({
        view,
        ready: true,
        positions: new Map(positions.map((each) => [each.id, each])),
        orders: new Map(orders.map((each) => [each.id, each])),
      });
      break;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, Math.min(5000, 300 * 2 ** turn)));
    }
  }
  const late = waiting ?? [];
  waiting = null;
  if (mine === generation) for (const each of late) apply(each);
}

let queue: LiveEvent[] = [];
const later = new MessageChannel();
later.port1.onmessage = flush;

/** One order makes several events: they are applied together, as soon as the burst has been heard. */
function take(message: LiveEvent): void {
  if (waiting) {
    waiting.push(message);
    return;
  }
  queue.push(message);
  if (queue.length === 1) later.port2.postMessage(0);
}

function flush(): void {
  const now = queue;
  queue = [];
  for (const each of now) apply(each);
}

function tell(what: Happening): void {
  for (const listener of listeners) listener(what);
}

function apply(message: LiveEvent): void {
  const event = message.event as never;
  switch (message.kind) {
    case "position_updated":
      position(event);
      break;
    case "order_updated":
      order(event);
      break;
    case "fill":
      fills.unshift(event);
      if (fills.length > FILLS_KEPT) fills.pop();
      tell({ fill: event });
      break;
    case "ledger_posted": {
      const { balance, credit } = event as { balance: string; credit: string };
      const view = useTrading.getState().view;
      if (view) useTrading.setState({ view: { ...view, balance, credit } });
      break;
    }
    case "margin_updated": {
      const { level } = event as { level: AccountOut["margin_level"] };
      const view = useTrading.getState().view;
      if (view) useTrading.setState({ view: { ...view, margin_level: level } });
      tell({ margin: event });
      break;
    }
    default:
      break;
  }
  refreshSoon();
}

function position(event: Position & { position: number; state: string }): void {
  const positions = new Map(useTrading.getState().positions);
  const id = event.position;
  if (event.state === "closed") positions.delete(id);
  else {
    const before = positions.get(id);
    positions.set(id, {
      ...event,
      id,
      current: before?.current ?? null,
      profit: before?.profit ?? "0",
    });
  }
  useTrading.setState({ positions });
}

function order(event: OrderEvent): void {
  const orders = new Map(useTrading.getState().orders);
  if (LIVING.has(event.state) && event.type !== "market")
    orders.set(event.order, { ...event, id: event.order });
  else orders.delete(event.order);
  useTrading.setState({ orders });
  tell({ order: event });
}

/** Margin is the server's to say: ask soon after anything happened, once for a burst of events. */
function refreshSoon(): void {
  if (refreshTimer !== undefined) return;
  refreshTimer = setTimeout(async () => {
    refreshTimer = undefined;
    const { account, ready } = useTrading.getState();
    if (!account || !ready) return;
    try {
      const view = await ask(
        api.GET("/api/v1/accounts/{account}", { params: { path: { account } } }),
      );
      if (useTrading.getState().account === account) useTrading.setState({ view });
      queries.setQueryData(accountsQuery.queryKey, (old) =>
        old?.map((each) => (each.id === account ? view : each)),
      );
    } catch {
      // The next event or the next snapshot brings it.
    }
  }, REFRESH_MS);
}
