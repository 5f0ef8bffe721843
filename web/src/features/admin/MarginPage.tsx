import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { api, ask, type DangerOut, type MarginEventOut } from "@/api/client";
import { groupsQuery } from "@/api/queries";
import { decimal } from "@/format/number";
import { ago, dateTime } from "@/format/time";
import { type Column, Empty, Status, type Tone } from "@/kit";
import { t } from "@/text";
import { Amount } from "./Amount";
import { ExportCsv } from "./ExportCsv";
import { useFilters } from "./filters";
import { FilterSelect } from "./inputs";
import { Listing } from "./Listing";
import { useListing } from "./listing";
import { word } from "./words";

const route = getRouteApi("/inside/admin/{-$tab}");
const LEVELS = ["100", "150", "300", "1000"];
const TONES: Record<string, Tone> = { ok: "ok", margin_call: "warning", stop_out: "critical" };

/** /admin/margin: who is near a stop-out, the nearest first; and who was called or stopped out. */
export default function MarginPage() {
  const { filters, set } = useFilters(["below", "group", "level"] as const);
  const navigate = route.useNavigate();
  const { data: groups } = useQuery(groupsQuery);
  const below = /^\d{1,9}(\.\d{1,2})?$/.test(filters.below ?? "") ? filters.below! : "150";
  const { group } = filters;
  const near = useQuery({
    queryKey: ["admin", "margin", below, group],
    queryFn: () =>
      ask(api.GET("/api/v1/staff/margin", { params: { query: { below, group, limit: 1000 } } })),
    refetchInterval: 1_000,
    placeholderData: (old) => old,
  });
  const level = (["stop_out", "margin_call", "ok"] as const).find((each) => each === filters.level);
  const events = useListing(
    ["margin-events", level],
    (cursor) => ask(api.GET("/api/v1/margin-events", { params: { query: { level, cursor } } })),
    { refetchInterval: 3_000 },
  );
  const open = (account: number) =>
    void navigate({ params: { tab: "accounts" }, search: { account: String(account) } });
  return (
    <div className="grid h-full min-h-0 grid-rows-[minmax(0,1.2fr)_minmax(0,1fr)] gap-1.5">
      <Listing
        title={t("Margin levels")}
        actions={<ExportCsv path="/staff/margin" query={{ below, group }} />}
        toolbar={
          <>
            <FilterSelect
              label={t("Level below")}
              all={t("Below 150 %")}
              value={below === "150" ? undefined : below}
              onChange={(value) => set({ below: value })}
              choices={[
                ...new Set([
                  ...LEVELS.filter((each) => each !== "150"),
                  ...(below === "150" ? [] : [below]),
                ]),
              ].map((each) => [each, t("Below {level} %", { level: each })] as const)}
            />
            <FilterSelect
              label={t("Group")}
              value={group}
              onChange={(value) => set({ group: value })}
              choices={(groups ?? []).map((each) => [each.name, each.name] as const)}
            />
          </>
        }
        rows={near.data ?? []}
        columns={NEAR}
        rowKey={(row) => row.account}
        error={near.error}
        loading={near.isPending}
        old={near.isPlaceholderData}
        again={() => void near.refetch()}
        nothing={
          <Empty title={t("Nobody is below {level} %", { level: below })}>
            {t("Accounts with a lower margin level appear here, the lowest first.")}
          </Empty>
        }
        onSelect={(row) => open(row.account)}
      />
      <Listing
        title={t("Margin calls and stop-outs")}
        actions={<ExportCsv path="/margin-events" query={{ level }} />}
        toolbar={
          <FilterSelect
            label={t("Event")}
            value={filters.level}
            onChange={(value) => set({ level: value })}
            choices={[
              ["stop_out", t("Stop-out")],
              ["margin_call", t("Margin call")],
              ["ok", t("Recovered")],
            ]}
          />
        }
        rows={events.rows}
        columns={EVENTS}
        rowKey={(row) => row.id}
        error={events.error}
        loading={events.loading}
        old={events.old}
        again={events.again}
        more={events.more}
        filtered={Boolean(level)}
        onClear={() => set({ level: "" })}
        nothing={<Empty title={t("No margin call yet")}>{t("That is good news.")}</Empty>}
        onSelect={(row) => open(row.account)}
      />
    </div>
  );
}

const NEAR: readonly Column<DangerOut>[] = [
  {
    id: "account",
    header: t("Account"),
    width: "90px",
    cell: (row) => <span className="font-medium">{row.account}</span>,
    sort: (row) => row.account,
  },
  {
    id: "level",
    header: t("Level, %"),
    align: "end",
    width: "90px",
    cell: (row) => decimal(row.level),
    sort: (row) => Number(row.level),
  },
  {
    id: "state",
    header: t("State"),
    width: "120px",
    cell: (row) => (
      <Status tone={TONES[row.margin_level] ?? "off"}>
        {row.margin_level === "ok" ? t("Fine") : word(row.margin_level)}
      </Status>
    ),
  },
  { id: "group", header: t("Group"), width: "minmax(90px, 1fr)", cell: (row) => row.group },
  {
    id: "stop",
    header: t("Stop-out at, %"),
    align: "end",
    width: "100px",
    cell: (row) => decimal(row.stop_out),
  },
  { id: "currency", header: t("Cur."), width: "52px", cell: (row) => row.currency },
  ...(["equity", "margin", "balance"] as const).map(
    (id): Column<DangerOut> => ({
      id,
      header: { equity: t("Equity"), margin: t("Margin"), balance: t("Balance") }[id],
      align: "end",
      width: "minmax(96px, 1fr)",
      cell: (row) => <Amount value={row[id]} />,
      sort: (row) => Number(row[id]),
    }),
  ),
  {
    id: "positions",
    header: t("Positions"),
    align: "end",
    width: "80px",
    cell: (row) => row.positions,
    sort: (row) => row.positions,
  },
];

const EVENTS: readonly Column<MarginEventOut>[] = [
  {
    id: "time",
    header: t("When"),
    width: "180px",
    cell: (row) => <span title={ago(row.time)}>{dateTime(row.time)}</span>,
  },
  { id: "account", header: t("Account"), width: "90px", cell: (row) => row.account },
  {
    id: "level",
    header: t("Event"),
    width: "130px",
    cell: (row) => (
      <Status tone={TONES[row.level] ?? "off"}>
        {row.level === "ok" ? t("Recovered") : word(row.level)}
      </Status>
    ),
  },
  ...(["equity", "margin"] as const).map(
    (id): Column<MarginEventOut> => ({
      id,
      header: { equity: t("Equity"), margin: t("Margin") }[id],
      align: "end",
      width: "minmax(96px, 1fr)",
      cell: (row) => <Amount value={row[id]} />,
    }),
  ),
];
