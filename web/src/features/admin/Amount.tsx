import { decimal, grouped, NONE, profit } from "@/format/number";
import { cx } from "@/kit";

/** Decimal text with two decimals; coloured and signed when it is a gain or a loss. */
export function Amount({
  value,
  signed = false,
  plain = false,
  digits = 2,
}: {
  value: string | null | undefined;
  signed?: boolean;
  /** Signed, but neither gain nor loss: a movement in a ledger. */
  plain?: boolean;
  digits?: number;
}) {
  if (value === null || value === undefined) return <span className="text-fg-3">{NONE}</span>;
  const number = Number(value);
  if (!signed) return <span>{grouped(number, digits)}</span>;
  if (plain) return <span>{profit(number, digits)}</span>;
  const shown = Number(number.toFixed(digits));
  return (
    <span className={cx(shown > 0 && "text-up", shown < 0 && "text-down")}>
      {profit(number, digits)}
    </span>
  );
}

/** Lots as the API wrote them. */
export const lots = (text: string): string => decimal(text);
