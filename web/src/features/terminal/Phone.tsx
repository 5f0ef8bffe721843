import { type ReactNode, Suspense, useState } from "react";
import { Button } from "@/kit/Button";
import { Dialog } from "@/kit/Dialog";
import { Segments } from "@/kit/Segments";
import { Loading } from "@/kit/states";
import { t } from "@/text";
import { AccountStrip } from "./AccountStrip";
import { ChartPanel } from "./chart/ChartPanel";
import { Ticket } from "./ticket/Ticket";
import { useView } from "./view";
import { Watchlist } from "./watchlist/Watchlist";

type Page = "watchlist" | "chart" | "blotter";

/** The terminal on a phone: watchlist → chart → ticket in a sheet from below. */
export default function Phone({ blotter }: { blotter: ReactNode }) {
  const [page, setPage] = useState<Page>("watchlist");
  const [trading, setTrading] = useState(false);
  const { symbol } = useView();
  return (
    <div className="flex h-full min-h-0 flex-col">
      <AccountStrip className="shrink-0 rounded-none border-x-0 border-t-0" />
      <div className="shrink-0 bg-surface p-1.5">
        <Segments<Page>
          label={t("View")}
          className="w-full"
          value={page}
          onChange={setPage}
          choices={[
            { value: "watchlist", label: t("Watchlist") },
            { value: "chart", label: t("Chart") },
            { value: "blotter", label: t("Positions") },
          ]}
        />
      </div>
      <div className="min-h-0 flex-1 bg-surface">
        {page === "watchlist" && <Watchlist onChosen={() => setPage("chart")} />}
        {page === "chart" && <ChartPanel />}
        {page === "blotter" && <Suspense fallback={<Loading />}>{blotter}</Suspense>}
      </div>
      {page !== "blotter" && (
        <div className="shrink-0 border-line-subtle border-t bg-surface p-1.5">
          <Button look="primary" className="w-full" onClick={() => setTrading(true)}>
            {t("Trade {symbol}", { symbol })}
          </Button>
        </div>
      )}
      <Dialog
        open={trading}
        onClose={() => setTrading(false)}
        title={t("Order")}
        className="!top-auto !bottom-0 !translate-y-0 !w-full !max-w-none rounded-b-none"
      >
        <div className="-mx-4 -my-2">
          <Ticket onSent={() => setTrading(false)} />
        </div>
      </Dialog>
    </div>
  );
}
