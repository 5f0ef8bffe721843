/** What differs between two definitions, field by field, as the server tells it. */
import type { FieldChange } from "@/api/client";

type Body = Readonly<Record<string, unknown>>;

function flat(body: Body, prefix = ""): [string, unknown][] {
  return Object.entries(body).flatMap(([key, value]): [string, unknown][] =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? flat(value as Body, `${prefix}${key}.`)
      : [[prefix + key, value]],
  );
}

/** JSON in which the order of an object's fields does not matter. */
const plain = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, each: unknown) =>
    each !== null && typeof each === "object" && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );

/** Fields with dots into objects; lists are compared whole. */
export function differences(before: Body | null, after: Body): FieldChange[] {
  const old = new Map(flat(before ?? {}));
  const now = new Map(flat(after));
  const names = new Set([...now.keys(), ...old.keys()]);
  const same = (a: unknown, b: unknown) => plain(a) === plain(b);
  return [...names]
    .filter((field) => !same(old.get(field), now.get(field)))
    .map((field) => ({ field, old: old.get(field) ?? null, new: now.get(field) ?? null }));
}
