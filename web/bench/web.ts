/**
 * `make bench-web`: what the web app costs, in a real browser against a running service.
 * Options: --minutes of the heap watch (10), --seconds of the live terminal (60),
 * --trades (100), --only sizes,paint,axe,click,live,plain,heap.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { type Browser, chromium, type Page } from "@playwright/test";
import { flags, NONE, browser as path } from "../e2e/browser.ts";
import { Service, type Session } from "../e2e/service.ts";
import { writeMarket } from "./market.ts";
import { cost, heap, quantile } from "./measure.ts";
import { figure, write } from "./report.ts";

const option = (name: string, fallback: string): string => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : (process.argv[at + 1] ?? fallback);
};
const INSTRUMENTS = 200;
const RATE = 30;
const RECORDED_S = 120;
const WARM_S = 10;
const TRADES = Number(option("trades", "100"));
const LOADS = 7;

const minutes = Number(option("minutes", "10"));
const seconds = Number(option("seconds", "60"));
const only = option("only", "sizes,paint,axe,click,live,plain,heap").split(",");
const wants = (name: string) => only.includes(name);

let failed = false;
const market = mkdtempSync(join(tmpdir(), "tradeloom-bench-"));

/** Frames are the machine's too: what else it was doing stands beside them. */
const busy = (): string =>
  `machine load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} cores`;

function sizes(): void {
  let said: string;
  try {
    said = execFileSync("node", ["tools/sizes.mjs"], { encoding: "utf8" });
  } catch (fault) {
    said = String((fault as { stdout?: string }).stdout ?? "");
  }
  for (const [, name, kb, most] of said.matchAll(/(\S+)\s+([\d.]+) KB gzip of (\d+)/g))
    figure(`JavaScript, gzip: ${name}`, Number(kb), "KB", { most: Number(most) });
}

async function opened(
  browser: Browser,
  service: Service,
  session: Session | null,
  theme = "dark",
): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(
    ([words, look]) => {
      if (words) localStorage.setItem("tradeloom.session", words);
      localStorage.setItem("tradeloom.look", look as string);
    },
    [
      session ? JSON.stringify(session) : "",
      JSON.stringify({ state: { theme, palette: "classic", density: "auto" }, version: 0 }),
    ],
  );
  await page.goto(service.url + (session ? "/terminal?symbol=EURUSD" : "/sign-in"));
  return page;
}

/** Prices move in the ticket, the account is complete. */
async function live(page: Page): Promise<void> {
  await page.waitForSelector('html[data-prices="live"] [data-ready="true"]', { timeout: 30_000 });
  await page.getByRole("button", { name: "Buy", exact: true }).waitFor();
}

async function paint(browser: Browser, service: Service, session: Session): Promise<void> {
  const first: number[] = [];
  const useful: number[] = [];
  for (let turn = 0; turn < LOADS; turn++) {
    const stranger = await opened(browser, service, null);
    await stranger.getByRole("button", { name: "Sign in" }).waitFor();
    first.push(await painted(stranger));
    await stranger.context().close();
    const trader = await opened(browser, service, session);
    await trader.waitForSelector('[data-ready="true"]');
    useful.push(await painted(trader));
    await trader.context().close();
  }
  const all = (values: number[]) => `of ${values.map((v) => v.toFixed(2)).join(", ")}; ${busy()}`;
  figure("first useful paint, sign-in, cold cache", quantile(first, 0.5), "s", {
    most: 1,
    baseline: all(first),
  });
  figure("first useful paint, terminal with the account, cold", quantile(useful, 0.5), "s", {
    most: 1,
    baseline: all(useful),
  });
}

/** Seconds from the navigation to now, but not before the browser painted something. */
const painted = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) =>
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now() / 1000))),
      ),
  );

async function axe(browser: Browser, service: Service, session: Session): Promise<void> {
  let serious = 0;
  for (const theme of ["dark", "light"])
    for (const who of [null, session]) {
      const page = await opened(browser, service, who, theme);
      if (who) await live(page);
      else await page.getByRole("button", { name: "Sign in" }).waitFor();
      const found = await new AxeBuilder({ page }).analyze();
      serious += found.violations.filter(
        (each) => each.impact === "serious" || each.impact === "critical",
      ).length;
      await page.context().close();
    }
  figure("serious or critical findings of axe", serious, "", {
    most: 0,
    baseline: "sign-in and terminal, both themes; every page: make test",
  });
}

