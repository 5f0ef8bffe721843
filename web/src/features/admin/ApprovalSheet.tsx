import { X } from "lucide-react";
import { useState } from "react";
import { type ApprovalOut, api, ask, type FieldChange } from "@/api/client";
import { problemOf } from "@/api/problem";
import { decimal } from "@/format/number";
import { dateTime } from "@/format/time";
import { Button, IconButton, Panel, Status, TextField, toast } from "@/kit";
import { t } from "@/text";
import { Diff } from "./Diff";
import { differences } from "./differences";
import { useNames } from "./names";
import { word } from "./words";

/** One request: what will be done, by whom it was asked for, and the decision. */
export function ApprovalSheet({
  approval,
  own,
  onClose,
  onDecided,
}: {
  approval: ApprovalOut;
  /** The person on the screen asked for it: then it can only be taken back. */
  own: boolean;
  onClose: () => void;
  onDecided: () => void;
}) {
  const name = useNames();
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState("");
  const [error, setError] = useState("");
  const pending = approval.state === "pending";
  const decide = async (what: "approve" | "reject") => {
    setBusy(what);
    setError("");
    const init = { params: { path: { number: approval.id } }, body: { note: note.trim() } };
    try {
      const made = await ask(
        what === "approve"
          ? api.POST("/api/v1/approvals/{number}/approve", init)
          : api.POST("/api/v1/approvals/{number}/reject", init),
      );
      if (made.outcome && made.outcome.name !== "OK")
        toast.warn(t("Approved, but not done"), { description: made.outcome.detail });
      else toast.ok(t("Request {id}: {state}", { id: made.id, state: word(made.state) }));
      onDecided();
    } catch (thrown) {
      setError(problemOf(thrown).message);
    } finally {
      setBusy("");
    }
  };
  const facts: [string, string][] = [
    [t("Asked by"), `${name(approval.requester)}, ${dateTime(approval.created)}`],
    [t("Reason"), approval.reason || t("none given")],
    pending
      ? [t("Expires"), dateTime(approval.expires)]
      : [
          t("Decided by"),
          approval.decided_by === null
            ? t("nobody")
            : `${name(approval.decided_by)}, ${dateTime(approval.decided)}`,
        ],
  ];
  if (approval.note) facts.push([t("Note"), approval.note]);
  return (
    <Panel
      title={t("Request {id}", { id: approval.id })}
      className="h-full"
      actions={
        <IconButton label={t("Back to the list")} onClick={onClose} className="size-6">
          <X size={14} aria-hidden />
        </IconButton>
      }
    >
      <div className="flex h-full flex-col gap-3 overflow-auto text-table">
        <p className="font-semibold text-body">
          {word(approval.operation)} {approval.target}
          {typeof approval.request.amount === "string" &&
            `: ${decimal(approval.request.amount, 2)}`}
        </p>
        <dl className="flex flex-col gap-1">
          {facts.map(([label, value]) => (
            <div key={label} className="grid grid-cols-[84px_minmax(0,1fr)] gap-2">
              <dt className="text-fg-2">{label}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {!pending && (
          <Status tone={approval.state === "approved" ? "ok" : "off"}>
            {word(approval.state)}
          </Status>
        )}
        {"after" in approval.request && (
          <Diff changes={changesOf(approval)} past={approval.state !== "pending"} />
        )}
        {approval.outcome && (
          <Status tone={approval.outcome.name === "OK" ? "ok" : "critical"}>
            <span className="whitespace-normal">{approval.outcome.detail}</span>
          </Status>
        )}
        {pending && (
          <>
            <TextField
              label={t("Note (optional)")}
              maxLength={200}
              value={note}
              onChange={(event) => setNote(event.target.value)}
            />
            {own && (
              <p className="text-fg-2">
                {t("You asked for this, so somebody else has to agree. You may take it back.")}
              </p>
            )}
            <div className="flex gap-2">
              {!own && (
                <Button look="primary" busy={busy === "approve"} onClick={() => decide("approve")}>
                  {t("Approve and do it")}
                </Button>
              )}
              <Button look="danger" busy={busy === "reject"} onClick={() => decide("reject")}>
                {own ? t("Take back") : t("Reject")}
              </Button>
            </div>
          </>
        )}
        {error && (
          <p role="alert" className="text-critical">
            {error}
          </p>
        )}
      </div>
    </Panel>
  );
}

function changesOf(approval: ApprovalOut): FieldChange[] {
  const { before, after } = approval.request as Record<string, Record<string, unknown> | null>;
  return differences(before ?? null, after ?? {});
}
