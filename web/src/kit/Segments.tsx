import type { KeyboardEvent, ReactNode } from "react";
import { cx } from "./cx";

/** Two to six choices side by side, one of them on: a radio group that looks like one control. */
export function Segments<V extends string>({
  value,
  onChange,
  choices,
  label,
  small = false,
  className,
}: {
  value: V;
  onChange: (value: V) => void;
  choices: readonly { value: V; label: ReactNode; title?: string; disabled?: boolean }[];
  label: string;
  small?: boolean;
  className?: string;
}) {
  const keys = (event: KeyboardEvent<HTMLDivElement>) => {
    const way = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    const open = choices.filter((each) => !each.disabled);
    const at = open.findIndex((each) => each.value === value);
    const next = open[(at + way + open.length) % open.length];
    if (!next) return;
    onChange(next.value);
    const buttons = event.currentTarget.querySelectorAll<HTMLButtonElement>("button");
    buttons[choices.indexOf(next)]?.focus();
  };
  return (
    <div
      role="radiogroup"
      aria-label={label}
      onKeyDown={keys}
      className={cx(
        "inline-flex shrink-0 rounded-panel border border-line bg-surface p-0.5",
        className,
      )}
    >
      {choices.map((each) => (
        <button
          key={each.value}
          type="button"
          role="radio"
          aria-checked={each.value === value}
          tabIndex={each.value === value ? 0 : -1}
          title={each.title}
          disabled={each.disabled}
          onClick={() => onChange(each.value)}
          className={cx(
            "min-h-[max(24px,calc(var(--control)-8px))] flex-auto whitespace-nowrap rounded-inner px-2 text-hint transition-colors duration-120 disabled:opacity-40",
            small ? "min-w-7" : "min-w-9",
            each.value === value
              ? "bg-active font-medium text-fg"
              : "text-fg-2 hover:bg-hover hover:text-fg",
          )}
        >
          {each.label}
        </button>
      ))}
    </div>
  );
}
