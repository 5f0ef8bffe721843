import { Segments } from "@/kit";
import { t } from "@/text";
import { useFilters } from "./filters";
import { LedgerAccounts } from "./LedgerAccounts";
import { Transfers } from "./Transfers";
import { TrialBalance } from "./TrialBalance";

type View = "trial" | "accounts" | "transfers";

/** /admin/ledger: does everything add up, who has what, and where each cent comes from. */
export default function LedgerPage() {
  const { filters, set } = useFilters(["view"] as const);
  const view =
    (["trial", "accounts", "transfers"] as const).find((each) => each === filters.view) ?? "trial";
  return (
    <div className="flex h-full min-h-0 flex-col gap-1.5">
      <div>
        <Segments<View>
          label={t("What to show")}
          value={view}
          onChange={(next) => set({ view: next, ledger: "", transfer: "", account: "" } as never)}
          choices={[
            { value: "trial", label: t("Trial balance") },
            { value: "accounts", label: t("Accounts of the ledgers") },
            { value: "transfers", label: t("Transfers") },
          ]}
        />
      </div>
      <div className="min-h-0 flex-1">
        {view === "trial" && <TrialBalance />}
        {view === "accounts" && <LedgerAccounts />}
        {view === "transfers" && <Transfers />}
      </div>
    </div>
  );
}
