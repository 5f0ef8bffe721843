import { useQuery } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";
import { type AccountOut, newKey } from "@/api/client";
import { type Problem, problemOf } from "@/api/problem";
import { grouped } from "@/format/number";
import { Button, Checkbox, Dialog, Field, Input, Segments, TextField, toast } from "@/kit";
import { t } from "@/text";
import { amountFault } from "./accounts";
import { needsSecond, OPERATIONS, type Operation, send, waits } from "./money";
import { ruleQuery } from "./queries";

const REASON_MIN = 3;

/** Money in or out, with a reason that is kept, and a second person where one is needed. */
export function MoneyDialog({
  account,
  operation: first,
  onClose,
  onDone,
}: {
  account: AccountOut;
  operation: Operation;
  onClose: () => void;
  onDone: () => void;
}) {
  const { data: rule } = useQuery(ruleQuery);
  const [operation, setOperation] = useState(first);
  const [amount, setAmount] = useState("");
  const [reason, setReason] = useState("");
  const [second, setSecond] = useState(false);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const key = useRef(newKey());
  const form = useId();
  const asked = needsSecond(amount, rule?.amount);
  const fault = amountFault(amount, operation === "correction");
  const short = reason.trim().length < REASON_MIN;
  const changed = <T,>(change: (value: T) => void) => {
    return (value: T) => {
      key.current = newKey();
      setProblem(null);
      change(value);
    };
  };
  const submit = async () => {
    setTried(true);
    if (fault || short || busy) return;
    setBusy(true);
    try {
      const made = await send(
        {
          account: account.id,
          operation,
          amount: amount.trim(),
          reason: reason.trim(),
          second_person: second,
        },
        key.current,
      );
      const what = `${t(OPERATIONS[operation].name)}: ${grouped(Number(amount))} ${account.currency}`;
      if (waits(made))
        toast.info(what, {
          description: t("Request {id} waits for a second person.", { id: made.id }),
        });
      else toast.ok(what, { description: t("Account {account}", { account: account.id }) });
      onDone();
      onClose();
    } catch (thrown) {
      setProblem(problemOf(thrown));
      if (!problemOf(thrown).unknown) key.current = newKey();
    } finally {
      setBusy(false);
    }
  };
  const credit = operation === "credit_in" || operation === "credit_out";
  return (
    <Dialog
      open
      onClose={onClose}
      title={`${t(OPERATIONS[operation].verb)}: ${account.id}`}
      description={t("Balance {balance}, credit {credit}, free margin {free} {currency}", {
        balance: grouped(Number(account.balance)),
        credit: grouped(Number(account.credit)),
        free: grouped(Number(account.free_margin)),
        currency: account.currency,
      })}
      footer={
        <>
          <Button onClick={onClose}>{t("Cancel")}</Button>
          <Button type="submit" form={form} look="primary" busy={busy}>
            {asked || second ? t("Ask a second person") : t(OPERATIONS[operation].verb)}
          </Button>
        </>
      }
    >
      <form
        id={form}
        noValidate
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        {credit && (
          <Segments<Operation>
            label={t("Direction")}
            value={operation}
            onChange={changed(setOperation)}
            choices={[
              { value: "credit_in", label: t("Give") },
              { value: "credit_out", label: t("Take back") },
            ]}
          />
        )}
        <Field
          label={t("Amount")}
          aside={account.currency}
          hint={operation === "correction" ? t("A minus takes money away.") : undefined}
          error={problem?.field === "amount" ? problem.message : tried ? fault : null}
        >
          {(wiring) => (
            <Input
              {...wiring}
              autoFocus
              inputMode="decimal"
              value={amount}
              onChange={(event) => changed(setAmount)(event.target.value)}
            />
          )}
        </Field>
        <TextField
          label={t("Reason")}
          maxLength={200}
          hint={t("Kept with the entry for good.")}
          error={tried && short ? t("Say why, in a few words.") : null}
          value={reason}
          onChange={(event) => changed(setReason)(event.target.value)}
        />
        <Checkbox
          label={t("Somebody else has to agree first")}
          checked={second || asked}
          disabled={asked}
          onChange={(event) => changed(setSecond)(event.target.checked)}
        />
        {asked && (
          <p className="text-fg-2 text-hint">
            {t("From {amount} on, a second person has to agree.", {
              amount: grouped(Number(rule?.amount)),
            })}
          </p>
        )}
        {problem && problem.field !== "amount" && (
          <p role="alert" className="text-critical text-table">
            {problem.message}
          </p>
        )}
      </form>
    </Dialog>
  );
}
