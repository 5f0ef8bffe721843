/** What is loaded when somebody reaches for it: dialogs and menus are no part of the first paint. */
import { type ComponentType, lazy } from "react";

type Page<P> = { default: ComponentType<P> };

const WAIT_MS = 500;
const WAIT_MAX_MS = 4000;

/** Fetch until it is there: a server that restarts just now must not break the page for good. */
async function patient<T>(load: () => Promise<T>): Promise<T> {
  for (let turn = 0; ; turn++) {
    try {
      return await load();
    } catch {
      const wait = Math.min(WAIT_MAX_MS, WAIT_MS * 2 ** turn);
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

const lazily = <P>(load: () => Promise<Page<P>>) => lazy(() => patient(load));

const closing = () => import("./CloseDialog");
const receipt = () => import("./ReceiptDialog");
const confirming = () => import("@/kit/Confirm");

export const CloseDialog = lazily(closing);
export const ReceiptDialog = lazily(receipt);
export const OrderDialog = lazily(() => import("./OrderDialog"));
export const History = lazily(() => import("./History"));
export const Statement = lazily(() => import("./Statement"));
export const Confirm = lazily(async () => ({ default: (await confirming()).Confirm }));
export const PointMenu = lazily(async () => ({
  default: (await import("@/kit/Menu")).PointMenu,
}));

/** Fetch the code of the dialogs while nothing else is going on, so that the first one opens at once. */
export function fetchEarly(): () => void {
  const go = () => {
    // Not there now: they are asked for again when they are needed.
    for (const load of [closing, receipt, confirming]) void load().catch(() => undefined);
  };
  const timer = setTimeout(go, 3000);
  return () => clearTimeout(timer);
}
