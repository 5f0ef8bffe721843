/**
 * lightweight-charts behind our own face: candles, volume, indicators, bid and ask, markers. It draws at
 * most ten times a second (each update re-maps every loaded bar) and keeps few bars while live.
 */
import {
  type AutoscaleInfo,
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  createChart,
  createSeriesMarkers,
  HistogramSeries,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineSeries,
  LineStyle,
  type LogicalRange,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { onLook, token, useLook } from "@/app/look";
import { quotes } from "@/live/quotes";
import type { Period } from "../view";
import { type Bar, Bars } from "./bars";
import { type Indicator, lines, OWN_PANE, TITLES } from "./indicators";

const DRAW_MS = 100;
/** Older bars are asked for when fewer than this many are left of the view. */
const NEAR_START = 60;
/** Lines up to this many heights of the candles away are brought into sight. */
const REACH = 0.8;
const COLOURS = ["--warning", "--info", "--accent", "--fg-3", "--ok"];

export type Legend = { bar: Bar | null; live: boolean };
type Drawn = { indicator: Indicator; series: ISeriesApi<"Line">[] };

export class CandleChart {
  readonly chart: IChartApi;
  readonly candles: ISeriesApi<"Candlestick">;
  private readonly volume: ISeriesApi<"Histogram">;
  private readonly markers: ISeriesMarkersPluginApi<Time>;
  private bars: Bars | null = null;
  private drawn: Drawn[] = [];
  private indicators: readonly Indicator[] = [];
  private askLine: IPriceLine | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private lastDraw = 0;
  private digits = 5;
  private up = "";
  private down = "";
  private generation = 0;
  private stops: (() => void)[] = [];
  private wanted: readonly number[] = [];
  private marked: readonly SeriesMarker<Time>[] = [];
  private unwatch: () => void = () => undefined;
  onLegend: (legend: Legend) => void = () => undefined;

  constructor(readonly box: HTMLElement) {
    this.chart = createChart(box, {
      autoSize: true,
      crosshair: { mode: CrosshairMode.Normal },
      layout: { attributionLogo: true, panes: { enableResize: true } },
      timeScale: { timeVisible: true, secondsVisible: false, rightOffset: 6, barSpacing: 7 },
      rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0.2 } },
      localization: { timeFormatter: (time: Time) => moment(time as number) },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, {
      priceLineStyle: LineStyle.Dotted,
      autoscaleInfoProvider: (original: () => AutoscaleInfo | null) => this.scaled(original()),
    });
    this.volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      lastValueVisible: false,
      priceLineVisible: false,
      priceFormat: { type: "volume" },
    });
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.85, bottom: 0 } });
    this.markers = createSeriesMarkers(this.candles, []);
    this.dress();
    this.stops.push(onLook(() => this.dress()));
    this.chart.subscribeCrosshairMove((param) => {
      const shown = param.time
        ? (this.bars?.bars.find((b) => b.time === param.time) ?? null)
        : null;
      this.onLegend(
        shown ? { bar: shown, live: false } : { bar: this.bars?.bars.at(-1) ?? null, live: true },
      );
    });
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => this.ranged(range));
  }

  /** Show a symbol; resolves when its bars are there. Throws Problem. */
  async show(symbol: string, period: Period, digits: number): Promise<void> {
    const mine = ++this.generation;
    this.unwatch();
    this.bars = null;
    const bars = new Bars(symbol, period);
    await bars.load();
    if (mine !== this.generation) return;
    this.digits = digits;
    this.bars = bars;
    this.candles.applyOptions({
      priceFormat: { type: "price", precision: digits, minMove: 10 ** -digits },
    });
    this.chart.timeScale().applyOptions({ timeVisible: period !== "D1" && period !== "W1" });
    bars.tick();
    this.redraw();
    this.chart.timeScale().resetTimeScale();
    this.chart.priceScale("right").applyOptions({ autoScale: true });
    this.unwatch = quotes.watch(symbol, () => this.soon());
  }

  /** Read the newest bars again after a break. */
  async refresh(): Promise<void> {
    const bars = this.bars;
    await bars?.refresh(200);
    if (bars && bars === this.bars) this.redraw();
  }

  setIndicators(wanted: readonly Indicator[]): void {
    this.indicators = wanted.filter((each) => each.on);
    for (const each of this.drawn)
      for (const series of each.series) this.chart.removeSeries(series);
    this.drawn = [];
    let pane = 1;
    this.indicators.forEach((indicator, at) => {
      const own = OWN_PANE.has(indicator.kind);
      const count = lines(indicator, []).length;
      const series = Array.from({ length: count }, (_, n) =>
        this.chart.addSeries(
          LineSeries,
          {
            lineWidth: 1,
            priceLineVisible: false,
            crosshairMarkerVisible: false,
            lastValueVisible: own && n === 0,
            title: own && n === 0 ? `${TITLES[indicator.kind]} ${indicator.n}` : "",
            color: token(COLOURS[(at + (own ? n : 0)) % COLOURS.length] as string),
            lineStyle: indicator.kind === "bollinger" && n > 0 ? LineStyle.Dotted : LineStyle.Solid,
          },
          own ? pane : 0,
        ),
      );
      if (own) {
        this.chart.panes()[pane]?.setStretchFactor(0.25);
        pane++;
      }
      this.drawn.push({ indicator, series });
    });
    if (this.bars) this.redraw();
  }

  /** Prices that should be in sight where that does not press the candles flat. */
  keepInSight(prices: readonly number[]): void {
    this.wanted = prices;
    this.chart.priceScale("right").applyOptions({});
  }

  private scaled(info: AutoscaleInfo | null): AutoscaleInfo | null {
    const range = info?.priceRange;
    if (!info || !range) return info;
    const height = Math.max(range.maxValue - range.minValue, 10 ** -this.digits * 20);
    const near = this.wanted.filter(
      (each) => each > range.minValue - height * REACH && each < range.maxValue + height * REACH,
    );
    return {
      ...info,
      priceRange: {
        minValue: Math.min(range.minValue, ...near),
        maxValue: Math.max(range.maxValue, ...near),
      },
    };
  }

  /** Show these markers, in order of time; those before the first bar wait until it is loaded. */
  setMarkers(markers: readonly SeriesMarker<Time>[]): void {
    this.marked = markers;
    this.drawMarkers();
  }

  private drawMarkers(): void {
    const first = this.bars?.bars[0]?.time ?? Number.POSITIVE_INFINITY;
    this.markers.setMarkers(this.marked.filter((each) => (each.time as number) >= first));
  }

  remove(): void {
    this.generation++;
    clearTimeout(this.timer);
    clearTimeout(this.settle);
    this.unwatch();
    for (const stop of this.stops) stop();
    this.chart.remove();
  }

  private soon(): void {
    if (this.timer !== undefined) return;
    const wait = Math.max(0, DRAW_MS - (performance.now() - this.lastDraw));
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.lastDraw = performance.now();
      this.live();
    }, wait);
  }

  private live(): void {
    const bars = this.bars;
    if (!bars || document.hidden) return;
    const changed = bars.tick();
    const ask = quotes.ask[quotes.index(bars.symbol)] as number;
    this.askLine?.applyOptions({ price: ask });
    if (!changed) return;
    const last = bars.bars.at(-1) as Bar;
    this.candles.update(candle(last));
    this.volume.update(this.bulk(last));
    this.drawIndicators(true);
    this.onLegend({ bar: last, live: true });
    if (changed === "began") {
      clearTimeout(this.settle);
      this.settle = setTimeout(() => void this.settled(bars), 1500);
    }
  }

  private async settled(bars: Bars): Promise<void> {
    try {
      await bars.refresh();
    } catch {
      return; // the next bar tries again
    }
    if (bars !== this.bars) return;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (range && range.to >= bars.bars.length - 1) bars.trim();
    this.redraw(true);
  }

  private redraw(keep = false): void {
    const bars = this.bars?.bars ?? [];
    const scale = this.chart.timeScale();
    const range = keep ? scale.getVisibleRange() : null;
    const whole = keep ? scale.scrollPosition() : 0;
    this.candles.setData(bars.map(candle));
    this.volume.setData(bars.map((each) => this.bulk(each)));
    this.drawIndicators(false);
    if (keep && whole < 0 && range) scale.setVisibleRange(range);
    if (!this.askLine && this.bars) this.addAsk();
    this.drawMarkers();
    this.onLegend({ bar: bars.at(-1) ?? null, live: true });
  }

  private drawIndicators(lastOnly: boolean): void {
    const bars = this.bars?.bars;
    if (!bars?.length || !this.drawn.length) return;
    const closes = Float64Array.from(bars, (each) => each.close);
    for (const { indicator, series } of this.drawn) {
      lines(indicator, closes).forEach((values, n) => {
        const target = series[n];
        if (!target) return;
        const point = (i: number) => {
          const time = (bars[i] as Bar).time as UTCTimestamp;
          const value = values[i] as number;
          return Number.isNaN(value) ? { time } : { time, value };
        };
        if (lastOnly) target.update(point(bars.length - 1));
        else target.setData(bars.map((_, i) => point(i)));
      });
    }
  }

  private addAsk(): void {
    this.askLine = this.candles.createPriceLine({
      price: 0,
      color: token("--fg-3"),
      lineWidth: 1,
      lineStyle: LineStyle.Dotted,
      axisLabelVisible: true,
      title: "",
    });
  }

  private ranged(range: LogicalRange | null): void {
    const bars = this.bars;
    if (!range || !bars || range.from > NEAR_START) return;
    void bars.older().then(
      (found) => {
        if (!found || bars !== this.bars) return;
        const before = this.chart.timeScale().getVisibleRange();
        this.redraw();
        if (before) this.chart.timeScale().setVisibleRange(before);
      },
      () => undefined,
    );
  }

  private bulk(bar: Bar) {
    const colour = bar.close >= bar.open ? this.up : this.down;
    return { time: bar.time as UTCTimestamp, value: bar.ticks, color: `${colour}55` };
  }

  private dress(): void {
    const [up, down, line] = [token("--up"), token("--down"), token("--line-subtle")];
    this.up = up;
    this.down = down;
    const hollow = useLook.getState().hollow;
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: token("--bg-surface") },
        textColor: token("--fg-2"),
        fontSize: 11,
        fontFamily: "Inter Variable, sans-serif",
        panes: { separatorColor: token("--line"), separatorHoverColor: token("--bg-hover") },
      },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      timeScale: { borderColor: line },
      rightPriceScale: { borderColor: line },
      crosshair: {
        vertLine: { color: token("--line-strong"), labelBackgroundColor: token("--bg-active") },
        horzLine: { color: token("--line-strong"), labelBackgroundColor: token("--bg-active") },
      },
    });
    this.candles.applyOptions({
      upColor: hollow ? token("--bg-surface") : up,
      downColor: down,
      borderUpColor: up,
      borderDownColor: down,
      wickUpColor: up,
      wickDownColor: down,
    });
    this.askLine?.applyOptions({ color: token("--fg-3") });
    this.setIndicators(this.indicators);
    this.redraw(true);
  }

  /** Decimals of the prices shown. */
  get precision(): number {
    return this.digits;
  }
}

const candle = (bar: Bar) => ({
  time: bar.time as UTCTimestamp,
  open: bar.open,
  high: bar.high,
  low: bar.low,
  close: bar.close,
});

const format = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
  timeZone: "UTC",
});
const moment = (seconds: number): string => `${format.format(seconds * 1000)} UTC`;
