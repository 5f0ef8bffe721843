/** What is wrong with a number somebody typed, said at the field before anything is sent. */
import { decimals, fixed, onStep, typed } from "@/format/number";
import { t } from "@/text";

/** Exact decimal text to send, or what is wrong and how to put it right. Empty text: `value` null. */
export type Checked = { value: string | null; error?: undefined } | { error: string };

type Rules = {
  digits: number;
  /** The smallest price step; 0: one of the last digit. */
  step: number;
};

/** A price, or nothing. */
export function price(text: string, { digits, step }: Rules): Checked {
  if (text.trim() === "") return { value: null };
  const value = typed(text);
  if (value === null) return { error: t("“{text}” is not a number.", { text: text.trim() }) };
  if (value <= 0) return { error: t("A price is above zero.") };
  const tick = step || 10 ** -digits;
  if (!onStep(value, tick))
    return { error: t("Prices move in steps of {step}.", { step: fixed(tick, digits) }) };
  return { value: value.toFixed(digits) };
}

/** A stop against the price its position would close at: on the losing or the winning side of it. */
export function stop(
  text: string,
  kind: "sl" | "tp",
  side: "buy" | "sell",
  touch: number,
  rules: Rules,
): Checked {
  const made = price(text, rules);
  if (made.error !== undefined || made.value === null || !Number.isFinite(touch)) return made;
  const below = (kind === "sl") === (side === "buy");
  const value = Number(made.value);
  if (below ? value < touch : value > touch) return made;
  const place = below ? t("below") : t("above");
  return {
    error: t("The {kind} of a {side} belongs {place} {price}.", {
      kind: kind === "sl" ? t("stop loss") : t("take profit"),
      side: t(side),
      place,
      price: fixed(touch, rules.digits),
    }),
  };
}

/** Lots to close out of `held`. */
export function part(text: string, held: string, step: string): Checked {
  const value = typed(text);
  const lots = decimals(step);
  if (value === null)
    return {
      error: text.trim()
        ? t("“{text}” is not a number.", { text: text.trim() })
        : t("Say how many lots."),
    };
  if (value <= 0) return { error: t("The volume is above zero.") };
  if (value > Number(held)) return { error: t("There are {held} lots to close.", { held }) };
  if (!onStep(value, Number(step)))
    return { error: t("Lots go in steps of {step}.", { step: fixed(Number(step), lots) }) };
  return { value: value === Number(held) ? null : value.toFixed(lots) };
}
