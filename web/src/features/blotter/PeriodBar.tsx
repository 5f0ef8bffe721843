import { useState } from "react";
import { INPUT, Input } from "@/kit/Field";
import { t } from "@/text";
import { type Period, type Span, spanOf } from "./period";

const PERIODS: readonly { value: Period; label: string }[] = [
  { value: "today", label: "Today" },
  { value: "week", label: "7 days" },
  { value: "month", label: "30 days" },
  { value: "year", label: "A year" },
  { value: "all", label: "All" },
  { value: "custom", label: "From … to …" },
];

export type Chosen = { period: Period; from: string; to: string };

/** A period and what it means now. */
export function usePeriod(first: Period): [Chosen, (next: Partial<Chosen>) => void, Span] {
  const [chosen, setChosen] = useState<Chosen>({ period: first, from: "", to: "" });
  const change = (next: Partial<Chosen>) => setChosen((now) => ({ ...now, ...next }));
  return [chosen, change, spanOf(chosen.period, chosen.from, chosen.to)];
}

/** Choose a period, or two days. */
export function PeriodBar({
  chosen,
  onChange,
}: {
  chosen: Chosen;
  onChange: (next: Partial<Chosen>) => void;
}) {
  return (
    <>
      <select
        aria-label={t("Period")}
        className={`${INPUT} !w-28 h-control`}
        value={chosen.period}
        onChange={(event) => onChange({ period: event.target.value as Period })}
      >
        {PERIODS.map((each) => (
          <option key={each.value} value={each.value}>
            {t(each.label)}
          </option>
        ))}
      </select>
      {chosen.period === "custom" && (
        <>
          <Input
            type="date"
            aria-label={t("From")}
            className="!w-32"
            value={chosen.from}
            max={chosen.to || undefined}
            onChange={(event) => onChange({ from: event.target.value })}
          />
          <Input
            type="date"
            aria-label={t("To")}
            className="!w-32"
            value={chosen.to}
            min={chosen.from || undefined}
            onChange={(event) => onChange({ to: event.target.value })}
          />
        </>
      )}
    </>
  );
}
