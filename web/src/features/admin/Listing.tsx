import type { ReactNode } from "react";
import { problemOf } from "@/api/problem";
import { type Column, cx, DataTable, Empty, Failed, Loading, Panel } from "@/kit";
import { Button } from "@/kit/Button";
import { t } from "@/text";

/** A panel with a list: its filters, its table, and every state a list can be in. */
export function Listing<R>({
  title,
  toolbar,
  actions,
  rows,
  columns,
  rowKey,
  error,
  loading,
  old = false,
  again,
  more,
  filtered = false,
  onClear,
  nothing,
  selected,
  onSelect,
  onOpen,
  footer,
  rowClass,
  className,
}: {
  title: string;
  toolbar?: ReactNode;
  actions?: ReactNode;
  rows: readonly R[];
  columns: readonly Column<R>[];
  rowKey: (row: R) => string | number;
  error?: unknown;
  loading?: boolean;
  old?: boolean;
  again?: () => void;
  more?: () => void;
  /** Filters are on: then an empty list is the filters' doing. */
  filtered?: boolean;
  onClear?: () => void;
  /** What to say when there is nothing at all. */
  nothing: ReactNode;
  selected?: string | number | null;
  onSelect?: (row: R) => void;
  onOpen?: (row: R) => void;
  footer?: Partial<Record<string, ReactNode>>;
  rowClass?: (row: R) => string | undefined;
  className?: string;
}) {
  const empty = filtered ? (
    <Empty
      title={t("Nothing matches")}
      action={onClear && <Button onClick={onClear}>{t("Clear filters")}</Button>}
    >
      {t("Widen the filters or clear them.")}
    </Empty>
  ) : (
    nothing
  );
  return (
    <Panel title={title} actions={actions} flush className={cx("h-full", className)}>
      <div className="flex h-full min-h-0 flex-col">
        {toolbar && (
          <div className="flex shrink-0 flex-wrap items-end gap-2 border-line-subtle border-b px-3 py-2">
            {toolbar}
          </div>
        )}
        {error && rows.length > 0 ? (
          <p role="alert" className="shrink-0 px-3 py-1.5 text-table text-warning">
            {t("Not up to date.")} {problemOf(error).message}
          </p>
        ) : null}
        <div
          className={cx(
            "min-h-0 flex-1",
            (old || Boolean(error)) && rows.length > 0 && "opacity-60",
          )}
          aria-busy={old || undefined}
        >
          {error && rows.length === 0 ? (
            <Failed error={error} onRetry={again} />
          ) : loading ? (
            <Loading rows={10} />
          ) : rows.length === 0 ? (
            empty
          ) : (
            <DataTable
              label={title}
              rows={rows}
              columns={columns}
              rowKey={rowKey}
              onEnd={more}
              selected={selected}
              onSelect={onSelect}
              onOpen={onOpen ?? onSelect}
              footer={footer}
              rowClass={rowClass}
            />
          )}
        </div>
      </div>
    </Panel>
  );
}
