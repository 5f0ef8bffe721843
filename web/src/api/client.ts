/**
 * The typed REST client. Every call has a time-out; a 401 refreshes the token once and repeats;
 * refusals are thrown as `Problem`. Use `ask(api.GET("/api/v1/…"))` to get the data or the Problem.
 */
import createClient from "openapi-fetch";
import { Problem, type ProblemDocument, problemOf } from "./problem";
import type { paths } from "./schema";
import { accessToken, sessionExpired, useSession } from "./session";

export type * from "./schema";

const TIMEOUT_MS = 15_000;
const OPEN = /^\/api\/v1\/(auth\/|system\/(live|ready|time|version)$|problems$)/;

/**
 * A request as words. The browser's own Request takes milliseconds to make and its body is gone after one
 * try; this one is sent as often as needed.
 */
class Plain {
  constructor(
    readonly url: string,
    readonly init: RequestInit,
  ) {}

  send(token?: string): Promise<Response> {
    const headers = new Headers(this.init.headers);
    if (token) headers.set("authorization", `Bearer ${token}`);
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const signal = this.init.signal ? AbortSignal.any([this.init.signal, limit]) : limit;
    return fetch(this.url, { ...this.init, headers, signal });
  }
}

async function send(request: Plain): Promise<Response> {
  if (OPEN.test(request.url)) return request.send();
  const token = await accessToken();
  let answer = await request.send(token);
  if (answer.status === 401) {
    const fresh = await accessToken(token);
    answer = await request.send(fresh);
    if (answer.status === 401) sessionExpired(fresh);
  }
  if (answer.status === 403) void passwordFirst(answer.clone());
  return answer;
}

/** A password somebody else chose must be changed before anything else is allowed. */
async function passwordFirst(answer: Response): Promise<void> {
  const said = (await answer.json().catch(() => ({}))) as ProblemDocument;
  if (said.name === "PASSWORD_CHANGE") useSession.setState({ mustChangePassword: true });
}

export const api = createClient<paths>({
  Request: Plain as unknown as typeof Request,
  fetch: send as unknown as (request: Request) => Promise<Response>,
});

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
