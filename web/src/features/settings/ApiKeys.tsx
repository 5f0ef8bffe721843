import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, ask, type NewKeyOut } from "@/api/client";
import { problemOf } from "@/api/problem";
import { meQuery } from "@/api/queries";
import { ago, date } from "@/format/time";
import {
  Button,
  Checkbox,
  Confirm,
  Dialog,
  Empty,
  Failed,
  Loading,
  Tag,
  TextField,
  toast,
} from "@/kit";
import { t } from "@/text";
import { Part } from "./Heading";

const KEY = ["me", "keys"];

/** Keys for programs: made with part of the own rights, shown once, ended at any time. */
export default function ApiKeys() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    queryFn: () => ask(api.GET("/api/v1/me/keys")),
  });
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewKeyOut | null>(null);
  const [ending, setEnding] = useState<string | null>(null);
  const end = useMutation({
    mutationFn: (prefix: string) =>
      ask(api.DELETE("/api/v1/me/keys/{prefix}", { params: { path: { prefix } } })),
    onSettled: () => client.invalidateQueries({ queryKey: KEY }),
  });
  if (error) return <Failed error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading />;
  const create = (
    <Button look="primary" onClick={() => setMaking(true)}>
      {t("New key")}
    </Button>
  );
  return (
    <Part
      title={t("API keys")}
      said={t(
        "A program signs in with a key instead of a password. A key has at most your own rights.",
      )}
    >
      {data.length === 0 ? (
        <Empty title={t("No keys")} action={create}>
          {t("Make one for each program, so that you can end it alone.")}
        </Empty>
      ) : (
        <>
          <ul className="mb-3 divide-y divide-line-subtle border-line-subtle border-y">
            {data.map((each) => (
              <li
                key={each.prefix}
                className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2 text-table"
              >
                <div className="min-w-0 flex-1">
                  <p className="font-medium">
                    {each.name}{" "}
                    <code className="ml-1 font-mono text-fg-3 text-hint">{each.prefix}…</code>
                  </p>
                  <p className="flex flex-wrap items-center gap-1 text-fg-2 text-hint">
                    {each.scopes.map((scope) => (
                      <Tag key={scope}>{scope}</Tag>
                    ))}
                    <span>
                      {t("made {date}", { date: date(each.created) })} ·{" "}
                      {each.used ? t("used {time}", { time: ago(each.used) }) : t("never used")}
                      {each.expires ? ` · ${t("until {date}", { date: date(each.expires) })}` : ""}
                    </span>
                  </p>
                </div>
                <Button small look="danger" onClick={() => setEnding(each.prefix)}>
                  {t("End")}
                </Button>
              </li>
            ))}
          </ul>
          {create}
        </>
      )}
      {making && (
        <NewKey
          onClose={() => setMaking(false)}
          onMade={(key) => {
            setMaking(false);
            setMade(key);
            void client.invalidateQueries({ queryKey: KEY });
          }}
        />
      )}
      {made && <Shown made={made} onClose={() => setMade(null)} />}
      <Confirm
        open={ending !== null}
        onClose={() => setEnding(null)}
        onConfirm={() => end.mutateAsync(ending ?? "")}
        title={t("End the key {prefix}…", { prefix: ending ?? "" })}
        action={t("End the key")}
      >
        <p>
          {t("Programs that use it stop at once. This cannot be undone; make a new key instead.")}
        </p>
      </Confirm>
    </Part>
  );
}

type Values = { name: string; expires: string; scopes: string[] };

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: NewKeyOut) => void }) {
  const { data: me } = useQuery(meQuery);
  const { register, handleSubmit, setError, formState } = useForm<Values>({
    defaultValues: { name: "", expires: "", scopes: [] },
  });
  const { errors, isSubmitting } = formState;
  const submit = handleSubmit(async ({ name, expires, scopes }) => {
    try {
      const end = expires ? new Date(`${expires}T23:59:59`).toISOString() : null;
      onMade(
        await ask(
          api.POST("/api/v1/me/keys", { body: { name: name.trim(), scopes, expires: end } }),
        ),
      );
    } catch (thrown) {
      const problem = problemOf(thrown);
      const field =
        problem.field === "name" || problem.field === "scopes" || problem.field === "expires"
          ? problem.field
          : "root";
      setError(field, { message: problem.message });
    }
  });
  return (
    <Dialog open onClose={onClose} title={t("New API key")}>
      <form onSubmit={submit} noValidate className="flex flex-col gap-3 pb-2">
        <TextField
          label={t("Name")}
          hint={t("The program that will use it")}
          autoFocus
          error={errors.name?.message}
          {...register("name", {
            required: t("Give it a name."),
            maxLength: { value: 128, message: t("At most 128 characters.") },
          })}
        />
        <fieldset className="flex flex-col">
          <legend className="mb-1 text-fg-2 text-hint">{t("What it may do")}</legend>
          {me?.scopes.map((scope) => (
            <Checkbox
              key={scope}
              value={scope}
              label={<code className="font-mono text-hint">{scope}</code>}
              {...register("scopes", {
                validate: (chosen) => chosen.length > 0 || t("Choose at least one right."),
              })}
            />
          ))}
          {errors.scopes && (
            <p role="alert" className="text-critical text-hint">
              {errors.scopes.message}
            </p>
          )}
        </fieldset>
        <TextField
          label={t("Valid until (optional)")}
          type="date"
          error={errors.expires?.message}
          {...register("expires", {
            validate: (value) =>
              !value ||
              Date.parse(`${value}T23:59:59`) > Date.now() ||
              t("Choose a day that is still to come."),
          })}
        />
        {errors.root && (
          <p role="alert" className="text-critical text-table">
            {errors.root.message}
          </p>
        )}
        <Button type="submit" look="primary" busy={isSubmitting}>
          {t("Make the key")}
        </Button>
      </form>
    </Dialog>
  );
}

function Shown({ made, onClose }: { made: NewKeyOut; onClose: () => void }) {
  return (
    <Dialog
      open
      mustAnswer
      onClose={onClose}
      title={t("Your new key")}
      description={t("It is shown this once. Keep it where only the program can read it.")}
      footer={
        <>
          <Button
            onClick={() =>
              void navigator.clipboard.writeText(made.key).then(() => toast.ok(t("Copied")))
            }
          >
            {t("Copy")}
          </Button>
          <Button look="primary" onClick={onClose}>
            {t("I have kept it")}
          </Button>
        </>
      }
    >
      <code className="block select-all break-all rounded-panel bg-canvas p-3 font-mono text-body">
        {made.key}
      </code>
    </Dialog>
  );
}
