import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { t } from "@/text";
import { IconButton } from "./Button";
import { cx } from "./cx";

/** A modal dialog: focus stays inside, Esc and the backdrop close it (unless `mustAnswer`). */
export function Dialog({
  open,
  onClose,
  title,
  description,
  children,
  footer,
  mustAnswer = false,
  wide = false,
  className,
}: {
  open: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  children?: ReactNode;
  footer?: ReactNode;
  mustAnswer?: boolean;
  wide?: boolean;
  className?: string;
}) {
  return (
    <Base.Root
      open={open}
      onOpenChange={(next) => !next && onClose()}
      disablePointerDismissal={mustAnswer}
    >
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-[var(--overlay)] transition-opacity duration-160 data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Base.Popup
          className={cx(
            "fixed top-1/2 left-1/2 z-40 flex max-h-[min(92dvh,860px)] w-[calc(100vw-24px)] -translate-x-1/2 -translate-y-1/2 flex-col",
            "rounded-dialog border border-line bg-surface shadow-float outline-none",
            "transition-[opacity,scale] duration-160 data-ending-style:scale-98 data-ending-style:opacity-0 data-starting-style:scale-98 data-starting-style:opacity-0",
            wide ? "max-w-3xl" : "max-w-md",
            className,
          )}
        >
          <header className="flex items-start gap-3 px-4 pt-4 pb-2">
            <div className="min-w-0 flex-1">
              <Base.Title className="font-semibold text-[15px]">{title}</Base.Title>
              {description && (
                <Base.Description className="mt-1 text-body text-fg-2">
                  {description}
                </Base.Description>
              )}
            </div>
            {!mustAnswer && (
              <IconButton label={t("Close")} onClick={onClose} className="-mt-1 -mr-1">
                <X size={15} aria-hidden />
              </IconButton>
            )}
          </header>
          <div className="min-h-0 flex-1 overflow-auto px-4 py-2">{children}</div>
          {footer && (
            <footer className="flex flex-wrap justify-end gap-2 px-4 pt-2 pb-4">{footer}</footer>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
