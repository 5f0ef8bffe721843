/** Words of the API as people read them. */
import { t } from "@/text";

const NAMES: Record<string, string> = {
  cfd: "CFD",
  cfd_leverage: "CFD, leverage",
  cfd_index: "CFD, index",
  forex_no_leverage: "Forex, full",
  credit_in: "Credit given",
  credit_out: "Credit taken",
  realised_pnl: "Realised PnL",
  funding_pnl: "Funding PnL",
  margin_lock: "Margin locked",
  margin_release: "Margin released",
};

/** margin_call → Margin call. */
export function word(text: string): string {
  const known = NAMES[text];
  if (known) return t(known);
  const plain = text.replaceAll("_", " ").replaceAll(".", ": ");
  return t(plain.charAt(0).toUpperCase() + plain.slice(1));
}

/** A value of a definition, for people: nothing is a dash, lists and objects short. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  if (Array.isArray(value)) {
    if (value.length === 0) return t("none");
    return value.map((each) => valueText(each)).join("; ");
  }
  if (typeof value === "object")
    return Object.entries(value)
      .filter(([, each]) => each !== null)
      .map(([key, each]) => `${key} ${valueText(each)}`)
      .join(", ");
  return String(value).replace(/^-/, "\u2212");
}
