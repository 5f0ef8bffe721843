import { Empty } from "@/kit";
import { t } from "@/text";

/** /admin/{tab}: the back office. */
export default function AdminPage() {
  return <Empty title={t("Back office")} />;
}
