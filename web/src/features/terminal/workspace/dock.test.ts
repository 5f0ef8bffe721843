import { describe, expect, it } from "vitest";
import { activated, arrange, closed, type Edge, edgeAt, moved, opened, resized } from "./dock";
import {
  isGroup,
  type Layout,
  PANELS,
  type PanelId,
  type Place,
  PRESETS,
  panelsOf,
  validLayout,
} from "./layouts";

const TRADE = PRESETS.Trade as Layout;
const BOX = { x: 0, y: 0, width: 1400, height: 800 };

const sound = (layout: Layout): void => {
  expect(validLayout(JSON.parse(JSON.stringify(layout)))).not.toBeNull();
  const walk = (place: Place): void => {
    if (isGroup(place)) {
      expect(place.tabs.length).toBeGreaterThan(0);
      if (place.active) expect(place.tabs).toContain(place.active);
      return;
    }
    for (const part of place.parts) {
      if (!isGroup(part)) {
        expect(part.split).not.toBe(place.split);
        expect(part.parts.length).toBeGreaterThan(1);
      }
      walk(part);
    }
  };
  walk(layout);
};

describe("the dock", () => {
  it("fills the box without holes or overlaps", () => {
    const { groups, splitters } = arrange(TRADE, BOX);
    const area = [...groups, ...splitters].reduce(
      (sum, { rect }) => sum + rect.width * rect.height,
      0,
    );
    expect(area).toBeCloseTo(BOX.width * BOX.height, 3);
    expect(splitters).toHaveLength(3);
  });
  it("resizes two neighbours and nobody else", () => {
    const wider = resized(TRADE, [], 0, 0.5);
    const [a, b, , c] = arrange(wider, BOX).groups.map((each) => each.rect.width);
    expect(a).toBeCloseTo(b as number, 0);
    expect(c).toBeCloseTo(arrange(TRADE, BOX).groups[3]?.rect.width as number, 0);
    expect(
      arrange(resized(TRADE, [], 0, 9), BOX).groups.every((each) => each.rect.width > 20),
    ).toBe(true);
  });
  it("closes to the neighbours and opens again", () => {
    const without = closed(TRADE, "ticket") as Layout;
    sound(without);
    expect(panelsOf(without)).not.toContain("ticket");
    expect(panelsOf(opened(without, "ticket"))).toContain("ticket");
    let rest: Layout | null = TRADE;
    for (const id of PANELS.slice(0, -1)) rest = closed(rest as Layout, id);
    expect(closed(rest as Layout, PANELS.at(-1) as PanelId)).toBeNull();
  });
  it("shows the tab that was asked for", () => {
    const first = activated(TRADE, "alerts").parts[0] as { active?: string };
    expect(first.active).toBe("alerts");
  });
  it("loses no panel in a thousand random moves", () => {
    let seed = 7;
    const random = (n: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * n);
    };
    const edges: Edge[] = ["center", "left", "right", "top", "bottom"];
    let layout = TRADE;
    for (let turn = 0; turn < 1000; turn++) {
      const [panel, onto] = [
        PANELS[random(PANELS.length)] as PanelId,
        PANELS[random(PANELS.length)] as PanelId,
      ];
      layout = moved(layout, panel, onto, edges[random(edges.length)] as Edge);
      expect([...panelsOf(layout)].sort()).toEqual([...PANELS].sort());
      sound(layout);
    }
  });
  it("knows where a tab is dropped", () => {
    const rect = { x: 100, y: 100, width: 200, height: 100 };
    expect(edgeAt(rect, 200, 150)).toBe("center");
    expect(edgeAt(rect, 105, 150)).toBe("left");
    expect(edgeAt(rect, 200, 195)).toBe("bottom");
  });
  it("opens no layout that is broken", () => {
    for (const bad of [
      null,
      3,
      {},
      { split: "row", weight: 1, parts: [] },
      { tabs: ["chart"], weight: 1 },
      { split: "row", weight: 1, parts: [{ tabs: ["chart", "chart"], weight: 1 }] },
      { split: "row", weight: 1, parts: [{ tabs: ["rm -rf"], weight: 1 }] },
    ])
      expect(validLayout(bad)).toBeNull();
  });
});
