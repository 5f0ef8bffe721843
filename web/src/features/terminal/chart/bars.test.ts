import { describe, expect, it } from "vitest";
import { type Bar, barStart, merged } from "./bars";

const bar = (time: number, close = 1): Bar => ({ time, open: 1, high: 1, low: 1, close, ticks: 1 });

describe("bars", () => {
  it("begin at round times, weeks on Monday", () => {
    const friday = Date.parse("2026-11-20T14:07:31Z") / 1000;
    const text = (seconds: number) => new Date(seconds * 1000).toISOString();
    expect(text(barStart(friday, "M5"))).toBe("2026-11-20T14:05:00.000Z");
    expect(text(barStart(friday, "H4"))).toBe("2026-11-20T12:00:00.000Z");
    expect(text(barStart(friday, "D1"))).toBe("2026-11-20T00:00:00.000Z");
    expect(text(barStart(friday, "W1"))).toBe("2026-11-16T00:00:00.000Z");
  });
  it("merge by time, the newer answer counts", () => {
    const made = merged([bar(1), bar(2), bar(3)], [bar(3, 9), bar(4)]);
    expect(made.map((each) => [each.time, each.close])).toEqual([
      [1, 1],
      [2, 1],
      [3, 9],
      [4, 1],
    ]);
    expect(merged([], [bar(1)])).toHaveLength(1);
    expect(merged([bar(1)], [])).toHaveLength(1);
  });
});
