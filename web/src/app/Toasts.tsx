import { useEffect } from "react";
import { Toaster } from "sonner";
import { toasterReady } from "@/kit/toast";
import { t } from "@/text";
import { shownTheme, useLook } from "./look";

/** Where toasts appear. */
export default function Toasts() {
  useLook((s) => s.theme);
  useEffect(toasterReady, []);
  return (
    <Toaster
      theme={shownTheme()}
      position="bottom-right"
      offset={{ bottom: 32, right: 12 }}
      mobileOffset={{ bottom: 64 }}
      gap={8}
      containerAriaLabel={t("Messages")}
      toastOptions={{
        style: {
          background: "var(--bg-raised)",
          border: "1px solid var(--line)",
          color: "var(--fg)",
          borderRadius: 6,
          fontSize: 12,
          fontFamily: "var(--font-sans)",
          boxShadow: "var(--shadow)",
        },
        descriptionClassName: "toast-description",
      }}
    />
  );
}
