/**
 * The one frame pump: messages mark things dirty, the pump paints them at most once per frame.
 *
 * The rate adapts: 30 a second as long as frames come in time, 15 and 8 when they run late, and back
 * up when they do not. A hidden tab paints nothing (the browser gives it no frames); stores still take
 * what arrives, so the first frame after coming back shows the present.
 */
type Painter = (now: number) => void;

const RATES = [30, 15, 8];
/** A frame this much longer than the display's own is late. */
const LATE = 1.9;
/** Late frames in one second that slow the pump down, and good seconds that speed it up again. */
const LATE_PER_S = 8;
const GOOD_SECONDS = 3;

const painters = new Set<Painter>();
const dirty = new Set<Painter>();
let level = 0;
let scheduled = 0;
let lastPaint = 0;
let lastFrame = 0;
let frameMs = 1000 / 60;
let late = 0;
let good = 0;
let secondBegan = 0;
let painted = 0;

/** Frames painted in the last whole second, and the present ceiling; for the status bar. */
export const pace = { painted: 0, rate: RATES[0] as number };

/** Register a painter; it runs in the next frame after `mark` was called for it. */
export function painter(paint: Painter): { mark: () => void; stop: () => void } {
  painters.add(paint);
  return {
    mark: () => {
      dirty.add(paint);
      schedule();
    },
    stop: () => {
      painters.delete(paint);
      dirty.delete(paint);
    },
  };
}

function schedule(): void {
  if (!scheduled) scheduled = requestAnimationFrame(frame);
}

function frame(now: number): void {
  scheduled = 0;
  measure(now);
  if (dirty.size === 0) return;
  const interval = 1000 / (RATES[level] as number);
  if (now - lastPaint < interval - frameMs / 2) {
    schedule();
    return;
  }
  lastPaint = now;
  painted++;
  const work = [...dirty];
  dirty.clear();
  for (const paint of work) paint(now);
  schedule(); // one more frame, to see whether this one was late
}

function measure(now: number): void {
  const took = now - lastFrame;
  lastFrame = now;
  if (took > 0 && took < frameMs) frameMs = took * 0.2 + frameMs * 0.8;
  else if (took < 100) frameMs = took * 0.01 + frameMs * 0.99;
  if (took > frameMs * LATE && took < 1000) late++;
  if (now - secondBegan < 1000) return;
  if (late > LATE_PER_S && level < RATES.length - 1) {
    level++;
    good = 0;
  } else if (late <= 1 && ++good >= GOOD_SECONDS && level > 0) {
    level--;
    good = 0;
  }
  pace.painted = painted;
  pace.rate = RATES[level] as number;
  late = painted = 0;
  secondBegan = now;
}
