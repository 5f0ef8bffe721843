import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Suspense, useEffect, useMemo, useRef } from "react";
import { meQuery } from "@/api/queries";
import { useCommandList } from "@/app/commands";
import { type Shortcut, useShortcuts } from "@/app/keys";
import { Empty, Loading } from "@/kit";
import { t } from "@/text";
import { Forbidden } from "./Forbidden";
import { may, TABS, tabOf } from "./tabs";
import { Waiting } from "./Waiting";

const route = getRouteApi("/inside/admin/{-$tab}");

const SEARCH: readonly Shortcut[] = [
  {
    keys: "/",
    label: t("Search in the list"),
    group: t("Back office"),
    run: () => document.querySelector<HTMLElement>("[data-page-search]")?.focus(),
  },
];

/** /admin/{tab}: the back office. Its pages stand left, on a phone in a strip above. */
export default function AdminPage() {
  const { tab: key } = route.useParams();
  const navigate = route.useNavigate();
  const { data: me } = useQuery(meQuery);
  const tab = tabOf(key, me);
  const shown = useMemo(() => TABS.filter((each) => may(me, ...each.scopes)), [me]);
  useCommandList(
    useMemo(
      () =>
        shown.map((each) => ({
          id: `admin.${each.key}`,
          label: t(each.label),
          group: t("Back office"),
          run: () => void navigate({ params: { tab: each.key }, search: {} }),
        })),
      [shown, navigate],
    ),
  );
  useShortcuts(SEARCH);
  const strip = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!tab) return;
    document.title = `${t(tab.label)} · Tradeloom`;
    const link = strip.current?.querySelector(`[data-tab="${tab.key}"]`);
    link?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [tab]);
  return (
    <div className="grid h-full min-h-0 grid-rows-[auto_minmax(0,1fr)] md:grid-cols-[148px_minmax(0,1fr)] md:grid-rows-1">
      <nav
        ref={strip}
        aria-label={t("Back office")}
        className="flex gap-1 overflow-x-auto border-line-subtle border-b p-1 md:flex-col md:overflow-y-auto md:border-r md:border-b-0 md:p-1.5"
      >
        {shown.map((each) => (
          <Link
            key={each.key}
            to="/admin/{-$tab}"
            params={{ tab: each.key }}
            search={{}}
            data-tab={each.key}
            aria-current={each.key === tab?.key ? "page" : undefined}
            className="flex h-8 shrink-0 items-center gap-2 whitespace-nowrap rounded-panel px-2.5 text-fg-2 text-table hover:bg-hover hover:text-fg aria-[current]:bg-active aria-[current]:text-fg"
          >
            <each.icon size={14} strokeWidth={1.7} aria-hidden />
            {t(each.label)}
            {each.key === "approvals" && <Waiting />}
          </Link>
        ))}
      </nav>
      <div className="min-h-0 min-w-0 overflow-hidden p-1.5">
        {!tab ? (
          <Empty title={t("There is no such page")}>{t("Choose one of the list.")}</Empty>
        ) : !may(me, ...tab.scopes) ? (
          <Forbidden scopes={tab.scopes} />
        ) : (
          <Suspense fallback={<Loading />}>
            <tab.page key={tab.key} />
          </Suspense>
        )}
      </div>
    </div>
  );
}
