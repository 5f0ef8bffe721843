import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useRef, useSyncExternalStore } from "react";

/** Rows as cards, for a phone: as many as there are, only those in sight exist. */
export function Cards<R>({
  rows,
  rowKey,
  label,
  height,
  card,
  empty,
  onEnd,
  onOpen,
}: {
  rows: readonly R[];
  rowKey: (row: R) => string | number;
  label: string;
  /** Of one card, in pixels. */
  height: number;
  card: (row: R) => ReactNode;
  empty: ReactNode;
  onEnd?: () => void;
  onOpen?: (row: R) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 4,
  });
  const items = virtual.getVirtualItems();
  const told = useRef(-1);
  const last = items.at(-1)?.index ?? -1;
  if (onEnd && rows.length > 0 && last >= rows.length - 1 && told.current !== rows.length) {
    told.current = rows.length;
    queueMicrotask(onEnd);
  }
  if (rows.length === 0) return empty;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled by keyboard
    <div ref={box} tabIndex={0} role="list" aria-label={label} className="h-full overflow-auto">
      <div className="relative" style={{ height: virtual.getTotalSize() }}>
        {items.map((item) => {
          const row = rows[item.index] as R;
          return (
            <div
              key={rowKey(row)}
              role="listitem"
              onClick={onOpen ? () => onOpen(row) : undefined}
              className="absolute inset-x-0 flex flex-col justify-center gap-1 border-line-subtle border-b px-3 text-table"
              style={{ height, transform: `translateY(${item.start}px)` }}
            >
              {card(row)}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** One line of a card: what it is left, the number right. */
export function Line({ left, right }: { left: ReactNode; right: ReactNode }) {
  return (
    <div className="flex items-center justify-between gap-3">
      <span className="flex min-w-0 items-center gap-2 truncate text-fg-2">{left}</span>
      <span className="whitespace-nowrap">{right}</span>
    </div>
  );
}

const query = typeof matchMedia === "function" ? matchMedia("(max-width: 767px)") : null;

/** True on a phone-width window. */
export const useNarrow = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      query?.addEventListener("change", listener);
      return () => query?.removeEventListener("change", listener);
    },
    () => query?.matches ?? false,
  );
