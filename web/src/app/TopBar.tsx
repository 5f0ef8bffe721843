import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Moon, Search, Sun } from "lucide-react";
import { versionQuery } from "@/api/queries";
import { IconButton } from "@/kit/Button";
import { t } from "@/text";
import { AccountSwitch } from "./AccountSwitch";
import { openPalette } from "./commands";
import { shownKeys } from "./keys";
import { shownTheme, toggleTheme, useLook } from "./look";
import { UserMenu } from "./UserMenu";

/** Product, environment, account, search, theme, user. The environment and the account never scroll away. */
export function TopBar() {
  const { data: version } = useQuery(versionQuery);
  const navigate = useNavigate();
  useLook((s) => s.theme);
  const dark = shownTheme() === "dark";
  return (
    <header className="col-span-full flex min-h-[42px] items-center gap-2 border-line-subtle border-b bg-surface px-2 md:gap-3 md:px-3">
      <button
        type="button"
        onClick={() => void navigate({ to: "/terminal/{-$layout}" })}
        aria-label="Tradeloom"
        className="flex items-center gap-2 rounded-panel"
      >
        <img src="/favicon.svg" alt="" width={24} height={24} />
        <span className="sr-only font-semibold text-[14px] sm:not-sr-only">Tradeloom</span>
      </button>
      {version &&
        (version.simulated ? (
          <span
            className="rounded-inner border border-warning/60 px-1.5 text-tag text-warning leading-[18px]"
            title={version.market}
          >
            DEMO
          </span>
        ) : (
          <span
            className="rounded-inner bg-critical px-1.5 text-canvas text-tag leading-[20px]"
            title={version.market}
          >
            LIVE
          </span>
        ))}
      <AccountSwitch />
      <button
        type="button"
        onClick={() => openPalette()}
        className="mx-auto flex h-control min-w-0 items-center gap-2 rounded-panel border border-line bg-canvas px-2.5 text-fg-2 text-table hover:bg-hover md:w-72"
      >
        <Search size={14} aria-hidden />
        <span className="truncate max-md:sr-only">{t("Search symbols, accounts, actions")}</span>
        <kbd
          aria-hidden
          className="ml-auto hidden whitespace-nowrap rounded-inner border border-line px-1 font-mono text-tag lg:inline"
        >
          {shownKeys("$mod+K")[0]?.join(" ")}
        </kbd>
      </button>
      <IconButton label={dark ? t("Light theme") : t("Dark theme")} onClick={toggleTheme}>
        {dark ? <Sun size={15} aria-hidden /> : <Moon size={15} aria-hidden />}
      </IconButton>
      <UserMenu />
    </header>
  );
}
