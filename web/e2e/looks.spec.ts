import { mkdirSync } from "node:fs";
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { enter, expect, test } from "./journey";
import { Screen } from "./screen";

const FOLDER = "../build/web-screenshots";
const THEMES = ["dark", "light"] as const;
const OFFICE = [
  ...["users", "roles", "groups", "instruments", "accounts", "exposure", "margin", "ledger"],
  ...["audit", "approvals", "state", "health"],
];

async function wear(page: Page, theme: string): Promise<void> {
  await page.addInitScript((chosen) => {
    const look = { theme: chosen, palette: "classic", density: "auto", singleKeys: true };
    localStorage.setItem("tradeloom.look", JSON.stringify({ state: look, version: 0 }));
  }, theme);
}

/** Nothing serious or critical by axe; and our own: targets of 24 px, one main, a title. */
async function examine(page: Page, name: string, part?: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  await page.screenshot({ path: `${FOLDER}/${name}.png` });
  const axe = new AxeBuilder({ page });
  if (part) axe.include(part); // the rest of the page was examined before
  const found = await axe
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  const bad = found.violations
    .filter((each) => each.impact === "serious" || each.impact === "critical")
    .map((each) => ({
      rule: each.id,
      places: each.nodes.slice(0, 5).map((node) => `${node.target} ${node.failureSummary}`),
    }));
  expect(bad, `axe on ${name}`).toEqual([]);
  await expect(page).toHaveTitle(/Tradeloom/);
  expect(await page.locator("html").getAttribute("lang")).toBeTruthy();
  const wide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(wide, `${name} does not scroll sideways`).toBeLessThanOrEqual(0);
}

for (const theme of THEMES) {
  test(`every page of a trader, ${theme}, by axe and by eye @ci`, async ({ page, service }) => {
    test.setTimeout(120_000);
    await wear(page, theme);
    await page.goto("/sign-in");
    await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
    await examine(page, `sign-in-${theme}`);
    await page.goto("/sign-up");
    await expect(page.getByRole("button", { name: /Start trading/ })).toBeVisible();
    await examine(page, `sign-up-${theme}`);
    const { session, account } = await service.trader();
    const order = { account, instrument: "EURUSD", volume: "0.20" };
    await service.order(session, { ...order, side: "buy" });
    await service.order(session, { ...order, instrument: "XAUUSD", side: "sell", volume: "0.05" });
    await service.order(session, { ...order, side: "buy", type: "limit", price: "0.50000" });
    const screen = new Screen(page);
    await enter(page, session);
    await screen.live();
    await expect(screen.row("EURUSD")).toHaveCount(1);
    await examine(page, `terminal-${theme}`);
    for (const list of ["Orders", "History", "Statement"] as const) {
      await screen.list(list);
      await expect(screen.blotter.getByRole("table")).toBeVisible();
      const part = 'section[aria-label="Positions and orders"]';
      await examine(page, `terminal-${list.toLowerCase()}-${theme}`, part);
    }
    await page.goto("/settings");
    await expect(page.getByRole("heading").first()).toBeVisible();
    await examine(page, `settings-${theme}`);
  });

  test(`phone width, ${theme} @ci`, async ({ page, service }) => {
    await page.setViewportSize({ width: 390, height: 844 });
    await wear(page, theme);
    const { session } = await service.trader();
    const screen = new Screen(page);
    await enter(page, session);
    await expect(screen.strip).toHaveAttribute("data-ready", "true", { timeout: 20_000 });
    await examine(page, `phone-watchlist-${theme}`);
    await page.getByRole("row", { name: /EURUSD/ }).click();
    await expect(screen.chart).toBeVisible();
    await examine(page, `phone-chart-${theme}`);
    await page.getByRole("button", { name: "Trade EURUSD" }).click();
    await expect(screen.buy).toBeEnabled();
    await examine(page, `phone-ticket-${theme}`);
    await screen.buy.click();
    await screen.send.click();
    await page.getByRole("radio", { name: "Positions", exact: true }).first().click();
    const cards = page.getByRole("list", { name: "Open positions" });
    await expect(cards.getByRole("listitem")).toHaveCount(1);
    await expect(page.getByText(/Bought 0.10 EURUSD at/)).toBeVisible();
    expect((await screen.strip.boundingBox())?.y, "a message moves nothing").toBeLessThan(80);
    await examine(page, `phone-positions-${theme}`);
    await cards.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Close 0.10 EURUSD" }).click();
    await expect(page.getByText("No open positions")).toBeVisible();
  });

  test(`every page of the back office, ${theme}, by axe and by eye`, async ({ page, service }) => {
    test.setTimeout(180_000);
    await wear(page, theme);
    await enter(page, await service.admin(), "/admin/users");
    for (const tab of OFFICE) {
      await page.goto(`/admin/${tab}`);
      await expect(page.getByRole("navigation", { name: "Back office" })).toBeVisible();
      await expect(page.getByText("There is no such page")).toHaveCount(0);
      await page.waitForLoadState("networkidle").catch(() => undefined);
      await examine(page, `admin-${tab}-${theme}`);
    }
  });
}
