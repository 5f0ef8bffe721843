import type { FieldChange } from "@/api/client";
import { t } from "@/text";
import { fieldName } from "./shapes";
import { valueText } from "./words";

/** Old and new of every field that changes. */
export function Diff({
  changes,
  past = false,
}: {
  changes: readonly FieldChange[];
  /** It was done already. */
  past?: boolean;
}) {
  if (changes.length === 0) return <p className="text-fg-2 text-table">{t("Nothing changes.")}</p>;
  return (
    <table className="w-full border-collapse text-table">
      <thead>
        <tr className="text-left text-fg-2 text-hint">
          <th className="py-1 pr-2 font-normal">{t("Field")}</th>
          <th className="py-1 pr-2 font-normal">{past ? t("Before") : t("Now")}</th>
          <th className="py-1 font-normal">{past ? t("After") : t("Then")}</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <tr key={change.field} className="border-line-subtle border-t align-top">
            <td className="py-1 pr-2 text-fg-2">{fieldName(change.field)}</td>
            <td className="break-words py-1 pr-2 text-fg-2 line-through decoration-fg-3">
              {valueText(change.old)}
            </td>
            <td className="break-words py-1 font-medium">{valueText(change.new)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
