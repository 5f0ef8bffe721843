/** Totals of what is exposed: only within one currency does a sum mean anything. */
import type { ExposureOut } from "@/api/client";

export function totals(
  rows: readonly Pick<ExposureOut, "currency" | "positions" | "profit">[],
): { currency: string; positions: number; profit: number } | null {
  const currency = rows[0]?.currency;
  if (!currency || rows.some((row) => row.currency !== currency)) return null;
  let positions = 0;
  let profit = 0;
  for (const row of rows) {
    positions += row.positions;
    profit += Number(row.profit);
  }
  return { currency, positions, profit };
}
