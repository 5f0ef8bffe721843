import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask, type ExposureOut } from "@/api/client";
import { decimal, grouped } from "@/format/number";
import { type Column, Empty, Segments } from "@/kit";
import { t } from "@/text";
import { Amount } from "./Amount";
import { ExportCsv } from "./ExportCsv";
import { totals } from "./exposure";
import { useFilters } from "./filters";
import { FilterSelect } from "./inputs";
import { Listing } from "./Listing";

type By = "instrument" | "group" | "both";

/** /admin/exposure: what all accounts together have open, live. */
export default function ExposurePage() {
  const { filters, set, clear, any } = useFilters([
    "by",
    "instrument",
    "group",
    "currency",
  ] as const);
  const by =
    (["instrument", "group", "both"] as const).find((each) => each === filters.by) ?? "instrument";
  const { instrument, group, currency } = filters;
  const query = { by, instrument, group, currency };
  const { data, error, isPending, refetch, isPlaceholderData } = useQuery({
    queryKey: ["admin", "exposure", query],
    queryFn: () => ask(api.GET("/api/v1/staff/exposure", { params: { query } })),
    refetchInterval: 1_000,
    placeholderData: (old) => old,
  });
  const rows = data ?? [];
  const columns = useMemo(() => columnsOf(by), [by]);
  const currencies = [...new Set(rows.map((row) => row.currency))];
  const sums = totals(rows);
  return (
    <Listing
      title={t("Live exposure")}
      actions={<ExportCsv path="/staff/exposure" query={query} />}
      toolbar={
        <>
          <Segments<By>
            label={t("Put together by")}
            value={by}
            onChange={(value) => set({ by: value, instrument: "", group: "" })}
            choices={[
              { value: "instrument", label: t("By instrument") },
              { value: "group", label: t("By group") },
              { value: "both", label: t("Both") },
            ]}
          />
          <FilterSelect
            label={t("Currency")}
            value={currency}
            onChange={(value) => set({ currency: value })}
            choices={(currency ? [currency] : currencies).map((each) => [each, each] as const)}
          />
          <p className="ml-auto self-center text-fg-2 text-hint">
            {t("Every second, from the engine. Notional is the net volume at the middle price.")}
          </p>
        </>
      }
      rows={rows}
      columns={columns}
      rowKey={(row) => `${row.instrument}|${row.group}|${row.currency}`}
      error={error}
      loading={isPending}
      old={isPlaceholderData}
      again={() => void refetch()}
      filtered={any && Boolean(instrument || group || currency)}
      onClear={clear}
      nothing={
        <Empty title={t("Nobody has a position")}>
          {t("As soon as somebody trades, it stands here.")}
        </Empty>
      }
      onSelect={
        by === "both"
          ? undefined
          : (row) =>
              set(
                by === "instrument"
                  ? { by: "both", instrument: row.instrument }
                  : { by: "both", group: row.group },
              )
      }
      footer={
        sums === null
          ? undefined
          : {
              [by === "group" ? "group" : "instrument"]: t("Total"),
              currency: sums.currency,
              positions: grouped(sums.positions, 0),
              profit: <Amount value={String(sums.profit)} signed />,
            }
      }
    />
  );
}

function columnsOf(by: By): readonly Column<ExposureOut>[] {
  const name: Column<ExposureOut>[] = [];
  if (by !== "group")
    name.push({
      id: "instrument",
      header: t("Instrument"),
      width: "minmax(96px, 1fr)",
      cell: (row) => <span className="font-medium">{row.instrument}</span>,
      sort: (row) => row.instrument,
    });
  if (by !== "instrument")
    name.push({
      id: "group",
      header: t("Group"),
      width: "minmax(96px, 1fr)",
      cell: (row) => row.group,
      sort: (row) => row.group,
    });
  const number = (
    id: "accounts" | "positions" | "long" | "short" | "net",
    header: string,
  ): Column<ExposureOut> => ({
    id,
    header,
    align: "end",
    width: "minmax(76px, 1fr)",
    cell: (row) => decimal(String(row[id])),
    sort: (row) => Number(row[id]),
  });
  return [
    ...name,
    { id: "currency", header: t("Cur."), width: "56px", cell: (row) => row.currency },
    number("accounts", t("Accounts")),
    number("positions", t("Positions")),
    number("long", t("Long, lots")),
    number("short", t("Short, lots")),
    number("net", t("Net, lots")),
    {
      id: "notional",
      header: t("Notional"),
      align: "end",
      width: "minmax(110px, 1.2fr)",
      cell: (row) => <Amount value={row.notional} />,
      sort: (row) => Number(row.notional ?? 0),
    },
    {
      id: "profit",
      header: t("Customers' PnL"),
      align: "end",
      width: "minmax(110px, 1.2fr)",
      cell: (row) => <Amount value={row.profit} signed />,
      sort: (row) => Number(row.profit),
    },
  ];
}
