/** The day's first price of symbols in sight, for the change in percent: a few requests at a time. */
import { api, ask } from "@/api/client";
import { quotes } from "@/live/quotes";

const AT_ONCE = 4;
const FRESH_MS = 30 * 60_000;

const asked = new Map<string, number>();
const waiting: string[] = [];
let running = 0;

/** Ask for a symbol's day, once in a while. */
export function wantDaily(symbol: string): void {
  if (Date.now() - (asked.get(symbol) ?? 0) < FRESH_MS) return;
  asked.set(symbol, Date.now());
  waiting.push(symbol);
  if (running < AT_ONCE) void work();
}

async function work(): Promise<void> {
  running++;
  for (let symbol = waiting.shift(); symbol !== undefined; symbol = waiting.shift()) {
    try {
      const query = { period: "D1", limit: 1 };
      const [bar] = await ask(
        api.GET("/api/v1/bars/{symbol}", { params: { path: { symbol }, query } }),
      );
      if (bar) quotes.first[quotes.index(symbol)] = Number(bar.open);
    } catch {
      asked.delete(symbol);
    }
  }
  running--;
}

/** Change since the day's first price in percent; NaN when it is not known. */
export function change(index: number): number {
  const first = quotes.first[index] as number;
  return first > 0 ? (((quotes.bid[index] as number) - first) / first) * 100 : Number.NaN;
}
