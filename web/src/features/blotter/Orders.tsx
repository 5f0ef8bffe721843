import { Suspense, useMemo, useState } from "react";
import { decimal, fixed, NONE } from "@/format/number";
import { dateTime } from "@/format/time";
import { Button } from "@/kit/Button";
import { type Column, DataTable } from "@/kit/DataTable";
import type { MenuItem } from "@/kit/Menu";
import { Empty } from "@/kit/states";
import { toast } from "@/kit/toast";
import { digitsOf } from "@/live/instruments";
import type { Order } from "@/live/trading";
import { useTrading } from "@/live/trading";
import { t } from "@/text";
import { cancel, setOrder } from "./actions";
import { Cards, Line, useNarrow } from "./Cards";
import { type Checked, price, stop } from "./checks";
import { OrderDialog, PointMenu, ReceiptDialog } from "./lazily";
import { LiveTouch } from "./live";
import { rulesOf } from "./market";
import { PriceCell } from "./PriceCell";
import { Name, withSide } from "./Side";
import { stateWord, tifWord, typeWord } from "./words";

type Doing = { what: "change" | "receipt"; order: Order };
type Act = (what: Doing["what"] | "cancel", order: Order) => void;

/** Working orders: prices are changed where they stand. */
export function Orders({ onShow }: { onShow: (symbol: string) => void }) {
  const working = useTrading((s) => s.orders);
  const rows = useMemo(() => [...working.values()].sort((a, b) => b.id - a.id), [working]);
  const narrow = useNarrow();
  const [chosen, setChosen] = useState<number | null>(null);
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null);
  const [doing, setDoing] = useState<Doing | null>(null);
  const [ending, setEnding] = useState<ReadonlySet<number>>(new Set());
  const act: Act = async (what, order) => {
    if (what !== "cancel") {
      setDoing({ what, order });
      return;
    }
    setEnding((now) => new Set(now).add(order.id));
    try {
      await cancel(order);
      toast.ok(t("Order #{id} is cancelled", { id: order.id }));
    } catch (thrown) {
      toast.problem(thrown, t("Order #{id} was not cancelled", { id: order.id }));
    } finally {
      setEnding((now) => new Set([...now].filter((id) => id !== order.id)));
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: act only sets state
  const columns = useMemo(() => columnsOf(act, ending), [ending]);
  const empty = (
    <Empty title={t("No pending orders")}>
      {t("Choose Limit or Stop in the order ticket and say a price.")}
    </Empty>
  );
  const order = chosen === null ? undefined : working.get(chosen);
  const end = () => setDoing(null);
  return (
    <>
      {narrow ? (
        <Cards
          rows={rows}
          rowKey={(row) => row.id}
          label={t("Working orders")}
          height={116}
          empty={empty}
          card={(row) => <Card order={row} act={act} busy={ending.has(row.id)} />}
        />
      ) : (
        <DataTable
          label={t("Working orders")}
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
        />
      )}
      <Suspense>
        {menu && order && (
          <PointMenu at={menu} items={menuOf(order, act, onShow)} onClose={() => setMenu(null)} />
        )}
        {doing?.what === "change" && <OrderDialog order={doing.order} onClose={end} />}
        {doing?.what === "receipt" && <ReceiptDialog of={receiptOf(doing.order)} onClose={end} />}
      </Suspense>
    </>
  );
}

const receiptOf = ({ account, id, instrument, side }: Order) => ({
  account,
  order: id,
  instrument,
  side,
});

const menuOf = (order: Order, act: Act, onShow: (symbol: string) => void): MenuItem[] => [
  { label: t("Change…"), onSelect: () => act("change", order) },
  { label: t("Cancel"), danger: true, onSelect: () => act("cancel", order) },
  "line",
  { label: t("Show on the chart"), onSelect: () => onShow(order.instrument) },
  { label: t("Receipt"), keys: "Enter", onSelect: () => act("receipt", order) },
];

/** A price of an order, changed in place. */
function Price({ order, name }: { order: Order; name: "price" | "limit_price" | "sl" | "tp" }) {
  const rules = rulesOf(order.instrument);
  const label = {
    price: t("Price"),
    limit_price: t("Limit price"),
    sl: t("Stop loss"),
    tp: t("Take profit"),
  }[name];
  const check = (text: string): Checked => {
    if (name === "sl" || name === "tp")
      return stop(text, name, order.side as "buy" | "sell", Number(order.price), rules);
    const made = price(text, rules);
    return made.error === undefined && made.value === null
      ? { error: t("An order needs a price. Cancel it to take it away.") }
      : made;
  };
  return (
    <PriceCell
      label={t("{name} of order #{id}", { name: label, id: order.id })}
      value={order[name]}
      digits={rules.digits}
      step={rules.step}
      start={() => Number(order.price)}
      check={check}
      onSave={(value) => setOrder(order, { [name]: value })}
    />
  );
}

const waitsFor = (order: Order) => (order.side === "buy" ? "ask" : "bid");
const filledOf = (order: Order): string =>
  Number(order.filled) > 0
    ? `${decimal(order.filled)} / ${decimal(order.volume)}`
    : decimal(order.volume);

function columnsOf(act: Act, ending: ReadonlySet<number>): Column<Order>[] {
  const cell = (name: "price" | "limit_price" | "sl" | "tp") => (row: Order) =>
    name === "limit_price" && row.type !== "stop_limit" ? NONE : <Price order={row} name={name} />;
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
      id: "type",
      header: t("Kind"),
      width: "minmax(64px, 0.6fr)",
      cell: (row) => typeWord(row.type),
      sort: (row) => row.type,
      text: (row) => row.type,
    },
    {
      id: "volume",
      header: t("Lots"),
      align: "end",
      width: "minmax(60px, 0.6fr)",
      cell: filledOf,
      sort: (row) => Number(row.volume),
      text: (row) => row.volume,
    },
    {
      id: "price",
      header: t("Price"),
      align: "end",
      width: "minmax(82px, 0.9fr)",
      cell: cell("price"),
      text: (row) => row.price ?? "",
    },
    {
      id: "limit",
      header: t("Limit"),
      align: "end",
      width: "minmax(70px, 0.7fr)",
      cell: cell("limit_price"),
      text: (row) => row.limit_price ?? "",
    },
    {
      id: "market",
      header: t("Market"),
      align: "end",
      width: "minmax(76px, 0.9fr)",
      cell: (row) => <LiveTouch symbol={row.instrument} side={waitsFor(row)} />,
    },
    {
      id: "sl",
      header: t("SL"),
      align: "end",
      width: "minmax(82px, 0.9fr)",
      cell: cell("sl"),
      text: (row) => row.sl ?? "",
    },
    {
      id: "tp",
      header: t("TP"),
      align: "end",
      width: "minmax(82px, 0.9fr)",
      cell: cell("tp"),
      text: (row) => row.tp ?? "",
    },
    {
      id: "tif",
      header: t("Valid"),
      width: "minmax(96px, 1fr)",
      cell: (row) => (row.expire ? dateTime(row.expire) : tifWord(row.tif)),
      text: (row) => row.expire ?? row.tif,
    },
    {
      id: "state",
      header: t("State"),
      width: "minmax(72px, 0.7fr)",
      cell: (row) => stateWord(row.state),
      sort: (row) => row.state,
      text: (row) => row.state,
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
      width: "136px",
      cell: (row) => <Buttons order={row} act={act} busy={ending.has(row.id)} />,
    },
  ];
}

