import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { type ReactNode, Suspense, useEffect, useMemo, useState } from "react";
import type { ClosedPositionOut, FillOut, OrderRowOut } from "@/api/client";
import { decimal, fixed, profit } from "@/format/number";
import { dateTime } from "@/format/time";
import { Button } from "@/kit/Button";
import { cx } from "@/kit/cx";
import { type Column, DataTable } from "@/kit/DataTable";
import { Segments } from "@/kit/Segments";
import { Empty, Failed, Loading } from "@/kit/states";
import { toast } from "@/kit/toast";
import { digitsOf } from "@/live/instruments";
import { onHappening, useTrading } from "@/live/trading";
import { t } from "@/text";
import { Cards, Line, useNarrow } from "./Cards";
import { historyQuery, type Kind, type Row, saveHistory } from "./history";
import { closedColumns, fillColumns, netOf, orderRowColumns } from "./historyColumns";
import { ReceiptDialog } from "./lazily";
import { PeriodBar, usePeriod } from "./PeriodBar";
import type { ReceiptOf } from "./ReceiptDialog";
import { Money, Name } from "./Side";
import { reasonWord, stateWord } from "./words";

/** New rows are asked for this long after something happened: the records follow the engine closely. */
const SETTLE_MS = 400;

/** What happened: closed positions, fills, orders; by period, with totals, a page at a time. */
export default function History() {
  const account = useTrading((s) => s.account);
  const currency = useTrading((s) => s.view?.currency ?? "");
  const [kind, setKind] = useState<Kind>("positions");
  const [chosen, choose, span] = usePeriod("month");
  const [busy, setBusy] = useState(false);
  useRefresh();
  const save = async () => {
    setBusy(true);
    try {
      await saveHistory(kind, account, span);
    } catch (thrown) {
      toast.problem(thrown, t("The file was not saved"));
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="flex shrink-0 flex-wrap items-center gap-2 px-2 py-1">
        <Segments<Kind>
          small
          label={t("Show")}
          value={kind}
          onChange={setKind}
          choices={[
            { value: "positions", label: t("Closed positions") },
            { value: "fills", label: t("Fills") },
            { value: "orders", label: t("Orders") },
          ]}
        />
        <PeriodBar chosen={chosen} onChange={choose} />
        <Button
          small
          className="ml-auto"
          busy={busy}
          icon={<Download size={13} aria-hidden />}
          onClick={() => void save()}
          title={t("All of the period as a file")}
        >
          {t("CSV")}
        </Button>
      </div>
      <div className="min-h-0 flex-1">
        {kind === "positions" && (
          <Listing
            kind="positions"
            label={t("Closed positions")}
            columns={closedColumns(currency)}
            rowKey={(row) => `${row.id}-${row.closed}`}
            receipt={(row) => ({ ...row, before: row.opened ?? undefined })}
            totals={closedTotals}
            card={(row) => <ClosedCard row={row} currency={currency} />}
            span={span}
          />
        )}
        {kind === "fills" && (
          <Listing
            kind="fills"
            label={t("Fills")}
            columns={fillColumns(currency)}
            rowKey={(row) => row.id}
            receipt={(row) => ({ ...row, before: row.time ?? undefined })}
            totals={fillTotals}
            card={(row) => <FillCard row={row} />}
            span={span}
          />
        )}
        {kind === "orders" && (
          <Listing
            kind="orders"
            label={t("Orders")}
            columns={orderRowColumns()}
            rowKey={(row) => row.id}
            receipt={(row) => ({ ...row, order: row.id, before: row.created ?? undefined })}
            card={(row) => <OrderCard row={row} />}
            span={span}
          />
        )}
      </div>
    </div>
  );
}

function Listing<K extends Kind>({
  kind,
  label,
  columns,
  rowKey,
  receipt,
  totals,
  card,
  span,
}: {
  kind: K;
  label: string;
  columns: readonly Column<Row[K]>[];
  rowKey: (row: Row[K]) => string | number;
  receipt: (row: Row[K]) => ReceiptOf;
  totals?: (rows: readonly Row[K][]) => Partial<Record<string, ReactNode>>;
  card: (row: Row[K]) => ReactNode;
  span: Parameters<typeof historyQuery>[2];
}) {
  const account = useTrading((s) => s.account);
  const narrow = useNarrow();
  const query = useInfiniteQuery(historyQuery(kind, account, span));
  const [chosen, setChosen] = useState<string | number | null>(null);
  const [open, setOpen] = useState<ReceiptOf | null>(null);
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  if (query.isPending) return <Loading />;
  if (query.error && rows.length === 0)
    return <Failed error={query.error} onRetry={() => void query.refetch()} />;
  const more = () => {
    if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
  };
  const empty = (
    <Empty title={t("Nothing in this period")}>
      {t("Choose a longer period, or trade: what is done appears here at once.")}
    </Empty>
  );
  const count = query.hasNextPage
    ? t("{n} newest, more below", { n: rows.length })
    : t("{n} in all", { n: rows.length });
  return (
    <div className={cx("h-full", query.isPlaceholderData && "opacity-60")}>
      {narrow ? (
        <Cards
          rows={rows}
          rowKey={rowKey}
          label={label}
          height={84}
          card={card}
          empty={empty}
          onEnd={more}
          onOpen={(row) => setOpen(receipt(row))}
        />
      ) : (
        <DataTable
          label={label}
          rows={rows}
          columns={columns}
          rowKey={rowKey}
          selected={chosen}
          onSelect={(row) => setChosen(rowKey(row))}
          onOpen={(row) => setOpen(receipt(row))}
          onEnd={more}
          empty={empty}
          footer={{ symbol: count, ...totals?.(rows) }}
        />
      )}
      <Suspense>{open && <ReceiptDialog of={open} onClose={() => setOpen(null)} />}</Suspense>
    </div>
  );
}

/** Read the newest rows again after something happened to the account. */
function useRefresh(): void {
  const client = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = onHappening(() => {
      clearTimeout(timer);
      timer = setTimeout(() => void client.invalidateQueries({ queryKey: ["history"] }), SETTLE_MS);
    });
    return () => {
      clearTimeout(timer);
      end();
    };
  }, [client]);
}

