/** Positions and orders of the account as lines and markers of the chart. */
import type { SeriesMarker, Time, UTCTimestamp } from "lightweight-charts";
import { api, ask, command, type InstrumentOut } from "@/api/client";
import { token } from "@/app/look";
import { decimals, fixed, profit } from "@/format/number";
import { millis } from "@/format/time";
import { toast } from "@/kit/toast";
import { profitAt, type Side } from "@/live/money";
import { fills as newest, type Order, type Position, snapshot } from "@/live/trading";
import { floating } from "@/live/valuation";
import { t } from "@/text";
import type { Period } from "../view";
import { barStart } from "./bars";
import type { Line } from "./lines";

const exact = (price: number, digits: number): string => price.toFixed(digits);

async function guarded(title: string, send: () => Promise<unknown>): Promise<void> {
  try {
    await send();
  } catch (thrown) {
    toast.problem(thrown, title);
    void snapshot(); // whatever happened, show what is true now
    throw thrown;
  }
}

function movePosition(
  position: Position,
  change: { sl?: string | null; tp?: string | null },
): Promise<unknown> {
  const { account, sl, tp, trailing } = position;
  return command((header) =>
    api.PATCH("/api/v1/positions/{position}", {
      params: { path: { position: position.id }, header },
      body: { account, sl, tp, trailing, trailing_step: 0, ...change },
    }),
  );
}

function moveOrder(
  order: Order,
  change: { price?: string; sl?: string | null; tp?: string | null },
): Promise<unknown> {
  const { account, price, limit_price, sl, tp, expire } = order;
  return command((header) =>
    api.PATCH("/api/v1/orders/{order}", {
      params: { path: { order: order.id }, header },
      body: { account, price: price ?? "", limit_price, sl, tp, expire, ...change },
    }),
  );
}

/** Entry lines shown one by one; more become one per side. */
const ENTRIES_MAX = 6;

const bySide = (positions: readonly Position[]): Position[][] =>
  ["buy", "sell"]
    .map((side) => positions.filter((each) => each.side === side))
    .filter((group) => group.length > 0);

