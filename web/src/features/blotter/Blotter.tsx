import { getRouteApi } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { Suspense, useEffect, useMemo, useRef, useState } from "react";
import { useCommandList } from "@/app/commands";
import { useShortcuts } from "@/app/keys";
import { Button } from "@/kit/Button";
import { cx } from "@/kit/cx";
import { downloadCsv } from "@/kit/DataTable";
import { Segments } from "@/kit/Segments";
import { Empty, Loading } from "@/kit/states";
import { toast } from "@/kit/toast";
import { useFreshness } from "@/live/freshness";
import { useTrading } from "@/live/trading";
import { plural, t } from "@/text";
import { cancelAll, closeAll } from "./actions";
import { Confirm, fetchEarly, History, Statement } from "./lazily";
import { Orders, orderColumns } from "./Orders";
import { Positions, positionColumns } from "./Positions";

const LISTS = ["positions", "orders", "history", "statement"] as const;
type List = (typeof LISTS)[number];
const route = getRouteApi("/inside/terminal/{-$layout}");

/** The panel `blotter` of the terminal: positions, orders, history, statement. */
export default function Blotter() {
  const { list: wanted } = route.useSearch();
  const navigate = route.useNavigate();
  const list: List = LISTS.find((each) => each === wanted) ?? "positions";
  const show = (next: List) =>
    void navigate({ search: (old) => ({ ...old, list: next }), replace: true });
  const chart = (symbol: string) => void navigate({ search: (old) => ({ ...old, symbol }) });
  const account = useTrading((s) => s.account);
  const ready = useTrading((s) => s.ready);
  const positions = useTrading((s) => s.positions.size);
  const orders = useTrading((s) => s.orders.size);
  const fresh = useFreshness((s) => s.state);
  const [asking, setAsking] = useState<"close" | "cancel" | null>(null);
  const act = useRef(show);
  act.current = show;
  useEffect(fetchEarly, []);
  useShortcuts(
    useMemo(
      () => [
        {
          keys: "$mod+Shift+X",
          label: t("Close all positions (hold to confirm)"),
          group: t("Positions and orders"),
          inFields: true,
          run: () => useTrading.getState().positions.size > 0 && setAsking("close"),
        },
      ],
      [],
    ),
  );
  useCommandList(
    useMemo(
      () => [
        ...LISTS.map((each) => ({
          id: `list-${each}`,
          label: t("Show {list}", { list: t(each) }),
          group: t("Positions and orders"),
          run: () => act.current(each),
        })),
        {
          id: "close-all",
          label: t("Close all positions…"),
          group: t("Positions and orders"),
          run: () => useTrading.getState().positions.size > 0 && setAsking("close"),
        },
        {
          id: "cancel-all",
          label: t("Cancel all orders…"),
          group: t("Positions and orders"),
          run: () => useTrading.getState().orders.size > 0 && setAsking("cancel"),
        },
      ],
      [],
    ),
  );
  if (!account) return <Empty title={t("No account")}>{t("Open a demo account to trade.")}</Empty>;
  if (!ready) return <Loading />;
  return (
    <section aria-label={t("Positions and orders")} className="flex h-full min-h-0 flex-col">
      <div className="flex shrink-0 flex-wrap items-center gap-2 border-line-subtle border-b px-2 py-1">
        <Segments<List>
          label={t("List")}
          value={list}
          onChange={show}
          choices={[
            { value: "positions", label: counted(t("Positions"), positions) },
            { value: "orders", label: counted(t("Orders"), orders) },
            { value: "history", label: t("History") },
            { value: "statement", label: t("Statement") },
          ]}
        />
        <div className="ml-auto flex items-center gap-2">
          {list === "positions" && (
            <>
              <Csv list={list} disabled={positions === 0} />
              <Button
                small
                look="danger"
                disabled={positions === 0}
                onClick={() => setAsking("close")}
              >
                {t("Close all")}
              </Button>
            </>
          )}
          {list === "orders" && (
            <>
              <Csv list={list} disabled={orders === 0} />
              <Button
                small
                look="danger"
                disabled={orders === 0}
                onClick={() => setAsking("cancel")}
              >
                {t("Cancel all")}
              </Button>
            </>
          )}
        </div>
      </div>
      {/* Not `opacity` on what can be pressed: only numbers that live on prices fade. */}
      <div
        data-fresh={fresh}
        className={cx("min-h-0 flex-1", fresh !== "live" && "[&_[data-sign]]:opacity-60")}
      >
        {list === "positions" && <Positions onShow={chart} />}
        {list === "orders" && <Orders onShow={chart} />}
        <Suspense fallback={<Loading />}>
          {list === "history" && <History />}
          {list === "statement" && <Statement />}
        </Suspense>
      </div>
      <Suspense>
        {asking && (
          <Confirm
            open
            onClose={() => setAsking(null)}
            title={
              asking === "cancel"
                ? plural(orders, "Cancel {n} order", "Cancel all {n} orders")
                : plural(positions, "Close {n} position", "Close all {n} positions")
            }
            action={asking === "cancel" ? t("Hold to cancel all") : t("Hold to close all")}
            onConfirm={() => (asking === "cancel" ? endOrders(account) : endPositions(account))}
          >
            <p>
              {asking === "cancel"
                ? t("Every working order of account {account} is cancelled.", { account })
                : t(
                    "Every position of account {account} is closed at the market now. This cannot be undone.",
                    { account },
                  )}
            </p>
          </Confirm>
        )}
      </Suspense>
    </section>
  );
}

const counted = (name: string, n: number): string => (n > 0 ? `${name} ${n}` : name);

async function endPositions(account: number): Promise<void> {
  const open = useTrading.getState().positions.size;
  const { reference: closed } = await closeAll(account);
  if (closed >= open) toast.ok(plural(closed, "Closed {n} position", "Closed {n} positions"));
  else
    toast.warn(t("Closed {closed} of {open} positions", { closed, open }), {
      description: t("The others cannot be closed now: their market is closed or has no price."),
    });
}

async function endOrders(account: number): Promise<void> {
  const { reference } = await cancelAll(account);
  toast.ok(plural(reference, "Cancelled {n} order", "Cancelled {n} orders"));
}

function Csv({ list, disabled }: { list: "positions" | "orders"; disabled: boolean }) {
  const save = () => {
    const { account, view, positions, orders } = useTrading.getState();
    if (list === "positions")
      downloadCsv(
        `positions-${account}`,
        [...positions.values()],
        positionColumns(view?.currency ?? ""),
      );
    else downloadCsv(`orders-${account}`, [...orders.values()], orderColumns());
  };
  return (
    <Button
      small
      disabled={disabled}
      icon={<Download size={13} aria-hidden />}
      onClick={save}
      title={t("What is shown, as a file")}
    >
      {t("CSV")}
    </Button>
  );
}
