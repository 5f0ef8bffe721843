import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useState } from "react";
import { api, ask, type UserOut } from "@/api/client";
import { problemOf } from "@/api/problem";
import { meQuery } from "@/api/queries";
import { dateTime } from "@/format/time";
import { Button, Confirm, Dialog, Field, IconButton, Panel, TextField, toast } from "@/kit";
import { t } from "@/text";
import { Choose } from "./Choose";
import { may } from "./tabs";
import { word } from "./words";

/** One user: name, role, whether to let in; a new password, a lost second factor. */
export function UserSheet({
  user,
  onClose,
  onChanged,
}: {
  user: UserOut;
  onClose: () => void;
  onChanged: () => void;
}) {
  const { data: me } = useQuery(meQuery);
  const [name, setName] = useState(user.name);
  const [role, setRole] = useState(user.role);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState<"disable" | "password" | "factor" | null>(null);
  const [password, setPassword] = useState("");
  const roles: UserOut["role"][] = ["trader", "manager", "dealer", "admin", "service"];
  const allowed = may(me, "users:manage") && (user.role === "trader" || may(me, "roles:manage"));
  const path = { user_id: user.id };
  const change = async (body: { name?: string; role?: UserOut["role"]; disabled?: boolean }) => {
    setBusy(true);
    setError("");
    try {
      await ask(api.PATCH("/api/v1/users/{user_id}", { params: { path }, body }));
      toast.ok(t("{login} is changed", { login: user.login }));
      onChanged();
    } catch (thrown) {
      setError(problemOf(thrown).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel
      title={user.login}
      className="h-full"
      actions={
        <IconButton label={t("Back to the list")} onClick={onClose} className="size-6">
          <X size={14} aria-hidden />
        </IconButton>
      }
    >
      <div className="flex h-full flex-col gap-3 overflow-auto text-table">
        <p className="text-fg-2">
          {t("User {id}, since {when}. Password of {set}.", {
            id: user.id,
            when: dateTime(user.created),
            set: dateTime(user.password_changed),
          })}
        </p>
        <TextField
          label={t("Name")}
          maxLength={128}
          disabled={!allowed}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Field label={t("Role")}>
          {(wiring) => (
            <Choose
              {...wiring}
              value={role}
              disabled={!may(me, "roles:manage")}
              onChange={setRole}
              choices={roles.map((each) => ({ value: each, label: word(each) }))}
            />
          )}
        </Field>
        {error && (
          <p role="alert" className="text-critical">
            {error}
          </p>
        )}
        {allowed && (
          <div className="flex flex-wrap gap-1.5">
            <Button
              look="primary"
              busy={busy}
              disabled={name === user.name && role === user.role}
              onClick={() => change({ name, role })}
            >
              {t("Save")}
            </Button>
            {user.disabled ? (
              <Button onClick={() => change({ disabled: false })}>{t("Let in again")}</Button>
            ) : (
              <Button look="danger" onClick={() => setAsking("disable")}>
                {t("Disable")}
              </Button>
            )}
            <Button onClick={() => setAsking("password")}>{t("New password")}</Button>
            {user.second_factor && (
              <Button onClick={() => setAsking("factor")}>{t("Remove second factor")}</Button>
            )}
          </div>
        )}
        <div className="flex flex-wrap gap-3">
          <Link
            to="/admin/{-$tab}"
            params={{ tab: "accounts" }}
            search={{ owner: String(user.id) }}
            className="text-accent"
          >
            {t("Accounts")}
          </Link>
          {may(me, "audit:read") && (
            <Link
              to="/admin/{-$tab}"
              params={{ tab: "audit" }}
              search={{ actor: String(user.id) }}
              className="text-accent"
            >
              {t("What this user did")}
            </Link>
          )}
        </div>
      </div>
      <Confirm
        open={asking === "disable"}
        onClose={() => setAsking(null)}
        title={t("Disable {login}?", { login: user.login })}
        action={t("Disable")}
        onConfirm={() => change({ disabled: true })}
      >
        {t("Every session of this user ends at once. It can be let in again.")}
      </Confirm>
      <Confirm
        open={asking === "factor"}
        onClose={() => setAsking(null)}
        title={t("Remove the second factor of {login}?", { login: user.login })}
        action={t("Remove")}
        onConfirm={async () => {
          await ask(api.DELETE("/api/v1/users/{user_id}/second-factor", { params: { path } }));
          onChanged();
        }}
      >
        {t("Only when the authenticator is lost and you know who is asking.")}
      </Confirm>
      <Confirm
        open={asking === "password"}
        onClose={() => setAsking(null)}
        title={t("A new password for {login}?", { login: user.login })}
        action={t("Make a new password")}
        onConfirm={async () => {
          const made = await ask(
            api.POST("/api/v1/users/{user_id}/password", { params: { path } }),
          );
          setPassword(made.password);
          onChanged();
        }}
      >
        {t("The old one stops working and every session ends.")}
      </Confirm>
      <Dialog
        open={password !== ""}
        onClose={() => setPassword("")}
        title={t("The new password of {login}", { login: user.login })}
        description={t("Shown this once. It must be changed at sign-in.")}
        mustAnswer
        footer={
          <Button look="primary" onClick={() => setPassword("")}>
            {t("I have noted it")}
          </Button>
        }
      >
        <p className="select-all rounded-panel bg-raised p-3 font-mono text-body">{password}</p>
      </Dialog>
    </Panel>
  );
}