const sum = <R,>(rows: readonly R[], of: (row: R) => number): number =>
  rows.reduce((total, row) => total + of(row), 0);
const total = (value: number) => <Money value={value} text={profit(value)} />;

const closedTotals = (rows: readonly ClosedPositionOut[]) => ({
  profit: total(sum(rows, (row) => Number(row.profit))),
  commission: profit(sum(rows, (row) => Number(row.commission))),
  swap: profit(sum(rows, (row) => Number(row.swap))),
  net: total(sum(rows, netOf)),
});
const fillTotals = (rows: readonly FillOut[]) => ({
  profit: total(sum(rows, (row) => Number(row.profit))),
  commission: profit(sum(rows, (row) => Number(row.commission))),
});

function ClosedCard({ row, currency }: { row: ClosedPositionOut; currency: string }) {
  const digits = digitsOf(row.instrument);
  return (
    <>
      <Line
        left={<Name symbol={row.instrument} side={row.side} />}
        right={
          <>
            <Money value={netOf(row)} text={profit(netOf(row))} /> {currency}
          </>
        }
      />
      <Line
        left={`${decimal(row.volume)} · ${fixed(Number(row.price), digits)} → ${fixed(Number(row.close_price), digits)}`}
        right={reasonWord(row.reason)}
      />
      <Line left={dateTime(row.closed)} right={`#${row.id}`} />
    </>
  );
}

function FillCard({ row }: { row: FillOut }) {
  return (
    <>
      <Line
        left={<Name symbol={row.instrument} side={row.side} />}
        right={<Money value={Number(row.profit)} text={profit(Number(row.profit))} />}
      />
      <Line
        left={`${decimal(row.volume)} @ ${fixed(Number(row.price), digitsOf(row.instrument))}`}
        right={reasonWord(row.reason)}
      />
      <Line left={dateTime(row.time)} right={`#${row.order}`} />
    </>
  );
}

function OrderCard({ row }: { row: OrderRowOut }) {
  return (
    <>
      <Line left={<Name symbol={row.instrument} side={row.side} />} right={stateWord(row.state)} />
      <Line
        left={`${decimal(row.filled)} / ${decimal(row.volume)}`}
        right={row.price ? fixed(Number(row.price), digitsOf(row.instrument)) : ""}
      />
      <Line left={dateTime(row.created)} right={`#${row.id}`} />
    </>
  );
}
