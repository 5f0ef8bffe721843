import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { accountsQuery } from "@/api/queries";
import { isStaff, useSession } from "@/api/session";
import { useInstruments } from "@/live/instruments";
import { showAccount } from "@/live/trading";
import { t } from "@/text";
import { useCommands } from "./commands";
import { shownKeys } from "./keys";
import { toggleTheme, useLook } from "./look";
import { SECTIONS } from "./sections";
import { useSheet } from "./sheet";
import { signOut } from "./UserMenu";

const ITEM =
  "flex h-8 select-none items-center gap-2 rounded-inner px-2 text-table data-[selected=true]:bg-active";

/** Ctrl K: go anywhere, show any symbol or account, do anything the page offers. */
export default function Palette() {
  const { commands, query } = useCommands();
  const navigate = useNavigate();
  const me = useSession((s) => s.me);
  const instruments = useInstruments((s) => s.list);
  const { data: accounts } = useQuery(accountsQuery);
  const close = () => useCommands.setState({ open: false, query: "" });
  const item = (id: string, label: string, run: () => void, words = "", keys = "") => (
    <Command.Item
      key={id}
      value={`${label} ${words}`}
      className={ITEM}
      onSelect={() => {
        close();
        run();
      }}
    >
      <span className="flex-1 truncate">{label}</span>
      {keys && (
        <kbd className="font-mono text-fg-3 text-tag">
          {shownKeys(keys)
            .map((press) => press.join(" "))
            .join(" ")}
        </kbd>
      )}
    </Command.Item>
  );
  const groups = [...new Set(commands.map((each) => each.group))];
  const own = (accounts ?? []).filter((each) => each.owner === me?.id).slice(0, 30);
  return (
    <Command.Dialog
      open
      onOpenChange={(open) => !open && close()}
      label={t("Command palette")}
      overlayClassName="fixed inset-0 z-40 bg-[var(--overlay)]"
      contentClassName="fixed top-[12vh] left-1/2 z-50 w-[min(560px,calc(100vw-24px))] -translate-x-1/2 overflow-hidden rounded-dialog border border-line bg-surface shadow-float"
    >
      <Command.Input
        autoFocus
        value={query}
        onValueChange={(next) => useCommands.setState({ query: next })}
        placeholder={t("Symbol, account or action")}
        className="h-11 w-full border-line-subtle border-b bg-transparent px-4 text-input outline-none placeholder:text-fg-3"
      />
      <Command.List className="max-h-[50vh] overflow-auto p-2 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-fg-3 [&_[cmdk-group-heading]]:text-hint">
        <Command.Empty className="p-4 text-center text-fg-2 text-table">
          {t("Nothing found")}
        </Command.Empty>
        {groups.map((group) => (
          <Command.Group key={group} heading={group}>
            {commands
              .filter((each) => each.group === group)
              .map((each) => item(each.id, each.label, each.run, each.words, each.keys))}
          </Command.Group>
        ))}
        <Command.Group heading={t("Symbols")}>
          {instruments.map((each) =>
            item(
              `s-${each.symbol}`,
              each.symbol,
              () =>
                void navigate({
                  to: "/terminal/{-$layout}",
                  search: (old) => ({ ...old, symbol: each.symbol }),
                }),
              `${each.base} ${each.profit}`,
            ),
          )}
        </Command.Group>
        {own.length > 0 && (
          <Command.Group heading={t("Accounts")}>
            {own.map((each) =>
              item(
                `a-${each.id}`,
                `${each.id} · ${each.currency}`,
                () => showAccount(each.id),
                each.group,
              ),
            )}
          </Command.Group>
        )}
        <Command.Group heading={t("Go to")}>
          {SECTIONS.filter((each) => each.shown(me)).map((each) =>
            item(
              each.path,
              t(each.label),
              () => void navigate({ to: each.path }),
              "",
              `g ${each.key}`,
            ),
          )}
          {isStaff(me)
            ? item("docs", t("API reference"), () => window.open("/docs", "_blank", "noopener"))
            : null}
        </Command.Group>
        <Command.Group heading={t("App")}>
          {item("theme", t("Switch between dark and light"), toggleTheme, "theme colour")}
          {item(
            "palette-cb",
            t("Colour-blind safe market colours"),
            () => useLook.setState({ palette: "blue-orange" }),
            "palette",
          )}
          {item(
            "palette-c",
            t("Classic market colours"),
            () => useLook.setState({ palette: "classic" }),
            "palette",
          )}
          {item(
            "keys",
            t("Keyboard shortcuts"),
            () => useSheet.setState({ open: true }),
            "help",
            "?",
          )}
          {item(
            "out",
            t("Sign out"),
            () => void signOut().then(() => navigate({ to: "/sign-in" })),
          )}
        </Command.Group>
      </Command.List>
    </Command.Dialog>
  );
}
