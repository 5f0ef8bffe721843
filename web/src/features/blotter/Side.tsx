import { cx } from "@/kit/cx";
import type { Column } from "@/kit/DataTable";
import { t } from "@/text";

/** Buy or sell: word, arrow and colour. */
export function Side({ side }: { side: string }) {
  const buy = side === "buy";
  return (
    <span
      className={cx(
        "inline-flex h-[18px] items-center whitespace-nowrap rounded-inner border border-line px-1.5 text-tag",
        buy ? "text-up" : "text-down",
      )}
    >
      {buy ? `▲ ${t("Buy")}` : `▼ ${t("Sell")}`}
    </span>
  );
}

/** The instrument and which way. */
export function Name({ symbol, side }: { symbol: string; side: string }) {
  return (
    <span className="flex items-center gap-2">
      <span className="truncate font-medium">{symbol}</span>
      <Side side={side} />
    </span>
  );
}

/** Money won or lost, with sign and colour. */
export function Money({ value, text }: { value: number; text: string }) {
  return <span data-sign={value > 0 ? "up" : value < 0 ? "down" : undefined}>{text}</span>;
}

/** Columns for a file: there the side is a column of its own, behind the instrument. */
export const withSide = <R extends { side: string }>(columns: readonly Column<R>[]): Column<R>[] =>
  columns.flatMap((each, at) =>
    at === 0
      ? [each, { id: "side", header: t("Side"), cell: () => null, text: (row: R) => row.side }]
      : [each],
  );
