import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type RoleOut } from "@/api/client";
import { problemOf } from "@/api/problem";
import { meQuery } from "@/api/queries";
import { Button, Failed, Loading, Panel, toast } from "@/kit";
import { t } from "@/text";
import { RIGHTS } from "./rights";
import { may } from "./tabs";
import { word } from "./words";

/** /admin/roles: which role may do what; one table, changed by ticking. */
export default function RolesPage() {
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const { data, error, refetch } = useQuery({
    queryKey: ["admin", "roles"],
    queryFn: () => ask(api.GET("/api/v1/roles")),
  });
  const [draft, setDraft] = useState<Record<string, ReadonlySet<string>>>({});
  const [busy, setBusy] = useState("");
  const [fault, setFault] = useState("");
  if (error && !data) return <Failed error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading rows={12} />;
  const allowed = may(me, "roles:manage");
  const rights = (role: RoleOut) => draft[role.role] ?? new Set(role.scopes);
  const toggle = (role: RoleOut, scope: string) => {
    const next = new Set(rights(role));
    if (!next.delete(scope)) next.add(scope);
    setDraft({ ...draft, [role.role]: next });
  };
  const changed = (role: RoleOut) => {
    const now = rights(role);
    return now.size !== role.scopes.length || role.scopes.some((scope) => !now.has(scope));
  };
  const save = async (role: RoleOut) => {
    setBusy(role.role);
    setFault("");
    try {
      await ask(
        api.PUT("/api/v1/roles/{name}", {
          params: { path: { name: role.role } },
          body: { scopes: [...rights(role)] },
        }),
      );
      const { [role.role]: _, ...rest } = draft;
      setDraft(rest);
      toast.ok(t("The role {role} is changed", { role: word(role.role) }));
      await client.invalidateQueries({ queryKey: ["admin", "roles"] });
    } catch (thrown) {
      setFault(problemOf(thrown).message);
    } finally {
      setBusy("");
    }
  };
  return (
    <Panel title={t("Roles")} className="h-full" flush>
      <div className="h-full overflow-auto p-3">
        <p className="mb-3 max-w-prose text-fg-2 text-table">
          {allowed
            ? t("Tick what a role may do and save it. An administrator may do everything, always.")
            : t("Only somebody with the right roles:manage changes this.")}
        </p>
        {fault && (
          <p role="alert" className="mb-3 text-critical text-table">
            {fault}
          </p>
        )}
        <table className="border-collapse text-table">
          <thead>
            <tr className="text-left text-fg-2">
              <th scope="col" className="sticky left-0 bg-surface py-1.5 pr-6 font-medium">
                {t("Right")}
              </th>
              {data.map((role) => (
                <th key={role.role} scope="col" className="px-3 py-1.5 text-center font-medium">
                  {word(role.role)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {RIGHTS.map(([scope, meaning]) => (
              <tr key={scope} className="border-line-subtle border-t hover:bg-hover">
                <th
                  scope="row"
                  className="sticky left-0 bg-surface py-1 pr-6 text-left font-normal"
                >
                  <span className="block">{t(meaning)}</span>
                  <span className="block font-mono text-fg-3 text-tag">{scope}</span>
                </th>
                {data.map((role) => (
                  <td key={role.role} className="px-3 text-center">
                    <input
                      type="checkbox"
                      className="size-3.5 accent-accent-solid"
                      aria-label={`${word(role.role)}: ${t(meaning)}`}
                      checked={rights(role).has(scope)}
                      disabled={!allowed || role.role === "admin"}
                      onChange={() => toggle(role, scope)}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td className="sticky left-0 bg-surface" />
              {data.map((role) => (
                <td key={role.role} className="px-1 py-2 text-center">
                  {changed(role) && (
                    <Button
                      small
                      look="primary"
                      busy={busy === role.role}
                      disabled={rights(role).size === 0}
                      onClick={() => save(role)}
                    >
                      {t("Save")}
                    </Button>
                  )}
                </td>
              ))}
            </tr>
          </tfoot>
        </table>
      </div>
    </Panel>
  );
}
