import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronDown } from "lucide-react";
import { accountsQuery } from "@/api/queries";
import { useSession } from "@/api/session";
import { LazyMenu } from "@/kit/LazyMenu";
import type { MenuItem } from "@/kit/Menu";
import { toast } from "@/kit/toast";
import { showAccount, useTrading } from "@/live/trading";
import { t } from "@/text";
import { openDemo } from "./demo";

const SHOWN_MAX = 30;

/** The account everything on the screen belongs to, and the way to another or a new demo account. */
export function AccountSwitch() {
  const client = useQueryClient();
  const { data: accounts } = useQuery(accountsQuery);
  const chosen = useTrading((s) => s.account);
  const me = useSession((s) => s.me);
  const own = (accounts ?? []).filter(
    (each) => each.owner === me?.id && !each.flags.includes("closed"),
  );
  const now = accounts?.find((each) => each.id === chosen);
  const open = async () => {
    try {
      const made = await openDemo(client);
      toast.ok(t("Demo account {account} is open", { account: made.id }));
    } catch (thrown) {
      toast.problem(thrown);
    }
  };
  const items: MenuItem[] = [
    ...own.slice(0, SHOWN_MAX).map((each) => ({
      label: `${each.id} · ${each.group} · ${each.currency}`,
      checked: each.id === chosen,
      onSelect: () => showAccount(each.id),
    })),
    ...(own.length ? (["line"] as const) : []),
    { label: t("Open a demo account"), onSelect: () => void open() },
  ];
  return (
    <LazyMenu
      trigger={
        <button
          type="button"
          className="flex h-control min-w-0 items-center gap-2 rounded-panel border border-line bg-raised px-2.5 text-table hover:bg-hover"
        >
          <span className="sr-only">{t("Account")} </span>
          <span className="truncate font-medium">{chosen || t("No account")}</span>
          {now && (
            <span className="hidden truncate text-fg-2 lg:inline">{`${now.currency}, ${now.group}`}</span>
          )}
          <ChevronDown size={13} className="shrink-0 text-fg-3" aria-hidden />
        </button>
      }
      items={items}
    />
  );
}
