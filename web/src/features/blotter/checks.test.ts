import { describe, expect, it } from "vitest";
import { part, price, stop } from "./checks";
import { movementsOf, summaryOf, units } from "./movements";
import { spanOf } from "./period";
import { average, slip } from "./receipt";

const RULES = { digits: 5, step: 0.00001 };
const said = (made: { error?: string }) => made.error ?? "";

describe("prices typed by people", () => {
  it("takes both decimal signs and sends exact text", () => {
    expect(price("1.2", RULES)).toEqual({ value: "1.20000" });
    expect(price(" 1,38752 ", RULES)).toEqual({ value: "1.38752" });
    expect(price("", RULES)).toEqual({ value: null });
  });
  it("says what is wrong", () => {
    expect(said(price("abc", RULES))).toContain("not a number");
    expect(said(price("1.234567", RULES))).toContain("0.00001");
    expect(said(price("0", RULES))).toContain("above zero");
    expect(said(price("10.3", { digits: 1, step: 0.5 }))).toContain("0.5");
  });
  it("knows the side of a stop", () => {
    expect(stop("1.1", "sl", "buy", 1.2, RULES)).toEqual({ value: "1.10000" });
    expect(said(stop("1.3", "sl", "buy", 1.2, RULES))).toContain("below 1.20000");
    expect(said(stop("1.1", "tp", "buy", 1.2, RULES))).toContain("above 1.20000");
    expect(said(stop("1.1", "sl", "sell", 1.2, RULES))).toContain("above 1.20000");
    expect(stop("1.3", "sl", "sell", 1.2, RULES)).toEqual({ value: "1.30000" });
    // Without a quote the server decides.
    expect(stop("1.3", "sl", "buy", Number.NaN, RULES)).toEqual({ value: "1.30000" });
  });
});

describe("lots to close", () => {
  it("is exact, and null for everything", () => {
    expect(part("0.05", "0.10", "0.01")).toEqual({ value: "0.05" });
    expect(part("0.1", "0.10", "0.01")).toEqual({ value: null });
  });
  it("says what is wrong", () => {
    expect(said(part("half", "0.10", "0.01"))).toContain("not a number");
    expect(said(part("0.055", "0.10", "0.01"))).toContain("0.01");
    expect(said(part("0.2", "0.10", "0.01"))).toContain("0.10 lots");
    expect(said(part("", "0.10", "0.01"))).toContain("how many");
    expect(said(part("-1", "0.10", "0.01"))).toContain("above zero");
  });
});

describe("the statement", () => {
  const CSV =
    "time,id,reason,amount,balance,currency,kind,reference\r\n" +
    "2026-11-21T04:00:15.266326329Z,0-1-0,deposit,10000.00,10000.00,USD,cash,\r\n" +
    "2026-11-21T04:00:16.901513023Z,0-2-2,profit,-0.75,9999.25,USD,cash,2\r\n" +
    "2026-11-21T04:00:17.901513023Z,0-3-2,credit_in,5.00,,USD,credit,\r\n";
  it("adds up exactly, cash apart from credit", () => {
    const rows = movementsOf(CSV);
    const { opening, closing, byReason } = summaryOf(rows);
    expect(rows).toHaveLength(3);
    expect(opening).toBe(0n);
    expect(closing).toBe(units("9999.25"));
    expect([...byReason]).toEqual([
      ["deposit", units("10000")],
      ["profit", units("-0.75")],
    ]);
    expect(opening! + [...byReason.values()].reduce((a, b) => a + b)).toBe(closing);
  });
  it("refuses what is no statement", () => {
    expect(() => movementsOf("<html>")).toThrow("not a statement");
    expect(summaryOf([]).opening).toBeNull();
  });
});

describe("periods", () => {
  const now = new Date(2026, 10, 21, 4, 0);
  it("begin at midnight of the user's days", () => {
    expect(spanOf("today", "", "", now)).toEqual({ since: new Date(2026, 10, 21).toISOString() });
    expect(spanOf("week", "", "", now)).toEqual({ since: new Date(2026, 10, 15).toISOString() });
    expect(spanOf("all", "", "", now)).toEqual({});
  });
  it("hold both days of a custom one", () => {
    expect(spanOf("custom", "2026-11-01", "2026-11-02", now)).toEqual({
      since: new Date(2026, 10, 1).toISOString(),
      until: new Date(2026, 10, 3).toISOString(),
    });
    expect(spanOf("custom", "", "nonsense", now)).toEqual({});
  });
});

describe("receipts", () => {
  it("weighs fills by volume and counts points", () => {
    const fills = [
      { price: "1.10000", volume: "0.10" },
      { price: "1.10030", volume: "0.20" },
    ];
    expect(average(fills)).toBeCloseTo(1.1002, 9);
    expect(average([])).toBeNaN();
    expect(slip("buy", 1.1, 1.10003, 5)).toBe(-3);
    expect(slip("sell", 1.1, 1.10003, 5)).toBe(3);
  });
});
