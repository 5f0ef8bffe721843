import { useState } from "react";
import { problemOf } from "@/api/problem";
import { fixed } from "@/format/number";
import { Button } from "@/kit/Button";
import { Dialog } from "@/kit/Dialog";
import { Field, Input } from "@/kit/Field";
import { LiveText } from "@/kit/live";
import { NumberField } from "@/kit/NumberField";
import { quotes } from "@/live/quotes";
import type { Order } from "@/live/trading";
import { t } from "@/text";
import { type OrderChange, setOrder } from "./actions";
import { type Checked, price, stop } from "./checks";
import { rulesOf } from "./market";
import { Name } from "./Side";
import { typeWord } from "./words";

type FieldName = "price" | "limit_price" | "sl" | "tp" | "expire";

/** Everything that can be changed of a working order. */
export default function OrderDialog({ order, onClose }: { order: Order; onClose: () => void }) {
  const rules = rulesOf(order.instrument);
  const side = order.side as "buy" | "sell";
  const text = (value: string | null) =>
    value === null ? "" : Number(value).toFixed(rules.digits);
  const [draft, setDraft] = useState({
    price: text(order.price),
    limit_price: text(order.limit_price),
    sl: text(order.sl),
    tp: text(order.tp),
    expire: local(order.expire),
  });
  const [errors, setErrors] = useState<Partial<Record<FieldName | "order", string>>>({});
  const [busy, setBusy] = useState(false);
  const set = (name: FieldName) => (value: string) => {
    setDraft((now) => ({ ...now, [name]: value }));
    setErrors({});
  };
  const go = async () => {
    const entry = price(draft.price, rules);
    const at = entry.error === undefined ? Number(entry.value ?? Number.NaN) : Number.NaN;
    const made: Record<Exclude<FieldName, "expire">, Checked> = {
      price:
        entry.error === undefined && entry.value === null ? { error: t("Say a price.") } : entry,
      limit_price: price(draft.limit_price, rules),
      sl: stop(draft.sl, "sl", side, at, rules),
      tp: stop(draft.tp, "tp", side, at, rules),
    };
    const wrong = Object.entries(made).filter(([, each]) => each.error !== undefined);
    if (wrong.length > 0) {
      setErrors(Object.fromEntries(wrong.map(([name, each]) => [name, each.error])));
      return;
    }
    const value = (each: Checked) => (each.error === undefined ? each.value : null);
    const change: OrderChange = {
      price: value(made.price) ?? "",
      limit_price: value(made.limit_price),
      sl: value(made.sl),
      tp: value(made.tp),
      expire: draft.expire ? new Date(draft.expire).toISOString() : null,
    };
    setBusy(true);
    try {
      await setOrder(order, change);
      onClose();
    } catch (thrown) {
      const problem = problemOf(thrown);
      const field = problem.field in draft ? problem.field : "order";
      setErrors({ [field]: problem.message });
    } finally {
      setBusy(false);
    }
  };
  const touch = () =>
    quotes[side === "buy" ? "ask" : "bid"][quotes.index(order.instrument)] as number;
  const field = (name: Exclude<FieldName, "expire">, label: string) => (
    <Field label={label} error={errors[name]}>
      {(wiring) => (
        <NumberField
          {...wiring}
          value={draft[name]}
          onChange={set(name)}
          step={rules.step}
          digits={rules.digits}
          start={touch}
        />
      )}
    </Field>
  );
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("Change order #{id}", { id: order.id })}
      footer={
        <>
          <Button onClick={onClose}>{t("Cancel")}</Button>
          <Button look="primary" busy={busy} onClick={go}>
            {t("Change")}
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          void go();
        }}
      >
        <div className="flex items-center justify-between gap-3 text-table">
          <span className="flex items-center gap-2">
            <Name symbol={order.instrument} side={side} /> {typeWord(order.type)} {order.volume}
          </span>
          <span>
            <span className="text-fg-2">{t("Market")}</span>{" "}
            <LiveText
              symbol={order.instrument}
              text={(i) => fixed(quotes[side === "buy" ? "ask" : "bid"][i] as number, rules.digits)}
            />
          </span>
        </div>
        {field("price", order.type === "limit" ? t("Limit price") : t("Stop price"))}
        {order.type === "stop_limit" && field("limit_price", t("Limit price"))}
        <div className="grid grid-cols-2 gap-3">
          {field("sl", t("Stop loss"))}
          {field("tp", t("Take profit"))}
        </div>
        {order.tif === "gtd" && (
          <Field label={t("Until")} error={errors.expire}>
            {(wiring) => (
              <Input
                {...wiring}
                type="datetime-local"
                value={draft.expire}
                onChange={(event) => set("expire")(event.target.value)}
              />
            )}
          </Field>
        )}
        {errors.order && (
          <p role="alert" className="text-critical text-table">
            {errors.order}
          </p>
        )}
        <button type="submit" hidden />
      </form>
    </Dialog>
  );
}

/** RFC 3339 as an input of date and time has it, in the user's zone. */
function local(moment: unknown): string {
  if (typeof moment !== "string") return "";
  const at = new Date(moment);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
