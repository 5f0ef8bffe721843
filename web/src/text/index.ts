/**
 * Words of the app. English is the source and the key: `t("Close {n} positions", { n })`.
 * Another language is one catalogue { English: translation }; a text without one stays English.
 * `node tools/messages.mjs` lists every text in use. See docs/decisions/0030-web-app.md.
 */
export type Catalogue = Readonly<Record<string, string>>;
export type Values = Readonly<Record<string, string | number>>;

let catalogue: Catalogue = {};
let language = "en";

/** Take another language; call before the first render. */
export function speak(name: string, words: Catalogue): void {
  language = name;
  catalogue = words;
}

/** The language of texts, for `Intl`. */
export const spoken = (): string => language;

/** A text in the user's language, with `{name}` places filled in. */
export function t(text: string, values?: Values): string {
  const found = catalogue[text] ?? text;
  if (!values) return found;
  return found.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** One or many, by the rules of the language: `plural(n, "{n} position", "{n} positions")`. */
export function plural(n: number, one: string, other: string): string {
  return t(new Intl.PluralRules(language).select(n) === "one" ? one : other, { n });
}
