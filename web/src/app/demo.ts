import type { QueryClient } from "@tanstack/react-query";
import { type AccountOut, api, command } from "@/api/client";
import { accountsQuery, meQuery } from "@/api/queries";
import { showAccount } from "@/live/trading";

/** Open a demo account with play money and show it. */
export async function openDemo(client: QueryClient, group = "demo"): Promise<AccountOut> {
  const made = await command((header) =>
    api.POST("/api/v1/accounts", { params: { header }, body: { group, leverage: 0, demo: true } }),
  );
  client.setQueryData(accountsQuery.queryKey, (old) => [...(old ?? []), made]);
  void client.invalidateQueries({ queryKey: meQuery.queryKey });
  showAccount(made.id);
  return made;
}
