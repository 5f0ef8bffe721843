/**
 * The candles of one symbol and period: loaded over REST, older ones page by page as the user scrolls
 * back, the last one moved by the live quotes. When a bar ends, the server's own last bars replace what
 * was built here from thinned-out quotes.
 */
import { api, ask, type BarOut } from "@/api/client";
import { millis } from "@/format/time";
import { quotes } from "@/live/quotes";
import { serverNow } from "@/live/socket";
import { PERIOD_S, type Period } from "../view";

export type Bar = {
  time: number;
  open: number;
  high: number;
  low: number;
  close: number;
  ticks: number;
};

/** Loaded at first, and per page when scrolling back. */
export const PAGE = 1000;
/** While the newest bar is in sight no more than this many stay: each live update costs time per bar. */
export const KEPT_LIVE = 1500;
const DAY = 86_400;
/** 1970 began on a Thursday; weeks begin on Monday. */
const MONDAY = 4 * DAY;

/** Start of the bar a moment (seconds) belongs to. */
export function barStart(seconds: number, period: Period): number {
  const length = PERIOD_S[period];
  const offset = period === "W1" ? MONDAY : 0;
  return Math.floor((seconds - offset) / length) * length + offset;
}

const barOf = (each: BarOut): Bar => ({
  time: Math.floor(millis(each.time) / 1000),
  open: Number(each.open),
  high: Number(each.high),
  low: Number(each.low),
  close: Number(each.close),
  ticks: each.ticks,
});

/** Two runs of bars in one, sorted by time; where both have a bar the newer answer counts. */
export function merged(old: readonly Bar[], fresh: readonly Bar[]): Bar[] {
  if (!fresh.length) return [...old];
  if (!old.length || (fresh[0] as Bar).time > (old.at(-1) as Bar).time) return [...old, ...fresh];
  const byTime = new Map(old.map((each) => [each.time, each]));
  for (const each of fresh) byTime.set(each.time, each);
  return [...byTime.values()].sort((a, b) => a.time - b.time);
}

export class Bars {
  bars: Bar[] = [];
  /** No older ones exist. */
  complete = false;
  private loading: Promise<boolean> | null = null;
  private begun = 0;

  constructor(
    readonly symbol: string,
    readonly period: Period,
  ) {}

  private async fetch(limit: number, before?: string): Promise<Bar[]> {
    const query = { period: this.period, limit, ...(before ? { before } : {}) };
    const path = { symbol: this.symbol };
    const answer = await ask(
      api.GET("/api/v1/bars/{symbol}", { params: { path, query } as never }),
    );
    return (answer as BarOut[]).map(barOf);
  }

  /** The newest page. */
  async load(): Promise<void> {
    this.bars = await this.fetch(PAGE);
    this.complete = this.bars.length < PAGE;
  }

  /** One page further back; false when there is nothing older. Concurrent calls share one. */
  older(): Promise<boolean> {
    if (this.complete || !this.bars.length) return Promise.resolve(false);
    this.loading ??= this.page().finally(() => {
      this.loading = null;
    });
    return this.loading;
  }

  private async page(): Promise<boolean> {
    const first = this.bars[0] as Bar;
    const found = await this.fetch(PAGE, new Date(first.time * 1000).toISOString());
    const fresh = found.filter((each) => each.time < first.time);
    this.complete = fresh.length === 0;
    this.bars = [...fresh, ...this.bars];
    return fresh.length > 0;
  }

  /** The newest few anew: after a bar ended, or after a break of the line. */
  async refresh(count = 3): Promise<void> {
    const found = await this.fetch(count);
    const last = this.bars.at(-1);
    const fresh = last ? found.filter((each) => each.time >= (this.bars[0] as Bar).time) : found;
    this.bars = merged(this.bars, fresh);
  }

  /** Let old bars go again once nobody looks at them. */
  trim(): boolean {
    if (this.bars.length <= KEPT_LIVE + PAGE / 2) return false;
    this.bars = this.bars.slice(-KEPT_LIVE);
    this.complete = false;
    return true;
  }

  /** Take the symbol's present quote: "moved" the last bar, "began" a new one, or nothing changed. */
  tick(): "moved" | "began" | null {
    const i = quotes.index(this.symbol);
    const price = quotes.bid[i] as number;
    if (!price) return null;
    const start = barStart((quotes.time[i] as number) / 1000, this.period);
    const last = this.bars.at(-1);
    if (last && start < last.time) return null;
    if (last && start === last.time) {
      if (price === last.close) return null;
      last.close = price;
      if (price > last.high) last.high = price;
      if (price < last.low) last.low = price;
      last.ticks++;
      return "moved";
    }
    if (start === this.begun) return null;
    this.begun = start;
    this.bars.push({ time: start, open: price, high: price, low: price, close: price, ticks: 1 });
    return "began";
  }

  /** Milliseconds until the present bar ends, by the server's clock. */
  rest(): number {
    const now = serverNow();
    return (barStart(now / 1000, this.period) + PERIOD_S[this.period]) * 1000 - now;
  }
}
