import { queries } from "@/api/queries";
import { signedOut, useSession } from "@/api/session";
import { Button } from "@/kit/Button";
import { Dialog } from "@/kit/Dialog";
import { t } from "@/text";
import { SignInForm } from "./SignInForm";

/** The session ended: sign in again over the page, nothing typed is lost. */
export default function SignInAgain() {
  const login = useSession((s) => s.login);
  return (
    <Dialog
      open
      mustAnswer
      onClose={() => undefined}
      title={t("Your session has ended")}
      description={t(
        "Sign in again to go on where you were. Nothing you typed is lost; orders and positions are not affected.",
      )}
      footer={
        <Button
          look="quiet"
          onClick={() => {
            signedOut();
            location.assign("/sign-in");
          }}
        >
          {t("Sign in as somebody else")}
        </Button>
      }
    >
      <SignInForm login={login} onDone={() => void queries.invalidateQueries()} />
    </Dialog>
  );
}
