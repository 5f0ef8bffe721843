import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, ask, type HealthOut, type JournalOut } from "@/api/client";
import { grouped } from "@/format/number";
import { duration } from "@/format/time";
import { Failed, Loading, Panel, Status, type Tone } from "@/kit";
import { t } from "@/text";
import { Course } from "./Course";
import { bytes, commitTone, diskTone, lagTone } from "./health";

/** /admin/health: does the service do its work, and does the disk keep up. */
export default function HealthPage() {
  const health = useQuery({
    queryKey: ["admin", "health"],
    queryFn: () => ask(api.GET("/api/v1/system/health")),
    refetchInterval: 2_000,
  });
  const journal = useQuery({
    queryKey: ["admin", "journal"],
    queryFn: () => ask(api.GET("/api/v1/system/journal")),
    refetchInterval: 2_000,
  });
  return (
    <div className="grid h-full min-h-0 auto-rows-min grid-cols-1 gap-1.5 overflow-auto xl:grid-cols-2">
      <Panel title={t("The last minutes")} className="xl:order-last xl:col-span-2">
        <Course health={health.data} journal={journal.data} />
      </Panel>
      <Panel title={t("Service")}>
        {health.data ? (
          <Service health={health.data} />
        ) : health.error ? (
          <Failed error={health.error} onRetry={() => void health.refetch()} />
        ) : (
          <Loading />
        )}
      </Panel>
      <Panel title={t("Journal")}>
        {journal.data ? (
          <Journal journal={journal.data} />
        ) : journal.error ? (
          <Failed error={journal.error} onRetry={() => void journal.refetch()} />
        ) : (
          <Loading />
        )}
      </Panel>
    </div>
  );
}

type Line = [name: string, value: ReactNode, tone?: Tone, hint?: string];

function Lines({ lines }: { lines: readonly Line[] }) {
  return (
    <dl className="grid gap-x-6 sm:grid-cols-2">
      {lines.map(([name, value, tone, hint]) => (
        <div
          key={name}
          title={hint}
          className="flex min-h-row items-center justify-between gap-3 border-line-subtle border-b text-table"
        >
          <dt className="truncate text-fg-2">{name}</dt>
          <dd className="font-medium">
            {tone ? <Status tone={tone}>{value}</Status> : <span>{value}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const WHOLE = 0;
const count = (value: number) => grouped(value, WHOLE);

function Service({ health }: { health: HealthOut }) {
  const checks = Object.entries(health.checks).map(
    ([name, said]): Line => [
      { engine: t("Engine"), market: t("Market"), store: t("Store") }[name] ?? name,
      said,
      said === "ok" ? "ok" : "critical",
    ],
  );
  return (
    <Lines
      lines={[
        [t("Service"), health.status, health.status === "ready" ? "ok" : "critical"],
        ...checks,
        [t("Running for"), duration(health.uptime_s * 1000)],
        [t("Accounts"), count(health.accounts)],
        [t("Quotes so far"), count(health.quotes)],
        [t("Connections"), count(health.sockets)],
        [t("Inputs waiting"), count(health.waiting), health.waiting > 1000 ? "warning" : undefined],
      ]}
    />
  );
}

function Journal({ journal }: { journal: JournalOut }) {
  const lag = Math.max(0, journal.event_seq - journal.stored_seq);
  const ms = (value: number | null) => (value === null ? "–" : `${value.toFixed(2)} ms`);
  const room = journal.disk_free / journal.disk_total;
  return (
    <Lines
      lines={[
        [
          t("Durability"),
          journal.durability,
          journal.durability === "memory" ? "critical" : "ok",
          t("What an answer promises."),
        ],
        [
          t("Commit, half of all"),
          ms(journal.commit_ms_p50),
          commitTone(journal.commit_ms_p50),
          t("From a command to its durable answer."),
        ],
        [t("Commit, 99 %"), ms(journal.commit_ms_p99), commitTone(journal.commit_ms_p99)],
        [t("Inputs"), count(journal.input_seq)],
        [t("Events"), count(journal.event_seq)],
        [
          t("Events not stored yet"),
          count(lag),
          lagTone(lag),
          t("The store follows the journal; nothing is lost."),
        ],
        [
          t("Segment"),
          <span key="s" className="font-mono text-hint">
            {journal.segment}
          </span>,
        ],
        [t("Segments, size"), `${journal.segments}, ${bytes(journal.journal_bytes)}`],
        [
          t("Newest snapshot"),
          journal.snapshot_age_s === null
            ? t("none yet")
            : t("{age} ago", { age: duration(journal.snapshot_age_s * 1000) }),
        ],
        [
          t("Inputs since"),
          count(journal.snapshot_inputs),
          undefined,
          t("What a restart plays back."),
        ],
        [
          t("Disk free"),
          `${bytes(journal.disk_free)} (${Math.round(room * 100)} %)`,
          diskTone(journal.disk_free, room),
        ],
      ]}
    />
  );
}
