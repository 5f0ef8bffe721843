import { useQuery } from "@tanstack/react-query";
import { useForm } from "react-hook-form";
import { api, ask, type UserOut } from "@/api/client";
import { problemOf } from "@/api/problem";
import { meQuery } from "@/api/queries";
import { Button, Dialog, Field, TextField, toast } from "@/kit";
import { t } from "@/text";
import { Choose } from "./Choose";
import { may } from "./tabs";
import { word } from "./words";

type Values = { login: string; name: string; password: string; role: UserOut["role"] };
const PASSWORD_MIN = 10;

/** A new user of any role; the password must be changed at the first sign-in. */
export function NewUser({
  onClose,
  onCreated,
}: {
  onClose: () => void;
  onCreated: (id: number) => void;
}) {
  const { data: me } = useQuery(meQuery);
  const { register, handleSubmit, setError, setValue, watch, formState } = useForm<Values>({
    defaultValues: { role: "trader", name: "" },
  });
  const { errors, isSubmitting } = formState;
  const roles: UserOut["role"][] = may(me, "roles:manage")
    ? ["trader", "manager", "dealer", "admin", "service"]
    : ["trader"];
  const submit = handleSubmit(async (values) => {
    try {
      const made = await ask(
        api.POST("/api/v1/users", { body: { ...values, login: values.login.trim() } }),
      );
      toast.ok(t("{login} may sign in now", { login: made.login }));
      onCreated(made.id);
      onClose();
    } catch (thrown) {
      const problem = problemOf(thrown);
      const field = (["login", "name", "password", "role"] as const).find(
        (each) => each === problem.field,
      );
      setError(field ?? "root", { message: problem.message }, { shouldFocus: true });
    }
  });
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("New user")}
      footer={
        <>
          <Button onClick={onClose}>{t("Cancel")}</Button>
          <Button type="submit" form="new-user" look="primary" busy={isSubmitting}>
            {t("Create user")}
          </Button>
        </>
      }
    >
      <form id="new-user" onSubmit={submit} noValidate className="flex flex-col gap-3">
        <TextField
          label={t("Login")}
          autoFocus
          spellCheck={false}
          autoCapitalize="none"
          error={errors.login?.message}
          {...register("login", {
            required: t("Choose a login."),
            minLength: { value: 2, message: t("At least 2 characters.") },
          })}
        />
        <TextField
          label={t("Name (optional)")}
          maxLength={128}
          error={errors.name?.message}
          {...register("name")}
        />
        <TextField
          label={t("First password")}
          type="password"
          autoComplete="new-password"
          hint={t("It must be changed at the first sign-in.")}
          error={errors.password?.message}
          {...register("password", {
            required: t("Choose a password."),
            minLength: {
              value: PASSWORD_MIN,
              message: t("At least {n} characters.", { n: PASSWORD_MIN }),
            },
          })}
        />
        <Field
          label={t("Role")}
          hint={roles.length === 1 ? t("Staff needs the right roles:manage.") : undefined}
          error={errors.role?.message}
        >
          {(wiring) => (
            <Choose
              {...wiring}
              value={watch("role")}
              onChange={(role) => setValue("role", role)}
              choices={roles.map((role) => ({ value: role, label: word(role) }))}
            />
          )}
        </Field>
        {errors.root && (
          <p role="alert" className="text-critical text-table">
            {errors.root.message}
          </p>
        )}
      </form>
    </Dialog>
  );
}
