import { useForm } from "react-hook-form";
import { api, ask } from "@/api/client";
import { problemOf } from "@/api/problem";
import { Button } from "@/kit/Button";
import { TextField } from "@/kit/Field";
import { t } from "@/text";
import { PASSWORD_MIN } from "./forms";

type Values = { old: string; new: string; again: string };

/** Old password, new password twice. */
export function PasswordForm({ onDone }: { onDone: () => void }) {
  const { register, handleSubmit, setError, getValues, reset, formState } = useForm<Values>();
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async (values) => {
    try {
      await ask(api.POST("/api/v1/me/password", { body: { old: values.old, new: values.new } }));
      reset();
      onDone();
    } catch (thrown) {
      const problem = problemOf(thrown);
      const wrong =
        problem.code === "BAD_CREDENTIALS"
          ? "old"
          : problem.field === "new" || problem.field === "password"
            ? "new"
            : "root";
      setError(wrong, {
        message: wrong === "old" ? t("This is not your present password.") : problem.message,
      });
    }
  });
  return (
    <form onSubmit={submit} noValidate className="flex max-w-sm flex-col gap-3">
      <TextField
        label={t("Present password")}
        type="password"
        autoComplete="current-password"
        error={errors.old?.message}
        {...register("old", { required: t("Type your present password.") })}
      />
      <TextField
        label={t("New password")}
        type="password"
        autoComplete="new-password"
        hint={t("At least {n} characters; a sentence is good", { n: PASSWORD_MIN })}
        error={errors.new?.message}
        {...register("new", {
          required: t("Choose a password."),
          minLength: {
            value: PASSWORD_MIN,
            message: t("At least {n} characters.", { n: PASSWORD_MIN }),
          },
        })}
      />
      <TextField
        label={t("New password again")}
        type="password"
        autoComplete="new-password"
        error={errors.again?.message}
        {...register("again", {
          validate: (value) => value === getValues("new") || t("The two new passwords differ."),
        })}
      />
      {errors.root && (
        <p role="alert" className="text-critical text-table">
          {errors.root.message}
        </p>
      )}
      <Button type="submit" look="primary" busy={isSubmitting} className="self-start">
        {t("Change password")}
      </Button>
    </form>
  );
}
