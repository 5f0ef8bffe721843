import { useState } from "react";
import { useForm } from "react-hook-form";
import { problemOf } from "@/api/problem";
import { Button } from "@/kit/Button";
import { TextField } from "@/kit/Field";
import { t } from "@/text";
import { signIn } from "./forms";

type Values = { login: string; password: string; code: string };

/** Login, password and, when the account asks for it, the code of the authenticator. */
export function SignInForm({ login, onDone }: { login?: string; onDone: () => void }) {
  const [second, setSecond] = useState(false);
  const { register, handleSubmit, setError, setFocus, formState } = useForm<Values>({
    defaultValues: { login: login ?? "", password: "", code: "" },
  });
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ login: name, password, code }) => {
    try {
      await signIn(name.trim(), password, code.replace(/\s/g, "") || undefined);
      onDone();
    } catch (thrown) {
      const problem = problemOf(thrown);
      if (problem.code === "SECOND_FACTOR") {
        setSecond(true);
        setTimeout(() => setFocus("code"));
      } else setError("root", { message: problem.message });
    }
  });
  return (
    <form onSubmit={submit} noValidate className="flex flex-col gap-3">
      <TextField
        label={t("Login")}
        autoComplete="username"
        autoFocus={!login}
        readOnly={!!login}
        spellCheck={false}
        autoCapitalize="none"
        error={errors.login?.message}
        {...register("login", { required: t("Type your login.") })}
      />
      <TextField
        label={t("Password")}
        type="password"
        autoComplete="current-password"
        autoFocus={!!login}
        error={errors.password?.message}
        {...register("password", { required: t("Type your password.") })}
      />
      {second && (
        <TextField
          label={t("Code of your authenticator")}
          hint={t("Six digits, or one of your recovery codes")}
          autoComplete="one-time-code"
          error={errors.code?.message}
          {...register("code", { required: t("Type the code your authenticator shows.") })}
        />
      )}
      {errors.root && (
        <p role="alert" className="text-critical text-table">
          {errors.root.message}
        </p>
      )}
      <Button type="submit" look="primary" busy={isSubmitting}>
        {t("Sign in")}
      </Button>
    </form>
  );
}
