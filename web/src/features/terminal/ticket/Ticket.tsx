import { useEffect, useMemo, useRef, useState } from "react";
import { problemOf } from "@/api/problem";
import { useShortcuts } from "@/app/keys";
import { usePreference } from "@/app/preferences";
import { decimals } from "@/format/number";
import { Button } from "@/kit/Button";
import { cx } from "@/kit/cx";
import { Checkbox } from "@/kit/Field";
import { LivePrice } from "@/kit/live";
import { Segments } from "@/kit/Segments";
import { Empty, Loading } from "@/kit/states";
import { toast } from "@/kit/toast";
import { useFreshness } from "@/live/freshness";
import { perLot, profitAt } from "@/live/money";
import { quotes } from "@/live/quotes";
import { serverNow } from "@/live/socket";
import { useTrading } from "@/live/trading";
import { account as money } from "@/live/valuation";
import { t } from "@/text";
import { useView } from "../view";
import { useAsked } from "./ask";
import { Costs } from "./Costs";
import {
  type Checked,
  check,
  type Draft,
  EMPTY,
  type FieldName,
  type Market,
  type OrderType,
  type Side,
} from "./draft";
import { Entries } from "./Entries";
import { fieldOf, place } from "./send";

const TYPES: readonly { value: OrderType; label: string }[] = [
  { value: "market", label: "Market" },
  { value: "limit", label: "Limit" },
  { value: "stop", label: "Stop" },
  { value: "stop_limit", label: "Stop limit" },
];

