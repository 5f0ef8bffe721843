import { getRouteApi } from "@tanstack/react-router";
import { LayoutDashboard } from "lucide-react";
import { type ComponentType, lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { useCommandList } from "@/app/commands";
import { useShortcuts } from "@/app/keys";
import { usePreference } from "@/app/preferences";
import { Button } from "@/kit/Button";
import { Loading } from "@/kit/states";
import { t } from "@/text";
import { AccountStrip } from "./AccountStrip";
import { AlertsPanel } from "./alerts/AlertsPanel";
import { watchAlerts } from "./alerts/store";
import { ChartPanel } from "./chart/ChartPanel";
import { Happenings } from "./Happenings";
import { Ticket } from "./ticket/Ticket";
import { Watchlist } from "./watchlist/Watchlist";
import {
  FIRST,
  PANELS,
  type PanelId,
  PRESETS,
  type Saved,
  TITLES,
  validLayout,
} from "./workspace/layouts";
import { Workspace, type WorkspaceHandle } from "./workspace/Workspace";

const Phone = lazy(() => import("./Phone"));
const Blotter = lazy(() => import("../blotter/Blotter"));
const route = getRouteApi("/inside/terminal/{-$layout}");
const NARROW = "(max-width: 767px)";

type MenuProps = Parameters<typeof import("./workspace/LayoutMenu")["default"]>[0];

/** /terminal/{layout}?symbol&period */
export default function TerminalPage() {
  useEffect(watchAlerts, []);
  const narrow = useNarrow();
  return (
    <>
      <h1 className="sr-only">{t("Terminal")}</h1>
      <Happenings />
      <Suspense fallback={<Loading />}>
        {narrow ? <Phone blotter={<Blotter />} /> : <Desk />}
      </Suspense>
    </>
  );
}

function Desk() {
  const { layout: named } = route.useParams();
  const navigate = route.useNavigate();
  const [saved, setSaved] = usePreference<Saved>("terminal.layouts", FIRST);
  const workspace = useRef<WorkspaceHandle>(null);
  const [Menu, setMenu] = useState<ComponentType<MenuProps> | null>(null);
  const current = named && (PRESETS[named] || saved.layouts[named]) ? named : saved.current;
  const layout = useMemo(
    () =>
      validLayout(saved.layouts[current]) ??
      PRESETS[current] ??
      (PRESETS.Trade as NonNullable<typeof PRESETS.Trade>),
    [saved, current],
  );
  const choose = (next: Saved) => {
    setSaved(next);
    void navigate({ params: { layout: next.current }, search: (old) => old });
  };
  const act = useRef({ choose, saved });
  act.current = { choose, saved };
  useShortcuts(
    useMemo(
      () => [
        {
          keys: "F6",
          label: t("Next panel"),
          group: t("Terminal"),
          inFields: true,
          run: () => workspace.current?.next(1),
        },
        {
          keys: "Shift+F6",
          label: t("Panel before"),
          group: t("Terminal"),
          inFields: true,
          run: () => workspace.current?.next(-1),
        },
        ...Array.from({ length: 9 }, (_, at) => ({
          keys: `Alt+${at + 1}`,
          label: t("Layout {n}", { n: at + 1 }),
          group: t("Terminal"),
          inFields: true,
          run: () => {
            const { saved: now, choose: go } = act.current;
            const name = [...new Set([...Object.keys(PRESETS), ...Object.keys(now.layouts)])][at];
            if (name) go({ ...now, current: name });
          },
        })),
      ],
      [],
    ),
  );
  useCommandList(
    useMemo(
      () =>
        PANELS.map((id) => ({
          id: `panel-${id}`,
          label: t("Show {panel}", { panel: t(TITLES[id]) }),
          group: t("Terminal"),
          run: () => workspace.current?.open(id),
        })),
      [],
    ),
  );
  const panels: Record<PanelId, () => React.ReactNode> = {
    watchlist: () => <Watchlist />,
    chart: () => <ChartPanel />,
    ticket: () => <Ticket />,
    alerts: () => <AlertsPanel />,
    blotter: () => (
      <Suspense fallback={<Loading />}>
        <Blotter />
      </Suspense>
    ),
  };
  return (
    <div className="flex h-full min-h-0 flex-col gap-1.5 p-1.5">
      <div className="flex shrink-0 gap-1.5">
        <AccountStrip className="min-w-0 flex-1" />
        <div className="flex items-center rounded-panel border border-line-subtle bg-surface px-1">
          {Menu ? (
            <Menu
              saved={{ ...saved, current }}
              layout={layout}
              onChange={choose}
              onOpen={(id) => workspace.current?.open(id)}
            />
          ) : (
            <Button
              small
              look="quiet"
              aria-haspopup="menu"
              icon={<LayoutDashboard size={14} aria-hidden />}
              onClick={() =>
                void import("./workspace/LayoutMenu").then((made) => setMenu(() => made.default))
              }
            >
              {current}
            </Button>
          )}
        </div>
      </div>
      <div className="relative min-h-0 flex-1">
        <Workspace
          ref={workspace}
          layout={layout}
          panel={(id) => panels[id]?.() ?? null}
          onChange={(next) =>
            setSaved((now) => ({ current, layouts: { ...now.layouts, [current]: next } }))
          }
        />
      </div>
    </div>
  );
}

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const query = matchMedia(NARROW);
    const hear = () => setNarrow(query.matches);
    query.addEventListener("change", hear);
    return () => query.removeEventListener("change", hear);
  }, []);
  return narrow;
}
