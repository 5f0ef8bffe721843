import { Download } from "lucide-react";
import { useState } from "react";
import { Problem, type ProblemDocument, problemOf } from "@/api/problem";
import { accessToken } from "@/api/session";
import { Button, saveFile, toast } from "@/kit";
import { t } from "@/text";

const TIMEOUT_MS = 60_000;

/** Saves the whole list with the filters of the view, as the server writes it. */
export function ExportCsv({
  path,
  query = {},
}: {
  /** Of the API, without /api/v1. */
  path: string;
  query?: Partial<Record<string, string>>;
}) {
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    try {
      await download(path, query);
    } catch (thrown) {
      toast.problem(problemOf(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button
      small
      busy={busy}
      onClick={save}
      icon={<Download size={13} aria-hidden />}
      title={t("Save the whole list as a CSV file")}
    >
      {t("CSV")}
    </Button>
  );
}

async function download(path: string, query: Partial<Record<string, string>>): Promise<void> {
  const address = new URL(`/api/v1${path}`, location.origin);
  for (const [name, value] of Object.entries(query))
    if (value) address.searchParams.set(name, value);
  address.searchParams.set("format", "csv");
  const answer = await fetch(address, {
    headers: { authorization: `Bearer ${await accessToken()}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = await answer.text();
  if (!answer.ok) {
    throw new Problem(answer.status, JSON.parse(text) as ProblemDocument);
  }
  const named = /filename="(.+?)\.csv"/.exec(answer.headers.get("content-disposition") ?? "");
  saveFile(`${named?.[1] ?? "list"}.csv`, text, "text/csv");
}
