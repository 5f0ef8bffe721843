/**
 * Every address of the app. Pages are loaded when they are first shown; what a view shows (symbol, period,
 * filters, tab) is in the address, typed by `validateSearch`, so that links and the back button work.
 */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { meQuery, queries } from "./api/queries";
import { isStaff, useSession } from "./api/session";
import { Crashed, NotFound } from "./app/Crashed";
import { Shell } from "./app/Shell";
import { loadInstruments } from "./live/instruments";

const root = createRootRoute({
  component: Outlet,
  notFoundComponent: NotFound,
  errorComponent: Crashed,
});

const door = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { next?: string } => ({
    next:
      typeof search.next === "string" && /^\/(?!\/)/.test(search.next) ? search.next : undefined,
  }),
  component: lazyRouteComponent(() => import("./features/signin/SignInPage")),
});

const signUp = createRoute({
  getParentRoute: () => root,
  path: "/sign-up",
  component: lazyRouteComponent(() => import("./features/signin/SignUpPage")),
});

/** Everything behind the door. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  errorComponent: Crashed,
  beforeLoad: ({ location }) => {
    if (!useSession.getState().signedIn)
      throw redirect({ to: "/sign-in", search: { next: location.href } });
    void queries.prefetchQuery(meQuery);
    void loadInstruments().catch(() => undefined);
  },
});

const home = createRoute({
  getParentRoute: () => inside,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/terminal/{-$layout}" });
  },
});

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value ? value : undefined;

/** What the terminal shows. */
type View = { symbol?: string; period?: string; list?: string };

const terminal = createRoute({
  getParentRoute: () => inside,
  path: "/terminal/{-$layout}",
  validateSearch: (search: Record<string, unknown>): View => ({
    symbol: text(search.symbol),
    period: text(search.period),
    list: text(search.list),
  }),
  component: lazyRouteComponent(() => import("./features/terminal/TerminalPage")),
});

const settings = createRoute({
  getParentRoute: () => inside,
  path: "/settings/{-$tab}",
  component: lazyRouteComponent(() => import("./features/settings/SettingsPage")),
});

const admin = createRoute({
  getParentRoute: () => inside,
  path: "/admin/{-$tab}",
  // Filters of every back-office page live here, as text; each page reads the ones it knows.
  validateSearch: (search: Record<string, unknown>) => search as Record<string, string | undefined>,
  beforeLoad: async () => {
    const me = await queries.ensureQueryData(meQuery);
    if (!isStaff(me)) throw redirect({ to: "/terminal/{-$layout}" });
  },
  component: lazyRouteComponent(() => import("./features/admin/AdminPage")),
});

export const router = createRouter({
  routeTree: root.addChildren([
    door,
    signUp,
    inside.addChildren([home, terminal, settings, admin]),
  ]),
  defaultPreload: "intent",
  defaultPendingMs: 300,
  scrollRestoration: false,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
