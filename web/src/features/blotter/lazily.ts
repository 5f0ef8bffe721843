/** What is loaded when somebody reaches for it: dialogs and menus are no part of the first paint. */
import { lazy } from "react";

export const CloseDialog = lazy(() => import("./CloseDialog"));
export const OrderDialog = lazy(() => import("./OrderDialog"));
export const ReceiptDialog = lazy(() => import("./ReceiptDialog"));
export const History = lazy(() => import("./History"));
export const Statement = lazy(() => import("./Statement"));
export const Confirm = lazy(() =>
  import("@/kit/Confirm").then((made) => ({ default: made.Confirm })),
);
export const PointMenu = lazy(() =>
  import("@/kit/Menu").then((made) => ({ default: made.PointMenu })),
);

/** Fetch the code of the dialogs while nothing else is going on, so that the first one opens at once. */
export function fetchEarly(): () => void {
  const go = () => {
    void import("./CloseDialog");
    void import("./ReceiptDialog");
    void import("@/kit/Confirm");
  };
  const timer = setTimeout(go, 3000);
  return () => clearTimeout(timer);
}