/** The order ticket. Fields keep what was typed; everything is checked when a side is chosen. */
export function Ticket({ onSent }: { onSent?: () => void }) {
  const { symbol, instrument } = useView();
  const account = useTrading((s) => s.account);
  const ready = useTrading((s) => s.ready);
  const currency = useTrading((s) => s.view?.currency ?? "");
  const state = useTrading((s) => s.view?.state ?? "active");
  const readOnly = useTrading(
    (s) => s.view?.flags.some((f) => f === "read_only" || f === "disabled") ?? false,
  );
  const fresh = useFreshness((s) => s.state);
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [side, setSide] = useState<Side>("buy");
  const [armed, setArmed] = useState(false);
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<Partial<Record<FieldName | "order", string>>>({});
  const [oneClick, setOneClick] = usePreference("ticket.one-click", false);
  const send = useRef<HTMLButtonElement>(null);

  // Another instrument has other prices: what was typed as a price belongs to the old one.
  const [shownSymbol, setShownSymbol] = useState(symbol);
  if (shownSymbol !== symbol) {
    setShownSymbol(symbol);
    setDraft((now) => ({ ...now, price: "", limit: "", sl: "", tp: "", trailing: "" }));
    setArmed(false);
    setTried(false);
    setRefused({});
  }

  // Asked from the chart: a pending order at a price.
  const asked = useAsked((s) => s.asked);
  useEffect(() => {
    if (!asked) return;
    useAsked.setState({ asked: null });
    setSide(asked.side);
    setArmed(false);
    setRefused({});
    setDraft((now) => ({ ...now, type: asked.type, price: asked.price }));
  }, [asked]);

  const market = (): Market | null => {
    if (!instrument) return null;
    const i = quotes.index(symbol);
    const lotMove = (way: Side) => {
      const made = profitAt(instrument, way, 1, 0, way === "buy" ? 1 : -1, currency);
      return Number.isFinite(made)
        ? Math.abs(made)
        : currency === instrument.profit
          ? perLot(instrument)
          : Number.NaN;
    };
    return {
      instrument,
      bid: quotes.bid[i] as number,
      ask: quotes.ask[i] as number,
      equity: money.equity,
      lotMove,
      now: serverNow(),
    };
  };
  const look = (way: Side): Checked | null => {
    const now = market();
    return now ? check(draft, way, now) : null;
  };

  const change = (part: Partial<Draft>) => {
    setDraft((now) => ({ ...now, ...part }));
    setRefused({});
    setArmed(false);
  };

  const submit = async (way: Side) => {
    const made = look(way);
    setTried(true);
    setSide(way);
    setArmed(false);
    if (!made?.order || busy || fresh === "dead" || !account) return;
    setBusy(true);
    setRefused({});
    try {
      const answer = await place({ account, ...made.order });
      setTried(false);
      const words = {
        side: way === "buy" ? t("Bought") : t("Sold"),
        volume: answer.filled,
        symbol,
        price: answer.price ?? "",
      };
      if (Number(answer.filled) > 0)
        // One message that changes: trading fast must not pile them up.
        toast.ok(t("{side} {volume} {symbol} at {price}", words), { id: "order" });
      else
        toast.ok(t("Order {order} is placed", { order: answer.order }), {
          description: `${t(way)} ${t(draft.type.replace("_", " "))} ${made.order.volume} ${symbol}`,
        });
      onSent?.();
    } catch (thrown) {
      const problem = problemOf(thrown);
      const field = fieldOf(problem);
      if (problem.unknown) {
        setRefused({
          order: t(
            "Nobody knows yet whether the order was carried out. Press again: it is sent with the same key and will not be carried out twice.",
          ),
        });
      } else {
        setRefused({ [field ?? "order"]: problem.message });
        toast.problem(problem, t("Order refused: {why}", { why: problem.title }));
      }
    } finally {
      setBusy(false);
    }
  };

  const choose = (way: Side) => {
    setSide(way);
    const made = look(way);
    if (oneClick) {
      void submit(way);
      return;
    }
    setTried(true);
    if (!made?.order) return;
    setArmed(true);
    // Away from the buy and sell buttons: a double click must not send.
    requestAnimationFrame(() => send.current?.focus());
  };
  const act = useRef(choose);
  act.current = choose;
  useShortcuts(
    useMemo(
      () => [
        {
          keys: "Shift+B",
          label: t("Buy (Enter sends)"),
          group: t("Order ticket"),
          run: () => act.current("buy"),
        },
        {
          keys: "Shift+S",
          label: t("Sell (Enter sends)"),
          group: t("Order ticket"),
          run: () => act.current("sell"),
        },
      ],
      [],
    ),
  );

  if (!account) return <Empty title={t("No account")}>{t("Open a demo account to trade.")}</Empty>;
  if (!instrument || !ready) return <Loading />;

  const { digits } = instrument;
  const made = look(side);
  const errors: Partial<Record<FieldName | "order", string>> = {
    ...(tried ? made?.errors : {}),
    ...refused,
  };
  const mode = instrument.trade_mode;
  const blocked =
    fresh === "dead"
      ? t("Prices are too old to trade on. Waiting for new ones.")
      : readOnly
        ? t("This account may not trade.")
        : state === "halted"
          ? t("Trading is halted. Positions are kept; ask the desk.")
          : mode === "disabled"
            ? t("{symbol} is not traded.", { symbol })
            : mode === "close_only" || state !== "active"
              ? t("Only closing is allowed now.")
              : null;
  const lots = decimals(instrument.volume_step);
  const pick = (way: Side) => (
    <button
      type="button"
      disabled={!!blocked || busy}
      aria-pressed={armed && side === way}
      onPointerEnter={() => !armed && setSide(way)}
      onClick={() => choose(way)}
      className={cx(
        "flex min-h-13 flex-1 flex-col gap-0.5 rounded-panel px-2.5 py-1.5 text-white transition-[filter,opacity] duration-120 hover:brightness-110 disabled:opacity-45",
        way === "buy" ? "items-end bg-buy" : "items-start bg-sell",
        armed && side !== way && "opacity-45",
        fresh !== "live" && "saturate-50",
      )}
    >
      {/* The button's name is its side alone: one that changes with every tick would be read out. */}
      <span className="text-hint">
        {way === "sell" && <span aria-hidden>▼ </span>}
        {way === "buy" ? t("Buy") : t("Sell")}
        {way === "buy" && <span aria-hidden> ▲</span>}
      </span>
      <span aria-hidden className="text-[15px] leading-5">
        <span aria-hidden>
          <LivePrice
            symbol={symbol}
            side={way === "buy" ? "ask" : "bid"}
            digits={digits}
            split
            className="text-white [&]:!text-white"
          />
        </span>
      </span>
    </button>
  );
  return (
    <form
      className="flex h-full flex-col gap-2.5 overflow-y-auto p-2.5"
      onSubmit={(event) => {
        event.preventDefault();
        if (armed) void submit(side);
        else choose(side);
      }}
      onKeyDown={(event) => {
        if (event.key === "Escape" && armed) setArmed(false);
      }}
    >
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="font-semibold text-[14px]">{symbol}</h2>
        <Segments<OrderType>
          small
          label={t("Order type")}
          value={draft.type}
          onChange={(type) => change({ type })}
          choices={TYPES.map((each) => ({ ...each, label: t(each.label) }))}
        />
      </div>
      <div className="flex gap-1.5">
        {pick("sell")}
        {pick("buy")}
      </div>
      {armed && made?.order && (
        <div className="flex flex-col gap-1.5 rounded-panel border border-line bg-raised p-2">
          <Button ref={send} type="submit" look={side} busy={busy}>
            {t("Send: {side} {volume} {symbol}", {
              side: t(side),
              volume: made.order.volume,
              symbol,
            })}
          </Button>
          <Button small look="quiet" onClick={() => setArmed(false)}>
            {t("Cancel")} <kbd className="text-fg-3">Esc</kbd>
          </Button>
        </div>
      )}
      {(blocked || errors.order) && (
        <p
          role="alert"
          className={cx(
            "rounded-panel border px-2 py-1.5 text-table",
            blocked ? "border-warning/50 text-warning" : "border-critical/60 text-critical",
          )}
        >
          {blocked ?? errors.order}
        </p>
      )}
      <Entries
        draft={draft}
        change={change}
        errors={errors}
        instrument={instrument}
        side={side}
        checked={made}
        currency={currency}
        lots={lots}
      />
      <Costs
        order={made?.order ? { account, ...made.order } : null}
        checked={made}
        currency={currency}
        equity={money.equity}
        onRefused={(field, why) =>
          setRefused((now) => (now[field] === why ? now : { ...now, [field]: why }))
        }
      />
      <div className="mt-auto flex flex-wrap items-center justify-between gap-2 pt-1">
        <Checkbox
          label={t("One-click trading")}
          checked={oneClick}
          onChange={(event) => setOneClick(event.target.checked)}
        />
        <span className="hidden text-fg-3 text-hint sm:inline">
          ⇧B {t("buy")} ⇧S {t("sell")}
        </span>
      </div>
    </form>
  );
}
