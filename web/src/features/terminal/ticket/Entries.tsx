import type { InstrumentOut } from "@/api/client";
import { decimals, fixed, grouped, NONE, profit } from "@/format/number";
import { Field, INPUT, Input } from "@/kit/Field";
import { NumberField } from "@/kit/NumberField";
import { Segments } from "@/kit/Segments";
import { quotes } from "@/live/quotes";
import { t } from "@/text";
import {
  type Checked,
  type Draft,
  type FieldName,
  priceStep,
  type Side,
  type StopUnit,
  type Tif,
  tifs,
} from "./draft";

const UNITS: readonly { value: StopUnit; label: string; title: string }[] = [
  { value: "price", label: "Price", title: "Stops as prices" },
  { value: "points", label: "Points", title: "Stops as distances in points" },
  { value: "money", label: "Money", title: "Stops as money won or lost" },
  { value: "risk", label: "%", title: "Stops as part of the equity" },
];
const TIFS: Record<Tif, string> = {
  gtc: "Until cancelled",
  day: "Today",
  gtd: "Until a time",
  ioc: "Fill what is there",
  fok: "All or nothing",
};
const PRESETS = ["0.01", "0.10", "0.50", "1.00", "2.00"];

/** The fields of the ticket: price, volume, stops, time. */
export function Entries({
  draft,
  change,
  errors,
  instrument,
  side,
  checked,
  currency,
  lots,
}: {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  errors: Partial<Record<FieldName, string>>;
  instrument: InstrumentOut;
  side: Side;
  checked: Checked | null;
  currency: string;
  lots: number;
}) {
  const { digits } = instrument;
  const step = priceStep(instrument);
  const touch = () =>
    quotes[side === "buy" ? "ask" : "bid"][quotes.index(instrument.symbol)] as number;
  const stopStep =
    draft.unit === "price" ? step : draft.unit === "points" ? 10 : draft.unit === "risk" ? 0.1 : 1;
  const stopDigits = draft.unit === "price" ? digits : draft.unit === "risk" ? 1 : 0;
  const aside = (price: number | undefined, money: number | undefined) => {
    if (price === undefined || !Number.isFinite(price)) return undefined;
    const distance = Math.round(Math.abs(price - (checked?.entry ?? 0)) / 10 ** -digits);
    const cash = money !== undefined && Number.isFinite(money) ? ` · ${profit(money)}` : "";
    return `${draft.unit === "price" ? t("{n} pts", { n: distance }) : fixed(price, digits)}${cash}`;
  };
  const units = Number.isFinite(checked?.lots ?? Number.NaN)
    ? grouped((checked?.lots ?? 0) * Number(instrument.contract_size), 0)
    : NONE;
  const presets = PRESETS.filter(
    (each) =>
      Number(each) >= Number(instrument.volume_min) &&
      Number(each) <= Number(instrument.volume_max),
  );
  return (
    <>
      {draft.type !== "market" && (
        <div className="grid grid-cols-2 gap-2">
          <Field
            label={draft.type === "limit" ? t("Limit price") : t("Stop price")}
            error={errors.price}
            className={draft.type === "stop_limit" ? "" : "col-span-2"}
          >
            {(wiring) => (
              <NumberField
                {...wiring}
                value={draft.price}
                onChange={(price) => change({ price })}
                step={step}
                digits={digits}
                start={touch}
                placeholder={fixed(touch(), digits)}
              />
            )}
          </Field>
          {draft.type === "stop_limit" && (
            <Field label={t("Limit price")} error={errors.limit_price}>
              {(wiring) => (
                <NumberField
                  {...wiring}
                  value={draft.limit}
                  onChange={(limit) => change({ limit })}
                  step={step}
                  digits={digits}
                  start={touch}
                />
              )}
            </Field>
          )}
        </div>
      )}
      <div className="flex items-start gap-2">
        {draft.sizing === "lots" ? (
          <Field
            className="flex-1"
            label={t("Volume, lots")}
            aside={t("{n} units", { n: units })}
            error={errors.volume}
          >
            {(wiring) => (
              <NumberField
                {...wiring}
                value={draft.volume}
                onChange={(volume) => change({ volume })}
                step={Number(instrument.volume_step)}
                digits={lots}
                min={Number(instrument.volume_min)}
                max={Number(instrument.volume_max) || undefined}
              />
            )}
          </Field>
        ) : (
          <Field
            className="flex-1"
            label={t("Risk, % of equity")}
            aside={
              Number.isFinite(checked?.lots ?? Number.NaN)
                ? t("{n} lots", { n: fixed(checked?.lots ?? 0, lots) })
                : undefined
            }
            error={errors.risk ?? errors.volume}
          >
            {(wiring) => (
              <NumberField
                {...wiring}
                value={draft.risk}
                onChange={(risk) => change({ risk })}
                step={0.1}
                digits={1}
                min={0.1}
                max={100}
              />
            )}
          </Field>
        )}
        <div className="pt-[19px]">
          <Segments<Draft["sizing"]>
            small
            label={t("Size by")}
            value={draft.sizing}
            onChange={(sizing) => change({ sizing })}
            choices={[
              { value: "lots", label: t("Lots") },
              { value: "risk", label: t("Risk %") },
            ]}
          />
        </div>
      </div>
      {draft.sizing === "lots" && presets.length > 0 && (
        <div className="grid auto-cols-fr grid-flow-col gap-1">
          {presets.map((each) => (
            <button
              key={each}
              type="button"
              onClick={() => change({ volume: each })}
              className="h-6 rounded-panel border border-line bg-surface text-hint hover:bg-hover"
              title={t("Volume {volume}", { volume: each })}
            >
              {fixed(Number(each), Math.max(lots, decimals(each)))}
            </button>
          ))}
        </div>
      )}
      <div className="flex items-center justify-between gap-2">
        <span className="text-fg-2 text-hint">{t("Stops by")}</span>
        <Segments<StopUnit>
          small
          label={t("Stops by")}
          value={draft.unit}
          onChange={(unit) => change({ unit, sl: "", tp: "" })}
          choices={UNITS.map((each) => ({ ...each, label: t(each.label), title: t(each.title) }))}
        />
      </div>
      <div className="grid grid-cols-2 gap-2">
        <Field label={t("Stop loss")} hint={aside(checked?.sl, checked?.slMoney)} error={errors.sl}>
          {(wiring) => (
            <NumberField
              {...wiring}
              value={draft.sl}
              onChange={(sl) => change({ sl })}
              step={stopStep}
              digits={stopDigits}
              start={draft.unit === "price" ? touch : () => 0}
              placeholder={draft.unit === "money" ? currency : ""}
            />
          )}
        </Field>
        <Field
          label={t("Take profit")}
          hint={aside(checked?.tp, checked?.tpMoney)}
          error={errors.tp}
        >
          {(wiring) => (
            <NumberField
              {...wiring}
              value={draft.tp}
              onChange={(tp) => change({ tp })}
              step={stopStep}
              digits={stopDigits}
              start={draft.unit === "price" ? touch : () => 0}
              placeholder={draft.unit === "money" ? currency : ""}
            />
          )}
        </Field>
      </div>
      <div className="grid grid-cols-2 gap-2">
        <Field label={t("Valid")}>
          {(wiring) => (
            <select
              {...wiring}
              className={`${INPUT} h-control`}
              value={tifs(draft.type).includes(draft.tif) ? draft.tif : "gtc"}
              onChange={(event) => change({ tif: event.target.value as Tif })}
            >
              {tifs(draft.type).map((each) => (
                <option key={each} value={each}>
                  {t(TIFS[each])}
                </option>
              ))}
            </select>
          )}
        </Field>
        {draft.tif === "gtd" && draft.type !== "market" ? (
          <Field label={t("Until")} error={errors.expire}>
            {(wiring) => (
              <Input
                {...wiring}
                type="datetime-local"
                value={draft.expire}
                onChange={(event) => change({ expire: event.target.value })}
              />
            )}
          </Field>
        ) : (
          <Field label={t("Trailing stop, points")} error={errors.trailing}>
            {(wiring) => (
              <NumberField
                {...wiring}
                value={draft.trailing}
                onChange={(trailing) => change({ trailing })}
                step={10}
                digits={0}
                min={0}
                placeholder={t("none")}
              />
            )}
          </Field>
        )}
      </div>
    </>
  );
}
