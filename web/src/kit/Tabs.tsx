import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";
import { cx } from "./cx";

/** Tabs with their panels. Keep `value` in the URL where a tab is a view of its own. */
export function Tabs<V extends string>({
  value,
  onChange,
  tabs,
  aside,
  className,
}: {
  value: V;
  onChange: (value: V) => void;
  tabs: readonly { value: V; label: ReactNode; content: ReactNode }[];
  /** Right of the tabs: actions of the view. */
  aside?: ReactNode;
  className?: string;
}) {
  return (
    <Base.Root
      value={value}
      onValueChange={(next) => onChange(next as V)}
      className={cx("flex min-h-0 flex-col", className)}
    >
      <div className="flex items-center gap-3 border-line-subtle border-b px-2">
        <Base.List className="relative flex min-w-0 gap-1 overflow-x-auto">
          {tabs.map((each) => (
            <Base.Tab
              key={each.value}
              value={each.value}
              className="h-8 shrink-0 whitespace-nowrap border-transparent border-b-2 px-2 text-table text-fg-2 hover:text-fg data-active:border-accent data-active:text-fg"
            >
              {each.label}
            </Base.Tab>
          ))}
        </Base.List>
        {aside && <div className="ml-auto flex items-center gap-2">{aside}</div>}
      </div>
      {tabs.map((each) => (
        <Base.Panel key={each.value} value={each.value} className="min-h-0 flex-1 outline-none">
          {each.content}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}
