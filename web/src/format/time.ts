/** Times as people read them. The API speaks RFC 3339 UTC with nanoseconds; `Date` keeps milliseconds. */
import { NONE } from "./number";

const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  year: "numeric",
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat(undefined, { year: "numeric", month: "short", day: "2-digit" });
const utcClock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZone: "UTC",
});

/** Milliseconds since 1970 of RFC 3339 text; NaN when there is none. */
export const millis = (text: string | null | undefined): number => (text ? Date.parse(text) : NaN);

type Moment = string | number | null | undefined;
const at = (moment: Moment): number => (typeof moment === "number" ? moment : millis(moment));
const shown = (format: Intl.DateTimeFormat, moment: Moment): string => {
  const ms = at(moment);
  return Number.isFinite(ms) ? format.format(ms) : NONE;
};

/** 14:02:08 in the user's zone. */
export const clockTime = (moment: Moment): string => shown(clock, moment);
/** 21 Nov 2026, 14:02:08 in the user's zone. */
export const dateTime = (moment: Moment): string => shown(dayAndClock, moment);
/** 21 Nov 2026. */
export const date = (moment: Moment): string => shown(day, moment);
/** 14:02:08 UTC, for the server's clock. */
export const utcTime = (moment: Moment): string => shown(utcClock, moment);

/** A duration: 02:14:08, 3 d 02:14:08. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return NONE;
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number) => String(n).padStart(2, "0");
  const days = Math.floor(s / 86_400);
  const rest = `${two(Math.floor((s % 86_400) / 3600))}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
  return days ? `${days} d ${rest}` : rest;
}

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "narrow" });

/** "5 min ago", for lists that need no exact time. */
export function ago(moment: Moment, now = Date.now()): string {
  const ms = at(moment);
  if (!Number.isFinite(ms)) return NONE;
  const s = Math.round((ms - now) / 1000);
  const [value, unit]: [number, Intl.RelativeTimeFormatUnit] =
    Math.abs(s) < 60
      ? [s, "second"]
      : Math.abs(s) < 3600
        ? [Math.round(s / 60), "minute"]
        : Math.abs(s) < 86_400
          ? [Math.round(s / 3600), "hour"]
          : [Math.round(s / 86_400), "day"];
  return relative.format(value, unit);
}
