/** A refusal of the API as an Error: what, which field, what to do. RFC 9457 on the wire. */
import { t } from "@/text";
import type { ProblemOut } from "./schema";

export type ProblemDocument = Partial<ProblemOut> & Record<string, unknown>;

/** `status` 0: no answer came (network, time-out): what became of a command is unknown. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  /** Stable name, such as TRADE_NO_MONEY; empty when the answer was no problem document. */
  readonly code: string;
  /** The field of the request it is about, or empty. */
  readonly field: string;
  readonly requestId: string;
  readonly document: ProblemDocument;

  constructor(status: number, document: ProblemDocument) {
    super(plain(String(document.detail ?? document.title ?? t("The server did not say why."))));
    this.name = "Problem";
    this.status = status;
    this.title = String(document.title ?? "");
    this.code = String(document.name ?? "");
    this.field = String(document.field ?? "");
    this.requestId = String(document.request_id ?? "");
    this.document = document;
  }

  /** True when nobody knows whether the command was carried out: ask again with the same key. */
  get unknown(): boolean {
    return this.status === 0 || this.status === 504;
  }
}

/** "TRADE_NO_MONEY (134) in volume: deposit …" without the machine's part. */
function plain(detail: string): string {
  const said = detail.replace(/^[A-Z_0-9]+ \(\d+\)(?: in [\w.\-[\]]+)?: /, "");
  return said.charAt(0).toUpperCase() + said.slice(1) + (/[.!?]$/.test(said) ? "" : ".");
}

/** Whatever was thrown, as a Problem. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof DOMException && thrown.name === "TimeoutError")
    return new Problem(0, {
      title: t("No answer"),
      detail: t("The server did not answer in time."),
    });
  if (thrown instanceof TypeError)
    return new Problem(0, {
      title: t("Not reachable"),
      detail: t("The server cannot be reached. Check the connection; we keep trying."),
    });
  return new Problem(500, {
    title: t("Error"),
    detail: String((thrown as Error)?.message ?? thrown),
  });
}
