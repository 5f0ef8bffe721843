/**
 * Whether prices are live. They come at least every second or so while anything trades; three seconds
 * of silence, or a broken line, make them look stale; ten stop the ticket. One timer for the whole app.
 */
import { create } from "zustand";
import { quotes } from "./quotes";
import { useLink } from "./socket";

export type Freshness = "live" | "stale" | "dead";

export const STALE_MS = 3_000;
export const DEAD_MS = 10_000;

/** `last`: when the newest quote of any symbol arrived, ms since 1970. */
export const useFreshness = create<{ state: Freshness; last: number }>(() => ({
  state: "stale",
  last: 0,
}));

quotes.watchAll(() => {
  if (useFreshness.getState().state !== "live") judge();
});
useLink.subscribe((now, before) => {
  if (now.phase !== before.phase) judge();
});
if (typeof window !== "undefined") setInterval(judge, 500);

function judge(): void {
  // A hidden tab paints nothing; its clock says nothing about the prices.
  if (typeof document !== "undefined" && document.hidden) return;
  const last = quotes.heard;
  const silent = Date.now() - last;
  const cut = useLink.getState().phase !== "live";
  const state: Freshness = silent > DEAD_MS ? "dead" : silent > STALE_MS || cut ? "stale" : "live";
  const now = useFreshness.getState();
  if (now.state !== state || (state !== "live" && now.last !== last))
    useFreshness.setState({ state, last });
  document.documentElement.dataset.prices = state;
}
