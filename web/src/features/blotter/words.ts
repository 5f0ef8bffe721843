/** The words of the engine, for people. */
import { t } from "@/text";

const STATES: Record<string, string> = {
  working: "Working",
  partial: "Partly filled",
  filled: "Filled",
  cancelled: "Cancelled",
  expired: "Expired",
  rejected: "Rejected",
  triggered: "Triggered",
  routing: "Being sent",
  routed: "At the venue",
  cancel_pending: "Being cancelled",
  unresolved: "Not known yet",
  modified: "Changed",
};
const REASONS: Record<string, string> = {
  client: "By you",
  stop_loss: "Stop loss",
  take_profit: "Take profit",
  pending: "Pending order",
  stop_out: "Stop-out",
  liquidation: "Liquidation",
  close_by: "Close by",
  close_all: "Close all",
  reverse: "Reverse",
  expiry: "Expired",
  oco: "Other order filled",
  venue: "By the venue",
  trailing: "Trailing stop",
  rollover: "Rollover",
  no_money: "Too little margin",
  limit: "Limit reached",
  killed: "Kill switch",
};
const TYPES: Record<string, string> = {
  market: "Market",
  limit: "Limit",
  stop: "Stop",
  stop_limit: "Stop limit",
};
const TIFS: Record<string, string> = {
  gtc: "Until cancelled",
  day: "Today",
  gtd: "Until a time",
  ioc: "What is there",
  fok: "All or nothing",
};
const POSTINGS: Record<string, string> = {
  deposit: "Deposits",
  withdrawal: "Withdrawals",
  credit_in: "Credit given",
  credit_out: "Credit taken back",
  correction: "Corrections",
  open: "Opening of positions",
  close: "Closing of positions",
  profit: "Profit and loss",
  commission: "Commission",
  swap: "Swap",
  funding: "Funding",
  compensation: "Compensation of a negative balance",
};

const plain = (word: string): string => {
  const text = word.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
};
const said = (words: Record<string, string>) => (word: string) => t(words[word] ?? plain(word));

export const stateWord = said(STATES);
export const reasonWord = said(REASONS);
export const typeWord = said(TYPES);
export const tifWord = said(TIFS);
export const postingWord = said(POSTINGS);
/** A return code such as "trade_no_money". */
export const codeWord = (code: string): string => plain(code.replace(/^(trade|err)_/, ""));