function Buttons({ order, act, busy }: { order: Order; act: Act; busy: boolean }) {
  const name = t("order #{id}", { id: order.id });
  return (
    <>
      <Button
        small
        look="quiet"
        aria-label={t("Change {name}", { name })}
        onClick={(event) => {
          event.stopPropagation();
          act("change", order);
        }}
      >
        {t("Change")}
      </Button>
      <Button
        small
        look="quiet"
        busy={busy}
        aria-label={t("Cancel {name}", { name })}
        onClick={(event) => {
          event.stopPropagation();
          act("cancel", order);
        }}
      >
        {t("Cancel")}
      </Button>
    </>
  );
}

/** Columns of the CSV file of working orders. */
export const orderColumns = (): Column<Order>[] => withSide(columnsOf(() => undefined, new Set()));

function Card({ order, act, busy }: { order: Order; act: Act; busy: boolean }) {
  return (
    <>
      <Line
        left={
          <span className="text-fg">
            <Name symbol={order.instrument} side={order.side} />
          </span>
        }
        right={stateWord(order.state)}
      />
      <Line
        left={t("{kind} {volume} at {price}", {
          kind: typeWord(order.type),
          volume: filledOf(order),
          price: fixed(Number(order.price), digitsOf(order.instrument)),
        })}
        right={<LiveTouch symbol={order.instrument} side={waitsFor(order)} />}
      />
      <div className="flex items-center justify-between gap-2">
        <span className="text-fg-2">
          {t("SL")} <Price order={order} name="sl" />
        </span>
        <span className="text-fg-2">
          {t("TP")} <Price order={order} name="tp" />
        </span>
        <Buttons order={order} act={act} busy={busy} />
      </div>
    </>
  );
}
