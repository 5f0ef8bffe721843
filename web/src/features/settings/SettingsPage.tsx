import { Panel } from "@/kit";
import { t } from "@/text";
import { LookSettings } from "./LookSettings";

/** /settings/{tab} */
export default function SettingsPage() {
  return (
    <div className="h-full overflow-auto p-1.5">
      <Panel title={t("Appearance")}>
        <LookSettings />
      </Panel>
    </div>
  );
}
