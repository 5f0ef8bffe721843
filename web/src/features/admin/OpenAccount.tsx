import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { api, command, newKey } from "@/api/client";
import { type Problem, problemOf } from "@/api/problem";
import { groupsQuery } from "@/api/queries";
import { Button, Checkbox, Dialog, Field, TextField, toast } from "@/kit";
import { t } from "@/text";
import { Choose } from "./Choose";
import { namesQuery } from "./queries";

/** A new account for a user. */
export function OpenAccount({
  open,
  onClose,
  onOpened,
}: {
  open: boolean;
  onClose: () => void;
  onOpened: (number: number) => void;
}) {
  const client = useQueryClient();
  const { data: groups } = useQuery(groupsQuery);
  const { data: names } = useQuery({ ...namesQuery, enabled: open });
  const [login, setLogin] = useState("");
  const [group, setGroup] = useState("");
  const [demo, setDemo] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const key = useRef(newKey());
  const owner = [...(names ?? [])].find(([, name]) => name === login.trim().toLowerCase())?.[0];
  const chosen = group || groups?.[0]?.name || "";
  const fault = tried && !owner ? t("There is no user with this login.") : null;
  const go = async () => {
    setTried(true);
    if (!owner) return;
    setBusy(true);
    setProblem(null);
    try {
      const made = await command(
        (header) =>
          api.POST("/api/v1/accounts", {
            params: { header },
            body: { group: chosen, demo, owner, leverage: 0 },
          }),
        key.current,
      );
      key.current = newKey();
      toast.ok(t("Account {account} is open", { account: made.id }));
      await client.invalidateQueries({ queryKey: ["admin"] });
      onOpened(made.id);
      onClose();
    } catch (thrown) {
      setProblem(problemOf(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={t("Open an account")}
      footer={
        <>
          <Button onClick={onClose}>{t("Cancel")}</Button>
          <Button look="primary" busy={busy} onClick={go}>
            {t("Open account")}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <TextField
          label={t("Login of the owner")}
          list="admin-logins"
          spellCheck={false}
          error={problem?.field === "owner" ? problem.message : fault}
          value={login}
          onChange={(event) => setLogin(event.target.value)}
        />
        <datalist id="admin-logins">
          {[...(names ?? [])].slice(0, 200).map(([id, name]) => (
            <option key={id} value={name} />
          ))}
        </datalist>
        <Field label={t("Group")} error={problem?.field === "group" ? problem.message : null}>
          {(wiring) => (
            <Choose
              {...wiring}
              value={chosen}
              onChange={setGroup}
              choices={(groups ?? []).map((each) => ({
                value: each.name,
                label: `${each.name} · ${each.currency} · ${each.mode}`,
              }))}
            />
          )}
        </Field>
        <Checkbox
          label={t("Start with the demo balance (play money)")}
          checked={demo}
          onChange={(event) => setDemo(event.target.checked)}
        />
        {problem && problem.field !== "owner" && problem.field !== "group" && (
          <p role="alert" className="text-critical text-table">
            {problem.message}
          </p>
        )}
      </div>
    </Dialog>
  );
}
