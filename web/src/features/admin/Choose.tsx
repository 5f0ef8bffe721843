import { ChevronDown } from "lucide-react";
import { cx, type Wiring } from "@/kit";
import { INPUT } from "@/kit/Field";

/**
 * One of a few choices, with the browser's own list: forms here have dozens of them, and it costs no
 * script. Where the list's looks matter, the kit has `Select`.
 */
export function Choose<V extends string>({
  value,
  onChange,
  choices,
  label,
  disabled,
  className,
  ...wiring
}: Partial<Wiring> & {
  value: V;
  onChange: (value: V) => void;
  choices: readonly { value: V; label: string }[];
  label?: string;
  disabled?: boolean;
  className?: string;
}) {
  return (
    <div className={cx("relative", className)}>
      <select
        {...wiring}
        aria-label={label}
        disabled={disabled}
        value={value}
        onChange={(event) => onChange(event.target.value as V)}
        className={cx(INPUT, "h-control appearance-none pr-7")}
      >
        {choices.map((each) => (
          <option key={each.value} value={each.value} className="bg-surface text-fg">
            {each.label}
          </option>
        ))}
      </select>
      <ChevronDown
        size={14}
        className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 text-fg-3"
        aria-hidden
      />
    </div>
  );
}
