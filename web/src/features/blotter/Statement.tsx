import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useMemo, useState } from "react";
import { decimal, grouped, NONE, profit } from "@/format/number";
import { dateTime, millis } from "@/format/time";
import { Button } from "@/kit/Button";
import { cx } from "@/kit/cx";
import { type Column, DataTable, saveFile } from "@/kit/DataTable";
import { Figure } from "@/kit/Panel";
import { Empty, Failed, Loading } from "@/kit/states";
import { useTrading } from "@/live/trading";
import { t } from "@/text";
import { Cards, Line, useNarrow } from "./Cards";
import { statementCsv } from "./history";
import { type Movement, movementsOf, shown, summaryOf } from "./movements";
import { PeriodBar, usePeriod } from "./PeriodBar";
import { Money } from "./Side";
import { postingWord } from "./words";

/** Every movement of money in a period, with what it adds up to; the file is exactly what is shown. */
export default function Statement() {
  const account = useTrading((s) => s.account);
  const balance = useTrading((s) => s.view?.balance ?? "");
  const narrow = useNarrow();
  const [chosen, choose, span] = usePeriod("month");
  const [selected, setSelected] = useState<string | null>(null);
  const { data, error, isPending, isPlaceholderData, refetch } = useQuery({
    // A movement of money changes the balance: the statement is then read again.
    queryKey: ["statement", account, span.since ?? "", span.until ?? "", balance],
    queryFn: async ({ signal }) => {
      const csv = await statementCsv(account, span, signal);
      const rows = movementsOf(csv);
      return { csv, rows: [...rows].reverse(), summary: summaryOf(rows) };
    },
    placeholderData: keepPreviousData,
    enabled: account > 0,
  });
  const columns = useMemo(columnsOf, []);
  const currency = data?.rows[0]?.currency ?? "";
  const empty = <Empty title={t("No movements of money")}>{t("Choose a longer period.")}</Empty>;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex shrink-0 flex-wrap items-center gap-2 px-2 py-1">
        <PeriodBar chosen={chosen} onChange={choose} />
        <Button
          small
          className="ml-auto"
          disabled={!data}
          icon={<Download size={13} aria-hidden />}
          onClick={() => data && saveFile(`statement-${account}.csv`, data.csv, "text/csv")}
        >
          {t("Download CSV")}
        </Button>
      </div>
      {isPending ? (
        <Loading />
      ) : error && !data ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : (
        data && (
          <div className={cx("flex min-h-0 flex-1 flex-col", isPlaceholderData && "opacity-60")}>
            <div
              role="group"
              aria-label={t("Totals of the statement")}
              className="flex shrink-0 flex-wrap gap-x-5 gap-y-1 border-line-subtle border-y bg-raised px-3 py-1"
            >
              <Figure label={t("Opening balance")}>{money(data.summary.opening)}</Figure>
              {[...data.summary.byReason].map(([reason, amount]) => (
                <Figure key={reason} label={postingWord(reason)}>
                  <Money value={shown(amount)} text={profit(shown(amount))} />
                </Figure>
              ))}
              <Figure label={t("Closing balance")}>
                {money(data.summary.closing)} {currency}
              </Figure>
            </div>
            <div className="min-h-0 flex-1">
              {narrow ? (
                <Cards
                  rows={data.rows}
                  rowKey={(row) => row.id}
                  label={t("Statement")}
                  height={60}
                  empty={empty}
                  card={(row) => <Card row={row} />}
                />
              ) : (
                <DataTable
                  label={t("Statement")}
                  rows={data.rows}
                  columns={columns}
                  rowKey={(row) => row.id}
                  selected={selected}
                  onSelect={(row) => setSelected(row.id)}
                  empty={empty}
                />
              )}
            </div>
          </div>
        )
      )}
    </div>
  );
}

const money = (value: bigint | null): string => (value === null ? NONE : grouped(shown(value)));
const amountOf = (row: Movement) => (
  <Money value={Number(row.amount)} text={profit(Number(row.amount))} />
);

const columnsOf = (): Column<Movement>[] => [
  {
    id: "time",
    header: t("Time"),
    width: "minmax(150px, 1fr)",
    cell: (row) => dateTime(row.time),
    sort: (row) => millis(row.time),
  },
  {
    id: "reason",
    header: t("What"),
    width: "minmax(120px, 1fr)",
    cell: (row) => postingWord(row.reason),
    sort: (row) => row.reason,
  },
  {
    id: "amount",
    header: t("Amount"),
    align: "end",
    cell: amountOf,
    sort: (row) => Number(row.amount),
  },
  {
    id: "balance",
    header: t("Balance after"),
    align: "end",
    cell: (row) => decimal(row.balance),
  },
  { id: "currency", header: t("Currency"), width: "64px", cell: (row) => row.currency },
  {
    id: "kind",
    header: t("Kind"),
    width: "64px",
    cell: (row) => (row.kind === "credit" ? t("Credit") : t("Cash")),
  },
  {
    id: "reference",
    header: t("Of"),
    align: "end",
    width: "72px",
    cell: (row) => (row.reference ? `#${row.reference}` : NONE),
  },
];

function Card({ row }: { row: Movement }) {
  return (
    <>
      <Line left={postingWord(row.reason)} right={amountOf(row)} />
      <Line left={dateTime(row.time)} right={decimal(row.balance)} />
    </>
  );
}
