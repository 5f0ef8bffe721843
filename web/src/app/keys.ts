/**
 * The registry of keyboard shortcuts: one place binds them, the `?` sheet prints them. Keys are in the
 * notation of tinykeys ("$mod+K", "g t"). Single letters are off inside inputs and can be turned off.
 */
import { useEffect } from "react";
import { tinykeys } from "tinykeys";
import { create } from "zustand";
import { useLook } from "./look";

export type Shortcut = {
  keys: string;
  /** What it does, for the sheet. */
  label: string;
  /** Heading in the sheet: the page's name. */
  group: string;
  run: (event: KeyboardEvent) => void;
  /** Works while typing in a field too (only for keys with Ctrl or Alt, and Escape). */
  inFields?: boolean;
};

export const useKeys = create<{ shortcuts: readonly Shortcut[] }>(() => ({ shortcuts: [] }));

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) &&
  !(target instanceof HTMLInputElement && /^(checkbox|radio|button|range)$/.test(target.type));

const single = (keys: string): boolean => !/(\$mod|Control|Alt|Meta|Escape|F\d)/.test(keys);

/** Bind shortcuts; returns how to unbind them. */
export function bind(shortcuts: readonly Shortcut[]): () => void {
  const map: Record<string, (event: KeyboardEvent) => void> = {};
  for (const each of shortcuts)
    map[each.keys] = (event) => {
      if (event.defaultPrevented || (typing(event.target) && !each.inFields)) return;
      if (single(each.keys) && !useLook.getState().singleKeys) return;
      if (document.querySelector('[role="dialog"][data-open]') && !each.inFields) return;
      event.preventDefault();
      each.run(event);
    };
  // tinykeys would pass over everything typed into a field; `inFields` decides that here.
  const end = tinykeys(window, map, { ignore: (event) => event.repeat || event.isComposing });
  useKeys.setState(({ shortcuts: known }) => ({ shortcuts: [...known, ...shortcuts] }));
  return () => {
    end();
    useKeys.setState(({ shortcuts: known }) => ({
      shortcuts: known.filter((s) => !shortcuts.includes(s)),
    }));
  };
}

/** Bind shortcuts while a component is on the screen. Memoise the list. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  useEffect(() => bind(shortcuts), [shortcuts]);
}

const MAC = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);
const NAMES: Record<string, string> = {
  $mod: MAC ? "⌘" : "Ctrl",
  Shift: MAC ? "⇧" : "Shift",
  Alt: MAC ? "⌥" : "Alt",
  Escape: "Esc",
  ArrowUp: "↑",
  ArrowDown: "↓",
};

/** Keys as they stand on the keyboard: [["Ctrl", "K"]], [["g"], ["t"]]. */
export const shownKeys = (keys: string): string[][] =>
  keys
    .split(" ")
    .map((press) => press.split("+").map((key) => NAMES[key] ?? key.replace(/^(Key|Digit)/, "")));
