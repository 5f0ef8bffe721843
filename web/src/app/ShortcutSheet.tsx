import { Dialog } from "@/kit/Dialog";
import { Checkbox } from "@/kit/Field";
import { t } from "@/text";
import { shownKeys, useKeys } from "./keys";
import { useLook } from "./look";
import { useSheet } from "./sheet";

/** Every shortcut that works on this page, printed from the registry that binds them. */
export default function ShortcutSheet() {
  const shortcuts = useKeys((s) => s.shortcuts);
  const single = useLook((s) => s.singleKeys);
  const groups = [...new Set(shortcuts.map((each) => each.group))];
  return (
    <Dialog
      open
      wide
      onClose={() => useSheet.setState({ open: false })}
      title={t("Keyboard shortcuts")}
    >
      <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
        {groups.map((group) => (
          <section key={group}>
            <h3 className="mb-1 text-fg-2 text-hint">{group}</h3>
            <dl>
              {shortcuts
                .filter((each) => each.group === group)
                .map((each) => (
                  <div
                    key={each.keys + each.label}
                    className="flex h-7 items-center gap-3 border-line-subtle border-b text-table"
                  >
                    <dt className="flex-1 truncate">{each.label}</dt>
                    <dd className="flex gap-1">
                      {shownKeys(each.keys)
                        .flat()
                        .map((key, at) => (
                          <kbd
                            key={at}
                            className="rounded-inner border border-line bg-raised px-1.5 font-mono text-tag"
                          >
                            {key}
                          </kbd>
                        ))}
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
      <Checkbox
        className="mt-4 mb-2"
        label={t("Shortcuts of single letters")}
        checked={single}
        onChange={(event) => useLook.setState({ singleKeys: event.target.checked })}
      />
    </Dialog>
  );
}
