import { describe, expect, it } from "vitest";
import { bollinger, ema, macd, rsi, sma } from "./indicators";

const VALUES = [
  44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.1, 45.42, 45.84, 46.08, 45.89, 46.03, 45.61, 46.28,
  46.28, 46.0, 46.03, 46.41, 46.22, 45.64,
];

describe("indicators", () => {
  it("averages, with no value before there are enough", () => {
    const made = sma([1, 2, 3, 4, 5], 3);
    expect([...made].map((v) => (Number.isNaN(v) ? null : v))).toEqual([null, null, 2, 3, 4]);
    const smooth = ema([1, 2, 3, 4, 5], 3);
    expect(smooth[2]).toBe(2);
    expect(smooth[4]).toBeCloseTo(4, 12);
  });
  it("puts bands at two deviations", () => {
    const [middle, upper, lower] = bollinger([2, 4, 4, 4, 5, 5, 7, 9], 8, 2);
    expect(middle[7]).toBe(5);
    expect(upper[7]).toBe(9);
    expect(lower[7]).toBe(1);
  });
  it("gives Wilder's published strength", () => {
    const made = rsi(VALUES, 14);
    expect(made[13]).toBeNaN();
    expect(made[14]).toBeCloseTo(70.5, 0);
    expect(rsi([1, 1, 1, 1], 2)[3]).toBe(50);
    expect(rsi([1, 2, 3, 4], 2)[3]).toBe(100);
  });
  it("is quiet on a straight line", () => {
    const line = Float64Array.from({ length: 80 }, (_, i) => i);
    const [difference, signal, rest] = macd(line, 12, 26, 9);
    expect(difference[79]).toBeCloseTo(7, 6);
    expect(signal[79]).toBeCloseTo(7, 6);
    expect(rest[79]).toBeCloseTo(0, 6);
  });
  it("takes empty and short series", () => {
    expect(sma([], 5)).toHaveLength(0);
    expect([...ema([1, 2], 5)].every(Number.isNaN)).toBe(true);
  });
});
