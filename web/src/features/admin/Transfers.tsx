import { api, ask, type TransferOut } from "@/api/client";
import { dateTime } from "@/format/time";
import { type Column, cx, Empty } from "@/kit";
import { t } from "@/text";
import { Amount } from "./Amount";
import { Cause } from "./Cause";
import { ExportCsv } from "./ExportCsv";
import { useFilters } from "./filters";
import { FilterSelect, FilterText } from "./inputs";
import { Listing } from "./Listing";
import { useListing } from "./listing";
import { word } from "./words";

const LEDGERS = ["cash", "position", "fees", "realised_pnl", "margin", "funding_pnl"] as const;
const REFRESH_MS = 5_000;

/** Every movement between an account and the house; choose one to see what caused it. */
export function Transfers() {
  const { filters, set } = useFilters(["view", "account", "ledger", "transfer"] as const);
  const account = /^[1-9]\d*$/.test(filters.account ?? "") ? Number(filters.account) : undefined;
  const ledger = LEDGERS.find((each) => each === filters.ledger);
  const list = useListing(
    ["transfers", account, ledger],
    (cursor) =>
      ask(
        api.GET("/api/v1/ledger/transfers", {
          params: { query: { account, ledger, cursor, limit: 200 } },
        }),
      ),
    { refetchInterval: REFRESH_MS },
  );
  const { transfer } = filters;
  return (
    <div
      className={cx(
        "grid h-full min-h-0 gap-1.5",
        transfer && "lg:grid-cols-[minmax(0,1fr)_420px]",
      )}
    >
      <div className={cx("min-h-0 min-w-0", transfer && "hidden lg:block")}>
        <Listing
          title={t("Transfers")}
          actions={
            <ExportCsv path="/ledger/transfers" query={{ account: filters.account, ledger }} />
          }
          toolbar={
            <>
              <FilterText
                label={t("Account")}
                value={filters.account}
                onChange={(value) => set({ account: value })}
              />
              <FilterSelect
                label={t("Ledger")}
                value={ledger}
                onChange={(value) => set({ ledger: value })}
                choices={LEDGERS.map((each) => [each, word(each)] as const)}
              />
            </>
          }
          rows={list.rows}
          columns={COLUMNS}
          rowKey={mark}
          error={list.error}
          loading={list.loading}
          old={list.old}
          again={list.again}
          more={list.more}
          filtered={account !== undefined || ledger !== undefined}
          onClear={() => set({ account: "", ledger: "" })}
          nothing={<Empty title={t("Nothing was posted yet")} />}
          selected={transfer ?? null}
          onSelect={(row) => set({ transfer: mark(row) })}
        />
      </div>
      {transfer && (
        <Cause
          key={transfer}
          transfer={transfer}
          onClose={() => set({ transfer: "" })}
          onShow={(other) => set({ transfer: other })}
        />
      )}
    </div>
  );
}

/** The id of a transfer: shard, input and leg. */
export const mark = (row: TransferOut): string => `${row.shard}-${row.input_seq}-${row.leg}`;

const COLUMNS: readonly Column<TransferOut>[] = [
  { id: "time", header: t("When"), width: "172px", cell: (row) => dateTime(row.time) },
  {
    id: "mark",
    header: t("Transfer"),
    width: "110px",
    cell: (row) => <span className="font-mono text-hint">{mark(row)}</span>,
  },
  {
    id: "account",
    header: t("Account"),
    width: "86px",
    cell: (row) => <span className="font-medium">{row.account}</span>,
  },
  {
    id: "ledger",
    header: t("Ledger"),
    width: "minmax(104px, 1fr)",
    cell: (row) => (row.sub === 1 ? t("Cash, credit") : word(row.ledger)),
  },
  {
    id: "reason",
    header: t("Reason"),
    width: "minmax(110px, 1fr)",
    cell: (row) => word(row.reason),
  },
  {
    id: "amount",
    header: t("Amount"),
    align: "end",
    width: "minmax(104px, 1fr)",
    cell: (row) => <Amount value={row.amount} signed plain />,
  },
  { id: "currency", header: t("Cur."), width: "52px", cell: (row) => row.currency },
  {
    id: "after",
    header: t("Balance after"),
    align: "end",
    width: "minmax(104px, 1fr)",
    cell: (row) => <Amount value={row.after} />,
  },
  {
    id: "reference",
    header: t("Order or position"),
    align: "end",
    width: "120px",
    cell: (row) => row.reference || "",
  },
];
