/**
 * Short messages in the corner. The toaster is loaded with the first message; refusals are assertive for
 * screen readers, the rest polite.
 */
import type { ExternalToast } from "sonner";
import { create } from "zustand";
import { problemOf } from "@/api/problem";
import { t } from "@/text";

type Sonner = typeof import("sonner");

/** `wanted`: the shell renders the toaster. It reports through `toasterReady` once it listens. */
export const useToaster = create<{ wanted: boolean }>(() => ({ wanted: false }));

let ready: () => void = () => undefined;
const listening = new Promise<void>((resolve) => {
  ready = resolve;
});
export const toasterReady = (): void => ready();

async function show(how: (sonner: Sonner["toast"]) => unknown): Promise<void> {
  useToaster.setState({ wanted: true });
  const [{ toast: sonner }] = await Promise.all([import("sonner"), listening]);
  how(sonner);
}

export const toast = {
  ok: (title: string, options?: ExternalToast): void => void show((s) => s.success(title, options)),
  info: (title: string, options?: ExternalToast): void =>
    void show((s) => s.message(title, options)),
  warn: (title: string, options?: ExternalToast): void =>
    void show((s) => s.warning(title, { duration: 8000, ...options })),
  /** What was thrown, in words. */
  problem: (thrown: unknown, title?: string, options?: ExternalToast): void => {
    const problem = problemOf(thrown);
    void show((s) =>
      s.error(title ?? (problem.title || t("That did not work")), {
        description: problem.message,
        duration: 8000,
        ...options,
      }),
    );
  },
  /** Take away the toast that was shown with `{ id }`. */
  done: (id: string | number): void => void show((s) => s.dismiss(id)),
};
