/** The pages of the back office and the right each needs; the API enforces the same. */
import {
  Activity,
  BookOpenCheck,
  Boxes,
  CandlestickChart,
  ClipboardCheck,
  Gauge,
  HeartPulse,
  type LucideIcon,
  OctagonX,
  ScrollText,
  ShieldCheck,
  UserRound,
  WalletCards,
} from "lucide-react";
import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import type { MeOut } from "@/api/client";

export type Tab = {
  key: string;
  label: string;
  icon: LucideIcon;
  /** Any of these scopes opens it. */
  scopes: readonly string[];
  page: LazyExoticComponent<ComponentType>;
};

export const TABS: readonly Tab[] = [
  {
    key: "accounts",
    label: "Accounts",
    icon: WalletCards,
    scopes: ["accounts:read_all"],
    page: lazy(() => import("./AccountsPage")),
  },
  {
    key: "approvals",
    label: "Approvals",
    icon: ClipboardCheck,
    scopes: ["money", "instruments:manage"],
    page: lazy(() => import("./ApprovalsPage")),
  },
  {
    key: "exposure",
    label: "Exposure",
    icon: Activity,
    scopes: ["accounts:read_all"],
    page: lazy(() => import("./ExposurePage")),
  },
  {
    key: "margin",
    label: "Margin",
    icon: Gauge,
    scopes: ["accounts:read_all"],
    page: lazy(() => import("./MarginPage")),
  },
  {
    key: "groups",
    label: "Groups",
    icon: Boxes,
    scopes: ["instruments:manage"],
    page: lazy(() => import("./GroupsPage")),
  },
  {
    key: "instruments",
    label: "Instruments",
    icon: CandlestickChart,
    scopes: ["instruments:manage"],
    page: lazy(() => import("./InstrumentsPage")),
  },
  {
    key: "users",
    label: "Users",
    icon: UserRound,
    scopes: ["users:read"],
    page: lazy(() => import("./UsersPage")),
  },
  {
    key: "roles",
    label: "Roles",
    icon: ShieldCheck,
    scopes: ["users:read"],
    page: lazy(() => import("./RolesPage")),
  },
  {
    key: "ledger",
    label: "Ledger",
    icon: BookOpenCheck,
    scopes: ["ledger:read"],
    page: lazy(() => import("./LedgerPage")),
  },
  {
    key: "audit",
    label: "Audit",
    icon: ScrollText,
    scopes: ["audit:read"],
    page: lazy(() => import("./AuditPage")),
  },
  {
    key: "state",
    label: "Trading state",
    icon: OctagonX,
    scopes: ["state:manage"],
    page: lazy(() => import("./StatePage")),
  },
  {
    key: "health",
    label: "Health",
    icon: HeartPulse,
    scopes: ["system:read"],
    page: lazy(() => import("./HealthPage")),
  },
];

/** True if this person may do one of these things. */
export const may = (me: MeOut | null | undefined, ...scopes: readonly string[]): boolean =>
  scopes.some((scope) => me?.scopes.includes(scope));

/** The page an address asks for; without one, the first this person may see. */
export function tabOf(key: string | undefined, me: MeOut | null | undefined): Tab | undefined {
  if (key) return TABS.find((tab) => tab.key === key);
  return TABS.find((tab) => may(me, ...tab.scopes));
}
