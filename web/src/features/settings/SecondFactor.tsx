import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { renderSVG } from "uqr";
import { api, ask, type TotpOut } from "@/api/client";
import { problemOf } from "@/api/problem";
import { meQuery } from "@/api/queries";
import { Button, Dialog, Failed, Loading, Status, saveFile, TextField, toast } from "@/kit";
import { t } from "@/text";

/** Set the authenticator up with a QR code made here, or turn it off. */
export function SecondFactor() {
  const client = useQueryClient();
  const { data: me, error, refetch } = useQuery(meQuery);
  const [secret, setSecret] = useState<TotpOut | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const [off, setOff] = useState(false);
  const [busy, setBusy] = useState(false);
  if (error) return <Failed error={error} onRetry={() => void refetch()} />;
  if (!me) return <Loading rows={2} />;
  const begin = async () => {
    setBusy(true);
    try {
      setSecret(await ask(api.POST("/api/v1/me/second-factor")));
    } catch (thrown) {
      toast.problem(thrown);
    } finally {
      setBusy(false);
    }
  };
  const changed = () => void client.invalidateQueries({ queryKey: meQuery.queryKey });
  return (
    <>
      <div className="flex items-center gap-4">
        {me.second_factor ? (
          <Status tone="ok">{t("On")}</Status>
        ) : (
          <Status tone="off">{t("Off")}</Status>
        )}
        {me.second_factor ? (
          <Button look="danger" onClick={() => setOff(true)}>
            {t("Turn off")}
          </Button>
        ) : (
          <Button look="primary" busy={busy} onClick={() => void begin()}>
            {t("Set up")}
          </Button>
        )}
      </div>
      {secret && (
        <SetUp
          secret={secret}
          onClose={() => setSecret(null)}
          onDone={(made) => {
            setSecret(null);
            setCodes(made);
            changed();
          }}
        />
      )}
      {codes && <Recovery codes={codes} onClose={() => setCodes(null)} />}
      {off && (
        <TurnOff
          onClose={() => setOff(false)}
          onDone={() => {
            setOff(false);
            toast.ok(t("The second factor is off"));
            changed();
          }}
        />
      )}
    </>
  );
}

function SetUp({
  secret,
  onClose,
  onDone,
}: {
  secret: TotpOut;
  onClose: () => void;
  onDone: (codes: readonly string[]) => void;
}) {
  const [code, setCode] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    const digits = code.replace(/\s/g, "");
    if (!/^\d{6}$/.test(digits)) {
      setError(t("Type the six digits the app shows now."));
      return;
    }
    setBusy(true);
    try {
      onDone(
        (await ask(api.POST("/api/v1/me/second-factor/confirm", { body: { code: digits } })))
          .recovery_codes,
      );
    } catch (thrown) {
      const problem = problemOf(thrown);
      setError(
        problem.code === "BAD_CREDENTIALS"
          ? t("This code does not fit. Check the clock of your device and type the newest one.")
          : problem.message,
      );
    } finally {
      setBusy(false);
    }
  };
  // Drawn here, from a secret that never leaves this page: dark on white, as cameras want it.
  const picture = `data:image/svg+xml;utf8,${encodeURIComponent(renderSVG(secret.uri, { border: 2 }))}`;
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("Set up the second factor")}
      description={t("Scan the picture with your authenticator app, then type the code it shows.")}
    >
      <form
        className="flex flex-col gap-3 pb-2"
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        <img
          src={picture}
          alt={t("QR code for your authenticator app")}
          width={196}
          height={196}
          className="self-center rounded-panel bg-white"
        />
        <p className="text-center text-fg-2 text-hint">
          {t("Cannot scan? Type this key:")}{" "}
          <code className="select-all break-all font-mono text-fg">{secret.secret}</code>
        </p>
        <TextField
          label={t("Code")}
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          value={code}
          error={error}
          onChange={(event) => {
            setCode(event.target.value);
            setError("");
          }}
        />
        <Button type="submit" look="primary" busy={busy}>
          {t("Turn on")}
        </Button>
      </form>
    </Dialog>
  );
}

function Recovery({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) {
  const text = codes.join("\n");
  return (
    <Dialog
      open
      mustAnswer
      onClose={onClose}
      title={t("Keep these recovery codes")}
      description={t(
        "Each opens the door once when your authenticator is lost. They are shown this once.",
      )}
      footer={
        <>
          <Button
            onClick={() =>
              void navigator.clipboard.writeText(text).then(() => toast.ok(t("Copied")))
            }
          >
            {t("Copy")}
          </Button>
          <Button
            onClick={() => saveFile("tradeloom-recovery-codes.txt", `${text}\n`, "text/plain")}
          >
            {t("Save as a file")}
          </Button>
          <Button look="primary" onClick={onClose}>
            {t("I have kept them")}
          </Button>
        </>
      }
    >
      <ul className="grid grid-cols-2 gap-x-6 gap-y-1 font-mono text-body">
        {codes.map((each) => (
          <li key={each}>{each}</li>
        ))}
      </ul>
    </Dialog>
  );
}

function TurnOff({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [password, setPassword] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const go = async () => {
    if (!password) {
      setError(t("Type your password."));
      return;
    }
    setBusy(true);
    try {
      await ask(api.POST("/api/v1/me/second-factor/turn-off", { body: { password } }));
      onDone();
    } catch (thrown) {
      const problem = problemOf(thrown);
      setError(
        problem.code === "BAD_CREDENTIALS" ? t("This is not your password.") : problem.message,
      );
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("Turn the second factor off")}
      description={t("Your password alone opens the door then.")}
    >
      <form
        className="flex flex-col gap-3 pb-2"
        onSubmit={(event) => {
          event.preventDefault();
          void go();
        }}
      >
        <TextField
          label={t("Password")}
          type="password"
          autoComplete="current-password"
          autoFocus
          value={password}
          error={error}
          onChange={(event) => {
            setPassword(event.target.value);
            setError("");
          }}
        />
        <Button type="submit" look="danger" busy={busy}>
          {t("Turn off")}
        </Button>
      </form>
    </Dialog>
  );
}
