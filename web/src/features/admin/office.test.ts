import { describe, expect, it } from "vitest";
import { amountFault, condition } from "./accounts";
import { line, perSecond } from "./course";
import { totals } from "./exposure";
import { read } from "./filters";
import { bytes, commitTone, diskTone, lagTone } from "./health";
import { difference, text, units } from "./ledger";
import { needsSecond } from "./money";
import { valueText, word } from "./words";

describe("the ledger adds up exactly", () => {
  it("keeps every digit of the API's text", () => {
    expect(units("0.00000001")).toBe(1n);
    expect(units("-12.5")).toBe(-1_250_000_000n);
    expect(units("340282366920938463463374607431")).toBe(34028236692093846346337460743100000000n);
    for (const each of ["0.00", "-0.00000001", "123456789012345678.12345678", "-5.10"])
      expect(text(units(each))).toBe(each);
  });

  it("sees one unit of difference where a float would not", () => {
    expect(difference("90071992547409.93000001", "-90071992547409.93000000")).toBe(1n);
    expect(difference("0.1", "-0.10000000")).toBe(0n);
    expect(text(difference("0.3", "-0.2"))).toBe("0.10");
  });
});

describe("accounts", () => {
  const fine = { flags: [], state: "active", margin_level: "ok" };
  it("tells the worst thing first", () => {
    expect(condition(fine).text).toBe("Active");
    expect(condition({ ...fine, flags: ["read_only"] }).text).toBe("Read only");
    expect(condition({ ...fine, state: "halted", flags: ["read_only"] }).tone).toBe("critical");
    expect(condition({ ...fine, margin_level: "margin_call" }).text).toBe("Margin call");
    const both = { ...fine, margin_level: "stop_out", flags: ["disabled"] };
    expect(condition(both).text).toBe("Stop-out");
    expect(condition({ ...fine, flags: ["closed"], margin_level: "stop_out" }).text).toBe("Closed");
  });

  it("refuses amounts that are none", () => {
    for (const bad of ["", " ", "x", "1,5", "1e3", "0", "0.00", "-5", "1.123456789"])
      expect(amountFault(bad, false), bad).not.toBeNull();
    for (const good of ["5", "0.01", " 250.00 "]) expect(amountFault(good, false)).toBeNull();
    expect(amountFault("-5", true)).toBeNull();
  });

  it("knows when a second person is needed", () => {
    expect(needsSecond("999.99", "1000")).toBe(false);
    expect(needsSecond("1000", "1000")).toBe(true);
    expect(needsSecond("-5000", "1000")).toBe(true);
    expect(needsSecond("5", "0")).toBe(true);
    expect(needsSecond("5000", null)).toBe(false);
    expect(needsSecond("", "0")).toBe(false);
  });
});

describe("filters in the address", () => {
  it("reads text whatever the router made of it", () => {
    const search = { q: 100_001, state: "closed", other: "x", on: true, gone: "", odd: {} };
    expect(read(search, ["q", "state", "on", "gone", "odd"])).toEqual({
      q: "100001",
      state: "closed",
      on: "true",
    });
  });
});

describe("figures", () => {
  it("sums only what has one currency", () => {
    const row = { currency: "USD", positions: 2, profit: "-1.5" };
    expect(totals([row, { ...row, profit: "3.00" }])).toEqual({
      currency: "USD",
      positions: 4,
      profit: 1.5,
    });
    expect(totals([row, { ...row, currency: "EUR" }])).toBeNull();
    expect(totals([])).toBeNull();
  });

  it("measures a counter per second, and never backwards", () => {
    expect(
      perSecond([
        [0, 100],
        [2000, 300],
        [2000, 300],
        [4000, 10],
      ]),
    ).toEqual([100, 0, 0]);
    expect(perSecond([[0, 5]])).toEqual([]);
  });

  it("draws lines with gaps", () => {
    expect(line([null, 0, 10, null, 5], 5, 10)).toBe("M1.5 8.0L2.5 2.0M4.5 5.0");
    expect(line([], 5, 10)).toBe("");
    expect(line([0, 0], 4, 10)).toBe("M2.5 8.0L3.5 8.0");
  });

  it("says what is a worry", () => {
    expect(bytes(0)).toBe("0 B");
    expect(bytes(1536)).toBe("1.5 KB");
    expect(bytes(64 * 2 ** 20)).toBe("64.0 MB");
    expect(commitTone(null)).toBeUndefined();
    expect([1, 50, 500].map(commitTone)).toEqual(["ok", "warning", "critical"]);
    expect([0, 3_000, 100_000].map(lagTone)).toEqual(["ok", "warning", "critical"]);
    expect(diskTone(100 * 2 ** 30, 0.5)).toBe("ok");
    expect(diskTone(100 * 2 ** 30, 0.01)).toBe("warning");
    expect(diskTone(2 ** 20, 0.5)).toBe("critical");
  });

  it("speaks of values as people do", () => {
    expect(word("margin_call")).toBe("Margin call");
    expect(word("money.deposit")).toBe("Money: deposit");
    expect(valueText(null)).toBe("–");
    expect(valueText([])).toBe("none");
    expect(valueText(true)).toBe("yes");
    expect(valueText("-3.5")).toBe("\u22123.5");
    expect(valueText([{ start: "Sun 22:00", end: "Fri 22:00", note: null }])).toBe(
      "start Sun 22:00, end Fri 22:00",
    );
  });
});
