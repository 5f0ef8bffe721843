/** Short messages in the corner. Refusals are assertive for screen readers, the rest polite. */
import { type ExternalToast, toast as sonner } from "sonner";
import { problemOf } from "@/api/problem";
import { t } from "@/text";

export const toast = {
  ok: (title: string, options?: ExternalToast) => sonner.success(title, options),
  info: (title: string, options?: ExternalToast) => sonner.message(title, options),
  warn: (title: string, options?: ExternalToast) =>
    sonner.warning(title, { duration: 8000, ...options }),
  /** What was thrown, in words, with the request's id. */
  problem: (thrown: unknown, title?: string, options?: ExternalToast) => {
    const problem = problemOf(thrown);
    return sonner.error(title ?? (problem.title || t("That did not work")), {
      description: problem.message,
      duration: 8000,
      ...options,
    });
  },
  done: (id: string | number) => sonner.dismiss(id),
};
