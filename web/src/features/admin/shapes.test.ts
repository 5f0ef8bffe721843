import { describe, expect, it } from "vitest";
import { differences } from "./differences";
import { GROUP } from "./groupShape";
import { INSTRUMENT } from "./instrumentShape";
import { type Body, bodyOf, faultsOf, fieldName, formOf, type Row } from "./shapes";

const group: Body = {
  name: "demo",
  currency: "USD",
  leverage: 100,
  mode: "hedging",
  margin_call: "100",
  stop_out: "50",
  level_unit: "percent",
  commission: { mode: "per_lot", value: "3.5", when: "both" },
  markup_points: 3,
  overrides: [
    {
      symbol: "EURUSD",
      markup_points: null,
      commission: null,
      execution: null,
      leverage: 20,
    },
    {
      symbol: "DAX",
      markup_points: 5,
      commission: { mode: "per_deal", value: "1", when: "exit" },
      execution: "routed",
      leverage: null,
    },
  ],
  negative_balance_protection: true,
  hedged_margin: "net",
  stop_out_hedged: false,
  margin_conversion: "side",
  isolated_stop: "0.05",
  execution: null,
  limits: {
    order_volume_max: "0.00",
    order_value_max: "0.00",
    position_volume_max: "0.00",
    orders_max: 0,
    positions_max: 200,
    orders_per_s: 0,
  },
};

const instrument: Body = {
  symbol: "EURUSD",
  digits: 5,
  base: "EUR",
  profit: "USD",
  margin: "EUR",
  calc: "forex",
  contract_size: "100000",
  tick_size: null,
  tick_value: "0",
  initial_margin: "0",
  maintenance_margin: "0",
  margin_rates: {
    buy: "1",
    sell: "1",
    buy_limit: "0",
    sell_limit: "0",
    buy_stop: "0",
    sell_stop: "0",
    buy_stop_limit: "0",
    sell_stop_limit: "0",
  },
  hedged_rate: "1",
  tiers: [{ floor: "0", rate: "0.01" }],
  volume_min: "0.01",
  volume_max: "500.00",
  volume_step: "0.01",
  stops_level: 0,
  swap: {
    mode: "points",
    long: "-7.5",
    short: "2.25",
    days: [1, 1, 3, 1, 1, 0, 0],
    year_days: 360,
  },
  sessions: [{ start: "Sun 22:00", end: "Fri 22:00" }],
  holidays: [],
  day_end: "22:00",
  trade_mode: "full",
  execution: "internal",
  collar: "0",
  quote_age_max_ms: 0,
  slippage_points: 0,
  slippage_points_per_lot: 0,
  liquidity_max: "0.00",
  price_max: null,
  leverage_max: 100,
  converts: null,
};

const CASES = [
  [GROUP, group],
  [INSTRUMENT, instrument],
] as const;

describe("the form of a definition", () => {
  it("shows every field and gives back what it was made of", () => {
    for (const [shape, body] of CASES) {
      expect(bodyOf(shape, formOf(shape, body), body)).toEqual(body);
      expect(faultsOf(shape, formOf(shape, body))).toEqual({});
    }
  });

  it("leaves out no field of the body", () => {
    for (const [shape, body] of CASES) {
      const blank = bodyOf(shape, formOf(shape, body), {});
      expect(Object.keys(blank).sort()).toEqual(Object.keys(body).sort());
    }
  });

  it("does not change the body it was made of", () => {
    const before = structuredClone(group);
    const form = { ...formOf(GROUP, group), "commission.value": "9", "limits.orders_max": "7" };
    const made = bodyOf(GROUP, form, group);
    expect(group).toEqual(before);
    expect(differences(group, made)).toEqual([
      { field: "commission.value", old: "3.5", new: "9" },
      { field: "limits.orders_max", old: 0, new: 7 },
    ]);
  });

  it("turns empty text into nothing where nothing is allowed", () => {
    const form = { ...formOf(INSTRUMENT, instrument), tick_size: "0.25", converts: "false" };
    const made = bodyOf(INSTRUMENT, form, instrument);
    expect(made.tick_size).toBe("0.25");
    expect(made.converts).toBe(false);
    expect(bodyOf(INSTRUMENT, { ...form, tick_size: " " }, instrument).tick_size).toBeNull();
  });

  it("says what is wrong at its field, in rows too", () => {
    const rows = formOf(GROUP, group).overrides as Row[];
    const form = {
      ...formOf(GROUP, group),
      leverage: "1.5",
      margin_call: "1e3",
      currency: "",
      overrides: [
        { ...rows[0], symbol: "" } as Row,
        { ...rows[1], "commission.value": "x" } as Row,
      ],
    };
    expect(Object.keys(faultsOf(GROUP, form)).sort()).toEqual([
      "currency",
      "leverage",
      "margin_call",
      "overrides.0.symbol",
      "overrides.1.commission.value",
    ]);
    const days = { ...formOf(INSTRUMENT, instrument), "swap.days": "1 1 3", "swap.long": "-2.5" };
    expect(Object.keys(faultsOf(INSTRUMENT, days))).toEqual(["swap.days"]);
  });

  it("names fields as the form does", () => {
    expect(fieldName("markup_points")).toBe("Markup");
    expect(fieldName("swap.long")).toBe("Swap long");
    expect(fieldName("something.else_there")).toBe("Something, else there");
  });
});

describe("differences", () => {
  it("compares lists whole and objects by field", () => {
    const sessions = [{ start: "Mon 00:00", end: "Fri 24:00" }];
    expect(differences(instrument, { ...instrument, sessions })).toEqual([
      { field: "sessions", old: instrument.sessions, new: sessions },
    ]);
    expect(differences(null, { a: 1, b: { c: null } })).toEqual([
      { field: "a", old: null, new: 1 },
    ]);
    expect(differences(group, structuredClone(group))).toEqual([]);
  });
});
