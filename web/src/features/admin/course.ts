/** Small lines of figures over time. */

/** Growth per second between readings of a counter, [milliseconds, count]. */
export function perSecond(readings: readonly (readonly [at: number, count: number])[]): number[] {
  return readings.slice(1).map(([at, count], before) => {
    const [then, was] = readings[before] as readonly [number, number];
    const seconds = (at - then) / 1000;
    return seconds > 0 ? Math.max(0, count - was) / seconds : 0;
  });
}

/** An SVG path of values, the newest at the right, zero at the bottom; gaps where there is none. */
export function line(values: readonly (number | null)[], width: number, height: number): string {
  const most = Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE);
  const margin = 2;
  let path = "";
  let open = false;
  for (const [at, value] of values.entries()) {
    if (value === null) {
      open = false;
      continue;
    }
    const x = width - values.length + at + 0.5;
    const y = height - margin - (value / most) * (height - 2 * margin);
    path += `${open ? "L" : "M"}${x} ${y.toFixed(1)}`;
    open = true;
  }
  return path;
}
