/** A market of many instruments as recordings: the service plays it as it plays any recorded market. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** EURUSD and made-up pairs against the dollar: EURUSD, AAAUSD, AABUSD, … */
export function symbols(count: number): string[] {
  const made = ["EURUSD"];
  for (let n = 0; made.length < count; n++)
    made.push(`Q${LETTERS[Math.floor(n / 26) % 26]}${LETTERS[n % 26]}USD`);
  return made;
}

/** Writes one CSV file a symbol: `perSecond` quotes for `seconds`, each another than the one before. */
export function writeMarket(
  folder: string,
  count: number,
  perSecond: number,
  seconds: number,
): string[] {
  mkdirSync(folder, { recursive: true });
  const names = symbols(count);
  const begin = 1_780_000_000_000; // ms; the service shifts recordings to the present
  let state = 7;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  for (const [at, name] of names.entries()) {
    let points = 110_000 + at * 50;
    const lines = ["ts_us,bid,ask"];
    for (let n = 0; n < perSecond * seconds; n++) {
      const step = 1 + Math.floor(random() * 4);
      points += random() < 0.5 ? step : -step;
      const us = Math.round((begin + (n * 1000) / perSecond) * 1000) + at * 150;
      lines.push(`${us},${(points / 1e5).toFixed(5)},${((points + 12) / 1e5).toFixed(5)}`);
    }
    writeFileSync(join(folder, `${name}.csv`), `${lines.join("\n")}\n`);
  }
  return names;
}
