import { LayoutDashboard } from "lucide-react";
import { useState } from "react";
import { Button } from "@/kit/Button";
import { Dialog } from "@/kit/Dialog";
import { TextField } from "@/kit/Field";
import { Menu, type MenuItem } from "@/kit/Menu";
import { t } from "@/text";
import {
  LAYOUTS_MAX,
  type Layout,
  PANELS,
  type PanelId,
  PRESETS,
  panelsOf,
  type Saved,
  TITLES,
} from "./layouts";

/** Layouts: choose, save under a name, reset, delete; and panels that are closed. Loaded when opened. */
export default function LayoutMenu({
  saved,
  layout,
  onChange,
  onOpen,
}: {
  saved: Saved;
  layout: Layout;
  onChange: (saved: Saved) => void;
  onOpen: (panel: PanelId) => void;
}) {
  const [naming, setNaming] = useState(false);
  const [name, setName] = useState("");
  const names = [...new Set([...Object.keys(PRESETS), ...Object.keys(saved.layouts)])];
  const closed = PANELS.filter((each) => !panelsOf(layout).includes(each));
  const own = Object.keys(saved.layouts).filter((each) => !PRESETS[each]);
  const full = own.length >= LAYOUTS_MAX;
  const trimmed = name.trim();
  const error =
    trimmed.length > 40
      ? t("At most 40 characters.")
      : PRESETS[trimmed]
        ? t("This name belongs to a preset.")
        : null;
  const items: MenuItem[] = [
    ...names.map((each, at) => ({
      label: each,
      checked: each === saved.current,
      keys: at < 9 ? `Alt ${at + 1}` : undefined,
      onSelect: () => onChange({ ...saved, current: each }),
    })),
    "line",
    { label: t("Save as…"), disabled: full, onSelect: () => setNaming(true) },
    {
      label: PRESETS[saved.current] ? t("Reset this layout") : t("Delete this layout"),
      onSelect: () => {
        const { [saved.current]: _, ...rest } = saved.layouts;
        onChange({ current: PRESETS[saved.current] ? saved.current : "Trade", layouts: rest });
      },
    },
    ...(closed.length ? (["line"] as const) : []),
    ...closed.map((each) => ({
      label: t("Show {panel}", { panel: t(TITLES[each]) }),
      onSelect: () => onOpen(each),
    })),
  ];
  return (
    <>
      <Menu
        align="end"
        initiallyOpen
        trigger={
          <Button small look="quiet" icon={<LayoutDashboard size={14} aria-hidden />}>
            {saved.current}
          </Button>
        }
        items={items}
      />
      <Dialog
        open={naming}
        onClose={() => setNaming(false)}
        title={t("Save the layout")}
        footer={
          <Button
            look="primary"
            disabled={!trimmed || !!error}
            onClick={() => {
              onChange({ current: trimmed, layouts: { ...saved.layouts, [trimmed]: layout } });
              setNaming(false);
              setName("");
            }}
          >
            {t("Save")}
          </Button>
        }
      >
        <TextField
          label={t("Name")}
          autoFocus
          value={name}
          error={error}
          onChange={(event) => setName(event.target.value)}
        />
      </Dialog>
    </>
  );
}
