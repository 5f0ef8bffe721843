import { useRef, useState } from "react";
import { problemOf } from "@/api/problem";
import { decimals, fixed, profit, typed } from "@/format/number";
import { Button } from "@/kit/Button";
import { Dialog } from "@/kit/Dialog";
import { Field } from "@/kit/Field";
import { LiveText } from "@/kit/live";
import { NumberField } from "@/kit/NumberField";
import type { Position } from "@/live/trading";
import { useTrading } from "@/live/trading";
import { floating } from "@/live/valuation";
import { t } from "@/text";
import { close, tellFill } from "./actions";
import { part } from "./checks";
import { LiveTouch } from "./live";
import { volumeStep } from "./market";
import { Name } from "./Side";

const PARTS = [25, 50, 75, 100];

/** Close a position or part of it. Enter closes: the button has the focus. */
export default function CloseDialog({
  position,
  share = 100,
  onClose,
}: {
  position: Position;
  /** Percent of the volume that is filled in at first. */
  share?: number;
  onClose: () => void;
}) {
  const { instrument: symbol, volume: held, side } = position;
  const step = volumeStep(symbol);
  const lots = decimals(step);
  const of = (percent: number) => {
    if (percent === 100) return fixed(Number(held), Math.max(lots, decimals(held)));
    const steps = Math.max(1, Math.floor((Number(held) * percent) / 100 / Number(step) + 1e-9));
    return fixed(steps * Number(step), lots);
  };
  const [text, setText] = useState(() => of(share));
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const currency = useTrading((s) => s.view?.currency ?? "");
  const now = useRef(position);
  now.current = position;
  const wanted = typed(text) ?? 0;
  const go = async () => {
    const checked = part(text, held, step);
    if (checked.error !== undefined) {
      setError(checked.error);
      return;
    }
    setBusy(true);
    setError("");
    try {
      const done = await close(position, checked.value);
      onClose();
      void tellFill(done, t("Closed {volume} {symbol}", { volume: text, symbol }));
    } catch (thrown) {
      const problem = problemOf(thrown);
      setError(
        problem.unknown
          ? t(
              "Nobody knows yet whether it was closed. Press again: it is sent with the same key and happens once.",
            )
          : problem.message,
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("Close position #{id}", { id: position.id })}
      footer={
        <>
          <Button onClick={onClose}>{t("Cancel")}</Button>
          <Button look={side === "buy" ? "sell" : "buy"} busy={busy} onClick={go} autoFocus>
            {t("Close {volume} {symbol}", { volume: text, symbol })}
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void go();
        }}
      >
        <div className="flex items-center justify-between gap-3 text-table">
          <Name symbol={symbol} side={side} />
          <span>
            <span className="text-fg-2">{t("Market")}</span>{" "}
            <LiveTouch symbol={symbol} side={side === "buy" ? "bid" : "ask"} />
          </span>
        </div>
        <Field
          label={t("Lots to close")}
          aside={t("of {held}", { held })}
          error={error || undefined}
        >
          {(wiring) => (
            <NumberField
              {...wiring}
              value={text}
              onChange={(next) => {
                setText(next);
                setError("");
              }}
              step={Number(step)}
              digits={lots}
              min={Number(step)}
              max={Number(held)}
            />
          )}
        </Field>
        <div className="grid grid-cols-4 gap-1">
          {PARTS.map((percent) => (
            <Button
              key={percent}
              small
              onClick={() => {
                setText(of(percent));
                setError("");
              }}
            >
              {percent} %
            </Button>
          ))}
        </div>
        <p className="flex justify-between text-table">
          <span className="text-fg-2">{t("Result at the market now")}</span>
          <span>
            <LiveText
              symbol={symbol}
              text={() =>
                profit((floating(now.current, currency) * wanted) / Number(now.current.volume))
              }
            />{" "}
            {currency}
          </span>
        </p>
      </form>
    </Dialog>
  );
}
