import { useState } from "react";
import { type AuditOut, api, ask, type FieldChange } from "@/api/client";
import { dateTime } from "@/format/time";
import { type Column, cx, Empty, Input, Panel } from "@/kit";
import { t } from "@/text";
import { Diff } from "./Diff";
import { ExportCsv } from "./ExportCsv";
import { useFilters } from "./filters";
import { FilterSelect, FilterText } from "./inputs";
import { Listing } from "./Listing";
import { useListing } from "./listing";
import { useNames } from "./names";
import { valueText, word } from "./words";

const FILTERS = ["action", "actor", "target", "since", "until"] as const;
const ACTIONS = [
  "money.",
  "approval.",
  "group.",
  "instrument.",
  "account.",
  "user.",
  "role.",
  "sign_in.",
  "trading_state",
  "kill_switch",
];
const DAY = /^\d{4}-\d\d-\d\d$/;

/** /admin/audit: who did what to whom, when, and why. */
export default function AuditPage() {
  const { filters, set, clear, any } = useFilters(FILTERS);
  const [picked, setPicked] = useState<AuditOut | null>(null);
  const name = useNames();
  const query = {
    action: filters.action,
    target: filters.target,
    actor: Number(filters.actor) || undefined,
    since: DAY.test(filters.since ?? "") ? `${filters.since}T00:00:00Z` : undefined,
    until: DAY.test(filters.until ?? "") ? `${filters.until}T23:59:59.999999999Z` : undefined,
  };
  const list = useListing(["audit", query], (cursor) =>
    ask(api.GET("/api/v1/audit", { params: { query: { ...query, cursor, limit: 200 } } })),
  );
  const columns: Column<AuditOut>[] = [
    { id: "time", header: t("When"), width: "172px", cell: (row) => dateTime(row.time) },
    { id: "actor", header: t("Who"), width: "112px", cell: (row) => name(row.actor) },
    {
      id: "action",
      header: t("What"),
      width: "minmax(150px, 1fr)",
      cell: (row) => <span className="font-medium">{word(row.action)}</span>,
    },
    { id: "target", header: t("To"), width: "minmax(90px, 1fr)", cell: (row) => row.target },
    {
      id: "detail",
      header: t("Details"),
      width: "minmax(200px, 2.4fr)",
      cell: (row) => <span className="text-fg-2">{summary(row)}</span>,
    },
    { id: "address", header: t("From"), width: "120px", cell: (row) => row.address },
  ];
  return (
    <div
      className={cx("grid h-full min-h-0 gap-1.5", picked && "lg:grid-cols-[minmax(0,1fr)_372px]")}
    >
      <div className={cx("min-h-0 min-w-0", picked && "hidden lg:block")}>
        <Listing
          title={t("Audit trail")}
          actions={<ExportCsv path="/audit" query={{ ...query, actor: filters.actor }} />}
          toolbar={
            <>
              <FilterSelect
                label={t("Kind")}
                value={filters.action}
                onChange={(action) => set({ action })}
                choices={ACTIONS.map((each) => [each, word(each.replace(/\.$/, ""))] as const)}
              />
              <FilterText
                label={t("Target")}
                value={filters.target}
                onChange={(target) => set({ target })}
              />
              <FilterText
                label={t("User number")}
                width="w-28"
                value={filters.actor}
                onChange={(actor) => set({ actor })}
              />
              <div className="w-36">
                <Input
                  type="date"
                  aria-label={t("From this day on")}
                  value={filters.since ?? ""}
                  onChange={(event) => set({ since: event.target.value })}
                />
              </div>
              <div className="w-36">
                <Input
                  type="date"
                  aria-label={t("Up to this day")}
                  value={filters.until ?? ""}
                  onChange={(event) => set({ until: event.target.value })}
                />
              </div>
            </>
          }
          rows={list.rows}
          columns={columns}
          rowKey={(row) => row.id}
          error={list.error}
          loading={list.loading}
          old={list.old}
          again={list.again}
          more={list.more}
          filtered={any}
          onClear={clear}
          nothing={<Empty title={t("Nothing was done yet")} />}
          selected={picked?.id ?? null}
          onSelect={setPicked}
        />
      </div>
      {picked && <Entry entry={picked} onClose={() => setPicked(null)} />}
    </div>
  );
}

function summary(row: AuditOut): string {
  const { changes, ...rest } = row.detail as Record<string, unknown>;
  const parts = Object.entries(rest)
    .filter(([key]) => key !== "input" && key !== "reference")
    .map(([key, value]) => `${word(key)}: ${valueText(value)}`);
  if (Array.isArray(changes)) parts.push(t("{n} fields", { n: changes.length }));
  return parts.join(" · ");
}

function Entry({ entry, onClose }: { entry: AuditOut; onClose: () => void }) {
  const name = useNames();
  const { changes, ...rest } = entry.detail as Record<string, unknown>;
  const facts: [string, string][] = [
    [t("When"), entry.time],
    [t("Who"), name(entry.actor)],
    [t("To"), entry.target || "–"],
    [t("From"), entry.address || "–"],
    ...Object.entries(rest).map(([key, value]): [string, string] => [word(key), valueText(value)]),
  ];
  return (
    <Panel
      title={`${word(entry.action)} · ${entry.id}`}
      className="h-full"
      actions={
        <button type="button" className="h-6 px-2 text-accent text-table" onClick={onClose}>
          {t("Close")}
        </button>
      }
    >
      <div className="flex h-full flex-col gap-3 overflow-auto text-table">
        <dl className="flex flex-col gap-1">
          {facts.map(([label, value]) => (
            <div key={label} className="grid grid-cols-[96px_minmax(0,1fr)] gap-2">
              <dt className="text-fg-2">{label}</dt>
              <dd className="break-words">{value}</dd>
            </div>
          ))}
        </dl>
        {Array.isArray(changes) && <Diff changes={changes as FieldChange[]} past />}
      </div>
    </Panel>
  );
}
