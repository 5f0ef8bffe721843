import { useEffect, useState } from "react";
import type { HealthOut, JournalOut } from "@/api/client";
import { grouped, NONE } from "@/format/number";
import { t } from "@/text";
import { line, perSecond } from "./course";

const KEPT = 150; // five minutes, one each two seconds

type Point = {
  at: number;
  inputs?: number;
  quotes?: number;
  lag?: number;
  commit?: number | null;
};

/** How the service went since this page was opened: commit time, load, how far the store is behind. */
export function Course({ health, journal }: { health?: HealthOut; journal?: JournalOut }) {
  const [points, setPoints] = useState<readonly Point[]>([]);
  useEffect(() => {
    if (!health || !journal) return;
    const point: Point = {
      at: performance.now(),
      inputs: journal.input_seq,
      quotes: health.quotes,
      lag: Math.max(0, journal.event_seq - journal.stored_seq),
      commit: journal.commit_ms_p99,
    };
    setPoints((old) => [...old.slice(1 - KEPT), point]);
  }, [health, journal]);
  const rows: [string, (number | null)[], (value: number) => string][] = [
    [t("Commit, 99 %"), points.map((p) => p.commit ?? null), (v) => `${v.toFixed(2)} ms`],
    [
      t("Inputs"),
      perSecond(points.map((p) => [p.at, p.inputs ?? 0])),
      (v) => t("{n} a second", { n: grouped(v, 0) }),
    ],
    [
      t("Quotes"),
      perSecond(points.map((p) => [p.at, p.quotes ?? 0])),
      (v) => t("{n} a second", { n: grouped(v, 0) }),
    ],
    [t("Events not stored yet"), points.map((p) => p.lag ?? null), (v) => grouped(v, 0)],
  ];
  return (
    <div className="grid gap-x-6 gap-y-3 sm:grid-cols-2 xl:grid-cols-4">
      {rows.map(([name, values, show]) => (
        <figure key={name} className="flex min-w-0 flex-col gap-1">
          <figcaption className="flex justify-between gap-2 text-table">
            <span className="text-fg-2">{name}</span>
            <span className="font-medium">
              {typeof values.at(-1) === "number" ? show(values.at(-1) as number) : NONE}
            </span>
          </figcaption>
          <svg
            viewBox={`0 0 ${KEPT} 40`}
            preserveAspectRatio="none"
            className="h-10 w-full rounded-inner bg-raised"
            aria-hidden
          >
            <path
              d={line(values, KEPT, 40)}
              fill="none"
              stroke="var(--accent)"
              strokeWidth="1.4"
              vectorEffect="non-scaling-stroke"
            />
          </svg>
        </figure>
      ))}
    </div>
  );
}
