import { useQuery } from "@tanstack/react-query";
import type { InstrumentOut } from "@/api/client";
import { instrumentsQuery } from "@/api/queries";
import { type Column, Status, type Tone } from "@/kit";
import { t } from "@/text";
import { Definitions } from "./Definitions";
import { ExportCsv } from "./ExportCsv";
import { INSTRUMENT } from "./instrumentShape";
import { word } from "./words";

const TONES: Record<string, Tone> = {
  full: "ok",
  long_only: "info",
  short_only: "info",
  close_only: "warning",
  disabled: "off",
};

/** /admin/instruments: what can be traded, and how. */
export default function InstrumentsPage() {
  const { data, error, isPending, refetch } = useQuery({ ...instrumentsQuery, staleTime: 5_000 });
  return (
    <Definitions
      shape={INSTRUMENT}
      title={t("Instruments")}
      rows={data ?? []}
      columns={COLUMNS}
      error={error}
      loading={isPending}
      again={() => void refetch()}
      actions={<ExportCsv path="/instruments" />}
      queryKey={instrumentsQuery.queryKey}
    />
  );
}

const COLUMNS: readonly Column<InstrumentOut>[] = [
  {
    id: "symbol",
    header: t("Symbol"),
    width: "minmax(90px, 1.2fr)",
    cell: (row) => <span className="font-medium">{row.symbol}</span>,
    sort: (row) => row.symbol,
  },
  { id: "calc", header: t("Kind"), width: "minmax(84px, 1fr)", cell: (row) => word(row.calc) },
  {
    id: "digits",
    header: t("Digits"),
    align: "end",
    width: "56px",
    cell: (row) => row.digits,
    sort: (row) => row.digits,
  },
  {
    id: "mode",
    header: t("Trading"),
    width: "112px",
    cell: (row) => <Status tone={TONES[row.trade_mode] ?? "off"}>{word(row.trade_mode)}</Status>,
    sort: (row) => row.trade_mode,
  },
];
