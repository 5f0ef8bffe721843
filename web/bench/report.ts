/** Rows of a benchmark, in the form of benchmarks/report.py: printed, and written to build/bench/web.json. */
import { mkdirSync, writeFileSync } from "node:fs";

export type Row = {
  name: string;
  value: number;
  unit: string;
  bound: number | null;
  holds: boolean;
  baseline: string;
};

const rows: Row[] = [];

type Bound = { most?: number; least?: number; baseline?: string };

/** One figure, with its bound and what stands beside it. Printed at once. */
export function figure(name: string, value: number, unit: string, bound: Bound = {}): void {
  const { most, least, baseline = "" } = bound;
  const holds = (most === undefined || value <= most) && (least === undefined || value >= least);
  const made = {
    name,
    value: Math.round(value * 1000) / 1000,
    unit,
    bound: most ?? least ?? null,
    holds,
    baseline,
  };
  rows.push(made);
  const limit = most !== undefined ? `≤ ${most}` : least !== undefined ? `≥ ${least}` : "";
  console.log(
    `${holds ? " ok " : " NO "} ${name.padEnd(58)} ${made.value.toFixed(2).padStart(10)} ${unit.padEnd(8)} ${limit.padEnd(9)} ${baseline}`,
  );
}

/** Write what was measured; false when a bound was missed. */
export function write(): boolean {
  const folder = new URL("../../build/bench/", import.meta.url).pathname;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}web.json`, `${JSON.stringify(rows, null, 1)}\n`);
  return rows.every((each) => each.holds);
}
