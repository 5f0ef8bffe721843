import { Empty } from "@/kit";
import { t } from "@/text";

/** What one may not see: which right it needs, and who gives it. */
export function Forbidden({ scopes }: { scopes: readonly string[] }) {
  return (
    <Empty title={t("Not for your role")}>
      {t("This page needs the right {scopes}. An administrator gives it under Roles.", {
        scopes: scopes.join(` ${t("or")} `),
      })}
    </Empty>
  );
}
