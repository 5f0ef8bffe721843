import { type ReactNode, useEffect, useRef, useState } from "react";
import { t } from "@/text";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Field, Input } from "./Field";

/**
 * For what cannot be undone: asks to type a word, or to hold the button. `onConfirm` may take its time;
 * what it throws is shown here and the dialog stays.
 */
export function Confirm({
  open,
  onClose,
  onConfirm,
  title,
  children,
  action,
  type: word,
}: {
  open: boolean;
  onClose: () => void;
  onConfirm: () => Promise<unknown> | unknown;
  title: ReactNode;
  children?: ReactNode;
  /** The words on the button: what will happen. */
  action: string;
  /** What must be typed; without it the button must be held for 0.8 s. */
  type?: string;
}) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  useEffect(() => {
    if (open) {
      setTyped("");
      setError("");
    }
  }, [open]);
  const go = async () => {
    setBusy(true);
    setError("");
    try {
      await onConfirm();
      onClose();
    } catch (thrown) {
      setError((thrown as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      footer={
        <>
          <Button onClick={onClose}>{t("Cancel")}</Button>
          {word ? (
            <Button look="danger" busy={busy} disabled={typed.trim() !== word} onClick={go}>
              {action}
            </Button>
          ) : (
            <HoldButton busy={busy} onHeld={go}>
              {action}
            </HoldButton>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-3 text-body text-fg-2">
        {children}
        {word && (
          <Field label={t("Type {word} to confirm", { word })}>
            {(wiring) => (
              <Input
                {...wiring}
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
                spellCheck={false}
              />
            )}
          </Field>
        )}
        {error && (
          <p role="alert" className="text-critical">
            {error}
          </p>
        )}
      </div>
    </Dialog>
  );
}

const HOLD_MS = 800;

/** A button that acts after being held for 0.8 s, by pointer, Space or Enter. */
export function HoldButton({
  onHeld,
  busy = false,
  children,
}: {
  onHeld: () => void;
  busy?: boolean;
  children: ReactNode;
}) {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const [held, setHeld] = useState(false);
  const begin = () => {
    if (busy || timer.current) return;
    setHeld(true);
    timer.current = setTimeout(() => {
      end();
      onHeld();
    }, HOLD_MS);
  };
  const end = () => {
    clearTimeout(timer.current);
    timer.current = undefined;
    setHeld(false);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  const key = (name: string) => name === " " || name === "Enter";
  return (
    <Button
      look="danger"
      busy={busy}
      className="relative overflow-hidden"
      title={t("Hold to confirm")}
      onPointerDown={begin}
      onPointerUp={end}
      onPointerLeave={end}
      onKeyDown={(event) => key(event.key) && !event.repeat && begin()}
      onKeyUp={end}
      onBlur={end}
    >
      <span
        aria-hidden
        className="absolute inset-y-0 left-0 bg-critical/25"
        style={{
          width: held ? "100%" : 0,
          transition: held ? `width ${HOLD_MS}ms linear` : "none",
        }}
      />
      <span className="relative">{children}</span>
      <span className="sr-only">{t("Hold to confirm")}</span>
    </Button>
  );
}
