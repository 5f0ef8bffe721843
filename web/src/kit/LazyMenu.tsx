import { cloneElement, type ReactElement, useState } from "react";
import type { MenuItem } from "./Menu";

type MenuProps = {
  trigger: ReactElement;
  items: readonly MenuItem[];
  align?: "start" | "end";
  initiallyOpen?: boolean;
};
type Trigger = ReactElement<{
  onClick?: () => void;
  onPointerEnter?: () => void;
  onFocus?: () => void;
  "aria-haspopup"?: "menu";
}>;

const load = () => import("./Menu");

/** A `Menu` whose code is fetched when somebody reaches for it: for the shell, which must stay small. */
export function LazyMenu({
  trigger,
  items,
  align,
}: {
  trigger: Trigger;
  items: readonly MenuItem[];
  align?: "start" | "end";
}) {
  const [Loaded, setLoaded] = useState<((props: MenuProps) => ReactElement) | null>(null);
  if (Loaded) return <Loaded trigger={trigger} items={items} align={align} initiallyOpen />;
  return cloneElement(trigger, {
    "aria-haspopup": "menu",
    onPointerEnter: () => void load(),
    onFocus: () => void load(),
    onClick: () => void load().then(({ Menu }) => setLoaded(() => Menu)),
  });
}
