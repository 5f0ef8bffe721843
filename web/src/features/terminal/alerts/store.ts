/**
 * Price alerts: kept for the user on the server, watched in the browser. One rings when the bid crosses
 * its price, once, with a toast and (if allowed) a silent notification of the system.
 */
import { keepPreference, preference, usePreference } from "@/app/preferences";
import { fixed } from "@/format/number";
import { toast } from "@/kit/toast";
import { digitsOf } from "@/live/instruments";
import { quotes } from "@/live/quotes";
import { t } from "@/text";

export type Alert = {
  id: string;
  symbol: string;
  price: number /** Where the bid was when it was set. */;
  above: boolean;
  note: string;
  rang: number;
};

const NAME = "alerts";
const NONE_YET: readonly Alert[] = [];
export const ALERTS_MAX = 100;

export const useAlerts = () => usePreference<readonly Alert[]>(NAME, NONE_YET);
const read = (): readonly Alert[] => preference(NAME, NONE_YET);

/** Set an alert; without a price at the present bid, for the user to move. */
export function addAlert(symbol: string, price?: number, note = ""): Alert | null {
  const known = read();
  if (known.length >= ALERTS_MAX) {
    toast.warn(t("There are {n} alerts already. Delete one first.", { n: ALERTS_MAX }));
    return null;
  }
  const bid = quotes.bid[quotes.index(symbol)] as number;
  const digits = digitsOf(symbol);
  // Ten points away by default: an alert at the present price would ring at once.
  const at = price ?? Number((bid + 100 * 10 ** -digits).toFixed(digits));
  const made: Alert = {
    id: crypto.randomUUID(),
    symbol,
    price: at,
    above: at > bid,
    note,
    rang: 0,
  };
  keepPreference(NAME, [made, ...known]);
  toast.ok(t("Alert at {symbol} {price}", { symbol, price: fixed(at, digits) }), {
    description: t("Change the price in the panel Alerts."),
  });
  if ("Notification" in window && Notification.permission === "default")
    void Notification.requestPermission();
  return made;
}

export function changeAlert(id: string, part: Partial<Alert>): void {
  keepPreference(
    NAME,
    read().map((each) => (each.id === id ? { ...each, ...part } : each)),
  );
}

export function deleteAlert(id: string): void {
  keepPreference(
    NAME,
    read().filter((each) => each.id !== id),
  );
}

/** True when the bid has reached the alert's price from the side it was set on. */
export const reached = (alert: Pick<Alert, "price" | "above">, bid: number): boolean =>
  alert.above ? bid >= alert.price : bid <= alert.price;

/** Watch all alerts while the terminal is open; returns how to stop. */
export function watchAlerts(): () => void {
  return quotes.watchAll(() => {
    const known = read();
    for (const each of known) {
      if (each.rang || !quotes.has(each.symbol)) continue;
      const bid = quotes.bid[quotes.index(each.symbol)] as number;
      if (reached(each, bid)) ring(each, bid);
    }
  });
}

function ring(alert: Alert, bid: number): void {
  changeAlert(alert.id, { rang: Date.now() });
  const digits = digitsOf(alert.symbol);
  const title = t("{symbol} reached {price}", {
    symbol: alert.symbol,
    price: fixed(alert.price, digits),
  });
  toast.warn(title, {
    description: alert.note || t("Bid {price}", { price: fixed(bid, digits) }),
    duration: 20_000,
  });
  if ("Notification" in window && Notification.permission === "granted")
    new Notification(title, { body: alert.note, silent: true, tag: alert.id });
}
