import { useState } from "react";
import { api, ask, command, type TradingStateOut } from "@/api/client";
import { Button, Confirm, Panel, Status, TextField, toast } from "@/kit";
import { t } from "@/text";

const WORD = "HALT";
const AGAIN = "RESUME";

/** Halts everything at once, after a word was typed; and lets it go on again. */
export function KillSwitch({
  state,
  onDone,
}: {
  state: TradingStateOut["state"] | undefined;
  onDone: () => void;
}) {
  const [asking, setAsking] = useState<"halt" | "resume" | null>(null);
  const [reason, setReason] = useState("");
  const halted = state === "halted";
  const why = () => {
    if (reason.trim().length < 3) throw new Error(t("Say why, in a few words."));
    return reason.trim();
  };
  const halt = async () => {
    await ask(api.POST("/api/v1/kill-switch", { body: { reason: why(), confirm: WORD } }));
    toast.warn(t("Everything is halted"));
    onDone();
  };
  const resume = async () => {
    const body = { scope: "shard", state: "active", target: "", reason: why() } as const;
    await command((header) => api.PUT("/api/v1/trading-states", { params: { header }, body }));
    toast.ok(t("Trading goes on"));
    onDone();
  };
  return (
    <Panel title={t("Kill switch")}>
      <div className="flex flex-col gap-3 text-table">
        {state && (
          <Status tone={halted ? "critical" : state === "reducing" ? "warning" : "ok"}>
            {halted
              ? t("Everything is halted: no orders, no stop-outs. Cancels work.")
              : state === "reducing"
                ? t("Only closing is possible, everywhere.")
                : t("Trading is on.")}
          </Status>
        )}
        <p className="text-fg-2">
          {t("Halting stops new orders, closes, stop losses and stop-outs of everybody at once.")}
        </p>
        <div className="flex flex-wrap gap-2">
          <Button look="danger" disabled={!state || halted} onClick={() => setAsking("halt")}>
            {t("Halt everything")}
          </Button>
          {state && state !== "active" && (
            <Button onClick={() => setAsking("resume")}>{t("Go on trading")}</Button>
          )}
        </div>
      </div>
      <Confirm
        open={asking !== null}
        onClose={() => {
          setAsking(null);
          setReason("");
        }}
        title={asking === "resume" ? t("Go on trading?") : t("Halt everything?")}
        action={asking === "resume" ? t("Go on trading") : t("Halt everything")}
        type={asking === "resume" ? AGAIN : WORD}
        onConfirm={asking === "resume" ? resume : halt}
      >
        <p>
          {asking === "resume"
            ? t("Waiting stop losses, take profits and stop-outs act at the next quote.")
            : t("Nobody can trade until somebody lets trading go on here.")}
        </p>
        <TextField
          label={t("Reason")}
          maxLength={200}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </Confirm>
    </Panel>
  );
}
