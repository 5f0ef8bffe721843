/**
 * What a user arranged (layouts, favourites, alerts): kept on the server, so it follows to every device,
 * and in this browser, so it is there at once and when the server is away. The last writer wins.
 */
import { useCallback, useSyncExternalStore } from "react";
import { accessToken, useSession } from "@/api/session";

const SAVE_MS = 800;

type Entry = { value: unknown; loaded: boolean; timer?: ReturnType<typeof setTimeout> };
const entries = new Map<string, Entry>();
const listeners = new Set<() => void>();
const place = (name: string): string => `tradeloom.pref.${useSession.getState().login}.${name}`;

function local(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(place(name)) ?? "null");
  } catch {
    return null;
  }
}

function entry(name: string): Entry {
  let found = entries.get(name);
  if (!found) {
    found = { value: local(name), loaded: false };
    entries.set(name, found);
    void load(name);
  }
  return found;
}

async function call(name: string, init?: RequestInit): Promise<Response> {
  return fetch(`/api/v1/me/preferences${name && "/"}${name}`, {
    ...init,
    headers: { authorization: `Bearer ${await accessToken()}`, "content-type": "application/json" },
    signal: AbortSignal.timeout(10_000),
  });
}

let names: Promise<ReadonlySet<string>> | null = null;

/** What is kept at all, asked once: a preference nobody set yet is no missing page. */
function known(): Promise<ReadonlySet<string>> {
  names ??= call("")
    .then(async (answer) => new Set(answer.ok ? ((await answer.json()) as string[]) : []))
    .catch(() => {
      names = null;
      return new Set<string>();
    });
  return names;
}

async function load(name: string): Promise<void> {
  try {
    if (!(await known()).has(name)) return;
    const answer = await call(name);
    const found = entries.get(name);
    if (!found) return;
    found.loaded = true;
    if (answer.ok) {
      const said = (await answer.json()) as { value?: unknown } | null;
      if (found.timer !== undefined || said?.value === undefined) return; // changed here meanwhile
      if (JSON.stringify(said.value) === JSON.stringify(found.value)) return;
      found.value = said.value;
      tell(name);
    }
  } catch {
    // Away: the browser's copy serves.
  }
}

function tell(name: string): void {
  const found = entries.get(name);
  try {
    localStorage.setItem(place(name), JSON.stringify(found?.value ?? null));
  } catch {
    // Storage is full or off: the server still has it.
  }
  for (const each of listeners) each();
}

/** Keep a preference; written to the server a moment later, once for a burst of changes. */
export function keepPreference(name: string, value: unknown): void {
  const found = entry(name);
  found.value = value;
  tell(name);
  clearTimeout(found.timer);
  found.timer = setTimeout(() => {
    found.timer = undefined;
    void call(name, { method: "PUT", body: JSON.stringify({ value: found.value }) }).catch(
      () => undefined,
    );
  }, SAVE_MS);
}

/** A preference as it is known now. */
export const preference = <T>(name: string, fallback: T): T =>
  (entry(name).value as T | null) ?? fallback;

/** A preference and how to change it, as `useState`. Names: letters, digits, dots and dashes. */
export function usePreference<T>(
  name: string,
  fallback: T,
): [T, (next: T | ((now: T) => T)) => void] {
  const value = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => entry(name).value as T | null,
  );
  const set = useCallback(
    (next: T | ((now: T) => T)) => {
      const now = preference(name, fallback);
      keepPreference(name, typeof next === "function" ? (next as (now: T) => T)(now) : next);
    },
    [name, fallback],
  );
  return [value ?? fallback, set];
}

// Another user in this tab has preferences of his own.
useSession.subscribe((now, before) => {
  if (now.login !== before.login) {
    entries.clear();
    names = null;
    for (const each of listeners) each();
  }
});
