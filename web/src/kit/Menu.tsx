import { ContextMenu as BaseContext } from "@base-ui/react/context-menu";
import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { cx } from "./cx";

export type MenuItem =
  | {
      label: ReactNode;
      onSelect: () => void;
      icon?: ReactNode;
      keys?: string;
      danger?: boolean;
      disabled?: boolean;
      checked?: boolean;
    }
  | "line";

const POPUP = "min-w-44 rounded-panel border border-line bg-surface p-1 shadow-float outline-none";

function Items({ items }: { items: readonly MenuItem[] }) {
  return items.map((item, at) =>
    item === "line" ? (
      <Base.Separator key={at} className="my-1 h-px bg-line-subtle" />
    ) : (
      <Base.Item
        key={at}
        disabled={item.disabled}
        onClick={item.onSelect}
        className={cx(
          "flex min-h-7 select-none items-center gap-2 rounded-inner px-2 text-table outline-none data-disabled:opacity-50 data-highlighted:bg-hover",
          item.danger && "text-critical",
        )}
      >
        <span className="grid w-4 place-items-center text-fg-3" aria-hidden>
          {item.checked ? "✓" : item.icon}
        </span>
        <span className="flex-1">{item.label}</span>
        {item.keys && <kbd className="text-hint text-fg-3">{item.keys}</kbd>}
      </Base.Item>
    ),
  );
}

/** A menu behind a button: `trigger` is the button element. */
export function Menu({
  trigger,
  items,
  align = "start",
  initiallyOpen = false,
}: {
  trigger: ReactElement;
  items: readonly MenuItem[];
  align?: "start" | "end";
  initiallyOpen?: boolean;
}) {
  return (
    <Base.Root defaultOpen={initiallyOpen}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align={align} className="z-50">
          <Base.Popup className={POPUP}>
            <Items items={items} />
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

/** The same on right-click (or the menu key) anywhere in `children`. */
export function ContextMenu({
  children,
  items,
  className,
}: {
  children: ReactNode;
  items: readonly MenuItem[];
  className?: string;
}) {
  return (
    <BaseContext.Root>
      <BaseContext.Trigger className={className}>{children}</BaseContext.Trigger>
      <BaseContext.Portal>
        <BaseContext.Positioner className="z-50">
          <BaseContext.Popup className={POPUP}>
            <Items items={items} />
          </BaseContext.Popup>
        </BaseContext.Positioner>
      </BaseContext.Portal>
    </BaseContext.Root>
  );
}

/** A menu at a point of the window, open until something is chosen or it is left. */
export function PointMenu({
  at,
  items,
  onClose,
}: {
  at: { x: number; y: number };
  items: readonly MenuItem[];
  onClose: () => void;
}) {
  const anchor = { getBoundingClientRect: () => new DOMRect(at.x, at.y, 0, 0) };
  return (
    <Base.Root open onOpenChange={(open) => !open && onClose()} modal={false}>
      <Base.Portal>
        <Base.Positioner anchor={anchor} align="start" className="z-50">
          <Base.Popup className={POPUP}>
            <Items items={items} />
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
