/** When a figure of the service is a worry. */
import type { Tone } from "@/kit";

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** 1,536 → 1.5 KB. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${UNITS[unit]}`;
}

/** A disk slower than this to sync makes every order slow. */
const SLOW_MS = 20;
const VERY_SLOW_MS = 100;

export const commitTone = (ms: number | null): Tone | undefined =>
  ms === null ? undefined : ms > VERY_SLOW_MS ? "critical" : ms > SLOW_MS ? "warning" : "ok";

/** The store is tens of milliseconds behind; thousands of events are a database that is away. */
export const lagTone = (events: number): Tone =>
  events > 50_000 ? "critical" : events > 2_000 ? "warning" : "ok";

const GB = 2 ** 30;

export const diskTone = (free: number, part: number): Tone =>
  free < GB / 2 ? "critical" : free < 5 * GB || part < 0.05 ? "warning" : "ok";
