import { Maximize2, Minimize2, X } from "lucide-react";
import type { KeyboardEvent } from "react";
import { IconButton } from "@/kit/Button";
import { cx } from "@/kit/cx";
import { t } from "@/text";
import type { Edge, Rect } from "./dock";
import { type PanelId, TITLES } from "./layouts";
import { at } from "./Workspace";

const EDGES: Record<string, Edge> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "top",
  ArrowDown: "bottom",
};

/**
 * The tabs of a group, with the frame around it. Arrow keys choose a tab, Delete closes it, Alt+Shift+arrow
 * splits it off to that side; the mouse drags it anywhere.
 */
export function TabStrip({
  rect,
  height,
  tabs,
  active,
  large,
  onActivate,
  onClose,
  onLarge,
  onDragOver,
  onDrop,
  onDragEnd,
  onMove,
}: {
  rect: Rect;
  height: number;
  tabs: readonly PanelId[];
  active: PanelId;
  large: boolean;
  onActivate: (id: PanelId) => void;
  onClose: (id: PanelId) => void;
  onLarge: () => void;
  onDragOver: (id: PanelId, x: number, y: number) => void;
  onDrop: (id: PanelId, onto: PanelId | null) => void;
  onDragEnd: () => void;
  onMove: (id: PanelId, edge: Edge) => void;
}) {
  const keys = (event: KeyboardEvent, id: PanelId) => {
    const edge = EDGES[event.key];
    if (event.altKey && event.shiftKey && edge) {
      event.preventDefault();
      onMove(id, edge);
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      const next =
        tabs[
          (tabs.indexOf(id) + (event.key === "ArrowRight" ? 1 : -1) + tabs.length) % tabs.length
        ];
      if (!next) return;
      onActivate(next);
      requestAnimationFrame(() => document.getElementById(`tab-${next}`)?.focus());
    } else if (event.key === "Delete") onClose(id);
  };
  const drag = (event: React.PointerEvent<HTMLButtonElement>, id: PanelId) => {
    if (event.button !== 0) return;
    const [fromX, fromY] = [event.clientX, event.clientY];
    let dragging = false;
    const move = (next: PointerEvent) => {
      if (!dragging && Math.hypot(next.clientX - fromX, next.clientY - fromY) < 6) return;
      dragging = true;
      onDragOver(id, next.clientX, next.clientY);
    };
    const stop = () => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", cancel);
      removeEventListener("keydown", leave, true);
    };
    const up = (next: PointerEvent) => {
      stop();
      if (!dragging) return;
      const under = document
        .elementFromPoint(next.clientX, next.clientY)
        ?.closest<HTMLElement>("[data-tab]")?.dataset.tab;
      onDrop(id, under && under !== id ? (under as PanelId) : null);
    };
    const cancel = () => {
      stop();
      onDragEnd();
    };
    const leave = (key: globalThis.KeyboardEvent) => {
      if (key.key !== "Escape") return;
      key.stopPropagation();
      cancel();
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
    addEventListener("pointercancel", cancel);
    addEventListener("keydown", leave, true);
  };
  return (
    <div
      className="absolute flex items-stretch rounded-t-panel border border-line-subtle bg-surface pr-1 pl-1.5"
      style={at({ ...rect, height })}
    >
      <div role="tablist" className="flex min-w-0 items-stretch overflow-hidden">
        {tabs.map((id) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            data-tab={id}
            aria-selected={id === active}
            aria-controls={id === active ? `panel-${id}` : undefined}
            tabIndex={id === active ? 0 : -1}
            onClick={() => onActivate(id)}
            onDoubleClick={onLarge}
            onKeyDown={(event) => keys(event, id)}
            onPointerDown={(event) => drag(event, id)}
            className={cx(
              "min-w-0 touch-none select-none truncate border-b-2 px-2 text-table outline-offset-[-2px]",
              id === active
                ? "border-accent text-fg"
                : "border-transparent text-fg-2 hover:text-fg",
            )}
          >
            {t(TITLES[id])}
          </button>
        ))}
      </div>
      <span className="ml-auto flex items-center">
        <IconButton
          label={large ? t("Restore") : t("Maximise {panel}", { panel: t(TITLES[active]) })}
          className="size-6"
          onClick={onLarge}
        >
          {large ? <Minimize2 size={12} aria-hidden /> : <Maximize2 size={12} aria-hidden />}
        </IconButton>
        <IconButton
          label={t("Close {panel}", { panel: t(TITLES[active]) })}
          className="size-6"
          onClick={() => onClose(active)}
        >
          <X size={13} aria-hidden />
        </IconButton>
      </span>
    </div>
  );
}