async function clicks(browser: Browser, service: Service, session: Session): Promise<void> {
  const page = await opened(browser, service, session);
  await live(page);
  await page.getByLabel("One-click trading").check();
  await page.getByLabel("Volume, lots").fill("0.01"); // margin for all of them
  await page.evaluate(() => {
    const table = document.querySelector('[aria-label="Open positions"]') as HTMLElement;
    const state = { began: 0, took: [] as number[] };
    Object.assign(window, { clicks: state });
    addEventListener(
      "click",
      (event) => {
        if ((event.target as Element).closest("button.bg-buy[aria-pressed]"))
          state.began = event.timeStamp;
      },
      true,
    );
    new MutationObserver(() => {
      if (!state.began) return;
      const { began } = state;
      state.began = 0;
      // Shown: the frame that holds the row has been handed over.
      requestAnimationFrame(() => setTimeout(() => state.took.push(performance.now() - began)));
    }).observe(table, { attributes: true, attributeFilter: ["aria-rowcount"] });
  });
  const box = await page.getByRole("button", { name: "Buy", exact: true }).boundingBox();
  if (!box) throw new Error("no Buy button");
  for (let n = 0; n < TRADES; n++) {
    // The row may be there before the answer: until then the ticket takes no other order.
    await page.waitForSelector("button.bg-buy[aria-pressed]:enabled");
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await page.waitForFunction(
      (count) => (window as unknown as { clicks: { took: number[] } }).clicks.took.length === count,
      n + 1,
      { polling: 20 },
    );
  }
  const took = await page.evaluate(
    () => (window as unknown as { clicks: { took: number[] } }).clicks.took,
  );
  const all = took.slice(5); // the first ones load code
  figure("click Buy → position shown, p50", quantile(all, 0.5), "ms", { most: 100 });
  figure("click Buy → position shown, p99", quantile(all, 0.99), "ms", {
    most: 250,
    baseline: `${all.length} trades, slowest ${Math.max(...all).toFixed(0)} ms; ${busy()}`,
  });
  await page.context().close();
}

async function terminal(browser: Browser, service: Service, session: Session): Promise<void> {
  const page = await opened(browser, service, session);
  await live(page);
  const received = await rate(page);
  await page.waitForTimeout(WARM_S * 1000);
  const made = await cost(page, seconds);
  const words = `${INSTRUMENTS} instruments, chart, ticket; ${received.toFixed(0)} row updates/s received, ${busy()}`;
  figure("live terminal, frames", made.fps, "per s", { least: 55, baseline: words });
  figure("live terminal, main thread", made.thread, "%", { most: 35 });
  figure("live terminal, tasks over 50 ms", made.longTasks, "", {
    most: 0,
    baseline: `${made.seconds.toFixed(0)} s, longest ${made.longest.toFixed(0)} ms`,
  });
  await page.context().close();
}

/** Row updates per second that arrive, counted on the wire for five seconds. */
async function rate(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  let rows = 0;
  session.on("Network.webSocketFrameReceived", ({ response }) => {
    rows += response.payloadData.split('"symbol"').length - 1;
  });
  await page.waitForTimeout(5000);
  await session.detach();
  return rows / 5;
}

async function plain(browser: Browser, service: Service, session: Session): Promise<void> {
  execFileSync("node", [
    "node_modules/vite/bin/vite.js",
    "build",
    "--config",
    "bench/vite.config.ts",
    "--logLevel=error",
  ]);
  const folder = new URL("../../build/bench/plain/", import.meta.url).pathname;
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 } });
  // The page comes from the bench, its market from the service: Chromium asks before it lets one talk to the other.
  await context.grantPermissions(["local-network-access"]);
  const page = await context.newPage();
  await page.addInitScript((words) => {
    localStorage.setItem("tradeloom.session", words);
  }, JSON.stringify(session));
  await page.route("**/plain/**", (route) => {
    const name = new URL(route.request().url()).pathname.replace("/plain/", "") || "index.html";
    if (!existsSync(folder + name)) return route.fulfill({ status: 404 });
    const type = name.endsWith(".js") ? "text/javascript" : "text/html";
    return route.fulfill({ body: readFileSync(folder + name), contentType: type });
  });
  page.on("pageerror", (error) => console.error(`plain: ${error.message}`));
  page.on("console", (said) => said.type() === "error" && console.error(`plain: ${said.text()}`));
  await page.goto(`${service.url}/plain/`);
  await page.waitForSelector(`table[data-rows="${INSTRUMENTS}"]`);
  await page.waitForTimeout(3000);
  const made = await cost(page, Math.min(seconds, 20));
  const words = "the same rows, state per message, one table; no chart, no ticket";
  figure("plain React rows, frames", made.fps, "per s", { baseline: words });
  figure("plain React rows, main thread", made.thread, "%");
  figure("plain React rows, tasks over 50 ms", made.longTasks, "", {
    baseline: `${made.seconds.toFixed(0)} s, longest ${made.longest.toFixed(0)} ms`,
  });
  await context.close();
}

async function growth(browser: Browser, service: Service, session: Session): Promise<void> {
  const page = await opened(browser, service, session);
  await live(page);
  await page.waitForTimeout(30_000);
  const before = await heap(page);
  await page.waitForTimeout(minutes * 60_000);
  const after = await heap(page);
  figure(`heap growth over ${minutes} minutes of live market`, (after - before) / 1e6, "MB", {
    most: 10,
    baseline: `from ${(before / 1e6).toFixed(1)} to ${(after / 1e6).toFixed(1)} MB`,
  });
  await page.context().close();
}

async function run(): Promise<void> {
  if (!path) throw new Error(NONE);
  if (wants("sizes")) sizes();
  writeMarket(market, INSTRUMENTS, RATE, RECORDED_S);
  const service = new Service(["--replay", market]);
  const browser = await chromium.launch({ executablePath: path, args: flags });
  try {
    await service.start();
    const { session } = await service.trader();
    const tasks = { paint, axe, click: clicks, live: terminal, plain, heap: growth };
    for (const [name, task] of Object.entries(tasks))
      if (wants(name))
        await task(browser, service, session).catch((fault: Error) => {
          failed = true;
          console.error(`${name}: ${fault.stack}`);
        });
  } finally {
    await browser.close();
    await service.remove();
    rmSync(market, { recursive: true, force: true });
  }
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1));
await run();
process.exit(write() && !failed ? 0 : 1);
