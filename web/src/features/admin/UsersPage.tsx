import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { api, ask, type UserOut } from "@/api/client";
import { meQuery } from "@/api/queries";
import { dateTime } from "@/format/time";
import { Button, type Column, cx, Empty, Status, Tag } from "@/kit";
import { t } from "@/text";
import { ExportCsv } from "./ExportCsv";
import { useFilters } from "./filters";
import { FilterSelect, FilterText } from "./inputs";
import { Listing } from "./Listing";
import { useListing } from "./listing";
import { NewUser } from "./NewUser";
import { may } from "./tabs";
import { UserSheet } from "./UserSheet";
import { word } from "./words";

export const ROLES = ["trader", "manager", "dealer", "admin", "service"] as const;

/** /admin/users: who may sign in, and as what. */
export default function UsersPage() {
  const { filters, set, clear, any } = useFilters(["q", "role", "user"] as const);
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const [creating, setCreating] = useState(false);
  const role = ROLES.find((each) => each === filters.role);
  const { q } = filters;
  const list = useListing(["users", q, role], (cursor) =>
    ask(api.GET("/api/v1/users", { params: { query: { q, role, cursor, limit: 200 } } })),
  );
  const selected = Number(filters.user) || null;
  const { data: user } = useQuery({
    queryKey: ["admin", "users", "one", selected],
    queryFn: () =>
      ask(api.GET("/api/v1/users/{user_id}", { params: { path: { user_id: selected ?? 0 } } })),
    enabled: selected !== null,
    initialData: () => list.rows.find((row) => row.id === selected),
    initialDataUpdatedAt: 0,
  });
  const again = () => client.invalidateQueries({ queryKey: ["admin", "users"] });
  return (
    <div
      className={cx(
        "grid h-full min-h-0 gap-1.5",
        selected !== null && "lg:grid-cols-[minmax(0,1fr)_372px]",
      )}
    >
      <div className={cx("min-h-0 min-w-0", selected !== null && "hidden lg:block")}>
        <Listing
          title={t("Users")}
          actions={
            <>
              <ExportCsv path="/users" query={{ q, role }} />
              {may(me, "users:manage") && (
                <Button
                  small
                  look="primary"
                  icon={<Plus size={13} aria-hidden />}
                  onClick={() => setCreating(true)}
                >
                  {t("New user")}
                </Button>
              )}
            </>
          }
          toolbar={
            <>
              <FilterText
                search
                label={t("Login or name")}
                value={q}
                onChange={(value) => set({ q: value })}
                width="w-56"
              />
              <FilterSelect
                label={t("Role")}
                value={filters.role}
                onChange={(value) => set({ role: value })}
                choices={ROLES.map((each) => [each, word(each)] as const)}
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
          filtered={any}
          onClear={clear}
          nothing={<Empty title={t("No users")} />}
          selected={selected}
          onSelect={(row) => set({ user: String(row.id) })}
        />
      </div>
      {selected !== null && user && (
        <UserSheet
          key={user.id}
          user={user}
          onClose={() => set({ user: "" })}
          onChanged={() => void again()}
        />
      )}
      {creating && (
        <NewUser
          onClose={() => setCreating(false)}
          onCreated={(id) => {
            void again();
            set({ user: String(id), q: "", role: "" });
          }}
        />
      )}
    </div>
  );
}

const COLUMNS: readonly Column<UserOut>[] = [
  { id: "id", header: t("No."), width: "64px", cell: (row) => row.id, sort: (row) => row.id },
  {
    id: "login",
    header: t("Login"),
    width: "minmax(120px, 1.2fr)",
    cell: (row) => <span className="font-medium">{row.login}</span>,
    sort: (row) => row.login,
  },
  { id: "name", header: t("Name"), width: "minmax(110px, 1.2fr)", cell: (row) => row.name },
  {
    id: "role",
    header: t("Role"),
    width: "92px",
    cell: (row) => <Tag>{word(row.role)}</Tag>,
    sort: (row) => row.role,
  },
  {
    id: "state",
    header: t("State"),
    width: "136px",
    cell: (row) => (
      <Status tone={row.disabled ? "off" : row.must_change_password ? "warning" : "ok"}>
        {row.disabled
          ? t("Disabled")
          : row.must_change_password
            ? t("New password due")
            : t("Active")}
      </Status>
    ),
    sort: (row) => String(row.disabled),
  },
  {
    id: "second",
    header: t("Second factor"),
    width: "100px",
    cell: (row) => (row.second_factor ? t("on") : <span className="text-fg-3">{t("off")}</span>),
    sort: (row) => String(row.second_factor),
  },
  {
    id: "created",
    header: t("Since"),
    width: "minmax(150px, 1fr)",
    cell: (row) => dateTime(row.created),
    sort: (row) => row.created,
  },
];
