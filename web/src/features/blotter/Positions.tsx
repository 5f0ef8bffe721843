import { type ReactNode, Suspense, useCallback, useMemo, useState } from "react";
import { decimal, fixed, signed } from "@/format/number";
import { clockTime, dateTime, millis } from "@/format/time";
import { Button } from "@/kit/Button";
import { type Column, DataTable } from "@/kit/DataTable";
import { LiveProfit } from "@/kit/live";
import type { MenuItem } from "@/kit/Menu";
import { Empty } from "@/kit/states";
import { digitsOf } from "@/live/instruments";
import type { Position } from "@/live/trading";
import { useTrading } from "@/live/trading";
import { floating } from "@/live/valuation";
import { t } from "@/text";
import { reverse, setStops, tellFill } from "./actions";
import { Cards, Line, useNarrow } from "./Cards";
import { stop } from "./checks";
import { CloseDialog, Confirm, PointMenu, ReceiptDialog } from "./lazily";
import { LiveTotal, LiveTouch } from "./live";
import { rulesOf, touchOf } from "./market";
import { PriceCell } from "./PriceCell";
import { Name, withSide } from "./Side";

type Doing = { what: "close" | "reverse" | "receipt"; position: Position; share?: number };

/** Open positions with live profit; stops are changed where they stand. */
export function Positions({ onShow }: { onShow: (symbol: string) => void }) {
  const held = useTrading((s) => s.positions);
  const currency = useTrading((s) => s.view?.currency ?? "");
  const rows = useMemo(() => [...held.values()].sort((a, b) => b.id - a.id), [held]);
  const narrow = useNarrow();
  const [chosen, setChosen] = useState<number | null>(null);
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null);
  const [doing, setDoing] = useState<Doing | null>(null);
  const act = useCallback<Act>((what, position, share) => setDoing({ what, position, share }), []);
  const columns = useMemo(() => columnsOf(currency, act), [currency, act]);
  const empty = (
    <Empty title={t("No open positions")}>
      {t("Choose an instrument, then Buy or Sell in the order ticket.")}
    </Empty>
  );
  const position = chosen === null ? undefined : held.get(chosen);
  const swap = rows.reduce((sum, each) => sum + Number(each.swap), 0);
  const end = () => setDoing(null);
  return (
    <>
      {narrow ? (
        <Cards
          rows={rows}
          rowKey={(row) => row.id}
          label={t("Open positions")}
          height={116}
          empty={empty}
          card={(row) => <Card position={row} currency={currency} act={act} />}
        />
      ) : (
        <DataTable
          label={t("Open positions")}
          rows={rows}
          columns={columns}
          rowKey={(row) => row.id}
          selected={chosen}
          onSelect={(row) => setChosen(row.id)}
          onOpen={(row) => act("receipt", row)}
          onMenu={(row, at) => {
            setChosen(row.id);
            setMenu(at);
          }}
          empty={empty}
          footer={{
            symbol: t("{n} open", { n: rows.length }),
            swap: signed(swap, 2),
            profit: <LiveTotal />,
          }}
        />
      )}
      <Suspense>
        {menu && position && (
          <PointMenu
            at={menu}
            items={menuOf(position, act, onShow)}
            onClose={() => setMenu(null)}
          />
        )}
        {doing?.what === "close" && (
          <CloseDialog
            position={held.get(doing.position.id) ?? doing.position}
            share={doing.share}
            onClose={end}
          />
        )}
        {doing?.what === "reverse" && (
          <Confirm
            open
            onClose={end}
            title={t("Reverse position #{id}", { id: doing.position.id })}
            action={t("Hold to reverse")}
            onConfirm={async () => {
              const { volume, instrument: symbol, side } = doing.position;
              const done = await reverse(doing.position);
              void tellFill(
                done,
                t("Reversed: now {side} {volume} {symbol}", {
                  side: side === "buy" ? t("sell") : t("buy"),
                  volume,
                  symbol,
                }),
              );
            }}
          >
            <p>
              {t(
                "{side} {volume} {symbol} is closed and the same volume opened the other way, at the market, all or nothing. Stop loss and take profit are not carried over.",
                {
                  side: doing.position.side === "buy" ? t("Buy") : t("Sell"),
                  volume: doing.position.volume,
                  symbol: doing.position.instrument,
                },
              )}
            </p>
          </Confirm>
        )}
        {doing?.what === "receipt" && (
          <ReceiptDialog
            of={{ ...doing.position, before: doing.position.opened ?? undefined }}
            onClose={end}
            actions={
              held.has(doing.position.id) && (
                <Button onClick={() => act("close", doing.position)}>{t("Close position")}</Button>
              )
            }
          />
        )}
      </Suspense>
    </>
  );
}

type Act = (what: Doing["what"], position: Position, share?: number) => void;

function menuOf(position: Position, act: Act, onShow: (symbol: string) => void): MenuItem[] {
  return [
    { label: t("Close…"), onSelect: () => act("close", position) },
    { label: t("Close half…"), onSelect: () => act("close", position, 50) },
    { label: t("Reverse…"), onSelect: () => act("reverse", position) },
    "line",
    { label: t("Show on the chart"), onSelect: () => onShow(position.instrument) },
    { label: t("Receipt"), keys: "Enter", onSelect: () => act("receipt", position) },
  ];
}

