/** Filters of a page live in the address: a view can be shared, and the back button works. */
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";

const route = getRouteApi("/inside/admin/{-$tab}");

export type Filters<K extends string> = Partial<Record<K, string>>;

/** Those of `names` that are in a search, as text; anything else is left out. */
export function read<K extends string>(
  search: Readonly<Record<string, unknown>>,
  names: readonly K[],
): Filters<K> {
  const found: Filters<K> = {};
  for (const name of names) {
    const value = search[name];
    // The router reads 100001 as a number and true as a truth.
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      const text = String(value);
      if (text) found[name] = text;
    }
  }
  return found;
}

/** The filters of the page on the screen and how to change them; empty text takes one away. */
export function useFilters<K extends string>(names: readonly K[]) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const stamp = JSON.stringify(read(search, names));
  const filters = useMemo(() => JSON.parse(stamp) as Filters<K>, [stamp]);
  const set = useCallback(
    (next: Filters<K>) => {
      void navigate({
        search: (old) => {
          const all: Record<string, string | undefined> = { ...old, ...next };
          for (const name of Object.keys(all)) if (!all[name]) delete all[name];
          return all;
        },
        replace: true,
      });
    },
    [navigate],
  );
  const clear = useCallback(() => void navigate({ search: {}, replace: true }), [navigate]);
  return { filters, set, clear, any: Object.keys(filters).length > 0 };
}
