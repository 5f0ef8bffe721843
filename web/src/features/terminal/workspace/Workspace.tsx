import {
  type CSSProperties,
  type ReactNode,
  type Ref,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { cx } from "@/kit/cx";
import { t } from "@/text";
import {
  activated,
  arrange,
  closed,
  dropRect,
  type Edge,
  edgeAt,
  moved,
  opened,
  type Placed,
  type Rect,
  resized,
} from "./dock";
import { type Layout, type PanelId, TITLES } from "./layouts";
import { SplitterBar } from "./SplitterBar";
import { TabStrip } from "./TabStrip";

export type WorkspaceHandle = { open: (panel: PanelId) => void; next: (way: 1 | -1) => void };

const STRIP = 30;
type Drag = { panel: PanelId; onto: PanelId; edge: Edge; rect: Rect };

/**
 * Panels that are docked, tabbed, resized, dragged, maximised and closed. Panels lie side by side in the
 * document, placed by numbers: one that moves is not built anew, so a chart keeps what it shows.
 */
export function Workspace({
  layout,
  onChange,
  panel,
  ref,
}: {
  layout: Layout;
  onChange: (layout: Layout) => void;
  panel: (id: PanelId) => ReactNode;
  ref?: Ref<WorkspaceHandle>;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<Rect>({ x: 0, y: 0, width: 0, height: 0 });
  const [large, setLarge] = useState<PanelId | null>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const dragged = useRef<Drag | null>(null);
  dragged.current = drag;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () =>
      setSize({ x: 0, y: 0, width: element.clientWidth, height: element.clientHeight });
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const { groups, splitters } = arrange(layout, size);
  const big = large ? groups.find((each) => each.group.tabs.includes(large)) : undefined;
  const shown: Placed[] = big ? [{ ...big, rect: size }] : groups;
  const front = (each: Placed): PanelId | undefined => each.group.active ?? each.group.tabs[0];

  useImperativeHandle(ref, () => ({
    open: (id) => {
      setLarge(null);
      onChange(opened(layout, id));
      requestAnimationFrame(() => focusPanel(box.current, id));
    },
    next: (way) => {
      const ids = shown.map(front).filter((id) => id !== undefined);
      const inside = document.activeElement?.closest<HTMLElement>("[data-panel]")?.dataset.panel as
        | PanelId
        | undefined;
      const id = ids[(ids.indexOf(inside as PanelId) + way + ids.length) % ids.length];
      if (id) focusPanel(box.current, id);
    },
  }));

  const over = (id: PanelId, clientX: number, clientY: number) => {
    const origin = box.current?.getBoundingClientRect();
    if (!origin) return;
    const [x, y] = [clientX - origin.left, clientY - origin.top];
    const hit = groups.find(
      ({ rect }) =>
        x >= rect.x && x < rect.x + rect.width && y >= rect.y && y < rect.y + rect.height,
    );
    const onto = hit && (front(hit) ?? hit.group.tabs[0]);
    if (!hit || !onto) {
      setDrag(null);
      return;
    }
    const edge = y - hit.rect.y < STRIP ? "center" : edgeAt(hit.rect, x, y);
    setDrag({ panel: id, onto, edge, rect: dropRect(hit.rect, edge) });
  };

  return (
    <div ref={box} className="absolute inset-0 overflow-hidden">
      {size.width > 0 &&
        shown.map((each) => {
          const active = front(each);
          if (!active) return null;
          return (
            <TabStrip
              key={each.group.tabs.join("+")}
              rect={{ ...each.rect, height: each.rect.height }}
              height={STRIP}
              tabs={each.group.tabs}
              active={active}
              large={big !== undefined}
              onActivate={(id) => onChange(activated(layout, id))}
              onClose={(id) => {
                const next = closed(layout, id);
                if (next) onChange(next);
              }}
              onLarge={() => setLarge(big ? null : active)}
              onDragOver={over}
              onDrop={(id, target) => {
                // The strip remembers the functions of when the drag began; what it is over now is here.
                const over = dragged.current;
                if (target) onChange(moved(layout, id, target, "center"));
                else if (over) onChange(moved(layout, id, over.onto, over.edge));
                setDrag(null);
              }}
              onDragEnd={() => setDrag(null)}
              onMove={(id, edge) =>
                onChange(moved(layout, id, each.group.tabs.find((o) => o !== id) ?? id, edge))
              }
            />
          );
        })}
      {size.width > 0 &&
        // Sorted by name, so that React never reorders (and the browser never reloads) a panel's element.
        shown
          .map((each) => ({ id: front(each), rect: each.rect }))
          .filter((each): each is { id: PanelId; rect: Rect } => each.id !== undefined)
          .sort((a, b) => a.id.localeCompare(b.id))
          .map(({ id, rect }) => (
            <section
              key={id}
              data-panel={id}
              id={`panel-${id}`}
              role="tabpanel"
              aria-label={t(TITLES[id])}
              tabIndex={-1}
              className="absolute overflow-hidden rounded-b-panel [contain:strict] border border-line-subtle border-t-0 bg-surface outline-none"
              style={at({ ...rect, y: rect.y + STRIP, height: Math.max(0, rect.height - STRIP) })}
            >
              {panel(id)}
            </section>
          ))}
      {!big &&
        splitters.map((each) => (
          <SplitterBar
            key={`${each.path.join(".")}:${each.index}`}
            splitter={each}
            onShare={(share) => onChange(resized(layout, each.path, each.index, share))}
          />
        ))}
      {drag && (
        <div
          aria-hidden
          className={cx(
            "pointer-events-none absolute z-20 rounded-panel border-2 border-accent bg-accent/15",
          )}
          style={at(drag.rect)}
        />
      )}
    </div>
  );
}

export const at = (rect: Rect): CSSProperties => ({
  left: rect.x,
  top: rect.y,
  width: rect.width,
  height: rect.height,
});

function focusPanel(box: HTMLElement | null, id: PanelId): void {
  const panel = box?.querySelector<HTMLElement>(`[data-panel="${id}"]`);
  (
    panel?.querySelector<HTMLElement>("input:not([type=hidden]),[tabindex='0'],button") ?? panel
  )?.focus();
}
