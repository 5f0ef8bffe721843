import { Select as Base } from "@base-ui/react/select";
import { Check, ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "./cx";
import type { Wiring } from "./Field";
import { INPUT } from "./Field";

export type Choice<V extends string> = { value: V; label: ReactNode; disabled?: boolean };

/** One of a few choices in a list that opens. For two to four choices take `Segments`. */
export function Select<V extends string>({
  value,
  onChange,
  choices,
  disabled,
  label,
  className,
  ...wiring
}: Partial<Wiring> & {
  value: V;
  onChange: (value: V) => void;
  choices: readonly Choice<V>[];
  disabled?: boolean;
  label?: string;
  className?: string;
}) {
  return (
    <Base.Root
      items={choices.map((each) => ({ value: each.value, label: each.label }))}
      value={value}
      onValueChange={(next) => next !== null && onChange(next as V)}
      disabled={disabled}
    >
      <Base.Trigger
        {...wiring}
        aria-label={label}
        className={cx(
          INPUT,
          "flex h-control items-center justify-between gap-2 text-left",
          className,
        )}
      >
        <Base.Value className="truncate" />
        <Base.Icon>
          <ChevronDown size={14} className="text-fg-3" aria-hidden />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} className="z-50" alignItemWithTrigger={false}>
          <Base.Popup className="max-h-80 min-w-[var(--anchor-width)] overflow-auto rounded-panel border border-line bg-surface p-1 shadow-float outline-none">
            {choices.map((each) => (
              <Base.Item
                key={each.value}
                value={each.value}
                disabled={each.disabled}
                className="flex min-h-7 select-none items-center justify-between gap-3 rounded-inner px-2 text-table outline-none data-disabled:opacity-50 data-highlighted:bg-hover"
              >
                <Base.ItemText>{each.label}</Base.ItemText>
                <Base.ItemIndicator>
                  <Check size={13} className="text-accent" aria-hidden />
                </Base.ItemIndicator>
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
