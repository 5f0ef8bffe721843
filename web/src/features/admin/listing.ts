/** Listings with cursors: the next page is asked for when the last row comes into sight. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";

type Page<R> = { items: R[]; next: string | null };

export function useListing<R>(
  key: readonly unknown[],
  fetch: (cursor: string | undefined) => Promise<Page<R>>,
  options: { enabled?: boolean; refetchInterval?: number } = {},
) {
  const query = useInfiniteQuery({
    queryKey: ["admin", ...key],
    queryFn: ({ pageParam }) => fetch(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (old) => old,
    ...options,
  });
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const { hasNextPage, isFetching, fetchNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  return {
    rows,
    more,
    error: query.error,
    loading: query.isPending,
    /** True while what is shown belongs to other filters. */
    old: query.isPlaceholderData,
    again: () => void query.refetch(),
  };
}
