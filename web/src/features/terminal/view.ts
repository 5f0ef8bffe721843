/** What the terminal shows: symbol and period, kept in the address, so that every view can be shared. */
import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import { keepPreference, preference } from "@/app/preferences";
import { useInstruments } from "@/live/instruments";

export const PERIODS = ["M1", "M5", "M15", "M30", "H1", "H4", "D1", "W1"] as const;
export type Period = (typeof PERIODS)[number];
export const PERIOD_LABELS: Record<Period, string> = {
  M1: "1m",
  M5: "5m",
  M15: "15m",
  M30: "30m",
  H1: "1h",
  H4: "4h",
  D1: "D",
  W1: "W",
};
export const PERIOD_S: Record<Period, number> = {
  M1: 60,
  M5: 300,
  M15: 900,
  M30: 1800,
  H1: 3600,
  H4: 14_400,
  D1: 86_400,
  W1: 604_800,
};

const route = getRouteApi("/inside/terminal/{-$layout}");
const LAST = "terminal.last";

/** The symbol and period on the screen, and how to change them. */
export function useView() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const bySymbol = useInstruments((s) => s.bySymbol);
  const list = useInstruments((s) => s.list);
  const last = preference<{ symbol?: string; period?: Period }>(LAST, {});
  const wanted = search.symbol ?? last.symbol ?? "EURUSD";
  const symbol = bySymbol.has(wanted) ? wanted : (list[0]?.symbol ?? wanted);
  const asked = (search.period ?? last.period ?? "M5") as Period;
  const period: Period = PERIODS.includes(asked) ? asked : "M5";
  const show = useCallback(
    (next: { symbol?: string; period?: Period }) => {
      keepPreference(LAST, { symbol, period, ...next });
      void navigate({
        search: (old) => ({ ...old, symbol, period, ...next }),
        replace: !next.symbol,
      });
    },
    [navigate, symbol, period],
  );
  return { symbol, period, instrument: bySymbol.get(symbol), show };
}
