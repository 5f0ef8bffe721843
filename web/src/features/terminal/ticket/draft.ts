/**
 * The order on the ticket: what was typed, checked against the instrument and the market, turned into the
 * request that would be sent. Pure: everything it needs is passed in. Each field has at most one error,
 * which says what is wrong and how to put it right.
 */
import type { InstrumentOut, OrderRequest } from "@/api/client";
import { decimals, fixed, onStep, typed } from "@/format/number";
import { t } from "@/text";

export type Side = "buy" | "sell";
export type OrderType = "market" | "limit" | "stop" | "stop_limit";
export type Tif = "gtc" | "day" | "gtd" | "ioc" | "fok";
export type StopUnit = "price" | "points" | "money" | "risk";
export type Draft = {
  type: OrderType;
  sizing: "lots" | "risk";
  volume: string;
  risk: string;
  price: string;
  limit: string;
  unit: StopUnit;
  sl: string;
  tp: string;
  tif: Tif;
  expire: string;
  trailing: string;
};
export type FieldName =
  | "volume"
  | "risk"
  | "price"
  | "limit_price"
  | "sl"
  | "tp"
  | "expire"
  | "trailing";
export type Market = {
  instrument: InstrumentOut;
  bid: number;
  ask: number;
  equity: number;
  /** Money in the account's currency for one lot and a price move of 1; NaN when unknown. */
  lotMove: (side: Side) => number;
  now: number;
};
export type Checked = {
  errors: Partial<Record<FieldName, string>>;
  /** The order, if nothing is wrong with it. */
  order: Omit<OrderRequest, "account"> | null;
  /** For showing; NaN where unknown. */
  entry: number;
  lots: number;
  sl: number;
  tp: number;
  slMoney: number;
  tpMoney: number;
};

export const EMPTY: Draft = {
  type: "market",
  sizing: "lots",
  volume: "0.10",
  risk: "1",
  price: "",
  limit: "",
  unit: "price",
  sl: "",
  tp: "",
  tif: "gtc",
  expire: "",
  trailing: "",
};

/** Which times in force fit an order type. */
export const tifs = (type: OrderType): readonly Tif[] =>
  type === "market"
    ? ["gtc", "ioc", "fok"]
    : type === "limit"
      ? ["gtc", "day", "gtd", "ioc", "fok"]
      : ["gtc", "day", "gtd"];

/** Smallest price step of an instrument. */
export const priceStep = (instrument: InstrumentOut): number =>
  Number(instrument.tick_size ?? 0) || 10 ** -instrument.digits;

const plain = (value: number, digits: number): string =>
  fixed(value, digits).replace("\u2212", "-");
const shown = (value: number, digits: number): string => fixed(value, digits);

function number(
  text: string,
  errors: Checked["errors"],
  field: FieldName,
  example: string,
): number {
  const value = typed(text);
  if (value !== null) return value;
  errors[field] = text.trim()
    ? t("“{text}” is not a number. Type one such as {example}.", {
        text: text.trim().slice(0, 20),
        example,
      })
    : t("Type a number such as {example}.", { example });
  return Number.NaN;
}

