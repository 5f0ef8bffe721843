/** Sending an order: once per intention, whatever the network does. */
import {
  api,
  ask,
  command,
  newKey,
  type OrderAnswer,
  type OrderRequest,
  type PreviewOut,
} from "@/api/client";
import { type Problem, problemOf } from "@/api/problem";
import { sending } from "@/live/receipts";

/** What the user wants to do: the same words and no definite answer yet means the same key. */
let intent: { words: string; key: string } | null = null;

/**
 * Place an order. A second call with the same order after an unknown outcome (time-out, lost line) repeats
 * the first with its key, so it is carried out once at most. Throws Problem; `unknown` says nobody knows.
 */
export async function place(order: OrderRequest): Promise<OrderAnswer> {
  const words = JSON.stringify(order);
  if (intent?.words !== words) intent = { words, key: newKey() };
  const { key } = intent;
  const sent = sending(order.instrument);
  try {
    const made = (await command(
      (header) => api.POST("/api/v1/orders", { params: { header }, body: order }),
      key,
    )) as OrderAnswer;
    intent = null;
    sent(made.order);
    return made;
  } catch (thrown) {
    const problem = problemOf(thrown);
    if (!problem.unknown) intent = null;
    throw problem;
  }
}

/** What the order would do now, from the server. */
export type Preview = PreviewOut;

export async function preview(order: OrderRequest, signal: AbortSignal): Promise<Preview> {
  return ask(api.POST("/api/v1/orders/preview", { body: order, signal }));
}

/** Fields of an order as the ticket calls them. */
const FIELDS = new Set(["volume", "price", "limit_price", "sl", "tp", "expire", "trailing"]);
export const fieldOf = (problem: Pick<Problem, "field" | "code">): string | null => {
  if (FIELDS.has(problem.field)) return problem.field;
  if (/NO_MONEY|MARGIN/.test(problem.code)) return "volume";
  return null;
};
