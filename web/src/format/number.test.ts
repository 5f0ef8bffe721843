import { describe, expect, it } from "vitest";
import { decimal, decimals, fixed, NONE, onStep, pips, profit, signed, typed } from "./number";

describe("numbers for people", () => {
  it("uses a true minus, and none on a zero", () => {
    expect(fixed(-1.5, 2)).toBe("\u22121.50");
    expect(fixed(-0.001, 2)).toBe("0.00");
    expect(fixed(Number.NaN, 2)).toBe(NONE);
  });
  it("signs what is above and below zero", () => {
    expect(signed(1.2, 2)).toBe("+1.20");
    expect(signed(0.001, 2)).toBe("0.00");
    expect(profit(-1204.5)).toBe("\u22121,204.50");
    expect(profit(1204.5)).toBe("+1,204.50");
  });
  it("splits prices at the pips", () => {
    expect(pips(1.08452, 5)).toEqual(["1.08", "45", "2"]);
    expect(pips(151.382, 3)).toEqual(["151.", "38", "2"]);
    expect(pips(67222.9, 1).join("")).toBe("67222.9");
    expect(pips(39112, 0).join("")).toBe("39112");
  });
  it("shows decimal text with its own digits", () => {
    expect(decimal("10000.00")).toBe("10,000.00");
    expect(decimal(null)).toBe(NONE);
    expect(decimal("1.239", 2)).toBe("1.24");
  });
  it("counts the decimals of a step", () => {
    expect(decimals("0.01")).toBe(2);
    expect(decimals("1.00")).toBe(0);
    expect(decimals("0.250")).toBe(2);
  });
});

describe("numbers of people", () => {
  it("takes point, comma and thousands", () => {
    expect(typed("1.5")).toBe(1.5);
    expect(typed(" 1,5 ")).toBe(1.5);
    expect(typed("1,204.50")).toBe(1204.5);
    expect(typed("\u22123")).toBe(-3);
    expect(typed(".5")).toBe(0.5);
  });
  it("takes nothing else", () => {
    for (const text of ["", "abc", "1.2.3", "1e5", "0x10", "1-2", "--1", "."])
      expect(typed(text)).toBeNull();
  });
  it("knows a step in spite of binary fractions", () => {
    expect(onStep(0.3, 0.1)).toBe(true);
    expect(onStep(0.103, 0.01)).toBe(false);
    expect(onStep(1.38707, 0.00001)).toBe(true);
  });
});
