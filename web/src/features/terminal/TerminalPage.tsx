import { Empty } from "@/kit";
import { t } from "@/text";

/** /terminal/{layout} */
export default function TerminalPage() {
  return <Empty title={t("Terminal")} />;
}