/** Lines of everything the account has in this instrument. */
export function linesOf(
  instrument: InstrumentOut,
  currency: string,
  positions: Iterable<Position>,
  orders: Iterable<Order>,
): Line[] {
  const { symbol, digits } = instrument;
  const made: Line[] = [];
  const money = (side: Side, volume: string, open: number) => (price: number) =>
    profit(profitAt(instrument, side, Number(volume), open, price, currency));
  const entries = new Map<string, Position[]>();
  for (const each of positions) {
    if (each.instrument !== symbol) continue;
    const side = each.side as Side;
    const at = money(side, each.volume, Number(each.price));
    const same = `${side}@${each.price}`;
    entries.set(same, [...(entries.get(same) ?? []), each]);
    if (each.sl)
      made.push({
        id: `p${each.id}sl`,
        price: Number(each.sl),
        colour: "--down",
        dashed: true,
        label: (price) => `SL ${at(price)}`,
        move: (price) =>
          guarded(t("The stop loss was not changed"), () =>
            movePosition(each, { sl: exact(price, digits) }),
          ),
      });
    if (each.tp)
      made.push({
        id: `p${each.id}tp`,
        price: Number(each.tp),
        colour: "--up",
        dashed: true,
        label: (price) => `TP ${at(price)}`,
        move: (price) =>
          guarded(t("The take profit was not changed"), () =>
            movePosition(each, { tp: exact(price, digits) }),
          ),
      });
  }
  // Positions opened at one price share a line, and very many share one per side at their average price:
  // ten labels on top of each other tell nothing.
  const groups =
    entries.size > ENTRIES_MAX ? bySide([...entries.values()].flat()) : [...entries.values()];
  for (const group of groups) {
    const [first] = group as [Position];
    const volume = group.reduce((sum, each) => sum + Number(each.volume), 0);
    const cost = group.reduce((sum, each) => sum + Number(each.volume) * Number(each.price), 0);
    const word = first.side === "buy" ? t("BUY") : t("SELL");
    const count = group.length > 1 ? ` (${group.length})` : "";
    made.push({
      id: `${first.side}${groups.length > 2 || entries.size <= ENTRIES_MAX ? first.price : ""}`,
      price: cost / volume,
      colour: "--accent",
      label: () =>
        `${word} ${fixed(volume, decimals(instrument.volume_step))}${count}  ${profit(group.reduce((sum, each) => sum + floating(each, currency), 0))}`,
    });
  }
  for (const each of orders) {
    if (each.instrument !== symbol || !each.price) continue;
    const side = each.side as Side;
    const open = Number(each.price);
    const at = money(side, each.volume, Number(each.limit_price ?? each.price));
    const word = `${side === "buy" ? t("BUY") : t("SELL")} ${t(each.type.replace("_", " ")).toUpperCase()}`;
    made.push({
      id: `o${each.id}`,
      price: open,
      colour: "--info",
      dashed: true,
      label: () => `${word} ${each.volume}`,
      move: (price) =>
        guarded(t("The order was not changed"), () =>
          moveOrder(each, { price: exact(price, digits) }),
        ),
    });
    if (each.sl)
      made.push({
        id: `o${each.id}sl`,
        price: Number(each.sl),
        colour: "--down",
        dashed: true,
        label: (price) => `SL ${at(price)}`,
        move: (price) =>
          guarded(t("The stop loss was not changed"), () =>
            moveOrder(each, { sl: exact(price, digits) }),
          ),
      });
    if (each.tp)
      made.push({
        id: `o${each.id}tp`,
        price: Number(each.tp),
        colour: "--up",
        dashed: true,
        label: (price) => `TP ${at(price)}`,
        move: (price) =>
          guarded(t("The take profit was not changed"), () =>
            moveOrder(each, { tp: exact(price, digits) }),
          ),
      });
  }
  return made;
}

export type Deal = {
  time: string;
  side: string;
  entry: string;
  volume: string;
  price: string;
  seq: number;
};

const MARKED_MAX = 200;

/** Fills of the account in an instrument: those of the past from the server, new ones from the feed. */
export async function dealsOf(account: number, symbol: string): Promise<Deal[]> {
  const query = { account, instrument: symbol, limit: MARKED_MAX };
  const page = await ask(api.GET("/api/v1/fills", { params: { query } }));
  const known = page.items as unknown as (Deal & { id: number; time: string })[];
  const past = known.map((each) => ({ ...each, seq: each.id }));
  const seen = new Set(past.map((each) => each.seq));
  const fresh = newest.filter(
    (each) => each.instrument === symbol && each.account === account && !seen.has(each.seq),
  );
  return [...fresh, ...past];
}

/** Arrows where the account bought and sold; deals of one bar and side share an arrow. */
export function markersOf(
  deals: readonly Deal[],
  period: Period,
  digits: number,
): SeriesMarker<Time>[] {
  const volumes = new Map<string, { time: number; buy: boolean; volume: number; count: number }>();
  for (const each of deals) {
    const time = barStart(millis(each.time) / 1000, period);
    const key = `${time}${each.side}`;
    const known = volumes.get(key) ?? { time, buy: each.side === "buy", volume: 0, count: 0 };
    volumes.set(key, {
      ...known,
      volume: known.volume + Number(each.volume),
      count: known.count + 1,
    });
  }
  const made = [...volumes.values()].map(
    ({ time, buy, volume, count }): SeriesMarker<Time> => ({
      time: time as UTCTimestamp,
      position: buy ? "belowBar" : "aboveBar",
      shape: buy ? "arrowUp" : "arrowDown",
      color: token(buy ? "--up" : "--down"),
      text: `${buy ? "B" : "S"} ${fixed(volume, digits)}${count > 1 ? ` (${count})` : ""}`,
      size: 1,
    }),
  );
  return made.sort((a, b) => (a.time as number) - (b.time as number));
}
