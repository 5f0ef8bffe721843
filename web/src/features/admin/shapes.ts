/**
 * How a definition (a group, an instrument) is shown as a form: sections of fields by their path in
 * the body. A form holds text, as typed; `bodyOf` makes the body the server takes.
 */
import { t } from "@/text";

export type Choice = readonly [value: string, label: string];
export type Kind =
  | { kind: "text" }
  | { kind: "decimal"; signed?: boolean; optional?: boolean }
  | { kind: "whole"; optional?: boolean }
  | { kind: "numbers"; count: number }
  | { kind: "switch" }
  | { kind: "choice"; choices: readonly Choice[]; optional?: string }
  | { kind: "truth"; unset: string }
  | { kind: "rows"; columns: readonly Field[]; add: string };
export type Field = {
  path: string;
  label: string;
  unit?: string;
  hint?: string;
  /** Fixed once it exists: it is its name. */
  fixed?: boolean;
} & Kind;
export type Section = { title: string; fields: readonly Field[] };
export type Shape = { what: "group" | "instrument"; name: string; sections: readonly Section[] };

export type Row = Record<string, string>;
export type Form = Record<string, string | boolean | Row[]>;
export type Body = Record<string, unknown>;

const LABELS = new Map<string, string>();

/** A shape whose labels are known to `fieldName`. */
export function shape(made: Shape): Shape {
  for (const section of made.sections)
    for (const field of section.fields) LABELS.set(field.path, field.label);
  return made;
}

/** What a field of the body is called. */
export function fieldName(path: string): string {
  const known = LABELS.get(path);
  if (known) return t(known);
  const plain = path.replaceAll("_", " ").replaceAll(".", ", ");
  return plain.charAt(0).toUpperCase() + plain.slice(1);
}

export const at = (body: unknown, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => (value as Body | null)?.[key], body);

function put(body: Body, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop() as string;
  let place = body;
  for (const key of keys) {
    place[key] = { ...((place[key] as Body | null) ?? {}) };
    place = place[key] as Body;
  }
  place[last] = value;
}

const asText = (value: unknown): string =>
  value === null || value === undefined
    ? ""
    : Array.isArray(value)
      ? value.join(" ")
      : String(value);

/** A body as a form. */
export function formOf(shape: Shape, body: Body): Form {
  const form: Form = {};
  for (const field of shape.sections.flatMap((section) => section.fields)) {
    const value = at(body, field.path);
    if (field.kind === "switch") form[field.path] = Boolean(value);
    else if (field.kind === "rows")
      form[field.path] = ((value as Body[] | undefined) ?? []).map((row) =>
        Object.fromEntries(
          field.columns.map((column) => [column.path, asText(at(row, column.path))]),
        ),
      );
    else form[field.path] = asText(value);
  }
  return form;
}

function toValue(field: Field, text: string): unknown {
  const clean = text.trim();
  switch (field.kind) {
    case "whole":
      return clean === "" ? null : Number(clean);
    case "decimal":
      return clean === "" ? null : clean;
    case "numbers":
      return clean.split(/[\s,]+/).map(Number);
    case "choice":
      return clean === "" ? null : clean;
    case "truth":
      return clean === "" ? null : clean === "true";
    default:
      return clean;
  }
}

/** The body of a form; what the form does not show stays as it is in `old`. */
export function bodyOf(shape: Shape, form: Form, old: Body): Body {
  const body: Body = { ...old };
  for (const field of shape.sections.flatMap((section) => section.fields)) {
    const value = form[field.path];
    if (field.kind === "switch") put(body, field.path, Boolean(value));
    else if (field.kind === "rows")
      put(
        body,
        field.path,
        ((value as Row[]) ?? []).map((row) => rowOf(field.columns, row)),
      );
    else put(body, field.path, toValue(field, String(value ?? "")));
  }
  return body;
}

/** A row; an object inside of which nothing is given becomes null. */
function rowOf(columns: readonly Field[], row: Row): Body {
  const made: Body = {};
  for (const column of columns) put(made, column.path, toValue(column, row[column.path] ?? ""));
  for (const [key, value] of Object.entries(made)) {
    if (value === null || typeof value !== "object" || Array.isArray(value)) continue;
    const first = columns.find((column) => column.path.startsWith(`${key}.`));
    if (first && (row[first.path] ?? "") === "") made[key] = null;
  }
  return made;
}

const DECIMAL = /^\d{1,20}(\.\d{1,12})?$/;
const SIGNED = /^-?\d{1,20}(\.\d{1,12})?$/;

function faultOf(field: Field, text: string): string | null {
  const clean = text.trim();
  const optional = "optional" in field && field.optional !== undefined && field.optional !== false;
  if (clean === "") return optional || field.kind === "truth" ? null : t("This must be given.");
  if (field.kind === "whole" && !/^\d{1,15}$/.test(clean)) return t("A whole number, 0 or more.");
  if (field.kind === "decimal" && !(field.signed ? SIGNED : DECIMAL).test(clean))
    return field.signed
      ? t("A number with a point, such as -2.5.")
      : t("A number with a point, such as 0.01.");
  if (field.kind === "numbers") {
    const parts = clean.split(/[\s,]+/);
    if (parts.length !== field.count || parts.some((part) => !/^\d{1,4}$/.test(part)))
      return t("{n} whole numbers with spaces between.", { n: field.count });
  }
  return null;
}

/** What is wrong with a form before anybody is asked, by path; rows as `path.number.column`. */
export function faultsOf(shape: Shape, form: Form): Record<string, string> {
  const found: Record<string, string> = {};
  for (const field of shape.sections.flatMap((section) => section.fields)) {
    const value = form[field.path];
    if (field.kind === "rows") {
      for (const [number, row] of ((value as Row[]) ?? []).entries())
        for (const column of field.columns) {
          const blank = isBlank(field.columns, row, column);
          const fault = blank ? null : faultOf(column, row[column.path] ?? "");
          if (fault) found[`${field.path}.${number}.${column.path}`] = fault;
        }
    } else if (field.kind !== "switch") {
      const fault = faultOf(field, String(value ?? ""));
      if (fault) found[field.path] = fault;
    }
  }
  return found;
}

/** A field of an object that is not given at all. */
function isBlank(columns: readonly Field[], row: Row, column: Field): boolean {
  const [parent, ...rest] = column.path.split(".");
  if (rest.length === 0) return false;
  const first = columns.find((each) => each.path.startsWith(`${parent}.`));
  return (row[first?.path ?? ""] ?? "") === "";
}
