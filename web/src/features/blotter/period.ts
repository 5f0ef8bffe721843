/** Spans of time that history and statement can be asked for. Days are those of the user's clock. */

export type Period = "today" | "week" | "month" | "year" | "all" | "custom";
/** `since` included, `until` not; RFC 3339; undefined: open. */
export type Span = { since?: string; until?: string };

const DAYS: Partial<Record<Period, number>> = { today: 0, week: 6, month: 29, year: 364 };

const midnight = (day: Date): Date => new Date(day.getFullYear(), day.getMonth(), day.getDate());

/** The span of a period; `from` and `to` are days ("2026-11-21") of a custom one, both included. */
export function spanOf(period: Period, from: string, to: string, now = new Date()): Span {
  if (period === "all") return {};
  const back = DAYS[period];
  if (back !== undefined) {
    const first = midnight(now);
    first.setDate(first.getDate() - back);
    return { since: first.toISOString() };
  }
  const begin = dayOf(from);
  const end = dayOf(to);
  if (end) end.setDate(end.getDate() + 1);
  return {
    ...(begin ? { since: begin.toISOString() } : {}),
    ...(end ? { until: end.toISOString() } : {}),
  };
}

function dayOf(text: string): Date | null {
  const [year, month, day] = text.split("-").map(Number);
  if (!year || !month || !day) return null;
  return new Date(year, month - 1, day);
}
