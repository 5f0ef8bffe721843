import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useMemo } from "react";
import { accountsQuery, meQuery } from "@/api/queries";
import { useSession } from "@/api/session";
import { cx } from "@/kit/cx";
import { useToaster } from "@/kit/toast";
import { socket } from "@/live/socket";
import { showAccount, useTrading } from "@/live/trading";
import { t } from "@/text";
import { openPalette, useCommands } from "./commands";
import { type Shortcut, useShortcuts } from "./keys";
import { Notices } from "./Notices";
import { StatusBar } from "./StatusBar";
import { SECTIONS } from "./sections";
import { useSheet } from "./sheet";
import { TopBar } from "./TopBar";

const Palette = lazy(() => import("./Palette"));
const ShortcutSheet = lazy(() => import("./ShortcutSheet"));
const SignInAgain = lazy(() => import("@/features/signin/SignInAgain"));
const ChangePassword = lazy(() => import("@/features/signin/MustChangePassword"));
const Toasts = lazy(() => import("./Toasts"));

/** The frame round every signed-in page: top bar, rail, status bar, and what may lie over them. */
export function Shell() {
  const { data: me } = useQuery(meQuery);
  const navigate = useNavigate();
  const expired = useSession((s) => s.expired);
  const mustChange = useSession((s) => s.mustChangePassword);
  const palette = useCommands((s) => s.open);
  const toasts = useToaster((s) => s.wanted);
  const sheet = useSheet((s) => s.open);
  useFirstAccount();
  useEffect(() => socket.wantQuotes(), []);
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      {
        keys: "$mod+k",
        label: t("Command palette"),
        group: t("Everywhere"),
        inFields: true,
        run: () => openPalette(),
      },
      {
        keys: "Shift+?",
        label: t("This sheet"),
        group: t("Everywhere"),
        run: () => useSheet.setState({ open: true }),
      },
      ...SECTIONS.filter((each) => each.shown(me ?? null)).map((each) => ({
        keys: `g ${each.key}`,
        label: t("Go to {section}", { section: t(each.label) }),
        group: t("Everywhere"),
        run: () => void navigate({ to: each.path }),
      })),
    ],
    [me, navigate],
  );
  useShortcuts(shortcuts);
  return (
    <div className="grid h-dvh grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)_auto] md:grid-cols-[60px_minmax(0,1fr)]">
      <a
        href="#content"
        className="fixed -top-20 left-2 z-50 rounded-panel bg-accent-solid px-3 py-2 text-white focus:top-2"
      >
        {t("Skip to the content")}
      </a>
      <TopBar />
      <nav
        aria-label={t("Sections")}
        className="order-3 flex gap-1 border-line-subtle border-t bg-surface p-1 md:order-none md:flex-col md:border-t-0 md:border-r"
      >
        {SECTIONS.filter((each) => each.shown(me ?? null)).map((each) => (
          <Link
            key={each.path}
            to={each.path}
            className={cx(
              "flex min-h-12 flex-1 flex-col items-center justify-center gap-1 rounded-panel text-fg-2 text-tag hover:bg-hover hover:text-fg md:flex-none",
              "data-[status=active]:bg-active data-[status=active]:text-fg",
              each.low && "md:mt-auto",
            )}
          >
            <each.icon size={17} strokeWidth={1.7} aria-hidden />
            {t(each.label)}
          </Link>
        ))}
      </nav>
      <main
        id="content"
        tabIndex={-1}
        className="order-2 min-h-0 min-w-0 overflow-hidden outline-none md:order-none"
      >
        <Suspense>
          <Outlet />
        </Suspense>
      </main>
      <StatusBar />
      <Notices />
      {/* Out of the grid: what lies over the page takes none of its rows. */}
      <div className="absolute">
        <Suspense>
          {toasts && <Toasts />}
          {palette && <Palette />}
          {sheet && <ShortcutSheet />}
          {expired && <SignInAgain />}
          {mustChange && !expired && <ChangePassword />}
        </Suspense>
      </div>
    </div>
  );
}

const LAST = "tradeloom.account";

/** Show the account used last, else the first; remember the choice. */
function useFirstAccount(): void {
  const { data: accounts } = useQuery(accountsQuery);
  const account = useTrading((s) => s.account);
  const me = useSession((s) => s.me);
  useEffect(() => {
    if (!accounts || !me) return;
    const own = accounts.filter((each) => each.owner === me.id);
    if (account) {
      localStorage.setItem(LAST, String(account));
      return;
    }
    const last = Number(localStorage.getItem(LAST));
    const open = (own.length ? own : accounts).filter((each) => !each.flags.includes("closed"));
    const chosen =
      accounts.find((each) => each.id === last && each.owner === me.id) ??
      (own.length ? open[0] : undefined);
    if (chosen) showAccount(chosen.id);
  }, [accounts, account, me]);
}
