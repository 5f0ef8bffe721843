/** Pages of what happened: closed positions, fills, orders; and the same as files of the server. */
import { infiniteQueryOptions, keepPreviousData } from "@tanstack/react-query";
import { api, ask, type ClosedPositionOut, type FillOut, type OrderRowOut } from "@/api/client";
import { problemOf } from "@/api/problem";
import { saveFile } from "@/kit/DataTable";
import type { Span } from "./period";

export type Kind = "positions" | "fills" | "orders";
export type Row = { positions: ClosedPositionOut; fills: FillOut; orders: OrderRowOut };
type Page<R> = { items: R[]; next: string | null };

const PATHS = {
  positions: "/api/v1/history/positions",
  fills: "/api/v1/fills",
  orders: "/api/v1/history/orders",
} as const;
const ROWS = 100;

/** Rows newest first, a page at a time by cursor. */
export const historyQuery = <K extends Kind>(kind: K, account: number, span: Span) =>
  infiniteQueryOptions({
    queryKey: ["history", kind, account, span.since ?? "", span.until ?? ""],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }): Promise<Page<Row[K]>> => {
      const query = { account, ...span, limit: ROWS, cursor: pageParam };
      const page = await ask(
        api.GET(PATHS[kind] as typeof PATHS.fills, { params: { query }, signal }),
      );
      return page as unknown as Page<Row[K]>;
    },
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    enabled: account > 0,
    staleTime: 0,
  });

/** The whole list of the span as a CSV file, written by the server. */
export async function saveHistory(kind: Kind, account: number, span: Span): Promise<void> {
  const csv = await asText(
    api.GET(PATHS[kind] as typeof PATHS.fills, {
      params: { query: { account, ...span } },
      headers: { accept: "text/csv" },
      parseAs: "text",
    }),
  );
  saveFile(`${kind}-${account}.csv`, csv, "text/csv");
}

/** The statement of the span: every movement of cash and credit, as CSV text. */
export const statementCsv = (account: number, span: Span, signal?: AbortSignal): Promise<string> =>
  asText(
    api.GET("/api/v1/accounts/{account}/statement.csv", {
      params: { path: { account }, query: span },
      parseAs: "text",
      signal,
    }),
  );

async function asText(
  call: Promise<{ data?: unknown; error?: unknown; response: Response }>,
): Promise<string> {
  try {
    return (await ask(call as Promise<{ data?: { text: string }; response: Response }>)) as never;
  } catch (thrown) {
    throw problemOf(thrown);
  }
}
