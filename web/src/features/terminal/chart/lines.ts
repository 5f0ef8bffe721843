/**
 * Lines of positions and orders on the chart. Those that may be changed are dragged: the label shows the
 * money at stake in every frame, Esc puts the line back, so does a refusal of the server.
 */
import { type IPriceLine, LineStyle } from "lightweight-charts";
import { token } from "@/app/look";
import { fixed } from "@/format/number";
import type { CandleChart } from "./CandleChart";

export type Line = {
  id: string;
  price: number;
  /** Colour token: "--up". */
  colour: string;
  dashed?: boolean;
  /** Words of the label at a price (it moves while dragging). */
  label: (price: number) => string;
  /** Present: the line can be dragged; called with the price it was dropped at. Rejects when refused. */
  move?: (price: number) => Promise<void>;
};

const GRAB_PX = 6;

type Shown = { line: Line; made: IPriceLine; text: string };

export class ChartLines {
  private shown = new Map<string, Shown>();
  private held: { shown: Shown; from: number; price: number } | null = null;
  private pending = new Map<string, number>();
  private readonly ends: (() => void)[] = [];
  private timer: ReturnType<typeof setInterval>;
  /** Told while a line is dragged, and with null at the end. */
  onDrag: (text: string | null) => void = () => undefined;

  constructor(
    private readonly chart: CandleChart,
    private readonly snap: () => number,
  ) {
    const box = chart.box;
    const on = <K extends keyof HTMLElementEventMap>(
      type: K,
      run: (event: HTMLElementEventMap[K]) => void,
    ) => {
      box.addEventListener(type, run, { capture: true });
      this.ends.push(() => box.removeEventListener(type, run, { capture: true }));
    };
    on("pointermove", (event) => this.over(event));
    on("pointerdown", (event) => this.grab(event));
    const key = (event: KeyboardEvent) => event.key === "Escape" && this.held && this.put(event);
    addEventListener("keydown", key, { capture: true });
    this.ends.push(() => removeEventListener("keydown", key, { capture: true }));
    // Labels with money follow the market, four times a second.
    this.timer = setInterval(() => this.relabel(), 250);
  }

  /** Show exactly these lines. */
  set(lines: readonly Line[]): void {
    const wanted = new Set(lines.map((each) => each.id));
    for (const [id, { made }] of this.shown)
      if (!wanted.has(id) && this.held?.shown.line.id !== id) {
        this.chart.candles.removePriceLine(made);
        this.shown.delete(id);
      }
    for (const line of lines) this.draw(line);
    this.chart.keepInSight(lines.map((each) => each.price));
  }

  remove(): void {
    clearInterval(this.timer);
    for (const end of this.ends) end();
  }

  private draw(line: Line): void {
    const old = this.shown.get(line.id);
    const held = this.held?.shown.line.id === line.id;
    const price = held && this.held ? this.held.price : (this.pending.get(line.id) ?? line.price);
    const text = line.label(price);
    const options = {
      price,
      title: text,
      color: token(line.colour),
      axisLabelVisible: true,
      lineWidth: 1 as const,
      lineStyle: line.dashed ? LineStyle.Dashed : LineStyle.Solid,
    };
    if (old) {
      old.line = line;
      old.text = text;
      old.made.applyOptions(options);
    } else
      this.shown.set(line.id, { line, made: this.chart.candles.createPriceLine(options), text });
  }

  private relabel(): void {
    if (document.hidden) return;
    for (const each of this.shown.values()) {
      if (this.held?.shown === each) continue;
      const text = each.line.label(this.pending.get(each.line.id) ?? each.line.price);
      if (text === each.text) continue;
      each.text = text;
      each.made.applyOptions({ title: text });
    }
  }

  /** The line that may be dragged under a height on the chart. */
  private at(y: number): Shown | null {
    let found: Shown | null = null;
    let best = GRAB_PX;
    for (const each of this.shown.values()) {
      if (!each.line.move) continue;
      const at = this.chart.candles.priceToCoordinate(each.line.price);
      const away = at === null ? Number.POSITIVE_INFINITY : Math.abs(at - y);
      if (away <= best) {
        best = away;
        found = each;
      }
    }
    return found;
  }

  private y(event: PointerEvent): number {
    return event.clientY - this.chart.box.getBoundingClientRect().top;
  }

  private over(event: PointerEvent): void {
    if (!this.held) {
      this.chart.box.classList.toggle("grab-line", this.at(this.y(event)) !== null);
      return;
    }
    event.stopPropagation();
    const raw = this.chart.candles.coordinateToPrice(this.y(event));
    if (raw === null) return;
    const step = this.snap();
    const price = Number((Math.round((raw as number) / step) * step).toFixed(this.chart.precision));
    if (price === this.held.price || price <= 0) return;
    this.held.price = price;
    const { shown } = this.held;
    const text = shown.line.label(price);
    shown.made.applyOptions({ price, title: text });
    this.onDrag(`${text} @ ${fixed(price, this.chart.precision)}`);
  }

  private grab(event: PointerEvent): void {
    if (event.button !== 0 || this.held) return;
    const shown = this.at(this.y(event));
    if (!shown) return;
    event.stopPropagation();
    event.preventDefault();
    this.held = { shown, from: shown.line.price, price: shown.line.price };
    this.chart.chart.applyOptions({ handleScroll: false, handleScale: false });
    this.chart.box.setPointerCapture(event.pointerId);
    this.chart.box.classList.add("holds-line");
    this.onDrag(shown.line.label(shown.line.price));
    const drop = () => {
      this.chart.box.removeEventListener("pointerup", drop, true);
      this.chart.box.removeEventListener("pointercancel", cancel, true);
      void this.drop();
    };
    const cancel = () => {
      this.chart.box.removeEventListener("pointerup", drop, true);
      this.put();
    };
    this.chart.box.addEventListener("pointerup", drop, { capture: true, once: true });
    this.chart.box.addEventListener("pointercancel", cancel, { capture: true, once: true });
  }

  private release(): void {
    this.held = null;
    this.chart.chart.applyOptions({ handleScroll: true, handleScale: true });
    this.chart.box.classList.remove("holds-line");
    this.onDrag(null);
  }

  /** Esc: back where it was, nothing sent. */
  private put(event?: KeyboardEvent): void {
    const held = this.held;
    if (!held) return;
    event?.stopPropagation();
    event?.preventDefault();
    this.release();
    this.draw(held.shown.line);
  }

  private async drop(): Promise<void> {
    const held = this.held;
    if (!held) return;
    const { line } = held.shown;
    this.release();
    if (held.price === held.from || !line.move) {
      this.draw(line);
      return;
    }
    // Until the server has answered the line stays where it was dropped.
    this.pending.set(line.id, held.price);
    try {
      await line.move(held.price);
    } finally {
      this.pending.delete(line.id);
      const now = this.shown.get(line.id);
      if (now) this.draw(now.line);
    }
  }
}
