/**
 * The newest quote of every symbol, in columns of numbers: a message only writes array cells and marks
 * them dirty; the frame pump then calls the watchers of what changed. React renders nothing here.
 */
import { painter } from "./frame";

type Watcher = (index: number) => void;

const GROW = 256;

class Quotes {
  /** Columns, indexed by `index(symbol)`. Prices as floats: for showing, never for sending. */
  bid = new Float64Array(GROW);
  ask = new Float64Array(GROW);
  /** Time of the quote and of its arrival here, ms since 1970. */
  time = new Float64Array(GROW);
  seen = new Float64Array(GROW);
  /** 1 up, -1 down: direction of the last change of bid; `tick` when it happened (performance.now). */
  direction = new Int8Array(GROW);
  tick = new Float64Array(GROW);
  /** The day's first price, for the change in percent; 0: not known. */
  first = new Float64Array(GROW);
  readonly symbols: string[] = [];
  /** When the newest quote of any symbol arrived here, ms since 1970; 0: none yet. */
  heard = 0;

  private readonly places = new Map<string, number>();
  private readonly watchers: (Set<Watcher> | undefined)[] = [];
  private readonly all = new Set<() => void>();
  private readonly changed = new Set<number>();
  private readonly pump = painter(() => this.paint());

  /** The column of a symbol; made when it is new. */
  index(symbol: string): number {
    const known = this.places.get(symbol);
    if (known !== undefined) return known;
    const made = this.symbols.length;
    if (made === this.bid.length) this.grow();
    this.symbols.push(symbol);
    this.places.set(symbol, made);
    return made;
  }

  /** Take a quote as it stands on the wire. */
  take(symbol: string, bid: number, ask: number, time: number): void {
    const i = this.index(symbol);
    const before = this.bid[i] as number;
    if (before !== 0 && bid !== before) {
      this.direction[i] = bid > before ? 1 : -1;
      this.tick[i] = performance.now();
    }
    this.bid[i] = bid;
    this.ask[i] = ask;
    this.time[i] = time;
    this.heard = Date.now();
    this.seen[i] = this.heard;
    this.changed.add(i);
    this.pump.mark();
  }

  /** True once a quote of the symbol came. */
  has(symbol: string): boolean {
    const i = this.places.get(symbol);
    return i !== undefined && this.time[i] !== 0;
  }

  /** Call `watcher` in the frame after the symbol's quote changed. Returns how to end it. */
  watch(symbol: string, watcher: Watcher): () => void {
    const i = this.index(symbol);
    let set = this.watchers[i];
    if (!set) {
      set = new Set();
      this.watchers[i] = set;
    }
    set.add(watcher);
    return () => set.delete(watcher);
  }

  /** Call `watcher` once in every frame in which any quote changed. */
  watchAll(watcher: () => void): () => void {
    this.all.add(watcher);
    return () => this.all.delete(watcher);
  }

  private paint(): void {
    for (const i of this.changed) {
      const set = this.watchers[i];
      if (set) for (const watcher of set) watcher(i);
    }
    this.changed.clear();
    for (const watcher of this.all) watcher();
  }

  private grow(): void {
    const size = this.bid.length + GROW;
    const wider = <A extends Float64Array | Int8Array>(old: A, made: A): A => {
      made.set(old as never);
      return made;
    };
    this.bid = wider(this.bid, new Float64Array(size));
    this.ask = wider(this.ask, new Float64Array(size));
    this.time = wider(this.time, new Float64Array(size));
    this.seen = wider(this.seen, new Float64Array(size));
    this.tick = wider(this.tick, new Float64Array(size));
    this.first = wider(this.first, new Float64Array(size));
    this.direction = wider(this.direction, new Int8Array(size));
  }
}

export const quotes = new Quotes();
