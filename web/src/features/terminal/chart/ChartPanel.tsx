import { Bell, ChartSpline } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { problemOf } from "@/api/problem";
import { useSession } from "@/api/session";
import { openPalette } from "@/app/commands";
import { useShortcuts } from "@/app/keys";
import { usePreference } from "@/app/preferences";
import { decimals, fixed } from "@/format/number";
import { Button } from "@/kit/Button";
import { cx } from "@/kit/cx";
import { Segments } from "@/kit/Segments";
import { Failed } from "@/kit/states";
import { useLink } from "@/live/socket";
import { onHappening, useTrading } from "@/live/trading";
import { t } from "@/text";
import { addAlert } from "../alerts/store";
import { PERIOD_LABELS, PERIODS, type Period, useView } from "../view";
import { CandleChart, type Legend } from "./CandleChart";
import { IndicatorList } from "./IndicatorList";
import { DEFAULTS, type Indicator } from "./indicators";
import { ChartLines } from "./lines";
import { PriceMenu, type PriceSpot } from "./PriceMenu";
import { type Deal, dealsOf, linesOf, markersOf } from "./trades";

/** Deals that are marked; the oldest give way. */
const DEALS_MAX = 500;

/** Candles with everything the account has in the instrument. */
export function ChartPanel() {
  const { symbol, period, instrument, show } = useView();
  const box = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLSpanElement>(null);
  const chart = useRef<CandleChart | null>(null);
  const lines = useRef<ChartLines | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const [again, setAgain] = useState(0);
  const [dragged, setDragged] = useState<string | null>(null);
  const [spot, setSpot] = useState<PriceSpot | null>(null);
  const closeSpot = useCallback(() => setSpot(null), []);
  const [choosing, setChoosing] = useState(false);
  const [indicators, setIndicators] = usePreference<readonly Indicator[]>(
    "chart.indicators",
    DEFAULTS,
  );
  const digits = instrument?.digits ?? 5;
  const expired = useSession((s) => s.expired);
  const known = instrument !== undefined;

  useEffect(() => {
    if (!box.current) return;
    const made = new CandleChart(box.current);
    chart.current = made;
    made.onLegend = (now) => write(legend.current, now, made.precision);
    return () => {
      made.remove();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    if (!known || !chart.current || expired) return;
    setFault(null);
    void again;
    chart.current.show(symbol, period, digits).catch(setFault);
  }, [symbol, period, digits, known, again, expired]);

  useEffect(() => chart.current?.setIndicators(indicators), [indicators]);

  // After a break the newest bars are read again: the hole in them would look like a quiet market.
  useEffect(
    () =>
      useLink.subscribe((now, before) => {
        if (now.phase === "live" && before.phase !== "live")
          void chart.current?.refresh().catch(() => undefined);
      }),
    [],
  );

  const positions = useTrading((s) => s.positions);
  const orders = useTrading((s) => s.orders);
  const account = useTrading((s) => s.account);
  const currency = useTrading((s) => s.view?.currency ?? "");
  useEffect(() => {
    if (!chart.current || !instrument) return;
    const step = Number(instrument.tick_size ?? 0) || 10 ** -instrument.digits;
    const made = new ChartLines(chart.current, () => step);
    made.onDrag = setDragged;
    lines.current = made;
    return () => {
      if (chart.current) made.set([]); // a chart that is gone has taken its lines with it
      made.remove();
      lines.current = null;
    };
  }, [instrument]);
  useEffect(() => {
    if (instrument)
      lines.current?.set(linesOf(instrument, currency, positions.values(), orders.values()));
  }, [instrument, currency, positions, orders]);
  useMarkers(chart, account, symbol, period, decimals(instrument?.volume_step ?? "0.01"));

  useShortcuts(
    useMemo(
      () => [
        ...PERIODS.map((each, at) => ({
          keys: `${at + 1}`,
          label: t("Period {period}", { period: PERIOD_LABELS[each] }),
          group: t("Chart"),
          run: () => show({ period: each }),
        })),
        { keys: "/", label: t("Indicators"), group: t("Chart"), run: () => setChoosing(true) },
      ],
      [show],
    ),
  );

  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex min-h-9 shrink-0 items-center gap-2 overflow-x-auto px-2">
        <h2 className="font-semibold text-body">{symbol}</h2>
        <Segments<Period>
          small
          label={t("Period")}
          value={period}
          onChange={(next) => show({ period: next })}
          choices={PERIODS.map((each) => ({ value: each, label: PERIOD_LABELS[each] }))}
        />
        <Button
          small
          look="quiet"
          icon={<ChartSpline size={14} aria-hidden />}
          onClick={() => setChoosing((on) => !on)}
          aria-expanded={choosing}
        >
          {t("Indicators")}
        </Button>
        <Button
          small
          look="quiet"
          icon={<Bell size={14} aria-hidden />}
          onClick={() => addAlert(symbol)}
        >
          {t("Alert")}
        </Button>
        <span ref={legend} className="ml-auto hidden whitespace-nowrap pr-1 text-hint lg:inline" />
      </div>
      <div className="relative min-h-0 flex-1">
        {/* The chart library puts a link (its credit) inside: a figure may hold one, an image may not. */}
        <figure
          ref={box}
          aria-label={t("Chart of {symbol}", { symbol })}
          className="absolute inset-0 m-0 outline-offset-[-2px]"
          data-chart
          // biome-ignore lint/a11y/noNoninteractiveTabindex: typing on the chart searches a symbol
          tabIndex={0}
          onKeyDown={(event) => {
            if (
              !/^[a-z]$/i.test(event.key) ||
              event.ctrlKey ||
              event.metaKey ||
              event.altKey ||
              event.shiftKey
            )
              return;
            event.preventDefault();
            openPalette(event.key);
          }}
          onContextMenu={(event) => {
            event.preventDefault();
            const area = event.currentTarget.getBoundingClientRect();
            const [x, y] = [event.clientX - area.left, event.clientY - area.top];
            const price = chart.current?.candles.coordinateToPrice(y);
            if (price && price > 0)
              setSpot({
                x: Math.min(x, area.width - 216),
                y: Math.min(y, area.height - 130),
                price,
              });
          }}
        />
        {fault !== null && (
          <div className="absolute inset-0 bg-surface">
            <Failed error={problemOf(fault)} onRetry={() => setAgain((n) => n + 1)} />
          </div>
        )}
        {dragged && (
          <div
            role="status"
            className="-translate-x-1/2 pointer-events-none absolute top-2 left-1/2 rounded-panel border border-line bg-raised px-3 py-1 font-medium text-table shadow-float"
          >
            {dragged} <span className="text-fg-3">{t("Esc puts it back")}</span>
          </div>
        )}
        {spot && <PriceMenu spot={spot} symbol={symbol} digits={digits} onClose={closeSpot} />}
        {choosing && (
          <IndicatorList
            indicators={indicators}
            onChange={setIndicators}
            onClose={() => setChoosing(false)}
          />
        )}
      </div>
    </div>
  );
}

