/** What the door asks for, checked before it is sent. */
import { api, ask } from "@/api/client";
import { queries } from "@/api/queries";
import { signedIn } from "@/api/session";

export const PASSWORD_MIN = 10;

/** Sign in and take the session; throws `Problem` (SECOND_FACTOR: ask for a code). */
export async function signIn(login: string, password: string, code?: string): Promise<void> {
  const tokens = await ask(
    api.POST("/api/v1/auth/sign-in", { body: { login, password, ...(code ? { code } : {}) } }),
  );
  queries.clear();
  signedIn(tokens, login);
}

/** Become a trader and sign in. */
export async function signUp(login: string, password: string, name: string): Promise<void> {
  await ask(api.POST("/api/v1/auth/sign-up", { body: { login, password, name } }));
  await signIn(login, password);
}
