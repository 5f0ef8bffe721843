/** The statement's CSV as the server writes it: every movement of cash and credit, oldest first. */

export type Movement = {
  time: string;
  id: string;
  reason: string;
  amount: string;
  /** After the movement; empty for credit. */
  balance: string;
  currency: string;
  kind: string;
  reference: string;
};

const COLUMNS = [
  "time",
  "id",
  "reason",
  "amount",
  "balance",
  "currency",
  "kind",
  "reference",
] as const;

/** Rows of the CSV; throws when it is not a statement. */
export function movementsOf(csv: string): Movement[] {
  const lines = csv.split(/\r?\n/).filter(Boolean);
  const head = lines.shift()?.split(",") ?? [];
  const at = COLUMNS.map((name) => head.indexOf(name));
  if (at.includes(-1)) throw new Error(`not a statement: its first line is ${head.join(",")}`);
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(
      COLUMNS.map((name, n) => [name, cells[at[n] as number] ?? ""]),
    ) as Movement;
  });
}

/** Sums of the cash movements: `opening` + all of `byReason` = `closing`, exactly, in units of 1e-8. */
export type Summary = {
  opening: bigint | null;
  closing: bigint | null;
  byReason: Map<string, bigint>;
};

/** Exact decimal text as units of 1e-8. */
export function units(text: string): bigint {
  const negative = text.startsWith("-");
  const [whole = "0", rest = ""] = text.replace("-", "").split(".");
  const value = BigInt(whole) * 100_000_000n + BigInt(rest.padEnd(8, "0").slice(0, 8));
  return negative ? -value : value;
}

/** Units of 1e-8 as a number for showing. */
export const shown = (value: bigint): number => Number(value) / 1e8;

export function summaryOf(rows: readonly Movement[]): Summary {
  const byReason = new Map<string, bigint>();
  let opening: bigint | null = null;
  let closing: bigint | null = null;
  for (const each of rows) {
    if (each.kind !== "cash" || each.balance === "") continue;
    const amount = units(each.amount);
    closing = units(each.balance);
    opening ??= closing - amount;
    byReason.set(each.reason, (byReason.get(each.reason) ?? 0n) + amount);
  }
  return { opening, closing, byReason };
}
