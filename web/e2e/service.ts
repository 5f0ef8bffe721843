/** A real `tradeloom up` on a loopback port, with a data directory of its own, ended by its pid. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PASSWORD = "a-long-enough-phrase-1";
const START_MS = 90_000; // a machine whose cores are all busy imports slowly
const STOP_MS = 15_000;
const PYTHON = process.env.TRADELOOM_PYTHON ?? "../.venv/bin/python";

/** Somebody who is signed in: what the app keeps in localStorage. */
export type Session = { access: string; refresh: string; until: number; login: string };
type Answer = Record<string, unknown>;

export class Service {
  readonly folder = mkdtempSync(join(tmpdir(), "tradeloom-e2e-"));
  port = 0;
  private process: ChildProcess | null = null;
  private staff: Session | null = null;
  private people = 0;
  private readonly options: readonly string[];
  private readonly environment: Record<string, string>;

  constructor(
    options: readonly string[] = ["--seed", "7"],
    environment: Record<string, string> = {},
  ) {
    this.options = options;
    this.environment = environment;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.process?.pid ?? 0;
  }

  /** Start (again, on the same port and data) and wait until it is ready. */
  async start(): Promise<this> {
    this.port ||= await freePort();
    const inherited = Object.entries(process.env).filter(
      ([name]) => !name.startsWith("TRADELOOM_") || name === "TRADELOOM_WEB_DIR",
    );
    const log = createWriteStream(join(this.folder, "service.log"), { flags: "a" });
    await new Promise((resolve) => log.on("open", resolve));
    const data = join(this.folder, "data");
    this.process = spawn(
      PYTHON,
      [
        ...["-c", "from tradeloom.cli import main; main()", "up"],
        ...["--port", String(this.port), "--data-dir", data, ...this.options],
      ],
      {
        stdio: ["ignore", log, log],
        env: {
          ...Object.fromEntries(inherited),
          TRADELOOM_REQUESTS_PER_S: "20000",
          TRADELOOM_REQUESTS_BURST: "40000",
          ...this.environment,
        },
      },
    );
    // Whoever ends us by a signal ends it too.
    const started = this.process;
    process.once("exit", () => started.kill("SIGKILL"));
    const end = Date.now() + START_MS;
    while (Date.now() < end) {
      if (this.process.exitCode !== null) break;
      const ready = await fetch(`${this.url}/api/v1/system/ready`).catch(() => null);
      if (ready?.ok) return this;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const said = readFileSync(join(this.folder, "service.log"), "utf8").slice(-2000);
    throw new Error(`the service did not start: ${said}`);
  }

  /** kill -9, or a polite end with SIGTERM. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const running = this.process;
    this.process = null;
    if (!running || running.exitCode !== null) return;
    const gone = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    const late = setTimeout(() => running.kill("SIGKILL"), STOP_MS);
    await gone;
    clearTimeout(late);
  }

  /** End it and take its data away. */
  async remove(): Promise<void> {
    await this.end("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Stop and go on of the whole process: a server that answers nothing. */
  pause(on: boolean): void {
    this.process?.kill(on ? "SIGSTOP" : "SIGCONT");
  }

  /** A request of the API; throws what it refused. */
  async call<T = Answer>(
    method: string,
    path: string,
    body?: unknown,
    session?: Session | null,
  ): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(session ? { authorization: `Bearer ${session.access}` } : {}),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text ? JSON.parse(text) : {}) as T;
  }

  async signIn(login: string, password = PASSWORD): Promise<Session> {
    const made = await this.call("POST", "/auth/sign-in", { login, password });
    return {
      access: String(made.access_token),
      refresh: String(made.refresh_token),
      until: Date.now() + Number(made.expires_in) * 1000,
      login,
    };
  }

  /** A new trader with a demo account. */
  async trader(): Promise<{ session: Session; account: number }> {
    const login = `trader${process.pid}-${++this.people}`;
    await this.call("POST", "/auth/sign-up", { login, password: PASSWORD });
    const session = await this.signIn(login);
    const made = await this.call("POST", "/accounts", {}, session);
    return { session, account: Number(made.id) };
  }

  /** The first administrator, whose password is changed as he must. */
  async admin(): Promise<Session> {
    if (!this.staff) {
      const said = readFileSync(join(this.folder, "data", "first-admin.txt"), "utf8");
      const first = /password: (\S+)/.exec(said)?.[1] ?? "";
      const begun = await this.signIn("admin", first);
      await this.call("POST", "/me/password", { old: first, new: PASSWORD }, begun);
    }
    // Tokens live for minutes and refresh once: a new sign-in is always good.
    this.staff = await this.signIn("admin");
    return this.staff;
  }

  /** An order by the API; the position it opened. */
  async order(session: Session, body: Answer): Promise<Answer> {
    return this.call("POST", "/orders", body, session);
  }
}

/** A port nobody listens on, below the range the kernel gives to clients. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const taken = await new Promise<boolean>((resolve) => {
      const probe = connect(port, "127.0.0.1");
      probe.once("connect", () => {
        probe.destroy();
        resolve(true);
      });
      probe.once("error", () => resolve(false));
    });
    if (!taken) return port;
  }
}
