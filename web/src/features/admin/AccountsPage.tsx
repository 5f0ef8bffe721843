import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { api, ask, type StaffAccountOut } from "@/api/client";
import { groupsQuery, meQuery } from "@/api/queries";
import { decimal } from "@/format/number";
import { Button, type Column, cx, Empty, Status } from "@/kit";
import { t } from "@/text";
import { AccountSheet } from "./AccountSheet";
import { Amount } from "./Amount";
import { condition } from "./accounts";
import { ExportCsv } from "./ExportCsv";
import { useFilters } from "./filters";
import { FilterSelect, FilterText } from "./inputs";
import { Listing } from "./Listing";
import { useListing } from "./listing";
import { OpenAccount } from "./OpenAccount";
import { may } from "./tabs";

const FILTERS = ["q", "group", "currency", "state", "owner", "account"] as const;
const STATES = ["active", "read_only", "disabled", "closed"] as const;

/** /admin/accounts: find an account, see it whole, and act on it. */
export default function AccountsPage() {
  const { filters, set, clear } = useFilters(FILTERS);
  const { account, ...query } = filters;
  const { data: me } = useQuery(meQuery);
  const { data: groups } = useQuery(groupsQuery);
  const [opening, setOpening] = useState(false);
  const owner = Number(query.owner) || undefined;
  const state = STATES.find((each) => each === query.state);
  const list = useListing(
    ["accounts", query],
    (cursor) =>
      ask(
        api.GET("/api/v1/staff/accounts", {
          params: { query: { ...query, owner, state, cursor, limit: 200 } },
        }),
      ),
    { refetchInterval: 5_000 },
  );
  const currencies = [...new Set(groups?.map((each) => each.currency))];
  const selected = Number(account) || null;
  const one = selected !== null;
  return (
    <div className={cx("grid h-full min-h-0 gap-1.5", one && "lg:grid-cols-[minmax(0,1fr)_372px]")}>
      <div className={cx("min-h-0 min-w-0", one && "hidden lg:block")}>
        <Listing
          title={t("Accounts")}
          actions={
            <>
              <ExportCsv path="/staff/accounts" query={query} />
              {may(me, "accounts:manage") && (
                <Button
                  small
                  look="primary"
                  icon={<Plus size={13} aria-hidden />}
                  onClick={() => setOpening(true)}
                >
                  {t("Open account")}
                </Button>
              )}
            </>
          }
          toolbar={
            <>
              <FilterText
                search
                label={t("Login, name or number")}
                value={query.q}
                onChange={(q) => set({ q })}
                width="w-56"
              />
              <FilterSelect
                label={t("Group")}
                value={query.group}
                onChange={(group) => set({ group })}
                choices={(groups ?? []).map((each) => [each.name, each.name] as const)}
              />
              <FilterSelect
                label={t("Currency")}
                value={query.currency}
                onChange={(currency) => set({ currency })}
                choices={currencies.map((each) => [each, each] as const)}
              />
              <FilterSelect
                label={t("State")}
                value={query.state}
                onChange={(value) => set({ state: value })}
                choices={[
                  ["active", t("Active")],
                  ["read_only", t("Read only")],
                  ["disabled", t("Disabled")],
                  ["closed", t("Closed")],
                ]}
              />
            </>
          }
          rows={list.rows}
          columns={COLUMNS}
          rowKey={(row) => row.id}
          error={list.error}
          loading={list.loading}
          old={list.old}
          again={list.again}
          more={list.more}
          filtered={Object.keys(query).length > 0}
          onClear={clear}
          nothing={
            <Empty title={t("No accounts yet")}>
              {t("Somebody signs up and opens a demo account, or you open one here.")}
            </Empty>
          }
          selected={selected}
          onSelect={(row) => set({ account: String(row.id) })}
        />
      </div>
      {selected && (
        <AccountSheet key={selected} account={selected} onClose={() => set({ account: "" })} />
      )}
      <OpenAccount
        open={opening}
        onClose={() => setOpening(false)}
        onOpened={(number) => set({ account: String(number) })}
      />
    </div>
  );
}

const COLUMNS: readonly Column<StaffAccountOut>[] = [
  {
    id: "id",
    header: t("Account"),
    width: "84px",
    cell: (row) => <span className="font-medium">{row.id}</span>,
    sort: (row) => row.id,
  },
  {
    id: "login",
    header: t("Owner"),
    width: "minmax(110px, 1.4fr)",
    cell: (row) => (
      <span title={row.name}>
        {row.login || <span className="text-fg-3">{t("nobody")}</span>}
        {row.name && <span className="ml-1.5 text-fg-3">{row.name}</span>}
      </span>
    ),
    sort: (row) => row.login,
  },
  {
    id: "group",
    header: t("Group"),
    width: "minmax(84px, 1fr)",
    cell: (row) => row.group,
    sort: (row) => row.group,
  },
  {
    id: "state",
    header: t("State"),
    width: "118px",
    cell: (row) => {
      const { tone, text } = condition(row);
      return <Status tone={tone}>{text}</Status>;
    },
    sort: (row) => condition(row).text,
  },
  { id: "currency", header: t("Cur."), width: "52px", cell: (row) => row.currency },
  {
    id: "balance",
    header: t("Balance"),
    align: "end",
    width: "minmax(96px, 1fr)",
    cell: (row) => <Amount value={row.balance} />,
    sort: (row) => Number(row.balance),
  },
  {
    id: "equity",
    header: t("Equity"),
    align: "end",
    width: "minmax(96px, 1fr)",
    cell: (row) => <Amount value={row.equity} />,
    sort: (row) => Number(row.equity),
  },
  {
    id: "margin",
    header: t("Margin"),
    align: "end",
    width: "minmax(90px, 1fr)",
    cell: (row) => <Amount value={row.margin} />,
    sort: (row) => Number(row.margin),
  },
  {
    id: "level",
    header: t("Level, %"),
    align: "end",
    width: "86px",
    cell: (row) => decimal(row.level),
    sort: (row) => Number(row.level ?? Number.POSITIVE_INFINITY),
  },
];
