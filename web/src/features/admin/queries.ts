/** What several pages of the back office ask for. */
import { queryOptions } from "@tanstack/react-query";
import { api, ask } from "@/api/client";

export const waitingQuery = queryOptions({
  queryKey: ["admin", "approvals", "pending"],
  queryFn: () => ask(api.GET("/api/v1/approvals", { params: { query: { state: "pending" } } })),
  refetchInterval: 15_000,
});

export const ruleQuery = queryOptions({
  queryKey: ["admin", "approvals", "rule"],
  queryFn: () => ask(api.GET("/api/v1/approvals/rule")),
  staleTime: 5 * 60_000,
});

/** The first thousand users by id, to name those in lists. */
export const namesQuery = queryOptions({
  queryKey: ["admin", "users", "names"],
  queryFn: async () => {
    const page = await ask(api.GET("/api/v1/users", { params: { query: { limit: 1000 } } }));
    return new Map(page.items.map((user) => [user.id, user.login]));
  },
  staleTime: 60_000,
});
