import type { KeyboardEvent, PointerEvent as ReactPointerEvent } from "react";
import { cx } from "@/kit/cx";
import { t } from "@/text";
import type { Splitter } from "./dock";
import { at } from "./Workspace";

/** The bar between two panels: dragged, or moved by arrow keys two percent at a time. */
export function SplitterBar({
  splitter,
  onShare,
}: {
  splitter: Splitter;
  onShare: (share: number) => void;
}) {
  const { across, rect, span, share } = splitter;
  const grab = (event: ReactPointerEvent<HTMLDivElement>) => {
    event.preventDefault();
    const bar = event.currentTarget;
    const from = across ? event.clientX : event.clientY;
    bar.setPointerCapture(event.pointerId);
    let waiting = false;
    let to = from;
    const move = (next: PointerEvent) => {
      to = across ? next.clientX : next.clientY;
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        onShare(share + (to - from) / span);
      });
    };
    const stop = () => {
      bar.removeEventListener("pointermove", move);
      bar.removeEventListener("pointerup", stop);
      bar.removeEventListener("pointercancel", stop);
    };
    bar.addEventListener("pointermove", move);
    bar.addEventListener("pointerup", stop);
    bar.addEventListener("pointercancel", stop);
  };
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -0.02, ArrowUp: -0.02, ArrowRight: 0.02, ArrowDown: 0.02 }[event.key];
    if (!step) return;
    event.preventDefault();
    onShare(share + step);
  };
  return (
    <div
      role="separator"
      tabIndex={0}
      aria-label={t("Resize panels")}
      aria-orientation={across ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(share * 100)}
      aria-valuemin={0}
      aria-valuemax={100}
      onPointerDown={grab}
      onKeyDown={keys}
      className={cx(
        "absolute z-10 touch-none rounded-full transition-colors duration-120 hover:bg-line active:bg-accent",
        across ? "cursor-col-resize" : "cursor-row-resize",
      )}
      style={at(rect)}
    />
  );
}
