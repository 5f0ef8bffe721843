/** What the rail shows. A section appears for those who may use it; the API enforces it anyway. */
import { CandlestickChart, Landmark, type LucideIcon, Settings } from "lucide-react";
import type { MeOut } from "@/api/client";
import { isStaff } from "@/api/session";

export type Section = {
  path: "/terminal/{-$layout}" | "/admin/{-$tab}" | "/settings/{-$tab}";
  label: string;
  icon: LucideIcon;
  /** Second key after g. */
  key: string;
  shown: (me: MeOut | null) => boolean;
  /** Below the line, at the end of the rail. */
  low?: boolean;
};

export const SECTIONS: readonly Section[] = [
  {
    path: "/terminal/{-$layout}",
    label: "Terminal",
    icon: CandlestickChart,
    key: "t",
    shown: () => true,
  },
  { path: "/admin/{-$tab}", label: "Admin", icon: Landmark, key: "a", shown: isStaff },
  {
    path: "/settings/{-$tab}",
    label: "Settings",
    icon: Settings,
    key: "s",
    shown: () => true,
    low: true,
  },
];
