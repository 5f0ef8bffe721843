import {
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  type TextareaHTMLAttributes,
  useId,
} from "react";
import { cx } from "./cx";

export const INPUT =
  "w-full min-w-0 rounded-panel border border-line-strong bg-canvas px-2.5 text-table text-fg placeholder:text-fg-3 " +
  "disabled:opacity-50 aria-invalid:border-critical aria-invalid:bg-critical/5";

/** What a field's control must carry so that label, hint and error belong to it. */
export type Wiring = { id: string; "aria-describedby"?: string; "aria-invalid"?: true };

/** Label above, hint and error below. The error says what is wrong and how to put it right. */
export function Field({
  label,
  hint,
  error,
  aside,
  children,
  className,
}: {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | null;
  /** Right of the label: a unit, a distance in points. */
  aside?: ReactNode;
  children: (wiring: Wiring) => ReactNode;
  className?: string;
}) {
  const id = useId();
  const said = error || hint;
  const wiring: Wiring = {
    id,
    ...(said ? { "aria-describedby": `${id}-said` } : {}),
    ...(error ? { "aria-invalid": true as const } : {}),
  };
  return (
    <div className={cx("flex min-w-0 flex-col gap-1", className)}>
      <div className="flex items-baseline justify-between gap-2">
        <label htmlFor={id} className="truncate text-hint text-fg-2">
          {label}
        </label>
        {aside !== undefined && <span className="truncate text-hint text-fg-3">{aside}</span>}
      </div>
      {children(wiring)}
      {said && (
        <p
          id={`${id}-said`}
          role={error ? "alert" : undefined}
          className={cx("text-hint", error ? "text-critical" : "text-fg-3")}
        >
          {said}
        </p>
      )}
    </div>
  );
}

type InputProps = InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement> };

/** A plain input, dressed. */
export function Input({ className, ...rest }: InputProps) {
  return <input className={cx(INPUT, "h-control", className)} autoComplete="off" {...rest} />;
}

/** Several lines of text. */
export function TextArea({
  className,
  ...rest
}: TextareaHTMLAttributes<HTMLTextAreaElement> & { ref?: Ref<HTMLTextAreaElement> }) {
  return <textarea className={cx(INPUT, "min-h-16 py-1.5", className)} {...rest} />;
}

/** Field and input in one, the usual case: spread `register("name")` of react-hook-form into it. */
export function TextField({
  label,
  hint,
  error,
  aside,
  className,
  ...rest
}: InputProps & { label: ReactNode; hint?: ReactNode; error?: string | null; aside?: ReactNode }) {
  return (
    <Field label={label} hint={hint} error={error} aside={aside} className={className}>
      {(wiring) => <Input {...rest} {...wiring} />}
    </Field>
  );
}

/** A tick box with its words. */
export function Checkbox({
  label,
  className,
  ...rest
}: InputHTMLAttributes<HTMLInputElement> & { label: ReactNode; ref?: Ref<HTMLInputElement> }) {
  return (
    <label className={cx("flex min-h-6 items-center gap-2 text-table text-fg-2", className)}>
      <input type="checkbox" className="size-3.5 accent-accent-solid" {...rest} />
      <span>{label}</span>
    </label>
  );
}
