import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type AccountOut, api, command } from "@/api/client";
import { type Problem, problemOf } from "@/api/problem";
import { groupsQuery } from "@/api/queries";
import { Button, Checkbox, Dialog, Field, TextField, toast } from "@/kit";
import { t } from "@/text";
import { Choose } from "./Choose";

/** Group, leverage and flags of an account. */
export function ChangeAccount({
  account,
  onClose,
  onDone,
}: {
  account: AccountOut;
  onClose: () => void;
  onDone: () => void;
}) {
  const { data: groups } = useQuery(groupsQuery);
  const [group, setGroup] = useState(account.group);
  const [leverage, setLeverage] = useState("");
  const [readOnly, setReadOnly] = useState(account.flags.includes("read_only"));
  const [disabled, setDisabled] = useState(account.flags.includes("disabled"));
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const wrong = leverage !== "" && !/^\d{1,5}$/.test(leverage);
  const save = async () => {
    if (wrong) return;
    setBusy(true);
    setProblem(null);
    try {
      await command((header) =>
        api.PATCH("/api/v1/accounts/{account}", {
          params: { header, path: { account: account.id } },
          body: {
            group: group === account.group ? null : group,
            leverage: leverage === "" ? null : Number(leverage),
            read_only: readOnly,
            disabled,
          },
        }),
      );
      toast.ok(t("Account {account} is changed", { account: account.id }));
      onDone();
      onClose();
    } catch (thrown) {
      setProblem(problemOf(thrown));
    } finally {
      setBusy(false);
    }
  };
  const same = groups?.filter((each) => each.currency === account.currency) ?? [];
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("Change account {account}", { account: account.id })}
      footer={
        <>
          <Button onClick={onClose}>{t("Cancel")}</Button>
          <Button look="primary" busy={busy} onClick={save}>
            {t("Change")}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        <Field
          label={t("Group")}
          hint={t("Only groups in {currency}.", { currency: account.currency })}
          error={problem?.field === "group" ? problem.message : null}
        >
          {(wiring) => (
            <Choose
              {...wiring}
              value={group}
              onChange={setGroup}
              choices={same.map((each) => ({
                value: each.name,
                label: `${each.name} (${each.mode})`,
              }))}
            />
          )}
        </Field>
        <TextField
          label={t("Leverage")}
          inputMode="numeric"
          placeholder={String(account.leverage)}
          hint={t("Empty leaves it, 0 takes the group's.")}
          error={
            wrong
              ? t("A whole number up to 10,000.")
              : problem?.field === "leverage"
                ? problem.message
                : null
          }
          value={leverage}
          onChange={(event) => setLeverage(event.target.value.trim())}
        />
        <Checkbox
          label={t("Read only: sees everything, trades nothing")}
          checked={readOnly}
          onChange={(event) => setReadOnly(event.target.checked)}
        />
        <Checkbox
          label={t("Disabled: no trading at all")}
          checked={disabled}
          onChange={(event) => setDisabled(event.target.checked)}
        />
        {problem && problem.field !== "group" && problem.field !== "leverage" && (
          <p role="alert" className="text-critical text-table">
            {problem.message}
          </p>
        )}
      </div>
    </Dialog>
  );
}
