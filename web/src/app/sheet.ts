import { create } from "zustand";

/** Whether the sheet of shortcuts is open. */
export const useSheet = create<{ open: boolean }>(() => ({ open: false }));
