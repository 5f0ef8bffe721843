import { useNavigate } from "@tanstack/react-router";
import { UserRound } from "lucide-react";
import { api, ask } from "@/api/client";
import { queries } from "@/api/queries";
import { signedOut, useSession } from "@/api/session";
import { IconButton } from "@/kit/Button";
import { LazyMenu } from "@/kit/LazyMenu";
import { showAccount } from "@/live/trading";
import { t } from "@/text";
import { useSheet } from "./sheet";

/** End the session here and on the server. */
export async function signOut(): Promise<void> {
  await ask(api.POST("/api/v1/me/sign-out")).catch(() => undefined);
  showAccount(0);
  signedOut();
  queries.clear();
}

/** Who is signed in, and the way out. */
export function UserMenu() {
  const navigate = useNavigate();
  const login = useSession((s) => s.login);
  return (
    <LazyMenu
      align="end"
      trigger={
        <IconButton label={t("User menu")}>
          <UserRound size={15} aria-hidden />
        </IconButton>
      }
      items={[
        {
          label: t("Signed in as {login}", { login }),
          onSelect: () => void navigate({ to: "/settings/{-$tab}" }),
        },
        "line",
        {
          label: t("Settings"),
          keys: "g s",
          onSelect: () => void navigate({ to: "/settings/{-$tab}" }),
        },
        {
          label: t("Keyboard shortcuts"),
          keys: "?",
          onSelect: () => useSheet.setState({ open: true }),
        },
        { label: t("API reference"), onSelect: () => window.open("/docs", "_blank", "noopener") },
        "line",
        {
          label: t("Sign out"),
          onSelect: () => void signOut().then(() => navigate({ to: "/sign-in" })),
        },
      ]}
    />
  );
}
