import { type ReactNode, useEffect, useState } from "react";
import { problemOf } from "@/api/problem";
import { t } from "@/text";
import { Button } from "./Button";
import { cx } from "./cx";

/** Nothing here (yet): what it is, one sentence, one action. */
export function Empty({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="grid h-full place-items-center p-6">
      <div className="flex max-w-72 flex-col items-center gap-1 text-center">
        <p className="font-semibold text-body">{title}</p>
        {children && <div className="text-fg-2 text-table">{children}</div>}
        {action && <div className="mt-2">{action}</div>}
      </div>
    </div>
  );
}

/** What went wrong, its effect, and what to do; with the request's id for support. */
export function Failed({
  error,
  onRetry,
  className,
}: {
  error: unknown;
  onRetry?: () => void;
  className?: string;
}) {
  const problem = problemOf(error);
  return (
    <div role="alert" className={cx("grid h-full place-items-center p-6", className)}>
      <div className="flex max-w-96 flex-col items-center gap-1 text-center">
        <p className="font-semibold text-body text-critical">
          {problem.status === 403 ? t("Not allowed") : problem.title || t("That did not work")}
        </p>
        <p className="text-fg-2 text-table">{problem.message}</p>
        {problem.requestId && <p className="font-mono text-fg-3 text-tag">{problem.requestId}</p>}
        {onRetry && (
          <Button className="mt-2" onClick={onRetry}>
            {t("Try again")}
          </Button>
        )}
      </div>
    </div>
  );
}

/** A skeleton, shown only when loading takes longer than 300 ms. */
export function Loading({ rows = 6 }: { rows?: number }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" aria-label={t("Loading")} className="flex flex-col gap-2 p-3">
      {late &&
        Array.from({ length: rows }, (_, at) => (
          <div
            key={at}
            className="h-4 rounded-inner bg-raised"
            style={{ width: `${90 - ((at * 17) % 40)}%` }}
          />
        ))}
    </div>
  );
}

export type Tone = "ok" | "warning" | "critical" | "info" | "off";
const SHAPES: Record<Tone, string> = { ok: "●", warning: "◆", critical: "■", info: "●", off: "●" };
const TONES: Record<Tone, string> = {
  ok: "text-ok",
  warning: "text-warning",
  critical: "text-critical",
  info: "text-info",
  off: "text-off",
};

/** A state: colour, shape and word together, so nobody depends on the colour. */
export function Status({
  tone,
  children,
  className,
}: {
  tone: Tone;
  children: ReactNode;
  className?: string;
}) {
  return (
    <span className={cx("inline-flex items-center gap-1.5 whitespace-nowrap", className)}>
      <span aria-hidden className={cx("text-[9px]", TONES[tone])}>
        {SHAPES[tone]}
      </span>
      <span>{children}</span>
    </span>
  );
}

/** A small outlined word: DEMO, Admin, disabled. */
export function Tag({ tone, children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={cx(
        "inline-flex h-[18px] items-center whitespace-nowrap rounded-inner border border-line px-1.5 text-tag",
        tone ? TONES[tone] : "text-fg-2",
      )}
    >
      {children}
    </span>
  );
}
