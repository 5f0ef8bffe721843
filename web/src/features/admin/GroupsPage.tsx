import { useQuery } from "@tanstack/react-query";
import type { GroupOut } from "@/api/client";
import { groupsQuery } from "@/api/queries";
import type { Column } from "@/kit";
import { t } from "@/text";
import { Definitions } from "./Definitions";
import { ExportCsv } from "./ExportCsv";
import { GROUP } from "./groupShape";
import { word } from "./words";

/** /admin/groups: the conditions accounts share. */
export default function GroupsPage() {
  const { data, error, isPending, refetch } = useQuery({ ...groupsQuery, staleTime: 5_000 });
  return (
    <Definitions
      shape={GROUP}
      title={t("Groups")}
      rows={data ?? []}
      columns={COLUMNS}
      error={error}
      loading={isPending}
      again={() => void refetch()}
      actions={<ExportCsv path="/groups" />}
      queryKey={groupsQuery.queryKey}
    />
  );
}

const COLUMNS: readonly Column<GroupOut>[] = [
  {
    id: "name",
    header: t("Group"),
    width: "minmax(90px, 1.2fr)",
    cell: (row) => <span className="font-medium">{row.name}</span>,
    sort: (row) => row.name,
  },
  { id: "currency", header: t("Cur."), width: "52px", cell: (row) => row.currency },
  { id: "mode", header: t("Positions"), width: "84px", cell: (row) => word(row.mode) },
  {
    id: "leverage",
    header: t("Leverage"),
    align: "end",
    width: "76px",
    cell: (row) => `1:${row.leverage}`,
    sort: (row) => row.leverage,
  },
  {
    id: "markup",
    header: t("Markup"),
    align: "end",
    width: "70px",
    cell: (row) => row.markup_points,
    sort: (row) => row.markup_points,
  },
];
