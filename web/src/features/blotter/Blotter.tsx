import { Empty } from "@/kit";
import { t } from "@/text";

/** The panel `blotter` of the terminal: positions, orders, history, statement. */
export default function Blotter() {
  return <Empty title={t("Positions and orders")} />;
}
