/**
 * Who is signed in, in this tab and all others.
 *
 * The access token lives for minutes, the refresh token is used once: tabs therefore share both
 * through localStorage, and a Web Lock lets only one of them refresh at a time. When a session ends by
 * itself, `expired` opens the sign-in dialog over whatever is on the screen: nothing typed is lost.
 */
import { create } from "zustand";
import { Problem, problemOf } from "./problem";
import type { MeOut, TokensOut } from "./schema";

const PLACE = "tradeloom.session";
const LOCK = "tradeloom.refresh";
/** Refresh this long before the access token ends. */
const EARLY_MS = 45_000;
const TIMEOUT_MS = 10_000;

type Stored = { access: string; refresh: string; until: number; login: string };

type SessionState = {
  signedIn: boolean;
  /** The session ended without the user's doing; the page stays, a dialog asks to sign in again. */
  expired: boolean;
  mustChangePassword: boolean;
  login: string;
  me: MeOut | null;
};

let tokens: Stored | null = read();

export const useSession = create<SessionState>(() => ({
  signedIn: tokens !== null,
  expired: false,
  mustChangePassword: false,
  login: tokens?.login ?? "",
  me: null,
}));

function read(): Stored | null {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? "null") as Stored | null;
  } catch {
    return null;
  }
}

function keep(next: Stored | null): void {
  tokens = next;
  try {
    if (next) localStorage.setItem(PLACE, JSON.stringify(next));
    else localStorage.removeItem(PLACE);
  } catch {
    // Storage is off (private window): the session lives in this tab only.
  }
}

/** Take the tokens of a sign-in. */
export function signedIn(made: TokensOut, login: string): void {
  keep({
    access: made.access_token,
    refresh: made.refresh_token,
    until: Date.now() + made.expires_in * 1000,
    login,
  });
  useSession.setState({
    signedIn: true,
    expired: false,
    login,
    mustChangePassword: made.must_change_password,
  });
}

/** Forget the session (after signing out). */
export function signedOut(): void {
  keep(null);
  useSession.setState({ signedIn: false, expired: false, me: null, mustChangePassword: false });
}

/** The session ended: ask to sign in again. `used`: the token that was refused. */
export function sessionExpired(used?: string): void {
  if (used && tokens && tokens.access !== used) return; // another tab has newer tokens already
  keep(null);
  if (useSession.getState().signedIn) useSession.setState({ expired: true });
}

// Another tab signed in, out, or refreshed.
if (typeof addEventListener === "function") {
  addEventListener("storage", (event) => {
    if (event.key !== PLACE) return;
    const was = tokens;
    tokens = read();
    const state = useSession.getState();
    if (tokens && (!state.signedIn || state.expired)) {
      if (was === null && state.login && tokens.login !== state.login) location.reload();
      useSession.setState({ signedIn: true, expired: false, login: tokens.login });
    } else if (!tokens && state.signedIn && !state.expired) {
      useSession.setState({ expired: true });
    } else if (tokens && state.login && tokens.login !== state.login) location.reload();
  });
}

/** An access token that is good for a while; refreshes it when needed. Throws Problem 401. */
export async function accessToken(stale?: string): Promise<string> {
  const now = tokens;
  if (!now) throw signInFirst();
  if (now.access !== stale && now.until - Date.now() > EARLY_MS) return now.access;
  const renew = () => refreshed(stale);
  return navigator.locks ? navigator.locks.request(LOCK, renew) : renew();
}

async function refreshed(stale?: string): Promise<string> {
  // Behind the lock another tab may have done it while we waited.
  const now = read() ?? tokens;
  if (!now) throw signInFirst();
  tokens = now;
  if (now.access !== stale && now.until - Date.now() > EARLY_MS) return now.access;
  let answer: Response;
  try {
    answer = await fetch("/api/v1/auth/refresh", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ refresh_token: now.refresh }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (fault) {
    // Still good for a moment: a server that restarts must not throw anybody out.
    if (now.access !== stale && now.until > Date.now()) return now.access;
    throw problemOf(fault);
  }
  if (answer.ok) {
    const made = (await answer.json()) as TokensOut;
    signedIn(made, now.login);
    return made.access_token;
  }
  const problem = new Problem(answer.status, await answer.json().catch(() => ({})));
  if (answer.status === 401) sessionExpired(now.access);
  throw problem;
}

function signInFirst(): Problem {
  if (useSession.getState().signedIn) useSession.setState({ expired: true });
  return new Problem(401, {
    title: "Signed out",
    detail: "sign in first",
    name: "UNAUTHENTICATED",
  });
}

/** Whether the caller may do something; hides what the API would refuse anyway. */
export const may = (me: MeOut | null, scope: string): boolean =>
  me?.scopes.includes(scope) ?? false;

/** Staff see the back office. */
export const isStaff = (me: MeOut | null): boolean => me !== null && me.role !== "trader";
