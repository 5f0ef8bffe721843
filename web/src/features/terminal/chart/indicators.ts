/** Indicators over closing prices: plain functions, arrays in, arrays out; NaN where there is no value yet. */

/** Simple moving average of `n` values. */
export function sma(values: ArrayLike<number>, n: number): Float64Array {
  const made = new Float64Array(values.length).fill(Number.NaN);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i] as number;
    if (i >= n) sum -= values[i - n] as number;
    if (i >= n - 1) made[i] = sum / n;
  }
  return made;
}

/** Exponential moving average with weight 2/(n+1), begun with the simple average of the first `n`. */
export function ema(values: ArrayLike<number>, n: number): Float64Array {
  const made = new Float64Array(values.length).fill(Number.NaN);
  const weight = 2 / (n + 1);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (i < n - 1) sum += value;
    else if (i === n - 1) made[i] = (sum + value) / n;
    else made[i] = (made[i - 1] as number) + weight * (value - (made[i - 1] as number));
  }
  return made;
}

/** Bollinger bands: the average of `n`, and `k` population standard deviations above and below. */
export function bollinger(
  values: ArrayLike<number>,
  n: number,
  k: number,
): [middle: Float64Array, upper: Float64Array, lower: Float64Array] {
  const middle = sma(values, n);
  const upper = new Float64Array(values.length).fill(Number.NaN);
  const lower = upper.slice();
  for (let i = n - 1; i < values.length; i++) {
    const mean = middle[i] as number;
    let squares = 0;
    for (let j = i - n + 1; j <= i; j++) squares += ((values[j] as number) - mean) ** 2;
    const width = k * Math.sqrt(squares / n);
    upper[i] = mean + width;
    lower[i] = mean - width;
  }
  return [middle, upper, lower];
}

/** Relative strength index after Wilder: 0 to 100. */
export function rsi(values: ArrayLike<number>, n: number): Float64Array {
  const made = new Float64Array(values.length).fill(Number.NaN);
  let gain = 0;
  let loss = 0;
  for (let i = 1; i < values.length; i++) {
    const change = (values[i] as number) - (values[i - 1] as number);
    const up = Math.max(change, 0);
    const down = Math.max(-change, 0);
    if (i <= n) {
      gain += up / n;
      loss += down / n;
    } else {
      gain = (gain * (n - 1) + up) / n;
      loss = (loss * (n - 1) + down) / n;
    }
    if (i >= n) made[i] = gain + loss === 0 ? 50 : (100 * gain) / (gain + loss);
  }
  return made;
}

/** MACD: the line (fast minus slow average), its signal average, and their difference. */
export function macd(
  values: ArrayLike<number>,
  fast: number,
  slow: number,
  n: number,
): [line: Float64Array, signal: Float64Array, rest: Float64Array] {
  const quick = ema(values, fast);
  const calm = ema(values, slow);
  const line = quick.map((value, i) => value - (calm[i] as number));
  const from = slow - 1;
  const signal = new Float64Array(values.length).fill(Number.NaN);
  if (values.length > from) signal.set(ema(line.subarray(from), n), from);
  return [line, signal, line.map((value, i) => value - (signal[i] as number))];
}

export type IndicatorKind = "sma" | "ema" | "bollinger" | "rsi" | "macd";
/** An indicator as it is kept in the preferences. */
export type Indicator = { kind: IndicatorKind; n: number; on: boolean };

export const DEFAULTS: readonly Indicator[] = [
  { kind: "sma", n: 20, on: true },
  { kind: "ema", n: 50, on: false },
  { kind: "bollinger", n: 20, on: false },
  { kind: "rsi", n: 14, on: false },
  { kind: "macd", n: 9, on: false },
];

export const TITLES: Record<IndicatorKind, string> = {
  sma: "SMA",
  ema: "EMA",
  bollinger: "Bollinger",
  rsi: "RSI",
  macd: "MACD",
};

/** Kinds with a scale of their own get a pane below the chart. */
export const OWN_PANE: ReadonlySet<IndicatorKind> = new Set(["rsi", "macd"]);

/** The lines of an indicator. */
export function lines(each: Indicator, closes: ArrayLike<number>): Float64Array[] {
  switch (each.kind) {
    case "sma":
      return [sma(closes, each.n)];
    case "ema":
      return [ema(closes, each.n)];
    case "bollinger":
      return [...bollinger(closes, each.n, 2)];
    case "rsi":
      return [rsi(closes, each.n)];
    case "macd":
      return [...macd(closes, 12, 26, each.n)];
  }
}
