import { toast } from "@/kit";
import { t } from "@/text";
import { PasswordForm } from "../signin/PasswordForm";
import { Part } from "./Heading";
import { SecondFactor } from "./SecondFactor";

/** The password and the second factor. */
export default function Security() {
  return (
    <>
      <Part title={t("Password")} said={t("Changing it ends every other session.")}>
        <PasswordForm onDone={() => toast.ok(t("The password is changed"))} />
      </Part>
      <Part
        title={t("Second factor")}
        said={t(
          "An authenticator app shows a new code every 30 seconds. With it on, a stolen password alone opens nothing.",
        )}
      >
        <SecondFactor />
      </Part>
    </>
  );
}
