import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ApprovalOut, api, ask } from "@/api/client";
import { meQuery } from "@/api/queries";
import { decimal } from "@/format/number";
import { ago, dateTime } from "@/format/time";
import { type Column, cx, Empty, Status, type Tone } from "@/kit";
import { t } from "@/text";
import { ApprovalSheet } from "./ApprovalSheet";
import { ExportCsv } from "./ExportCsv";
import { useFilters } from "./filters";
import { FilterSelect } from "./inputs";
import { Listing } from "./Listing";
import { useListing } from "./listing";
import { useNames } from "./names";
import { ruleQuery } from "./queries";
import { word } from "./words";

const STATES = ["pending", "approved", "rejected", "expired", "withdrawn"] as const;
const TONES: Record<string, Tone> = {
  pending: "warning",
  approved: "ok",
  rejected: "critical",
  expired: "off",
  withdrawn: "off",
};

/** /admin/approvals: what waits for a second person, and what did. */
export default function ApprovalsPage() {
  const { filters, set } = useFilters(["state", "operation", "id"] as const);
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const { data: rule } = useQuery(ruleQuery);
  const name = useNames();
  const asked = filters.state === "all" ? "" : (filters.state ?? "pending");
  const state = STATES.find((each) => each === asked);
  const { operation } = filters;
  const list = useListing(
    ["approvals", state, operation],
    (cursor) =>
      ask(
        api.GET("/api/v1/approvals", {
          params: { query: { state, operation, cursor, limit: 100 } },
        }),
      ),
    { refetchInterval: 5_000 },
  );
  const columns: Column<ApprovalOut>[] = [
    { id: "id", header: t("No."), width: "56px", cell: (row) => row.id, sort: (row) => row.id },
    {
      id: "what",
      header: t("What"),
      width: "minmax(150px, 1.4fr)",
      cell: (row) => (
        <span className="font-medium">
          {word(row.operation)} <span className="text-fg-2">{row.target}</span>
        </span>
      ),
    },
    {
      id: "amount",
      header: t("Amount"),
      align: "end",
      width: "110px",
      cell: (row) => (typeof row.request.amount === "string" ? decimal(row.request.amount, 2) : ""),
    },
    { id: "reason", header: t("Reason"), width: "minmax(140px, 2fr)", cell: (row) => row.reason },
    {
      id: "requester",
      header: t("Asked by"),
      width: "110px",
      cell: (row) => name(row.requester),
    },
    {
      id: "created",
      header: t("When"),
      width: "110px",
      cell: (row) => <span title={dateTime(row.created)}>{ago(row.created)}</span>,
    },
    {
      id: "state",
      header: t("State"),
      width: "minmax(120px, 1fr)",
      cell: (row) => (
        <Status tone={failed(row) ? "critical" : (TONES[row.state] ?? "off")}>
          {failed(row) ? t("Approved, but failed") : word(row.state)}
        </Status>
      ),
    },
  ];
  const chosen = Number(filters.id) || 0;
  // By itself: what was decided leaves the list of what waits, but not the screen.
  const { data: shown } = useQuery({
    queryKey: ["admin", "approval", chosen],
    queryFn: () =>
      ask(api.GET("/api/v1/approvals/{number}", { params: { path: { number: chosen } } })),
    enabled: chosen > 0,
    refetchInterval: 3_000,
  });
  const one = chosen > 0 && shown !== undefined;
  const close = () => set({ id: "" });
  return (
    <div className={cx("grid h-full min-h-0 gap-1.5", one && "lg:grid-cols-[minmax(0,1fr)_372px]")}>
      <div className={cx("min-h-0 min-w-0", one && "hidden lg:block")}>
        <Listing
          title={t("Approvals")}
          actions={<ExportCsv path="/approvals" query={{ state, operation }} />}
          toolbar={
            <>
              <FilterSelect
                label={t("State")}
                all={t("Waiting")}
                value={filters.state}
                onChange={(value) => set({ state: value })}
                choices={[
                  ["all", t("All")],
                  ...STATES.slice(1).map((each) => [each, word(each)] as const),
                ]}
              />
              <FilterSelect
                label={t("Kind")}
                value={operation}
                onChange={(value) => set({ operation: value })}
                choices={KINDS.map((each) => [each, word(each)] as const)}
              />
              <p className="ml-auto self-center text-fg-2 text-hint">{ruleText(rule)}</p>
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
          nothing={
            <Empty title={state === "pending" ? t("Nothing waits") : t("Nothing here")}>
              {t("Requests for a second person appear here, and stay for reading up.")}
            </Empty>
          }
          selected={chosen || null}
          onSelect={(row) => set({ id: String(row.id) })}
        />
      </div>
      {one && (
        <ApprovalSheet
          key={shown.id}
          approval={shown}
          own={shown.requester === me?.id}
          onClose={close}
          onDecided={() => void client.invalidateQueries({ queryKey: ["admin"] })}
        />
      )}
    </div>
  );
}

const KINDS = [
  "deposit",
  "withdrawal",
  "credit_in",
  "credit_out",
  "correction",
  "group",
  "instrument",
];

/** Agreed to, but the engine said no. */
export const failed = (row: ApprovalOut): boolean =>
  row.outcome !== null && row.outcome.name !== "OK";

function ruleText(rule: { amount: string | null; accounts: number | null } | undefined): string {
  if (!rule) return "";
  const parts = [];
  if (rule.amount !== null)
    parts.push(t("money from {amount} on", { amount: decimal(rule.amount, 2) }));
  if (rule.accounts !== null)
    parts.push(t("changes that concern {n} accounts or more", { n: rule.accounts }));
  return parts.length
    ? t("A second person is needed for {what}.", { what: parts.join(` ${t("and")} `) })
    : t("No rule asks for a second person; anybody may ask for one.");
}
