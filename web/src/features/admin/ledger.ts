/** Exact sums of the API's decimal text: whether the books add up must not be a matter of floats. */

const PLACES = 8;

/** Decimal text as a whole number of 1e-8. */
export function units(text: string): bigint {
  const negative = text.startsWith("-");
  const [whole = "0", part = ""] = text.replace(/^[-+]/, "").split(".");
  const made =
    BigInt(whole) * 10n ** BigInt(PLACES) + BigInt(part.padEnd(PLACES, "0").slice(0, PLACES));
  return negative ? -made : made;
}

/** Back to decimal text without needless zeros, two decimals at least. */
export function text(value: bigint): string {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(PLACES + 1, "0");
  const part = digits.slice(-PLACES).replace(/0+$/, "").padEnd(2, "0");
  return `${sign}${digits.slice(0, -PLACES)}.${part}`;
}

/** What customers and house add up to: zero in sound books. */
export const difference = (customers: string, house: string): bigint =>
  units(customers) + units(house);
