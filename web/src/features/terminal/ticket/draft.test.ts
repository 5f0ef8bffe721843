import { describe, expect, it } from "vitest";
import type { InstrumentOut } from "@/api/client";
import { check, type Draft, EMPTY, type Market } from "./draft";

const EURUSD = {
  symbol: "EURUSD",
  digits: 5,
  profit: "USD",
  contract_size: "100000",
  tick_size: null,
  volume_min: "0.01",
  volume_max: "500.00",
  volume_step: "0.01",
  stops_level: 50,
} as unknown as InstrumentOut;
const NOW = Date.parse("2026-11-21T12:00:00Z");
const market: Market = {
  instrument: EURUSD,
  bid: 1.1,
  ask: 1.1001,
  equity: 10_000,
  lotMove: () => 100_000,
  now: NOW,
};
const draft = (part: Partial<Draft>): Draft => ({ ...EMPTY, ...part });
const buy = (part: Partial<Draft>) => check(draft(part), "buy", market);
const sell = (part: Partial<Draft>) => check(draft(part), "sell", market);

describe("volume", () => {
  it("says what is wrong and what would be right", () => {
    expect(buy({ volume: "abc" }).errors.volume).toMatch(/“abc” is not a number/);
    expect(buy({ volume: "0.103" }).errors.volume).toMatch(/steps of 0\.01: 0\.10 or 0\.11/);
    expect(buy({ volume: "0.001" }).errors.volume).toMatch(/smallest volume is 0\.01/);
    expect(buy({ volume: "501" }).errors.volume).toMatch(/largest volume is 500\.00/);
    expect(buy({ volume: "" }).errors.volume).toMatch(/Type a number/);
    expect(buy({ volume: "-1" }).errors.volume).toMatch(/smallest/);
  });
  it("sends nothing that has an error, and exact text otherwise", () => {
    expect(buy({ volume: "abc" }).order).toBeNull();
    expect(buy({ volume: "0,1" }).order).toMatchObject({
      side: "buy",
      volume: "0.10",
      type: "market",
      sl: null,
    });
  });
});

describe("stops", () => {
  it("refuses the wrong side, naming the price", () => {
    expect(buy({ sl: "1.2" }).errors.sl).toMatch(/stop loss of a buy goes below 1\.10000/);
    expect(sell({ sl: "1.05" }).errors.sl).toMatch(/goes above 1\.10010/);
    expect(buy({ tp: "1.05" }).errors.tp).toMatch(/take profit of a buy goes above/);
    expect(buy({ sl: "1.0999" }).errors.sl).toMatch(/At least 50 points/);
    expect(buy({ sl: "1.123456" }).errors.sl).toMatch(/steps of 0\.00001/);
  });
  it("turns points, money and risk into prices on the right side", () => {
    expect(buy({ unit: "points", sl: "100", tp: "200" }).order).toMatchObject({
      sl: "1.09910",
      tp: "1.10210",
    });
    expect(sell({ unit: "points", sl: "100", tp: "200" }).order).toMatchObject({
      sl: "1.10100",
      tp: "1.09800",
    });
    // 0.10 lots lose 10,000 per 1.0: 50 USD are 0.00500.
    expect(buy({ unit: "money", volume: "0.10", sl: "50" }).order?.sl).toBe("1.09510");
    // 1 % of 10,000 is 100 USD: 0.01 in price.
    expect(buy({ unit: "risk", volume: "0.10", sl: "1" }).order?.sl).toBe("1.09010");
  });
  it("states the money at stake", () => {
    const made = buy({ volume: "1.00", sl: "1.0901", tp: "1.1201" });
    expect(made.slMoney).toBeCloseTo(-1000, 6);
    expect(made.tpMoney).toBeCloseTo(2000, 6);
  });
});

describe("size by risk", () => {
  it("rounds down, so that never more than the risk is lost", () => {
    const made = buy({ sizing: "risk", risk: "1", sl: "1.0972" });
    expect(made.order?.volume).toBe("0.34"); // 100 / (0.0029 × 100,000) = 0.3448
    expect(-made.slMoney).toBeLessThanOrEqual(100);
  });
  it("needs a stop and a risk that buys the smallest volume", () => {
    expect(buy({ sizing: "risk" }).errors.sl).toMatch(/needs a stop loss/);
    expect(buy({ sizing: "risk", risk: "0.01", sl: "1.05" }).errors.risk).toMatch(
      /smallest volume/,
    );
    expect(buy({ sizing: "risk", risk: "150", sl: "1.05" }).errors.risk).toMatch(/at most 100/);
  });
});

describe("pending orders", () => {
  it("knows on which side each waits", () => {
    expect(buy({ type: "limit", price: "1.2" }).errors.price).toMatch(
      /below the ask \(1\.10010\).*buy stop/,
    );
    expect(sell({ type: "limit", price: "1.05" }).errors.price).toMatch(/above the bid/);
    expect(buy({ type: "stop", price: "1.05" }).errors.price).toMatch(/above the ask/);
    expect(sell({ type: "stop", price: "1.2" }).errors.price).toMatch(/below the bid/);
    expect(buy({ type: "limit", price: "1.2", tif: "ioc" }).order).toMatchObject({
      price: "1.20000",
      tif: "ioc",
    });
    expect(buy({ type: "stop_limit", price: "1.2", limit: "1.201" }).order).toMatchObject({
      limit_price: "1.20100",
    });
  });
  it("measures stops from the price it waits for", () => {
    expect(buy({ type: "limit", price: "1.05", unit: "points", sl: "100" }).order?.sl).toBe(
      "1.04900",
    );
    expect(buy({ type: "limit", price: "1.05", sl: "1.06" }).errors.sl).toMatch(/below 1\.05000/);
  });
  it("expires in the future only", () => {
    expect(buy({ type: "limit", price: "1.05", tif: "gtd", expire: "" }).errors.expire).toMatch(
      /Choose a day/,
    );
    expect(
      buy({ type: "limit", price: "1.05", tif: "gtd", expire: "2020-01-01T00:00" }).errors.expire,
    ).toMatch(/still to come/);
    expect(
      buy({ type: "limit", price: "1.05", tif: "gtd", expire: "2026-11-22T12:00:00Z" }).order
        ?.expire,
    ).toBe("2026-11-22T12:00:00.000Z");
  });
  it("does not send a time in force the type has not", () => {
    expect(buy({ tif: "day" }).order?.tif).toBe("gtc");
  });
});
