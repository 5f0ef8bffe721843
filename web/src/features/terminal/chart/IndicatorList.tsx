import { X } from "lucide-react";
import { useEffect, useRef } from "react";
import { IconButton } from "@/kit/Button";
import { Checkbox, Input } from "@/kit/Field";
import { t } from "@/text";
import { DEFAULTS, type Indicator, TITLES } from "./indicators";

/** Which indicators are drawn, and over how many bars. */
export function IndicatorList({
  indicators,
  onChange,
  onClose,
}: {
  indicators: readonly Indicator[];
  onChange: (next: readonly Indicator[]) => void;
  onClose: () => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const all = DEFAULTS.map((each) => indicators.find((known) => known.kind === each.kind) ?? each);
  const change = (kind: string, part: Partial<Indicator>) =>
    onChange(all.map((each) => (each.kind === kind ? { ...each, ...part } : each)));
  useEffect(() => box.current?.querySelector("input")?.focus(), []);
  return (
    <div
      ref={box}
      role="dialog"
      aria-label={t("Indicators")}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
      className="absolute top-1 left-2 z-20 w-56 rounded-panel border border-line bg-surface p-2 shadow-float"
    >
      <div className="flex items-center justify-between">
        <span className="text-fg-2 text-hint">{t("Indicator, over bars")}</span>
        <IconButton label={t("Close")} className="size-6" onClick={onClose}>
          <X size={13} aria-hidden />
        </IconButton>
      </div>
      {all.map((each) => (
        <div key={each.kind} className="flex h-8 items-center justify-between gap-2">
          <Checkbox
            label={TITLES[each.kind]}
            checked={each.on}
            onChange={(event) => change(each.kind, { on: event.target.checked })}
          />
          <Input
            type="number"
            min={2}
            max={500}
            aria-label={t("Bars of {name}", { name: TITLES[each.kind] })}
            className="!h-6 !w-16 text-right"
            value={each.n}
            onChange={(event) => {
              const n = Math.round(Number(event.target.value));
              if (n >= 2 && n <= 500) change(each.kind, { n });
            }}
          />
        </div>
      ))}
    </div>
  );
}
