/**
 * The typed REST client. Every call has a time-out; a 401 refreshes the token once and repeats;
 * refusals are thrown as `Problem`. Use `ask(api.GET("/api/v1/…"))` to get the data or the Problem.
 */
import createClient, { type Middleware } from "openapi-fetch";
import { Problem, type ProblemDocument, problemOf } from "./problem";
import type { paths } from "./schema";
import { accessToken, sessionExpired, useSession } from "./session";

export type * from "./schema";

const TIMEOUT_MS = 15_000;
const OPEN = /^\/api\/v1\/(auth\/|system\/(live|ready|time|version)$|problems$)/;

async function send(request: Request): Promise<Response> {
  const limited = new Request(request, {
    signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  if (OPEN.test(new URL(request.url).pathname)) return fetch(limited);
  const again = limited.clone();
  const token = await accessToken();
  limited.headers.set("authorization", `Bearer ${token}`);
  const answer = await fetch(limited);
  if (answer.status !== 401) return answer;
  const fresh = await accessToken(token);
  again.headers.set("authorization", `Bearer ${fresh}`);
  const second = await fetch(again);
  if (second.status === 401) sessionExpired(fresh);
  return second;
}

const passwordFirst: Middleware = {
  async onResponse({ response }) {
    if (response.status !== 403) return;
    const said = (await response
      .clone()
      .json()
      .catch(() => ({}))) as ProblemDocument;
    if (said.name === "PASSWORD_CHANGE") useSession.setState({ mustChangePassword: true });
  },
};

export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "", fetch: send });
api.use(passwordFirst);

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The data of an answer (JSON: lists can be had as CSV text too); throws `Problem` for everything else. */
export async function ask<T>(call: Promise<Answer<T>>): Promise<Exclude<T, string>> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (thrown) {
    throw problemOf(thrown);
  }
  if (answer.response.ok) return answer.data as Exclude<T, string>;
  const document = (typeof answer.error === "object" ? answer.error : {}) as ProblemDocument;
  throw new Problem(answer.response.status, document);
}

/** A new Idempotency-Key. One per intention of the user, not per try: repeats are then harmless. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

const REPEAT_AFTER_MS = [250, 800, 2000, 4000];

/**
 * Carry out a command exactly once: the same key is sent again while the outcome is unknown.
 * `send` gets the header to pass on: `command((headers) => api.POST("…", { params: { header: headers } … }))`.
 */
export async function command<T>(
  send: (header: { "Idempotency-Key": string }) => Promise<Answer<T>>,
  key = newKey(),
): Promise<Exclude<T, string>> {
  for (let turn = 0; ; turn++) {
    try {
      return await ask(send({ "Idempotency-Key": key }));
    } catch (thrown) {
      const problem = problemOf(thrown);
      const wait = REPEAT_AFTER_MS[turn];
      const passing = problem.unknown || (problem.status === 503 && problem.code !== "");
      if (!passing || wait === undefined) throw problem;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