function useMarkers(
  chart: { current: CandleChart | null },
  account: number,
  symbol: string,
  period: Period,
  lots: number,
): void {
  const [deals, setDeals] = useState<readonly Deal[]>([]);
  useEffect(() => {
    let alive = true;
    setDeals([]);
    if (!account) return;
    dealsOf(account, symbol).then(
      (found) => alive && setDeals(found),
      () => undefined,
    );
    const end = onHappening((what) => {
      if ("fill" in what && what.fill.instrument === symbol)
        setDeals((now) => [what.fill, ...now].slice(0, DEALS_MAX));
    });
    return () => {
      alive = false;
      end();
    };
  }, [account, symbol]);
  useEffect(() => {
    chart.current?.setMarkers(markersOf(deals, period, lots));
  }, [chart, deals, period, lots]);
}

function write(span: HTMLElement | null, { bar, live }: Legend, digits: number): void {
  if (!span) return;
  if (!bar) {
    span.textContent = "";
    return;
  }
  const sign = bar.close >= bar.open ? "up" : "down";
  const shown = (value: number) =>
    `<b data-sign="${sign}" class="font-normal">${fixed(value, digits)}</b>`;
  // Numbers of our own making only: nothing a user or server wrote goes into this markup.
  span.innerHTML = `O ${shown(bar.open)} &nbsp;H ${shown(bar.high)} &nbsp;L ${shown(bar.low)} &nbsp;C ${shown(bar.close)}`;
  span.className = cx(
    "ml-auto hidden whitespace-nowrap pr-1 text-hint text-fg-2 lg:inline",
    !live && "opacity-90",
  );
}