/** One stop of a position, changed in place. */
function Stop({ position, kind }: { position: Position; kind: "sl" | "tp" }): ReactNode {
  const rules = rulesOf(position.instrument);
  const name = kind === "sl" ? t("Stop loss") : t("Take profit");
  return (
    <PriceCell
      label={t("{name} of {symbol} #{id}", { name, symbol: position.instrument, id: position.id })}
      value={position[kind]}
      digits={rules.digits}
      step={rules.step}
      start={() => touchOf(position)}
      check={(text) => stop(text, kind, position.side as "buy" | "sell", touchOf(position), rules)}
      onSave={(value) => setStops(position, { [kind]: value })}
    />
  );
}

const lots = (text: string): string => decimal(text);
const closesAt = (position: Position) => (position.side === "buy" ? "bid" : "ask");

function columnsOf(currency: string, act: Act): Column<Position>[] {
  const priceOf = (row: Position, text: string | null) =>
    text === null ? "" : fixed(Number(text), digitsOf(row.instrument));
  return [
    {
      id: "symbol",
      header: t("Symbol"),
      width: "minmax(132px, 1.2fr)",
      cell: (row) => <Name symbol={row.instrument} side={row.side} />,
      sort: (row) => row.instrument,
      text: (row) => row.instrument,
    },
    {
      id: "volume",
      header: t("Lots"),
      align: "end",
      width: "minmax(60px, 0.6fr)",
      cell: (row) => lots(row.volume),
      sort: (row) => Number(row.volume),
      text: (row) => row.volume,
    },
    {
      id: "price",
      header: t("Open"),
      align: "end",
      width: "minmax(76px, 0.9fr)",
      cell: (row) => priceOf(row, row.price),
      text: (row) => row.price,
    },
    {
      id: "current",
      header: t("Current"),
      align: "end",
      width: "minmax(76px, 0.9fr)",
      cell: (row) => <LiveTouch symbol={row.instrument} side={closesAt(row)} />,
      text: (row) => String(touchOf(row)),
    },
    {
      id: "sl",
      header: t("SL"),
      align: "end",
      width: "minmax(82px, 0.9fr)",
      cell: (row) => <Stop position={row} kind="sl" />,
      text: (row) => row.sl ?? "",
    },
    {
      id: "tp",
      header: t("TP"),
      align: "end",
      width: "minmax(82px, 0.9fr)",
      cell: (row) => <Stop position={row} kind="tp" />,
      text: (row) => row.tp ?? "",
    },
    {
      id: "swap",
      header: t("Swap"),
      align: "end",
      width: "minmax(58px, 0.6fr)",
      cell: (row) => signed(Number(row.swap), 2),
      sort: (row) => Number(row.swap),
      text: (row) => row.swap,
    },
    {
      id: "profit",
      header: t("P&L, {currency}", { currency }),
      align: "end",
      width: "minmax(84px, 0.9fr)",
      cell: (row) => <LiveProfit position={row} className="font-medium" />,
      sort: (row) => floating(row, currency),
      text: (row) => floating(row, currency).toFixed(2),
    },
    {
      id: "opened",
      header: t("Opened"),
      align: "end",
      width: "minmax(72px, 0.7fr)",
      cell: (row) => <span title={dateTime(row.opened)}>{clockTime(row.opened)}</span>,
      sort: (row) => millis(row.opened),
      text: (row) => row.opened ?? "",
    },
    {
      id: "id",
      header: t("Ticket"),
      align: "end",
      width: "minmax(56px, 0.5fr)",
      cell: (row) => `#${row.id}`,
      sort: (row) => row.id,
      text: (row) => String(row.id),
    },
    {
      id: "do",
      header: <span className="sr-only">{t("Actions")}</span>,
      align: "end",
      width: "72px",
      cell: (row) => (
        <Button
          small
          look="quiet"
          aria-label={t("Close {symbol} #{id}", { symbol: row.instrument, id: row.id })}
          onClick={(event) => {
            event.stopPropagation();
            act("close", row);
          }}
        >
          {t("Close")}
        </Button>
      ),
    },
  ];
}

/** Columns of the CSV file of open positions. */
export const positionColumns = (currency: string): Column<Position>[] =>
  withSide(columnsOf(currency, () => undefined));

function Card({ position, currency, act }: { position: Position; currency: string; act: Act }) {
  return (
    <>
      <Line
        left={
          <span className="text-fg">
            <Name symbol={position.instrument} side={position.side} />
          </span>
        }
        right={
          <>
            <LiveProfit position={position} className="font-semibold" />{" "}
            <span className="text-fg-3">{currency}</span>
          </>
        }
      />
      <Line
        left={t("{volume} lots at {price}", {
          volume: lots(position.volume),
          price: fixed(Number(position.price), digitsOf(position.instrument)),
        })}
        right={<LiveTouch symbol={position.instrument} side={closesAt(position)} />}
      />
      <div className="flex items-center justify-between gap-2">
        <span className="text-fg-2">
          {t("SL")} <Stop position={position} kind="sl" />
        </span>
        <span className="text-fg-2">
          {t("TP")} <Stop position={position} kind="tp" />
        </span>
        <Button small onClick={() => act("close", position)}>
          {t("Close")}
        </Button>
        <Button small look="quiet" onClick={() => act("receipt", position)}>
          {t("Receipt")}
        </Button>
      </div>
    </>
  );
}
