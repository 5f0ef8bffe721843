import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type MouseEvent,
  type ReactNode,
  useMemo,
  useRef,
  useState,
} from "react";
import { t } from "@/text";
import { cx } from "./cx";

/** One column. Numbers: `align: "end"`. A column with `sort` can be sorted by its header. */
export type Column<R> = {
  id: string;
  header: ReactNode;
  /** The cell. For live values return a component that writes its own text (see web/README.md). */
  cell: (row: R) => ReactNode;
  sort?: (row: R) => string | number;
  align?: "start" | "end" | "center";
  /** A width of CSS grid: "80px", "minmax(90px, 1fr)". */
  width?: string;
  /** Plain text for CSV; columns without it are left out there. */
  text?: (row: R) => string;
};

export type Sorting = { id: string; down: boolean };

/**
 * A table of any length: only the rows in sight exist. Rows have one height (the density's), so scrolling
 * is exact; the header sticks; arrows, J and K move the selection; Enter and double-click open a row.
 */
export function DataTable<R>({
  rows,
  columns,
  rowKey,
  label,
  empty,
  footer,
  selected,
  onSelect,
  onOpen,
  onMenu,
  onEnd,
  sorting: given,
  onSorting,
  rowClass,
  className,
}: {
  rows: readonly R[];
  columns: readonly Column<R>[];
  rowKey: (row: R) => string | number;
  /** Name for assistive technology. */
  label: string;
  empty?: ReactNode;
  /** One row of totals, in the columns' grid: cells by column id. */
  footer?: Partial<Record<string, ReactNode>>;
  selected?: string | number | null;
  onSelect?: (row: R, event?: MouseEvent) => void;
  onOpen?: (row: R) => void;
  /** Right-click on a row, or the menu key on the chosen one: show a menu at the point. */
  onMenu?: (row: R, at: { x: number; y: number }) => void;
  /** Called when the last row comes into sight: load the next page. */
  onEnd?: () => void;
  sorting?: Sorting | null;
  onSorting?: (sorting: Sorting | null) => void;
  rowClass?: (row: R) => string | undefined;
  className?: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [own, setOwn] = useState<Sorting | null>(null);
  const sorting = given === undefined ? own : given;
  const setSorting = onSorting ?? setOwn;
  const shown = useMemo(() => sorted(rows, columns, sorting), [rows, columns, sorting]);
  const height = rowHeight();
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => box.current,
    estimateSize: () => height,
    overscan: 8,
    scrollPaddingStart: height,
  });
  const template = columns.map((each) => each.width ?? "minmax(72px, 1fr)").join(" ");
  // Wide enough for every column's smallest width; narrower boxes scroll.
  const least = columns.reduce(
    (sum, each) => sum + Number(/(\d+)px/.exec(each.width ?? "72px")?.[1] ?? 72),
    0,
  );
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  const told = useRef(-1);
  if (onEnd && shown.length > 0 && last >= shown.length - 1 && told.current !== shown.length) {
    told.current = shown.length;
    queueMicrotask(onEnd);
  }
  const keys = (event: KeyboardEvent) => {
    if (event.target !== box.current) return; // a button or field of a row has keys of its own
    const at = shown.findIndex((row) => rowKey(row) === selected);
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 12, PageUp: -12 }[event.key];
    if (event.key === "Enter" && onOpen && shown[at]) onOpen(shown[at]);
    if (!step || !onSelect) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(shown.length - 1, at + step));
    const row = shown[next];
    if (row) {
      onSelect(row);
      virtual.scrollToIndex(next);
    }
  };
  const menu = (event: MouseEvent) => {
    const line = (event.target as Element).closest<HTMLElement>("[data-row]");
    const at = line
      ? Number(line.dataset.row)
      : shown.findIndex((each) => rowKey(each) === selected);
    const row = shown[at];
    if (!row || !onMenu) return;
    event.preventDefault();
    const place = line ?? box.current?.querySelector(`[data-row="${at}"]`);
    const edge = place?.getBoundingClientRect();
    // The menu key has no point of its own.
    const keyed = event.clientX === 0 && event.clientY === 0;
    onMenu(
      row,
      (keyed || !line) && edge
        ? { x: edge.left + 40, y: edge.bottom }
        : { x: event.clientX, y: event.clientY },
    );
  };
  return (
    <div
      ref={box}
      role="table"
      aria-label={label}
      aria-rowcount={shown.length + 1}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled and walked by keyboard
      tabIndex={0}
      onKeyDown={keys}
      onContextMenu={onMenu ? menu : undefined}
      className={cx("relative h-full overflow-auto text-table outline-offset-[-2px]", className)}
    >
      <div style={{ minWidth: least }}>
        <div
          role="row"
          className="sticky top-0 z-10 grid h-row items-center border-line-subtle border-b bg-surface text-fg-2 text-hint"
          style={{ gridTemplateColumns: template }}
        >
          {columns.map((each) => (
            <Head key={each.id} column={each} sorting={sorting} onSorting={setSorting} />
          ))}
        </div>
        {shown.length === 0 && <div className="sticky left-0 min-h-28">{empty ?? null}</div>}
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = shown[item.index] as R;
            const key = rowKey(row);
            return (
              <div
                key={key}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={selected === undefined ? undefined : key === selected}
                onClick={onSelect ? (event) => onSelect(row, event) : undefined}
                onDoubleClick={onOpen ? () => onOpen(row) : undefined}
                data-row={item.index}
                className={cx(
                  "absolute inset-x-0 grid h-row items-center border-line-subtle border-b",
                  key === selected ? "bg-active" : "hover:bg-hover",
                  rowClass?.(row),
                )}
                style={{ gridTemplateColumns: template, transform: `translateY(${item.start}px)` }}
              >
                {columns.map((each) => (
                  <div
                    key={each.id}
                    role="cell"
                    className={cx("truncate px-2", SIDE[each.align ?? "start"])}
                  >
                    {each.cell(row)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
        {footer && shown.length > 0 && (
          <div
            role="row"
            className="sticky bottom-0 z-10 grid h-row items-center border-line border-t bg-raised font-medium"
            style={{ gridTemplateColumns: template }}
          >
            {columns.map((each) => (
              <div
                key={each.id}
                role="cell"
                className={cx("truncate px-2", SIDE[each.align ?? "start"])}
              >
                {footer[each.id] ?? null}
              </div>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}

const SIDE = { start: "text-left", end: "text-right", center: "text-center" };

function Head<R>({
  column,
  sorting,
  onSorting,
}: {
  column: Column<R>;
  sorting: Sorting | null;
  onSorting: (sorting: Sorting | null) => void;
}) {
  const on = sorting?.id === column.id ? sorting : null;
  const next = !on
    ? { id: column.id, down: column.align === "end" }
    : on.down === (column.align === "end")
      ? { id: column.id, down: !on.down }
      : null;
  return (
    <div
      role="columnheader"
      aria-sort={on ? (on.down ? "descending" : "ascending") : undefined}
      className={cx("truncate px-2", SIDE[column.align ?? "start"])}
    >
      {column.sort ? (
        <button
          type="button"
          className="h-6 max-w-full truncate rounded-inner hover:text-fg"
          title={t("Sort")}
          onClick={() => onSorting(next)}
        >
          {column.header}
          {on && <span aria-hidden>{on.down ? " ↓" : " ↑"}</span>}
        </button>
      ) : (
        column.header
      )}
    </div>
  );
}

function sorted<R>(
  rows: readonly R[],
  columns: readonly Column<R>[],
  sorting: Sorting | null,
): readonly R[] {
  const by = columns.find((each) => each.id === sorting?.id)?.sort;
  if (!by || !sorting) return rows;
  const sign = sorting.down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    if (typeof x === "number" && typeof y === "number") return sign * (x - y);
    return sign * String(x).localeCompare(String(y));
  });
}

/** The density's row height in pixels. */
export function rowHeight(): number {
  return (
    Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")) || 24
  );
}

/** The rows as CSV of the columns that have `text`, downloaded as a file. */
export function downloadCsv<R>(
  name: string,
  rows: readonly R[],
  columns: readonly Column<R>[],
): void {
  const kept = columns.filter((each) => each.text);
  // A leading = + - @ would be run as a formula by spreadsheets: an apostrophe disarms text, numbers stay.
  const cell = (value: string) => {
    const safe = /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : value;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const lines = [kept.map((each) => cell(typeof each.header === "string" ? each.header : each.id))];
  for (const row of rows) lines.push(kept.map((each) => cell(each.text?.(row) ?? "")));
  saveFile(`${name}.csv`, `${lines.map((line) => line.join(",")).join("\r\n")}\r\n`, "text/csv");
}

/** Hand a text to the user as a file. */
export function saveFile(name: string, text: string, type: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
