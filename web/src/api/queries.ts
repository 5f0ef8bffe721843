/** Snapshots over REST, cached by TanStack Query. Live values come from `@/live`, never from here. */
import { QueryClient, queryOptions } from "@tanstack/react-query";
import { api, ask } from "./client";
import { problemOf } from "./problem";
import { useSession } from "./session";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      // A refusal stays one; only a missing answer is worth another try.
      retry: (count, fault) => {
        const { status } = problemOf(fault);
        return (status === 0 || status >= 500) && count < 3;
      },
    },
  },
});

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: async () => {
    const me = await ask(api.GET("/api/v1/me"));
    useSession.setState({ me, mustChangePassword: me.must_change_password });
    return me;
  },
});

export const accountsQuery = queryOptions({
  queryKey: ["accounts"],
  queryFn: () => ask(api.GET("/api/v1/accounts")),
});

export const instrumentsQuery = queryOptions({
  queryKey: ["instruments"],
  queryFn: () => ask(api.GET("/api/v1/instruments")),
  staleTime: 5 * 60_000,
});

export const groupsQuery = queryOptions({
  queryKey: ["groups"],
  queryFn: () => ask(api.GET("/api/v1/groups")),
  staleTime: 5 * 60_000,
});

export const versionQuery = queryOptions({
  queryKey: ["version"],
  queryFn: () => ask(api.GET("/api/v1/system/version")),
  staleTime: Number.POSITIVE_INFINITY,
});
