import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { problemOf } from "@/api/problem";
import { fixed, NONE, typed } from "@/format/number";
import { cx } from "@/kit/cx";
import { t } from "@/text";
import type { Checked } from "./checks";

/**
 * A price that is changed where it stands: a click makes it an input, Enter sends, Esc puts it back.
 * What is wrong is said under it and nothing typed is lost.
 */
export function PriceCell({
  label,
  value,
  digits,
  step,
  start,
  check,
  onSave,
  disabled = false,
}: {
  /** Name for assistive technology: "Stop loss of EURUSD #12". */
  label: string;
  value: string | null;
  digits: number;
  step: number;
  /** Where the arrows begin when there is no price yet. */
  start: () => number;
  check: (text: string) => Checked;
  /** Exact decimal text, null to remove. Throws what the server refused. */
  onSave: (value: string | null) => Promise<unknown>;
  disabled?: boolean;
}) {
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const tip = useId();
  const shown = value === null ? NONE : fixed(Number(value), digits);
  const editing = text !== null;
  useEffect(() => {
    if (editing) input.current?.select();
  }, [editing]);
  const end = (refocus: boolean) => {
    setText(null);
    setError("");
    if (refocus) requestAnimationFrame(() => button.current?.focus());
  };
  const save = async () => {
    if (text === null || busy) return;
    const checked = check(text);
    if (checked.error !== undefined) {
      setError(checked.error);
      return;
    }
    if (checked.value === value || (checked.value ?? "") === asText(value, digits)) {
      end(true);
      return;
    }
    setBusy(true);
    try {
      await onSave(checked.value);
      end(true);
    } catch (thrown) {
      setError(problemOf(thrown).message);
      requestAnimationFrame(() => input.current?.focus());
    } finally {
      setBusy(false);
    }
  };
  const keys = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Enter") void save();
    else if (event.key === "Escape") end(true);
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      const now = typed(text ?? "") ?? start();
      if (!Number.isFinite(now)) return;
      const way = (event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? 10 : 1);
      setText((Math.round(now / step + way) * step).toFixed(digits));
      setError("");
    }
  };
  if (!editing)
    return (
      <button
        ref={button}
        type="button"
        disabled={disabled}
        aria-label={`${label}: ${shown}`}
        title={t("Change")}
        onClick={(event) => {
          event.stopPropagation();
          setText(asText(value, digits));
        }}
        onDoubleClick={(event) => event.stopPropagation()}
        className={cx(
          "-mr-1 min-h-6 min-w-6 rounded-inner border border-transparent px-1 hover:border-line hover:bg-hover",
          value === null && "text-fg-3",
        )}
      >
        {shown}
      </button>
    );
  return (
    <>
      <input
        ref={input}
        // biome-ignore lint/a11y/noAutofocus: the person just asked to type here
        autoFocus
        aria-label={label}
        aria-invalid={error ? true : undefined}
        aria-describedby={tip}
        aria-busy={busy || undefined}
        readOnly={busy}
        inputMode="decimal"
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setError("");
        }}
        onClick={(event) => event.stopPropagation()}
        onDoubleClick={(event) => event.stopPropagation()}
        onKeyDown={keys}
        onBlur={() => !busy && !error && text === asText(value, digits) && end(false)}
        className="-mr-1 h-[calc(var(--row)-3px)] w-full min-w-0 rounded-inner border border-line-strong bg-canvas px-1 text-right aria-invalid:border-critical"
      />
      <Tip anchor={input} id={tip} error={error} />
    </>
  );
}

const asText = (value: string | null, digits: number): string =>
  value === null ? "" : Number(value).toFixed(digits);

/** Words under (or over) a field of a row, above everything: a row itself cuts off what leaves it. */
function Tip({
  anchor,
  id,
  error,
}: {
  anchor: { current: HTMLElement | null };
  id: string;
  error: string;
}) {
  const [place, setPlace] = useState<{ x: number; y: number; above: boolean } | null>(null);
  useEffect(() => {
    const look = () => {
      const box = anchor.current?.getBoundingClientRect();
      if (!box) return;
      const above = box.bottom > innerHeight - 90;
      setPlace({ x: box.right, y: above ? innerHeight - box.top + 4 : box.bottom + 4, above });
    };
    look();
    addEventListener("scroll", look, true);
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look, true);
      removeEventListener("resize", look);
    };
  }, [anchor]);
  return createPortal(
    <div
      id={id}
      role={error ? "alert" : "note"}
      className={cx(
        "fixed z-50 max-w-72 rounded-panel border bg-raised px-2 py-1 text-hint shadow-float",
        error ? "border-critical text-critical" : "border-line text-fg-2",
      )}
      style={
        place
          ? {
              right: Math.max(4, innerWidth - place.x),
              ...(place.above ? { bottom: place.y } : { top: place.y }),
            }
          : { visibility: "hidden" }
      }
    >
      {error || t("Enter saves, Esc puts it back, empty removes it.")}
    </div>,
    document.body,
  );
}
