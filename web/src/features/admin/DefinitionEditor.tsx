import { Copy, X } from "lucide-react";
import { useMemo, useState } from "react";
import { useShortcuts } from "@/app/keys";
import { Button, IconButton, Panel, Segments } from "@/kit";
import { plural, t } from "@/text";
import { ChangesList } from "./ChangesList";
import { DefinitionSection } from "./DefinitionFields";
import { differences } from "./differences";
import { ReviewChange } from "./ReviewChange";
import { type Body, bodyOf, type Form, faultsOf, fieldName, formOf, type Shape } from "./shapes";

type View = "form" | "history";

/** A definition as a form in sections; nothing happens before the change was reviewed. */
export function DefinitionEditor({
  shape,
  standing,
  model,
  view,
  onView,
  onDirty,
  onCopy,
  onClose,
  onDone,
}: {
  shape: Shape;
  /** What is defined now. */
  standing?: Body;
  /** What a new one is copied from. */
  model?: Body;
  view: View;
  onView: (view: View) => void;
  onDirty: (dirty: boolean) => void;
  onCopy: () => void;
  onClose: () => void;
  onDone: (name: string, view: View) => void;
}) {
  const start = useMemo<Body>(
    () => standing ?? { ...model, [shape.name]: "" },
    [standing, model, shape],
  );
  const [form, setForm] = useState<Form>(() => formOf(shape, start));
  const [faults, setFaults] = useState<Record<string, string>>({});
  const [reviewing, setReviewing] = useState<Body | null>(null);
  const existing = standing !== undefined;
  const name = existing ? String(standing[shape.name]) : String(form[shape.name] ?? "");
  const changed = differences(start, bodyOf(shape, form, start));
  const change = (path: string, value: Form[string]) => {
    const next = { ...form, [path]: value };
    setForm(next);
    setFaults(({ [path]: _, ...rest }) =>
      Object.fromEntries(Object.entries(rest).filter(([key]) => !key.startsWith(`${path}.`))),
    );
    onDirty(differences(start, bodyOf(shape, next, start)).length > 0);
  };
  const review = () => {
    const found = faultsOf(shape, form);
    setFaults(found);
    if (Object.keys(found).length === 0) setReviewing(bodyOf(shape, form, start));
  };
  useShortcuts(
    useMemo(
      () => [
        {
          keys: "$mod+Enter",
          label: t("Review the change"),
          group: t("Back office"),
          inFields: true,
          run: () => document.getElementById("review-change")?.click(),
        },
      ],
      [],
    ),
  );
  const wrong = Object.keys(faults);
  return (
    <Panel
      title={existing ? name : t("New: copied from {name}", { name: String(model?.[shape.name]) })}
      className="h-full"
      flush
      actions={
        <>
          {existing && (
            <>
              <Segments<View>
                label={t("View")}
                value={view}
                onChange={onView}
                choices={[
                  { value: "form", label: t("Settings") },
                  { value: "history", label: t("History") },
                ]}
              />
              <Button small icon={<Copy size={12} aria-hidden />} onClick={onCopy}>
                {t("Copy as new")}
              </Button>
            </>
          )}
          <IconButton label={t("Back to the list")} onClick={onClose} className="size-6">
            <X size={14} aria-hidden />
          </IconButton>
        </>
      }
    >
      {view === "history" && existing ? (
        <div className="h-full overflow-auto">
          <ChangesList what={shape.what} name={name} onReverted={() => onDone(name, "history")} />
        </div>
      ) : (
        <div className="flex h-full min-h-0 flex-col">
          <div className="min-h-0 flex-1 overflow-auto px-3 [&>fieldset:first-child]:border-t-0">
            {shape.sections.map((section) => (
              <DefinitionSection
                key={section.title}
                section={section}
                form={form}
                faults={faults}
                onChange={change}
                existing={existing}
              />
            ))}
          </div>
          <footer className="flex flex-wrap items-center gap-3 border-line-subtle border-t px-3 py-2">
            <p className="min-w-0 flex-1 truncate text-fg-2 text-table" role="status">
              {wrong.length > 0 ? (
                <span className="text-critical">
                  {t("Correct {fields}.", {
                    fields: wrong.slice(0, 3).map(fieldName).join(", "),
                  })}
                </span>
              ) : changed.length === 0 ? (
                t("Nothing is changed.")
              ) : (
                plural(
                  changed.length,
                  "{n} field is changed; nothing is applied yet.",
                  "{n} fields are changed; nothing is applied yet.",
                )
              )}
            </p>
            <Button
              disabled={changed.length === 0}
              onClick={() => {
                setForm(formOf(shape, start));
                setFaults({});
                onDirty(false);
              }}
            >
              {t("Undo all")}
            </Button>
            <Button
              id="review-change"
              look="primary"
              disabled={changed.length === 0}
              onClick={review}
            >
              {t("Review the change")}
            </Button>
          </footer>
        </div>
      )}
      {reviewing && (
        <ReviewChange
          shape={shape}
          name={name}
          body={reviewing}
          onClose={() => setReviewing(null)}
          onDone={() => onDone(name, "form")}
          onFault={(field, message) => setFaults({ [field]: message })}
        />
      )}
    </Panel>
  );
}
