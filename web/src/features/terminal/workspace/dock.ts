/**
 * What can be done to a layout, as pure functions: where everything lies, and the layout after a panel was
 * moved, closed, opened, or a splitter dragged. Paths are indexes from the root down.
 */
import {
  type Group,
  isGroup,
  type Layout,
  type PanelId,
  type Place,
  panelsOf,
  type Split,
} from "./layouts";

export type Path = readonly number[];
export type Rect = { x: number; y: number; width: number; height: number };
export type Edge = "center" | "left" | "right" | "top" | "bottom";
export type Placed = { path: Path; group: Group; rect: Rect };
export type Splitter = {
  path: Path;
  index: number;
  across: boolean;
  rect: Rect /** Pixels of both neighbours together. */;
  span: number /** Share of the first neighbour, 0 to 1. */;
  share: number;
};

export const GAP = 6;
const LEAST = 0.06;

/** Where the groups and splitters of a layout lie in a box. */
export function arrange(layout: Layout, box: Rect): { groups: Placed[]; splitters: Splitter[] } {
  const groups: Placed[] = [];
  const splitters: Splitter[] = [];
  const walk = (place: Place, path: Path, rect: Rect): void => {
    if (isGroup(place)) {
      groups.push({ path, group: place, rect });
      return;
    }
    const across = place.split === "row";
    const whole = (across ? rect.width : rect.height) - GAP * (place.parts.length - 1);
    const sum = place.parts.reduce((total, each) => total + each.weight, 0);
    let at = across ? rect.x : rect.y;
    place.parts.forEach((part, index) => {
      const size = (whole * part.weight) / sum;
      walk(
        part,
        [...path, index],
        across ? { ...rect, x: at, width: size } : { ...rect, y: at, height: size },
      );
      at += size;
      const next = place.parts[index + 1];
      if (next) {
        splitters.push({
          path,
          index,
          across,
          rect: across
            ? { x: at, y: rect.y, width: GAP, height: rect.height }
            : { x: rect.x, y: at, width: rect.width, height: GAP },
          span: (whole * (part.weight + next.weight)) / sum,
          share: part.weight / (part.weight + next.weight),
        });
        at += GAP;
      }
    });
  };
  walk(layout, [], box);
  return { groups, splitters };
}

function change(place: Place, path: Path, make: (found: Place) => Place): Place {
  const [first, ...rest] = path;
  if (first === undefined) return make(place);
  if (isGroup(place)) return place;
  return {
    ...place,
    parts: place.parts.map((each, at) => (at === first ? change(each, rest, make) : each)),
  };
}

/** Give the part before a splitter another share of both. */
export function resized(layout: Layout, path: Path, index: number, share: number): Layout {
  return change(layout, path, (found) => {
    if (isGroup(found)) return found;
    const [a, b] = [found.parts[index], found.parts[index + 1]];
    if (!a || !b) return found;
    const both = a.weight + b.weight;
    const first = both * Math.min(1 - LEAST, Math.max(LEAST, share));
    const weights = new Map([
      [index, first],
      [index + 1, both - first],
    ]);
    return {
      ...found,
      parts: found.parts.map((each, at) => ({
        ...each,
        weight: rounded(weights.get(at) ?? each.weight),
      })),
    };
  }) as Layout;
}

/** Show a tab of a group. */
export const activated = (layout: Layout, panel: PanelId): Layout =>
  everyGroup(layout, (group) => (group.tabs.includes(panel) ? { ...group, active: panel } : group));

/** The layout without a panel; null when it is the last one. */
export function closed(layout: Layout, panel: PanelId): Layout | null {
  const without = everyGroup(layout, (group) => {
    if (!group.tabs.includes(panel)) return group;
    const at = group.tabs.indexOf(panel);
    const tabs = group.tabs.filter((each) => each !== panel);
    const active =
      group.active === panel || !group.active ? tabs[Math.min(at, tabs.length - 1)] : group.active;
    return { ...group, tabs, active };
  });
  return panelsOf(without).length ? tidy(without) : null;
}

/** The layout with a closed panel as a tab of the first group, or with it in front if it is open. */
export function opened(layout: Layout, panel: PanelId): Layout {
  if (panelsOf(layout).includes(panel)) return activated(layout, panel);
  let done = false;
  return everyGroup(layout, (group) => {
    if (done) return group;
    done = true;
    return { ...group, tabs: [...group.tabs, panel], active: panel };
  });
}

