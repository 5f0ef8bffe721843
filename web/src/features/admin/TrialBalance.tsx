import { useQuery } from "@tanstack/react-query";
import { api, ask, type TrialOut } from "@/api/client";
import { decimal } from "@/format/number";
import { type Column, Empty, Status } from "@/kit";
import { t } from "@/text";
import { ExportCsv } from "./ExportCsv";
import { useFilters } from "./filters";
import { Listing } from "./Listing";
import { difference, text } from "./ledger";
import { word } from "./words";

/** Customers and house per ledger and currency: every row must add up to zero. */
export function TrialBalance() {
  const { set } = useFilters(["view", "ledger"] as const);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["admin", "trial"],
    queryFn: () => ask(api.GET("/api/v1/ledger/trial-balance")),
    refetchInterval: 2_000,
  });
  const off = (data ?? []).filter((row) => difference(row.customers, row.house) !== 0n);
  return (
    <Listing
      title={t("Trial balance")}
      actions={<ExportCsv path="/ledger/trial-balance" />}
      toolbar={
        data && (
          <Status tone={off.length ? "critical" : "ok"}>
            {off.length
              ? t("{n} rows do not add up to zero. Stop trading and call support.", {
                  n: off.length,
                })
              : t("Every ledger and currency adds up to zero, to the last digit.")}
          </Status>
        )
      }
      rows={data ?? []}
      columns={COLUMNS}
      rowKey={(row) => `${row.ledger}|${row.currency}`}
      error={error}
      loading={isPending}
      again={() => void refetch()}
      nothing={<Empty title={t("Nothing was posted yet")} />}
      rowClass={(row) => (difference(row.customers, row.house) ? "text-critical" : undefined)}
      onSelect={(row) => set({ view: "transfers", ledger: row.ledger })}
    />
  );
}

const COLUMNS: readonly Column<TrialOut>[] = [
  {
    id: "ledger",
    header: t("Ledger"),
    width: "minmax(130px, 1fr)",
    cell: (row) => <span className="font-medium">{word(row.ledger)}</span>,
    sort: (row) => row.ledger,
  },
  { id: "currency", header: t("Currency"), width: "80px", cell: (row) => row.currency },
  ...(["customers", "house"] as const).map(
    (id): Column<TrialOut> => ({
      id,
      header: { customers: t("Customers"), house: t("House") }[id],
      align: "end",
      width: "minmax(130px, 1fr)",
      cell: (row) => decimal(row[id]),
      sort: (row) => Number(row[id]),
    }),
  ),
  {
    id: "sum",
    header: t("Sum"),
    align: "end",
    width: "minmax(110px, 1fr)",
    cell: (row) => {
      const sum = difference(row.customers, row.house);
      return <Status tone={sum === 0n ? "ok" : "critical"}>{decimal(text(sum))}</Status>;
    },
  },
];
