import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useRef, useState } from "react";
import { type ApprovalOut, type Done, newKey } from "@/api/client";
import { Problem, problemOf } from "@/api/problem";
import { Button, Checkbox, Dialog, Failed, Loading, Status, TextField, toast } from "@/kit";
import { t } from "@/text";
import { Diff } from "./Diff";
import { apply, preview } from "./definitionCalls";
import { waits } from "./money";
import { type Body, fieldName, type Shape } from "./shapes";

/** What will change, for whom, and what the engine says to it; then the reason, then it is done. */
export function ReviewChange({
  shape,
  name,
  body,
  onClose,
  onDone,
  onFault,
}: {
  shape: Shape;
  name: string;
  body: Body;
  onClose: () => void;
  onDone: () => void;
  /** The server refuses the form: shown at its field. */
  onFault: (field: string, message: string) => void;
}) {
  const seen = useQuery({
    queryKey: ["admin", "preview", shape.what, JSON.stringify(body)],
    queryFn: () => preview(shape.what, body),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  const problem = seen.error ? problemOf(seen.error) : null;
  if (problem?.status === 422 && problem.field) {
    queueMicrotask(() => {
      onFault(problem.field, problem.message);
      onClose();
    });
    return null;
  }
  const data = seen.data;
  const refused = data?.refused ?? null;
  const nothing = data !== undefined && data.changes.length === 0;
  return (
    <WithReason
      title={data?.new ? t("Create {name}", { name }) : t("Change {name}", { name })}
      action={data?.new ? t("Create") : t("Apply")}
      second={data?.second_person ?? false}
      blocked={!data || refused !== null || nothing}
      onClose={onClose}
      onDone={onDone}
      send={(more, key) => apply(shape.what, name, body, more, key)}
    >
      {seen.error ? (
        <Failed error={seen.error} onRetry={() => void seen.refetch()} />
      ) : !data ? (
        <Loading rows={4} />
      ) : (
        <>
          <Concerned {...data} />
          {refused && (
            <div role="alert" className="rounded-panel border border-critical/50 p-2 text-table">
              <Status tone="critical">{t("The engine does not take it")}</Status>
              <p className="mt-1 text-fg-2">
                {fieldName(refused.field)}: {new Problem(409, refused).message}
              </p>
            </div>
          )}
          <Diff changes={data.changes} />
        </>
      )}
    </WithReason>
  );
}

function Concerned({
  accounts,
  positions,
  orders,
}: {
  accounts: number;
  positions: number;
  orders: number;
}) {
  const figures: [string, number][] = [
    [t("accounts"), accounts],
    [t("open positions"), positions],
    [t("pending orders"), orders],
  ];
  return (
    <div className="flex flex-wrap gap-4 text-table">
      <span className="text-fg-2">{t("Concerns")}</span>
      {figures.map(([name, count]) => (
        <span key={name}>
          <span className="font-semibold">{count}</span> <span className="text-fg-2">{name}</span>
        </span>
      ))}
    </div>
  );
}

const REASON_MIN = 3;

/** A dialog for a change that needs a reason and may need a second person. */
export function WithReason({
  title,
  action,
  second: needed,
  blocked = false,
  onClose,
  onDone,
  send,
  children,
}: {
  title: ReactNode;
  action: string;
  /** The rule asks for a second person. */
  second: boolean;
  blocked?: boolean;
  onClose: () => void;
  onDone: () => void;
  send: (
    more: { reason: string; second_person: boolean },
    key: string,
  ) => Promise<Done | ApprovalOut>;
  children?: ReactNode;
}) {
  const [reason, setReason] = useState("");
  const [second, setSecond] = useState(false);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const key = useRef(newKey());
  const short = reason.trim().length < REASON_MIN;
  const go = async () => {
    setTried(true);
    if (short || blocked || busy) return;
    setBusy(true);
    setError("");
    try {
      const made = await send({ reason: reason.trim(), second_person: second }, key.current);
      if (waits(made)) toast.info(t("Request {id} waits for a second person.", { id: made.id }));
      else toast.ok(t("Done. It can be taken back under History."));
      onDone();
      onClose();
    } catch (thrown) {
      const problem = problemOf(thrown);
      setError(problem.message);
      if (!problem.unknown) key.current = newKey();
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={title}
      footer={
        <>
          <Button onClick={onClose}>{t("Cancel")}</Button>
          <Button look="primary" busy={busy} disabled={blocked} onClick={go}>
            {needed || second ? t("Ask a second person") : action}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3">
        {children}
        <TextField
          label={t("Reason")}
          maxLength={200}
          hint={t("Kept with the change for good.")}
          error={tried && short ? t("Say why, in a few words.") : null}
          value={reason}
          onChange={(event) => {
            key.current = newKey();
            setReason(event.target.value);
          }}
          onKeyDown={(event) => event.key === "Enter" && event.ctrlKey && void go()}
        />
        <Checkbox
          label={
            needed
              ? t("Somebody else has to agree first: the rule asks for it")
              : t("Somebody else has to agree first")
          }
          checked={second || needed}
          disabled={needed}
          onChange={(event) => {
            key.current = newKey();
            setSecond(event.target.checked);
          }}
        />
        {error && (
          <p role="alert" className="text-critical text-table">
            {error}
          </p>
        )}
      </div>
    </Dialog>
  );
}