/** Move a panel into another group, or to an edge of it where it becomes a group of its own. */
export function moved(layout: Layout, panel: PanelId, onto: PanelId, edge: Edge): Layout {
  const home = groupOf(layout, panel);
  if (!home || (home.tabs.length === 1 && home.tabs.includes(onto))) return layout;
  if (edge === "center" && home.tabs.includes(onto)) return reordered(layout, panel, onto);
  const anchor = onto === panel ? home.tabs.find((each) => each !== panel) : onto;
  const without = closed(layout, panel);
  if (!without || !anchor) return layout;
  const target = arrange(without, { x: 0, y: 0, width: 1, height: 1 }).groups.find((each) =>
    each.group.tabs.includes(anchor),
  );
  if (!target) return layout;
  const next = change(without, target.path, (found) => {
    const group = found as Group;
    if (edge === "center") return { ...group, tabs: [...group.tabs, panel], active: panel };
    const fresh: Group = { tabs: [panel], active: panel, weight: 50 };
    const old: Group = { ...group, weight: 50 };
    const before = edge === "left" || edge === "top";
    const split: Split = {
      split: edge === "left" || edge === "right" ? "row" : "column",
      weight: group.weight,
      parts: before ? [fresh, old] : [old, fresh],
    };
    return split;
  });
  return tidy(next as Layout);
}

/** Put a tab in front of another of the same group. */
function reordered(layout: Layout, panel: PanelId, before: PanelId): Layout {
  if (panel === before) return layout;
  return everyGroup(layout, (group) => {
    if (!group.tabs.includes(panel)) return group;
    const goesRight = group.tabs.indexOf(panel) < group.tabs.indexOf(before);
    const rest = group.tabs.filter((each) => each !== panel);
    const at = rest.indexOf(before) + (goesRight ? 1 : 0);
    return { ...group, tabs: [...rest.slice(0, at), panel, ...rest.slice(at)], active: panel };
  });
}

const groupOf = (layout: Layout, panel: PanelId): Group | undefined =>
  arrange(layout, { x: 0, y: 0, width: 1, height: 1 }).groups.find((each) =>
    each.group.tabs.includes(panel),
  )?.group;

function everyGroup(layout: Layout, make: (group: Group) => Group): Layout {
  const walk = (place: Place): Place =>
    isGroup(place) ? make(place) : { ...place, parts: place.parts.map(walk) };
  return walk(layout) as Layout;
}

/** No empty groups, no splits of one part, no row in a row. */
function tidy(layout: Layout): Layout {
  const walk = (place: Place): Place | null => {
    if (isGroup(place)) return place.tabs.length ? place : null;
    const parts = place.parts.map(walk).filter((each) => each !== null);
    const flat = parts.flatMap((each) => {
      if (isGroup(each) || each.split !== place.split) return [each];
      const sum = each.parts.reduce((total, part) => total + part.weight, 0);
      return each.parts.map((part) => ({
        ...part,
        weight: rounded((part.weight * each.weight) / sum),
      }));
    });
    if (!flat.length) return null;
    const [only] = flat;
    return flat.length === 1 && only
      ? { ...only, weight: place.weight }
      : { ...place, parts: flat };
  };
  const made = walk(layout) ?? layout;
  return isGroup(made) ? { split: "row", weight: 100, parts: [made] } : made;
}

const rounded = (weight: number): number => Math.max(0.5, Math.round(weight * 100) / 100);

/** Which part of a group a point falls on while a tab is dragged over it. */
export function edgeAt(rect: Rect, x: number, y: number): Edge {
  const [across, down] = [(x - rect.x) / rect.width, (y - rect.y) / rect.height];
  const near = Math.min(across, 1 - across, down, 1 - down);
  if (near > 0.25) return "center";
  if (near === across) return "left";
  if (near === 1 - across) return "right";
  return near === down ? "top" : "bottom";
}

/** The half of a group that a dropped panel would take. */
export function dropRect(rect: Rect, edge: Edge): Rect {
  const [w, h] = [rect.width / 2, rect.height / 2];
  switch (edge) {
    case "left":
      return { ...rect, width: w };
    case "right":
      return { ...rect, x: rect.x + w, width: w };
    case "top":
      return { ...rect, height: h };
    case "bottom":
      return { ...rect, y: rect.y + h, height: h };
    case "center":
      return rect;
  }
}
