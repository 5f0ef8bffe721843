import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useForm } from "react-hook-form";
import { problemOf } from "@/api/problem";
import { openDemo } from "@/app/demo";
import { Button } from "@/kit/Button";
import { TextField } from "@/kit/Field";
import { toast } from "@/kit/toast";
import { t } from "@/text";
import { Door } from "./Door";
import { PASSWORD_MIN, signUp } from "./forms";

type Values = { login: string; password: string; name: string };

/** /sign-up: one form, one click: a user, a demo account with play money, and the terminal. */
export default function SignUpPage() {
  const navigate = useNavigate();
  const client = useQueryClient();
  const { register, handleSubmit, setError, formState } = useForm<Values>();
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ login, password, name }) => {
    try {
      await signUp(login.trim(), password, name?.trim() ?? "");
    } catch (thrown) {
      const problem = problemOf(thrown);
      const field =
        problem.field === "login" || problem.field === "password" || problem.field === "name"
          ? problem.field
          : "root";
      setError(field, { message: problem.message }, { shouldFocus: true });
      return;
    }
    // The user exists from here on: a demo account that fails to open is no reason to stay outside.
    await openDemo(client).catch((thrown) => toast.problem(thrown));
    await navigate({ to: "/terminal/{-$layout}" });
  });
  return (
    <Door
      title={t("Open a demo account")}
      below={
        <>
          {t("Already here?")}{" "}
          <Link to="/sign-in" className="text-accent underline">
            {t("Sign in")}
          </Link>
        </>
      }
    >
      <form onSubmit={submit} noValidate className="flex flex-col gap-3">
        <TextField
          label={t("Login")}
          autoComplete="username"
          autoFocus
          spellCheck={false}
          autoCapitalize="none"
          hint={t("2 to 64 characters, for signing in")}
          error={errors.login?.message}
          {...register("login", {
            required: t("Choose a login."),
            minLength: { value: 2, message: t("At least 2 characters.") },
            maxLength: { value: 64, message: t("At most 64 characters.") },
          })}
        />
        <TextField
          label={t("Password")}
          type="password"
          autoComplete="new-password"
          hint={t("At least {n} characters; a sentence is good", { n: PASSWORD_MIN })}
          error={errors.password?.message}
          {...register("password", {
            required: t("Choose a password."),
            minLength: {
              value: PASSWORD_MIN,
              message: t("At least {n} characters.", { n: PASSWORD_MIN }),
            },
            maxLength: { value: 128, message: t("At most 128 characters.") },
          })}
        />
        <TextField
          label={t("Your name (optional)")}
          autoComplete="name"
          error={errors.name?.message}
          {...register("name", {
            maxLength: { value: 128, message: t("At most 128 characters.") },
          })}
        />
        {errors.root && (
          <p role="alert" className="text-critical text-table">
            {errors.root.message}
          </p>
        )}
        <Button type="submit" look="primary" busy={isSubmitting}>
          {t("Start trading with play money")}
        </Button>
        <p className="text-fg-3 text-hint">
          {t("You get a demo account with play money at once. No e-mail, no real money.")}
        </p>
      </form>
    </Door>
  );
}
