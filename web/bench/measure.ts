/** What a page costs while it runs: frames, main thread, long tasks, heap. */
import type { CDPSession, Page } from "@playwright/test";

export type Cost = {
  fps: number;
  /** Percent of one core, by the main thread's own clock: other work of the machine does not count. */
  thread: number;
  longTasks: number;
  longest: number;
  seconds: number;
};

type Counters = { frames: number; long: number[] };
declare global {
  interface Window {
    bench: Counters;
  }
}

const ticks = async (session: CDPSession): Promise<number> => {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find((each) => each.name === "TaskDuration")?.value ?? Number.NaN;
};

/** Measure a running page for a while; it must be in front. */
export async function cost(page: Page, seconds: number): Promise<Cost> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  await page.evaluate(() => {
    window.bench = { frames: 0, long: [] };
    const count = () => {
      window.bench.frames++;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    new PerformanceObserver((list) => {
      for (const each of list.getEntries()) window.bench.long.push(each.duration);
    }).observe({ type: "longtask" });
  });
  const before = await ticks(session);
  const began = await page.evaluate(() => {
    window.bench.frames = 0;
    window.bench.long = [];
    return performance.now();
  });
  await page.waitForTimeout(seconds * 1000);
  const end = await page.evaluate(() => ({ now: performance.now(), ...window.bench }));
  const after = await ticks(session);
  await session.detach();
  const wall = (end.now - began) / 1000;
  return {
    fps: end.frames / wall,
    thread: ((after - before) / wall) * 100,
    longTasks: end.long.length,
    longest: Math.max(0, ...end.long),
    seconds: wall,
  };
}

/** Bytes of JavaScript objects that are really in use, after a collection. */
export async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.enable");
  for (let turn = 0; turn < 3; turn++) await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}

/** The value below which a share of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
