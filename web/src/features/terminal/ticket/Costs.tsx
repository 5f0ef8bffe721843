import { useEffect, useRef, useState } from "react";
import type { OrderRequest } from "@/api/client";
import { problemOf } from "@/api/problem";
import { decimal, fixed, NONE, profit } from "@/format/number";
import { cx } from "@/kit/cx";
import { t } from "@/text";
import type { Checked, FieldName } from "./draft";
import { fieldOf, type Preview, preview } from "./send";

const SETTLE_MS = 200;
/** A preview is real work for the server: prices move on the buttons, costs need no such hurry. */
const AGAIN_MS = 5000;

/** What the order would cost and leave, asked of the server while it is being written. */
export function Costs({
  order,
  checked,
  currency,
  equity,
  onRefused,
}: {
  order: OrderRequest | null;
  checked: Checked | null;
  currency: string;
  equity: number;
  onRefused: (field: FieldName | "order", why: string) => void;
}) {
  const [known, setKnown] = useState<Preview | null>(null);
  const words = order ? JSON.stringify(order) : "";
  const told = useRef(onRefused);
  told.current = onRefused;
  useEffect(() => {
    if (!words) {
      setKnown(null);
      return;
    }
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      if (!document.hidden)
        try {
          const found = await preview(JSON.parse(words) as OrderRequest, stop.signal);
          if (stop.signal.aborted) return;
          setKnown(found);
          const why = found.refused;
          if (why)
            told.current(
              (fieldOf({ field: why.field, code: why.name }) ?? "order") as FieldName,
              clean(why.detail),
            );
        } catch (thrown) {
          if (stop.signal.aborted || problemOf(thrown).status === 404) return;
        }
      timer = setTimeout(() => void ask(), AGAIN_MS);
    };
    timer = setTimeout(() => void ask(), SETTLE_MS);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [words]);
  const money = (text: string | null | undefined) =>
    text == null ? NONE : `${decimal(text)} ${currency}`;
  const risk = checked?.slMoney ?? Number.NaN;
  const reward = checked?.tpMoney ?? Number.NaN;
  const rows: [string, string, boolean?][] = [
    [t("Margin needed"), money(known?.margin_filled ?? known?.margin)],
    [t("Free after"), money(known?.free_after), Number(known?.free_after ?? 0) < 0],
    [
      t("Margin level after"),
      known?.level_after ? `${fixed(Number(known.level_after), 0)} %` : NONE,
    ],
    [
      t("Risk at SL"),
      Number.isFinite(risk)
        ? `${profit(risk)} ${currency} (${fixed((Math.abs(risk) / equity) * 100, 1)} %)`
        : NONE,
    ],
    [
      t("Reward : risk"),
      Number.isFinite(reward / risk) && risk < 0 ? `${fixed(reward / -risk, 2)} : 1` : NONE,
    ],
    [t("Spread cost"), money(known?.spread)],
    [t("Commission"), money(known?.commission)],
    [t("Swap per night"), known?.swap == null ? NONE : `${profit(Number(known.swap))} ${currency}`],
  ];
  return (
    <dl
      className="grid grid-cols-[1fr_auto] gap-x-3 gap-y-1 border-line-subtle border-t pt-2 text-hint"
      aria-label={t("Costs of the order")}
    >
      {rows.map(([name, value, bad]) => (
        <div key={name} className="col-span-2 grid grid-cols-subgrid">
          <dt className="text-fg-2">{name}</dt>
          <dd className={cx("text-right", bad && "text-critical")}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The words without the machine's number in front. */
const clean = (detail: string): string => {
  const said = detail.replace(/^[A-Z_0-9]+ \(\d+\)(?: in [\w.]+)?: /, "");
  return said.charAt(0).toUpperCase() + said.slice(1);
};