/** Check a draft for one side of the market. */
export function check(draft: Draft, side: Side, market: Market): Checked {
  const { instrument, bid, ask } = market;
  const { digits } = instrument;
  const errors: Checked["errors"] = {};
  const touch = side === "buy" ? ask : bid;
  const step = priceStep(instrument);

  const priceOf = (text: string, field: FieldName): number => {
    const value = number(text, errors, field, shown(touch || 1, digits));
    if (Number.isNaN(value)) return value;
    if (value <= 0) errors[field] = t("A price is above zero.");
    else if (!onStep(value, step))
      errors[field] = t("Prices go in steps of {step}: {near}.", {
        step: shown(step, digits),
        near: shown(Math.round(value / step) * step, digits),
      });
    return value;
  };

  let entry = touch;
  let limit = Number.NaN;
  if (draft.type !== "market") {
    entry = priceOf(draft.price, "price");
    // A limit that shall fill at once may lie on the far side; one that waits may not.
    const waits = draft.tif !== "ioc" && draft.tif !== "fok";
    if (!errors.price && waits) checkEntry(draft.type, side, entry, bid, ask, digits, errors);
    if (draft.type === "stop_limit") limit = priceOf(draft.limit, "limit_price");
  }

  const perLot = market.lotMove(side);
  const fill = draft.type === "stop_limit" && !Number.isNaN(limit) ? limit : entry;
  const sized = draft.sizing === "risk" ? Number.NaN : volumeOf(draft.volume, instrument, errors);
  const riskMoney =
    draft.sizing === "risk" ? riskOf(draft.risk, market.equity, errors) : Number.NaN;
  const sl = stopOf("sl", draft, side, fill, sized, perLot, market, errors);
  const tp = stopOf("tp", draft, side, fill, sized, perLot, market, errors);
  if (sl !== null && !errors.sl)
    checkStop(
      "sl",
      side,
      sl,
      draft.type === "market" ? (side === "buy" ? bid : ask) : fill,
      market,
      errors,
    );
  if (tp !== null && !errors.tp)
    checkStop(
      "tp",
      side,
      tp,
      draft.type === "market" ? (side === "buy" ? bid : ask) : fill,
      market,
      errors,
    );

  let lots = sized;
  if (draft.sizing === "risk") {
    if (sl === null) errors.sl ??= t("Sizing by risk needs a stop loss.");
    else if (!errors.sl && !errors.risk)
      lots = lotsForRisk(riskMoney, fill, sl, perLot, instrument, errors);
  }

  const trailing = draft.trailing.trim() ? number(draft.trailing, errors, "trailing", "100") : 0;
  if (!errors.trailing && (trailing < 0 || !Number.isInteger(trailing)))
    errors.trailing = t("A whole number of points, 0 for none.");
  const expire =
    draft.tif === "gtd" && draft.type !== "market"
      ? expireOf(draft.expire, market.now, errors)
      : null;

  const money = (to: number | null) =>
    to === null ? Number.NaN : (side === "buy" ? to - fill : fill - to) * lots * perLot;
  const good = Object.keys(errors).length === 0;
  return {
    errors,
    entry: fill,
    lots,
    sl: sl ?? Number.NaN,
    tp: tp ?? Number.NaN,
    slMoney: money(sl),
    tpMoney: money(tp),
    order: good
      ? ({
          instrument: instrument.symbol,
          side,
          type: draft.type,
          volume: plain(lots, decimals(instrument.volume_step)),
          tif: tifs(draft.type).includes(draft.tif) ? draft.tif : "gtc",
          price: draft.type === "market" ? null : plain(entry, digits),
          limit_price: draft.type === "stop_limit" ? plain(limit, digits) : null,
          sl: sl === null ? null : plain(sl, digits),
          tp: tp === null ? null : plain(tp, digits),
          expire,
          trailing,
        } as Omit<OrderRequest, "account">)
      : null,
  };
}

function checkEntry(
  type: OrderType,
  side: Side,
  price: number,
  bid: number,
  ask: number,
  digits: number,
  errors: Checked["errors"],
): void {
  if (!bid || !ask) return;
  const buy = side === "buy";
  if (type === "limit" && (buy ? price >= ask : price <= bid))
    errors.price = buy
      ? t("A buy limit waits below the ask ({price}). Type less, or take a buy stop.", {
          price: shown(ask, digits),
        })
      : t("A sell limit waits above the bid ({price}). Type more, or take a sell stop.", {
          price: shown(bid, digits),
        });
  if (type !== "limit" && (buy ? price <= ask : price >= bid))
    errors.price = buy
      ? t("A buy stop waits above the ask ({price}). Type more, or take a buy limit.", {
          price: shown(ask, digits),
        })
      : t("A sell stop waits below the bid ({price}). Type less, or take a sell limit.", {
          price: shown(bid, digits),
        });
}

function volumeOf(text: string, instrument: InstrumentOut, errors: Checked["errors"]): number {
  const value = number(text, errors, "volume", instrument.volume_step);
  if (!errors.volume) checkVolume(value, instrument, errors);
  return value;
}

function checkVolume(value: number, instrument: InstrumentOut, errors: Checked["errors"]): void {
  const [min, max, step] = [
    Number(instrument.volume_min),
    Number(instrument.volume_max),
    Number(instrument.volume_step),
  ];
  const digits = decimals(instrument.volume_step);
  if (value < min)
    errors.volume = t("The smallest volume is {min} lots.", { min: shown(min, digits) });
  else if (max > 0 && value > max)
    errors.volume = t("The largest volume is {max} lots.", { max: shown(max, digits) });
  else if (!onStep(value, step)) {
    const below = Math.floor(value / step + 1e-9) * step;
    errors.volume = t("Volume goes in steps of {step}: {below} or {above}.", {
      step: shown(step, digits),
      below: shown(below, digits),
      above: shown(below + step, digits),
    });
  }
}

