/** Actions of the command palette (Ctrl K). Pages add theirs while they are on the screen. */
import { useEffect } from "react";
import { create } from "zustand";

export type Command = {
  id: string;
  label: string;
  /** Heading in the palette. */
  group: string;
  /** More words to find it by. */
  words?: string;
  keys?: string;
  run: () => void;
};

export const useCommands = create<{ commands: readonly Command[]; open: boolean; query: string }>(
  () => ({
    commands: [],
    open: false,
    query: "",
  }),
);

/** Open the palette, with a first letter typed already if given. */
export const openPalette = (query = ""): void => useCommands.setState({ open: true, query });

/** Offer commands while a component is on the screen. Memoise the list. */
export function useCommandList(commands: readonly Command[]): void {
  useEffect(() => {
    useCommands.setState(({ commands: known }) => ({ commands: [...known, ...commands] }));
    return () =>
      useCommands.setState(({ commands: known }) => ({
        commands: known.filter((c) => !commands.includes(c)),
      }));
  }, [commands]);
}
