import { api, ask, type LedgerAccountOut } from "@/api/client";
import { decimal } from "@/format/number";
import { type Column, Empty } from "@/kit";
import { t } from "@/text";
import { ExportCsv } from "./ExportCsv";
import { useFilters } from "./filters";
import { FilterText } from "./inputs";
import { Listing } from "./Listing";
import { useListing } from "./listing";
import { word } from "./words";

/** Debits, credits and balance of every account in every ledger; number 0 is the house. */
export function LedgerAccounts() {
  const { filters, set } = useFilters(["view", "account", "ledger"] as const);
  const account = /^\d+$/.test(filters.account ?? "") ? Number(filters.account) : undefined;
  const list = useListing(["ledger-accounts", account], (cursor) =>
    ask(api.GET("/api/v1/ledger/accounts", { params: { query: { account, cursor, limit: 200 } } })),
  );
  return (
    <Listing
      title={t("Accounts of the ledgers")}
      actions={<ExportCsv path="/ledger/accounts" query={{ account: filters.account }} />}
      toolbar={
        <FilterText
          label={t("Account, 0 is the house")}
          value={filters.account}
          onChange={(value) => set({ account: value })}
        />
      }
      rows={list.rows}
      columns={COLUMNS}
      rowKey={(row) => `${row.account}|${row.ledger}|${row.sub}|${row.currency}`}
      error={list.error}
      loading={list.loading}
      old={list.old}
      again={list.again}
      more={list.more}
      filtered={account !== undefined}
      onClear={() => set({ account: "" })}
      nothing={<Empty title={t("Nothing was posted yet")} />}
      onSelect={(row) =>
        set({
          view: "transfers",
          account: row.account ? String(row.account) : "",
          ledger: row.ledger,
        })
      }
    />
  );
}

const COLUMNS: readonly Column<LedgerAccountOut>[] = [
  {
    id: "account",
    header: t("Account"),
    width: "100px",
    cell: (row) => (
      <span className="font-medium">{row.account === 0 ? t("House") : row.account}</span>
    ),
  },
  {
    id: "ledger",
    header: t("Ledger"),
    width: "minmax(130px, 1fr)",
    cell: (row) => (row.sub === 1 ? t("Cash, credit") : word(row.ledger)),
  },
  { id: "currency", header: t("Currency"), width: "80px", cell: (row) => row.currency },
  ...(["debits", "credits", "balance"] as const).map(
    (id): Column<LedgerAccountOut> => ({
      id,
      header: { debits: t("Debits"), credits: t("Credits"), balance: t("Balance") }[id],
      align: "end",
      width: "minmax(120px, 1fr)",
      cell: (row) => decimal(row[id]),
      sort: (row) => Number(row[id]),
    }),
  ),
];
