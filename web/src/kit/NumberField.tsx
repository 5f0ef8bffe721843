import { Minus, Plus } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { fixed, typed } from "@/format/number";
import { t } from "@/text";
import { cx } from "./cx";
import { INPUT, type Wiring } from "./Field";

/**
 * Decimal text with a stepper. It keeps exactly what was typed (letters included), so the form can say
 * what is wrong with it; the arrows and buttons move by `step` and snap to it.
 */
export function NumberField({
  value,
  onChange,
  step,
  digits,
  min,
  max,
  placeholder,
  disabled,
  start,
  label,
  className,
  ...wiring
}: Partial<Wiring> & {
  value: string;
  onChange: (text: string) => void;
  step: number;
  digits: number;
  min?: number;
  max?: number;
  placeholder?: string;
  disabled?: boolean;
  /** Where stepping begins when the field is empty. */
  start?: () => number;
  /** Name for assistive technology where there is no label element. */
  label?: string;
  className?: string;
}) {
  const [focused, setFocused] = useState(false);
  const move = (steps: number) => {
    const now = typed(value) ?? start?.() ?? min ?? 0;
    const snapped = Math.round(now / step) * step + (typed(value) === null ? 0 : steps * step);
    const bounded = Math.min(
      max ?? Number.POSITIVE_INFINITY,
      Math.max(min ?? Number.NEGATIVE_INFINITY, snapped),
    );
    onChange(fixed(bounded, digits).replace("\u2212", "-"));
  };
  const keys = (event: KeyboardEvent) => {
    const steps = { ArrowUp: 1, ArrowDown: -1, PageUp: 10, PageDown: -10 }[event.key];
    if (!steps) return;
    event.preventDefault();
    move(steps);
  };
  const button =
    "grid w-7 shrink-0 place-items-center text-fg-3 hover:bg-hover hover:text-fg disabled:opacity-40";
  return (
    <div
      className={cx(
        INPUT,
        "flex h-control items-stretch overflow-hidden !px-0",
        focused && "outline-2 outline-focus outline-offset-1",
        wiring["aria-invalid"] && "border-critical bg-critical/5",
        className,
      )}
    >
      <input
        {...wiring}
        aria-label={label}
        className="min-w-0 flex-1 bg-transparent px-2.5 outline-none placeholder:text-fg-3"
        inputMode="decimal"
        autoComplete="off"
        value={value}
        placeholder={placeholder}
        disabled={disabled}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={keys}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
      />
      <button
        type="button"
        tabIndex={-1}
        aria-label={t("Less")}
        className={cx(button, "border-line border-l")}
        disabled={disabled}
        onClick={() => move(-1)}
      >
        <Minus size={12} aria-hidden />
      </button>
      <button
        type="button"
        tabIndex={-1}
        aria-label={t("More")}
        className={cx(button, "border-line border-l")}
        disabled={disabled}
        onClick={() => move(1)}
      >
        <Plus size={12} aria-hidden />
      </button>
    </div>
  );
}
