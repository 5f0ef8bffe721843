/** What the state of an account is called, and how bad it is. */
import type { Tone } from "@/kit";
import { t } from "@/text";

type Conditions = { flags: readonly string[]; state: string; margin_level: string };

/** The worst thing that can be said of an account, in a word. */
export function condition(account: Conditions): { tone: Tone; text: string } {
  const { flags } = account;
  if (flags.includes("closed")) return { tone: "off", text: t("Closed") };
  if (account.margin_level === "stop_out") return { tone: "critical", text: t("Stop-out") };
  if (flags.includes("disabled")) return { tone: "off", text: t("Disabled") };
  if (account.state === "halted") return { tone: "critical", text: t("Halted") };
  if (account.margin_level === "margin_call") return { tone: "warning", text: t("Margin call") };
  if (account.state === "reducing") return { tone: "warning", text: t("Reducing only") };
  if (flags.includes("read_only")) return { tone: "info", text: t("Read only") };
  return { tone: "ok", text: t("Active") };
}

/** A bound on what a person types as an amount: positive (or any, for corrections), 8 decimals. */
export function amountFault(text: string, signed: boolean): string | null {
  const clean = text.trim();
  if (!clean) return t("Say how much.");
  if (!/^-?\d{1,15}(\.\d{1,8})?$/.test(clean))
    return t("Plain digits with a point, such as 250.00.");
  if (Number(clean) === 0) return t("It must not be zero.");
  if (!signed && clean.startsWith("-")) return t("A positive amount; choose the direction above.");
  return null;
}
