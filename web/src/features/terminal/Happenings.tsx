import { useEffect } from "react";
import { toast } from "@/kit/toast";
import { onHappening } from "@/live/trading";
import { t } from "@/text";

/** Words for what happens to the account by itself: stops, margin calls, orders that end. */
export function Happenings() {
  useEffect(
    () =>
      onHappening((what) => {
        if ("fill" in what) {
          const { fill } = what;
          const why = REASONS[fill.reason];
          if (why)
            toast.info(
              t(why, { symbol: fill.instrument, volume: fill.volume, price: fill.price }),
              {
                description:
                  fill.entry === "out" ? t("Result {profit}", { profit: fill.profit }) : undefined,
              },
            );
        } else if ("order" in what) {
          const { order } = what;
          if (order.state === "expired")
            toast.info(t("Order {order} expired", { order: order.order }));
          if (order.state === "rejected")
            toast.warn(
              t("Order {order} was rejected: {code}", { order: order.order, code: order.code }),
            );
        } else if (what.margin.level === "margin_call") {
          toast.warn(t("Margin call: equity {equity}", { equity: what.margin.equity }), {
            id: "margin",
          });
        } else if (what.margin.level === "stop_out") {
          toast.warn(t("Stop-out: positions are being closed"), { id: "margin" });
        }
      }),
    [],
  );
  return null;
}

/** Fills that the user did not send himself just now. */
const REASONS: Record<string, string> = {
  stop_loss: "Stop loss: closed {volume} {symbol} at {price}",
  take_profit: "Take profit: closed {volume} {symbol} at {price}",
  trailing: "Trailing stop: closed {volume} {symbol} at {price}",
  stop_out: "Stop-out: closed {volume} {symbol} at {price}",
  liquidation: "Liquidation: closed {volume} {symbol} at {price}",
  pending: "Order filled: {volume} {symbol} at {price}",
};
