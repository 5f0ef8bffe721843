/** The fixtures of a journey: a running service, a page, somebody who is signed in. */
import { test as base, expect, type Page } from "@playwright/test";
import { browser, NONE } from "./browser.ts";
import { Service, type Session } from "./service.ts";

type Trader = { session: Session; account: number };
type Worker = { service: Service };
type Each = {
  /** A new trader with a demo account, signed in on `page`, in the terminal. */
  trader: Trader;
  guard: undefined;
};

export const test = base.extend<Each, Worker>({
  service: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what is needed
    async ({}, use) => {
      const made = new Service();
      if (browser) await made.start();
      await use(made);
      await made.remove();
    },
    { scope: "worker", timeout: 120_000 },
  ],
  guard: [
    // biome-ignore lint/correctness/noEmptyPattern: as above
    async ({}, use, info) => {
      info.skip(!browser, NONE);
      await use(undefined);
    },
    { auto: true },
  ],
  baseURL: async ({ service }, use) => {
    await use(service.url);
  },
  page: async ({ page }, use) => {
    const faults: string[] = [];
    page.on("pageerror", (error) => faults.push(`${error.name}: ${error.message}`));
    await use(page);
    expect(faults, "the page threw nothing").toEqual([]);
  },
  trader: async ({ page, service }, use) => {
    const trader = await service.trader();
    await enter(page, trader.session);
    await use(trader);
  },
});

export { expect };

/** Be signed in on a page without the form (which has its own journey), at an address. */
export async function enter(page: Page, session: Session, path = "/terminal"): Promise<void> {
  await page.addInitScript(
    ([place, words]) => {
      if (!localStorage.getItem(place as string))
        localStorage.setItem(place as string, words as string);
    },
    ["tradeloom.session", JSON.stringify(session)],
  );
  await page.goto(path);
}
