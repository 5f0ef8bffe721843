import type { ClosedPositionOut, FillOut, OrderRowOut } from "@/api/client";
import { decimal, fixed, NONE, profit, signed } from "@/format/number";
import { dateTime, duration, millis } from "@/format/time";
import type { Column } from "@/kit";
import { digitsOf } from "@/live/instruments";
import { t } from "@/text";
import { Money, Name } from "./Side";
import { codeWord, reasonWord, stateWord, typeWord } from "./words";

type Traded = { instrument: string; side: string };

const priceOf = (symbol: string, text: string | null): string =>
  text === null ? NONE : fixed(Number(text), digitsOf(symbol));
const money = (text: string) => <Money value={Number(text)} text={profit(Number(text))} />;

const symbol = <R extends Traded>(): Column<R> => ({
  id: "symbol",
  header: t("Symbol"),
  width: "minmax(132px, 1.2fr)",
  cell: (row) => <Name symbol={row.instrument} side={row.side} />,
  sort: (row) => row.instrument,
});
const end = <R,>(
  id: string,
  header: string,
  width: number,
  cell: Column<R>["cell"],
  sort?: Column<R>["sort"],
): Column<R> => ({ id, header, align: "end", width: `minmax(${width}px, 1fr)`, cell, sort });

/** What a closed position brought in all. */
export const netOf = (row: ClosedPositionOut): number =>
  Number(row.profit) + Number(row.commission) + Number(row.swap);

export const closedColumns = (currency: string): Column<ClosedPositionOut>[] => [
  symbol(),
  end(
    "volume",
    t("Lots"),
    56,
    (row) => decimal(row.volume),
    (row) => Number(row.volume),
  ),
  end("price", t("Open"), 76, (row) => priceOf(row.instrument, row.price)),
  end("close", t("Close"), 76, (row) => priceOf(row.instrument, row.close_price)),
  end(
    "profit",
    t("Profit"),
    76,
    (row) => money(row.profit),
    (row) => Number(row.profit),
  ),
  end("commission", t("Commission"), 76, (row) => signed(Number(row.commission), 2)),
  end("swap", t("Swap"), 58, (row) => signed(Number(row.swap), 2)),
  end(
    "net",
    t("Net, {currency}", { currency }),
    84,
    (row) => <Money value={netOf(row)} text={profit(netOf(row))} />,
    netOf,
  ),
  {
    id: "reason",
    header: t("Closed by"),
    width: "minmax(84px, 1fr)",
    cell: (row) => reasonWord(row.reason),
    sort: (row) => row.reason,
  },
  end("held", t("Held"), 80, (row) => duration(millis(row.closed) - millis(row.opened))),
  end(
    "closed",
    t("Closed"),
    136,
    (row) => dateTime(row.closed),
    (row) => millis(row.closed),
  ),
  end(
    "id",
    t("Ticket"),
    56,
    (row) => `#${row.id}`,
    (row) => row.id,
  ),
];

export const fillColumns = (currency: string): Column<FillOut>[] => [
  symbol(),
  {
    id: "entry",
    header: t("In / out"),
    width: "minmax(56px, 0.5fr)",
    cell: (row) => (row.entry === "in" ? t("In") : t("Out")),
  },
  end(
    "volume",
    t("Lots"),
    56,
    (row) => decimal(row.volume),
    (row) => Number(row.volume),
  ),
  end("price", t("Price"), 76, (row) => priceOf(row.instrument, row.price)),
  end(
    "profit",
    t("Profit, {currency}", { currency }),
    76,
    (row) => money(row.profit),
    (row) => Number(row.profit),
  ),
  end("commission", t("Commission"), 76, (row) => signed(Number(row.commission), 2)),
  {
    id: "reason",
    header: t("Why"),
    width: "minmax(84px, 1fr)",
    cell: (row) => reasonWord(row.reason),
    sort: (row) => row.reason,
  },
  end(
    "time",
    t("Time"),
    136,
    (row) => dateTime(row.time),
    (row) => millis(row.time),
  ),
  end(
    "order",
    t("Order"),
    60,
    (row) => `#${row.order}`,
    (row) => row.order,
  ),
  end("position", t("Position"), 60, (row) => `#${row.position}`),
];

export const orderRowColumns = (): Column<OrderRowOut>[] => [
  symbol(),
  {
    id: "type",
    header: t("Kind"),
    width: "minmax(64px, 0.6fr)",
    cell: (row) => typeWord(row.type),
    sort: (row) => row.type,
  },
  end("volume", t("Lots"), 90, (row) => `${decimal(row.filled)} / ${decimal(row.volume)}`),
  end("price", t("Price"), 76, (row) => priceOf(row.instrument, row.price)),
  end("sl", t("SL"), 76, (row) => priceOf(row.instrument, row.sl)),
  end("tp", t("TP"), 76, (row) => priceOf(row.instrument, row.tp)),
  {
    id: "state",
    header: t("State"),
    width: "minmax(120px, 1.4fr)",
    cell: (row) =>
      row.code === "ok" ? stateWord(row.state) : `${stateWord(row.state)}: ${codeWord(row.code)}`,
    sort: (row) => row.state,
  },
  {
    id: "reason",
    header: t("Came from"),
    width: "minmax(84px, 1fr)",
    cell: (row) => reasonWord(row.reason),
    sort: (row) => row.reason,
  },
  end(
    "created",
    t("Made"),
    136,
    (row) => dateTime(row.created),
    (row) => millis(row.created),
  ),
  end(
    "id",
    t("Order"),
    60,
    (row) => `#${row.id}`,
    (row) => row.id,
  ),
];
