import { Plus, Trash2 } from "lucide-react";
import { Button, Checkbox, IconButton, Input, Field as Labelled } from "@/kit";
import { t } from "@/text";
import { Choose } from "./Choose";
import type { Field, Form, Row, Section } from "./shapes";

type Props = {
  form: Form;
  faults: Readonly<Record<string, string>>;
  onChange: (path: string, value: Form[string]) => void;
  /** The names of what exists cannot change. */
  existing: boolean;
  disabled?: boolean;
};

/** One section of a definition's form. */
export function DefinitionSection({ section, ...rest }: Props & { section: Section }) {
  return (
    <fieldset className="border-line-subtle border-t pt-3 pb-4" disabled={rest.disabled}>
      <legend className="float-left mb-2 w-full font-semibold text-body">{t(section.title)}</legend>
      <div className="clear-both grid grid-cols-[repeat(auto-fill,minmax(190px,1fr))] items-start gap-x-3 gap-y-2.5">
        {section.fields.map((field) => (
          <One key={field.path} field={field} {...rest} />
        ))}
      </div>
    </fieldset>
  );
}

function One({ field, form, faults, onChange, existing }: Props & { field: Field }) {
  const value = form[field.path];
  if (field.kind === "switch")
    return (
      <Checkbox
        className="col-span-full"
        label={t(field.label)}
        checked={Boolean(value)}
        onChange={(event) => onChange(field.path, event.target.checked)}
      />
    );
  if (field.kind === "rows")
    return (
      <Rows
        field={field}
        rows={(value as Row[]) ?? []}
        faults={faults}
        onChange={(rows) => onChange(field.path, rows)}
      />
    );
  return (
    <Labelled
      label={t(field.label)}
      aside={field.unit && t(field.unit)}
      hint={field.hint && t(field.hint)}
      error={faults[field.path]}
    >
      {(wiring) => (
        <Control
          wiring={wiring}
          field={field}
          value={String(value ?? "")}
          disabled={existing && field.fixed}
          onChange={(next) => onChange(field.path, next)}
        />
      )}
    </Labelled>
  );
}

function Control({
  field,
  value,
  onChange,
  disabled,
  wiring = {},
  label,
}: {
  field: Field;
  value: string;
  onChange: (value: string) => void;
  disabled?: boolean;
  wiring?: object;
  label?: string;
}) {
  const choices = choicesOf(field);
  if (choices)
    return (
      <Choose
        {...wiring}
        label={label}
        value={value}
        onChange={onChange}
        disabled={disabled}
        choices={choices.map(([key, name]) => ({ value: key, label: t(name) }))}
      />
    );
  return (
    <Input
      {...wiring}
      aria-label={label}
      value={value}
      disabled={disabled}
      spellCheck={false}
      inputMode={field.kind === "whole" || field.kind === "decimal" ? "decimal" : undefined}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function choicesOf(field: Field): readonly (readonly [string, string])[] | null {
  if (field.kind === "truth")
    return [
      ["", field.unset],
      ["true", "Yes"],
      ["false", "No"],
    ];
  if (field.kind !== "choice") return null;
  return field.optional ? [["", field.optional], ...field.choices] : field.choices;
}

function Rows({
  field,
  rows,
  faults,
  onChange,
}: {
  field: Field & { kind: "rows" };
  rows: readonly Row[];
  faults: Readonly<Record<string, string>>;
  onChange: (rows: Row[]) => void;
}) {
  const set = (at: number, path: string, value: string) =>
    onChange(rows.map((row, number) => (number === at ? { ...row, [path]: value } : row)));
  const blank = Object.fromEntries(
    field.columns.map((column) => {
      const choices = choicesOf(column);
      return [column.path, choices ? (choices[0]?.[0] ?? "") : ""];
    }),
  );
  const grid = {
    gridTemplateColumns: `repeat(${field.columns.length}, minmax(92px, 1fr)) 28px`,
  };
  return (
    <div className="col-span-full flex min-w-0 flex-col gap-1.5">
      <span className="text-hint text-fg-2">
        {t(field.label)}
        {field.hint && <span className="ml-2 text-fg-3">{t(field.hint)}</span>}
      </span>
      {rows.length > 0 && (
        <div className="flex flex-col gap-1 overflow-x-auto pb-1">
          <div className="grid gap-1.5 text-fg-3 text-hint" style={grid}>
            {field.columns.map((column) => (
              <span key={column.path} className="truncate">
                {t(column.label)}
              </span>
            ))}
          </div>
          {rows.map((row, number) => (
            <div key={number} className="grid items-start gap-1.5" style={grid}>
              {field.columns.map((column) => {
                const fault = faults[`${field.path}.${number}.${column.path}`];
                return (
                  <div key={column.path} className="min-w-0">
                    <Control
                      field={column}
                      label={`${t(column.label)}, ${number + 1}`}
                      wiring={fault ? { "aria-invalid": true } : {}}
                      value={row[column.path] ?? ""}
                      onChange={(value) => set(number, column.path, value)}
                    />
                    {fault && <p className="text-critical text-hint">{fault}</p>}
                  </div>
                );
              })}
              <IconButton
                label={t("Remove row {n}", { n: number + 1 })}
                onClick={() => onChange(rows.filter((_, each) => each !== number))}
              >
                <Trash2 size={14} aria-hidden />
              </IconButton>
            </div>
          ))}
        </div>
      )}
      {faults[field.path] && (
        <p role="alert" className="text-critical text-hint">
          {faults[field.path]}
        </p>
      )}
      <div>
        <Button
          small
          icon={<Plus size={12} aria-hidden />}
          onClick={() => onChange([...rows, blank])}
        >
          {t(field.add)}
        </Button>
      </div>
    </div>
  );
}
