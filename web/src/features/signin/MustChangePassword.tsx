import { queries } from "@/api/queries";
import { useSession } from "@/api/session";
import { Dialog } from "@/kit/Dialog";
import { t } from "@/text";
import { PasswordForm } from "./PasswordForm";

/** A password somebody else chose must be changed before anything else. */
export default function MustChangePassword() {
  return (
    <Dialog
      open
      mustAnswer
      onClose={() => undefined}
      title={t("Choose your own password")}
      description={t("The password you signed in with was given to you. Change it to go on.")}
    >
      <PasswordForm
        onDone={() => {
          useSession.setState({ mustChangePassword: false });
          void queries.invalidateQueries();
        }}
      />
    </Dialog>
  );
}