function riskOf(text: string, equity: number, errors: Checked["errors"]): number {
  const value = number(text, errors, "risk", "1");
  if (!errors.risk && (value <= 0 || value > 100))
    errors.risk = t("Risk is a part of the equity: more than 0, at most 100 %.");
  return (equity * value) / 100;
}

function lotsForRisk(
  risk: number,
  entry: number,
  sl: number,
  perLot: number,
  instrument: InstrumentOut,
  errors: Checked["errors"],
): number {
  const step = Number(instrument.volume_step);
  const lots = Math.floor(risk / (Math.abs(entry - sl) * perLot) / step + 1e-9) * step;
  if (!Number.isFinite(lots))
    errors.risk = t("The volume cannot be worked out without a price; wait for quotes.");
  else if (lots < Number(instrument.volume_min))
    errors.risk = t(
      "Even the smallest volume ({min} lots) risks more. Move the stop nearer or risk more.",
      { min: instrument.volume_min },
    );
  else if (lots > Number(instrument.volume_max)) return Number(instrument.volume_max);
  return lots;
}

/** The price of a stop typed as price, points, money or risk %; null when the field is empty. */
function stopOf(
  name: "sl" | "tp",
  draft: Draft,
  side: Side,
  entry: number,
  lots: number,
  perLot: number,
  market: Market,
  errors: Checked["errors"],
): number | null {
  const text = draft[name];
  if (!text.trim()) return null;
  const { digits } = market.instrument;
  const point = 10 ** -digits;
  const example = { price: shown(entry || 1, digits), points: "100", money: "50", risk: "1" }[
    draft.unit
  ];
  const value = number(text, errors, name, example);
  if (Number.isNaN(value)) return null;
  const step = priceStep(market.instrument);
  if (draft.unit === "price") {
    if (value <= 0) errors[name] = t("A price is above zero.");
    else if (!onStep(value, step))
      errors[name] = t("Prices go in steps of {step}: {near}.", {
        step: shown(step, digits),
        near: shown(Math.round(value / step) * step, digits),
      });
    return value;
  }
  if (value <= 0) {
    errors[name] = t("A distance is above zero: the side is known.");
    return null;
  }
  if (draft.unit !== "points" && draft.sizing === "risk") {
    errors[name] = t("With sizing by risk give the stop as price or points.");
    return null;
  }
  const money = draft.unit === "risk" ? (market.equity * value) / 100 : value;
  const distance = draft.unit === "points" ? value * point : money / (lots * perLot);
  if (!Number.isFinite(distance)) {
    errors[name] = t("Money cannot be turned into a price yet; type a price.");
    return null;
  }
  const away = (name === "sl") === (side === "buy") ? -distance : distance;
  const price = Math.round((entry + away) / step) * step;
  if (price <= 0) errors[name] = t("That is further than the price can go. Type less.");
  return price;
}

function checkStop(
  name: "sl" | "tp",
  side: Side,
  price: number,
  from: number,
  market: Market,
  errors: Checked["errors"],
): void {
  const { instrument } = market;
  const below = (name === "sl") === (side === "buy");
  const word = name === "sl" ? t("stop loss") : t("take profit");
  if (!from) return;
  if (below ? price >= from : price <= from) {
    errors[name] = below
      ? t("The {word} of a {side} goes below {price}.", {
          word,
          side: t(side),
          price: shown(from, instrument.digits),
        })
      : t("The {word} of a {side} goes above {price}.", {
          word,
          side: t(side),
          price: shown(from, instrument.digits),
        });
    return;
  }
  const least = instrument.stops_level * 10 ** -instrument.digits;
  if (least > 0 && Math.abs(from - price) < least - 1e-12)
    errors[name] = t("At least {n} points from the price.", { n: instrument.stops_level });
}

function expireOf(text: string, now: number, errors: Checked["errors"]): string | null {
  const ms = Date.parse(text);
  if (Number.isFinite(ms) && ms > now + 1000) return new Date(ms).toISOString();
  errors.expire = Number.isFinite(ms)
    ? t("Choose a time that is still to come.")
    : t("Choose a day and time.");
  return null;
}
