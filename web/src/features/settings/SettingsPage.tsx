import { getRouteApi } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense } from "react";
import { Loading, Tabs } from "@/kit";
import { t } from "@/text";
import { About } from "./About";
import { LookSettings } from "./LookSettings";

const ApiKeys = lazy(() => import("./ApiKeys"));
const Security = lazy(() => import("./Security"));
const Sessions = lazy(() => import("./Sessions"));

const route = getRouteApi("/inside/settings/{-$tab}");
const TABS = ["appearance", "security", "sessions", "keys", "about"] as const;
type Tab = (typeof TABS)[number];

/** /settings/{tab} */
export default function SettingsPage() {
  const { tab } = route.useParams();
  const navigate = route.useNavigate();
  const shown: Tab = TABS.includes(tab as Tab) ? (tab as Tab) : "appearance";
  const page = (content: ReactNode) => (
    <div className="h-full overflow-auto p-4">
      <Suspense fallback={<Loading />}>{content}</Suspense>
    </div>
  );
  return (
    <div className="h-full p-1.5">
      <section className="h-full rounded-panel border border-line-subtle bg-surface">
        <h1 className="sr-only">{t("Settings")}</h1>
        <Tabs<Tab>
          className="h-full"
          value={shown}
          onChange={(next) => void navigate({ params: { tab: next } })}
          tabs={[
            { value: "appearance", label: t("Appearance"), content: page(<LookSettings />) },
            {
              value: "security",
              label: t("Password and second factor"),
              content: page(<Security />),
            },
            { value: "sessions", label: t("Sessions"), content: page(<Sessions />) },
            { value: "keys", label: t("API keys"), content: page(<ApiKeys />) },
            { value: "about", label: t("About"), content: page(<About />) },
          ]}
        />
      </section>
    </div>
  );
}
