import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { cx } from "./cx";

export type ButtonLook = "plain" | "primary" | "quiet" | "danger" | "buy" | "sell";

const LOOKS: Record<ButtonLook, string> = {
  plain: "border border-line bg-raised text-fg hover:bg-hover active:bg-active",
  primary: "bg-accent-solid text-white hover:brightness-110 active:brightness-95",
  quiet: "text-fg-2 hover:bg-hover hover:text-fg active:bg-active",
  danger: "border border-critical/70 bg-transparent text-critical hover:bg-critical/10",
  buy: "bg-buy text-white hover:brightness-110",
  sell: "bg-sell text-white hover:brightness-110",
};

/** One primary button per view. `busy` keeps the width, disables, and tells assistive technology. */
export function Button({
  look = "plain",
  busy = false,
  icon,
  small = false,
  className,
  children,
  disabled,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: ButtonLook;
  busy?: boolean;
  small?: boolean;
  icon?: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}) {
  return (
    <button
      type="button"
      aria-busy={busy || undefined}
      disabled={disabled || busy}
      className={cx(
        "inline-flex shrink-0 select-none items-center justify-center gap-1.5 whitespace-nowrap rounded-panel font-medium",
        "transition-[background-color,filter] duration-120 disabled:opacity-50",
        small ? "h-6 min-w-6 px-2 text-hint" : "h-control px-3 text-table",
        LOOKS[look],
        className,
      )}
      {...rest}
    >
      {icon}
      {children}
    </button>
  );
}

/** A button that is only an icon: `label` is its name for everybody. */
export function IconButton({
  label,
  className,
  children,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={cx(
        "inline-grid size-control shrink-0 place-items-center rounded-panel text-fg-2 transition-colors duration-120",
        "hover:bg-hover hover:text-fg active:bg-active disabled:opacity-50",
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
