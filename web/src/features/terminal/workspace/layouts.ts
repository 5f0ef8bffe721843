/**
 * Layouts in our own words, kept for the user: rows and columns of tab groups. The dock library's format
 * stays inside Workspace.tsx, so that the library can be replaced and old layouts still open.
 */
export const PANELS = ["watchlist", "chart", "ticket", "blotter", "alerts"] as const;
export type PanelId = (typeof PANELS)[number];
export type Group = { tabs: readonly PanelId[]; active?: PanelId; weight: number };
export type Split = { split: "row" | "column"; weight: number; parts: readonly Place[] };
export type Place = Group | Split;
export type Layout = Split;
export type Saved = { current: string; layouts: Readonly<Record<string, Layout>> };

export const TITLES: Record<PanelId, string> = {
  watchlist: "Watchlist",
  chart: "Chart",
  ticket: "Order ticket",
  blotter: "Positions and orders",
  alerts: "Alerts",
};

const side = (weight: number): Group => ({
  tabs: ["watchlist", "alerts"],
  active: "watchlist",
  weight,
});
const middle = (weight: number): Split => ({
  split: "column",
  weight,
  parts: [
    { tabs: ["chart"], weight: 68 },
    { tabs: ["blotter"], weight: 32 },
  ],
});

/** What everybody starts with; they cannot be deleted, and "reset" brings them back. */
export const PRESETS: Readonly<Record<string, Layout>> = {
  Trade: {
    split: "row",
    weight: 100,
    parts: [side(21), middle(60), { tabs: ["ticket"], weight: 19 }],
  },
  Chart: {
    split: "row",
    weight: 100,
    parts: [
      {
        split: "column",
        weight: 80,
        parts: [
          { tabs: ["chart"], weight: 78 },
          { tabs: ["blotter"], weight: 22 },
        ],
      },
      { tabs: ["ticket", "watchlist", "alerts"], active: "ticket", weight: 20 },
    ],
  },
  Review: {
    split: "row",
    weight: 100,
    parts: [
      side(20),
      {
        split: "column",
        weight: 80,
        parts: [
          { tabs: ["blotter", "ticket"], active: "blotter", weight: 60 },
          { tabs: ["chart"], weight: 40 },
        ],
      },
    ],
  },
};

export const FIRST: Saved = { current: "Trade", layouts: {} };
export const LAYOUTS_MAX = 20;

export const isGroup = (place: Place): place is Group => "tabs" in place;

/** A layout read from storage, or null when it is not one we understand. */
export function validLayout(value: unknown): Layout | null {
  const seen = new Set<string>();
  const good = (place: unknown, depth: number): place is Place => {
    if (typeof place !== "object" || place === null || depth > 8) return false;
    const { tabs, split, parts, weight } = place as Record<string, unknown>;
    if (typeof weight !== "number" || !(weight > 0)) return false;
    if (Array.isArray(tabs))
      return tabs.every((tab) => {
        const known = PANELS.includes(tab) && !seen.has(tab);
        seen.add(tab);
        return known;
      });
    return (
      (split === "row" || split === "column") &&
      Array.isArray(parts) &&
      parts.length > 0 &&
      parts.every((p) => good(p, depth + 1))
    );
  };
  return good(value, 0) && !isGroup(value) ? value : null;
}

/** Panels that a layout shows. */
export function panelsOf(place: Place): PanelId[] {
  return isGroup(place) ? [...place.tabs] : place.parts.flatMap(panelsOf);
}
