import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { t } from "@/text";
import { Door } from "./Door";
import { SignInForm } from "./SignInForm";

/** /sign-in */
export default function SignInPage() {
  const router = useRouter();
  const { next } = useSearch({ from: "/sign-in" });
  return (
    <Door
      title={t("Sign in")}
      below={
        <>
          {t("New here?")}{" "}
          <Link to="/sign-up" className="text-accent underline">
            {t("Open a demo account")}
          </Link>
        </>
      }
    >
      <SignInForm onDone={() => router.history.push(next ?? "/terminal")} />
    </Door>
  );
}
