import { Trash2 } from "lucide-react";
import { useState } from "react";
import { typed } from "@/format/number";
import { clockTime } from "@/format/time";
import { Button, IconButton } from "@/kit/Button";
import { NumberField } from "@/kit/NumberField";
import { Empty, Status } from "@/kit/states";
import { useInstruments } from "@/live/instruments";
import { quotes } from "@/live/quotes";
import { t } from "@/text";
import { useView } from "../view";
import { type Alert, addAlert, changeAlert, deleteAlert, useAlerts } from "./store";

/** Alerts of the user, those that wait first. */
export function AlertsPanel() {
  const [alerts] = useAlerts();
  const { symbol } = useView();
  const add = (
    <Button small onClick={() => addAlert(symbol)}>
      {t("New alert on {symbol}", { symbol })}
    </Button>
  );
  if (!alerts.length)
    return (
      <Empty title={t("No alerts")} action={add}>
        {t("An alert tells you when a price is reached. It is watched while this app is open.")}
      </Empty>
    );
  const sorted = [...alerts].sort((a, b) => a.rang - b.rang);
  return (
    <div className="h-full overflow-auto">
      <div className="p-2">{add}</div>
      <ul>
        {sorted.map((each) => (
          <Row key={each.id} alert={each} />
        ))}
      </ul>
    </div>
  );
}

function Row({ alert }: { alert: Alert }) {
  const digits = useInstruments((s) => s.bySymbol.get(alert.symbol)?.digits ?? 5);
  const { show } = useView();
  const [text, setText] = useState(alert.price.toFixed(digits));
  const set = (next: string) => {
    setText(next);
    const price = typed(next);
    if (price !== null && price > 0)
      changeAlert(alert.id, {
        price,
        rang: 0,
        above: price > (quotes.bid[quotes.index(alert.symbol)] as number),
      });
  };
  return (
    <li className="grid grid-cols-[minmax(60px,1fr)_minmax(120px,1.4fr)_auto_auto] items-center gap-2 border-line-subtle border-b px-2 py-1 text-table">
      <button
        type="button"
        className="truncate text-left hover:text-accent"
        onClick={() => show({ symbol: alert.symbol })}
      >
        {alert.symbol}
      </button>
      <NumberField
        label={t("Price")}
        value={text}
        onChange={set}
        step={10 ** -digits}
        digits={digits}
      />
      {alert.rang ? (
        <Status tone="ok">{clockTime(alert.rang)}</Status>
      ) : (
        <Status tone="info">{alert.above ? t("rises to") : t("falls to")}</Status>
      )}
      <IconButton label={t("Delete")} className="size-6" onClick={() => deleteAlert(alert.id)}>
        <Trash2 size={13} aria-hidden />
      </IconButton>
    </li>
  );
}
