import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { browser, NONE } from "./browser";
import { enter, expect, test } from "./journey";
import { PASSWORD, Service, type Session } from "./service";

/** The back office with two persons: money from 1,000 on waits for the second one. */
const service = new Service(["--seed", "7"], { TRADELOOM_FOUR_EYES_AMOUNT: "1000" });
let mara: Session;
let account = 0;

test.beforeAll(async () => {
  test.setTimeout(120_000);
  if (!browser) return;
  await service.start();
  const admin = await service.admin();
  const first = `${PASSWORD}x`;
  await service.call("POST", "/users", { login: "mara", password: first, role: "manager" }, admin);
  await service.call(
    "POST",
    "/me/password",
    { old: first, new: PASSWORD },
    await service.signIn("mara", first),
  );
  const trader = await service.trader();
  account = trader.account;
  await service.order(trader.session, {
    account,
    instrument: "GBPUSD",
    side: "buy",
    volume: "0.30",
  });
});
test.beforeEach(async () => {
  test.skip(!browser, NONE);
  mara = await service.signIn("mara");
});
test.afterAll(() => service.remove());

const go = (page: Page, who: Session, tab: string) =>
  enter(page, who, `${service.url}/admin/${tab}`);
const dialog = (page: Page) => page.getByRole("dialog");

test("a deposit, and from its cent back to who did it @ci", async ({ page }) => {
  await go(page, mara, `accounts?q=${account}`);
  await page.getByRole("row", { name: String(account) }).click();
  await page.getByRole("button", { name: "Deposit" }).click();
  const send = dialog(page).getByRole("button", { name: "Put money in" });
  await send.click();
  await expect(dialog(page).getByText("Say how much.")).toBeVisible();
  await dialog(page).getByLabel("Amount").fill("12,34");
  await expect(dialog(page).getByText(/Plain digits/)).toBeVisible();
  await dialog(page).getByLabel("Amount").fill("12.34");
  await dialog(page).getByLabel("Reason").fill("cash at the desk");
  await send.click();
  await expect(dialog(page)).toHaveCount(0);

  await page.goto(`${service.url}/admin/ledger`);
  await expect(page.getByText("adds up to zero, to the last digit")).toBeVisible();
  await page.getByRole("row", { name: /^Cash/ }).click();
  await page.getByRole("row", { name: /12\.34/ }).click();
  await expect(page.getByText("Balance", { exact: true })).toBeVisible();
  await page.getByRole("link", { name: /Done by staff/ }).click();
  await page.getByRole("row", { name: /Money: deposit/ }).click();
  await expect(page.getByText("cash at the desk").first()).toBeVisible();
});

test("large money waits for somebody else @ci", async ({ page, browser: chromium }) => {
  await go(page, mara, `accounts?account=${account}`);
  await page.getByRole("button", { name: "Withdraw" }).click();
  await dialog(page).getByLabel("Amount").fill("2000");
  await dialog(page).getByLabel("Reason").fill("to the bank");
  await dialog(page).getByRole("button", { name: "Ask a second person" }).click();
  await expect(dialog(page)).toHaveCount(0);
  await page.goto(`${service.url}/admin/approvals`);
  await page.getByRole("row", { name: /to the bank/ }).click();
  await expect(page.getByText("You asked for this")).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve and do it" })).toHaveCount(0);

  const context = await chromium.newContext();
  const other = await context.newPage();
  await go(other, await service.admin(), "approvals");
  await other.getByRole("row", { name: /to the bank/ }).click();
  await other.getByRole("button", { name: "Approve and do it" }).click();
  await expect(other.getByText("done").first()).toBeVisible();
  await context.close();
  const sheet = page.locator("section").filter({ hasText: "Decided by" });
  await expect(sheet.getByText("Approved", { exact: true })).toBeVisible();
  const now = await service.call("GET", `/accounts/${account}`, undefined, mara);
  expect(Number(now.balance)).toBeCloseTo(10_000 + 12.34 - 2000, 2);
});

test("a change is looked at, refused, made, and taken back @ci", async ({ page }) => {
  await go(page, await service.admin(), "instruments?name=GBPUSD");
  await page.getByLabel("Digits").fill("3");
  await page.getByRole("button", { name: "Review the change" }).click();
  await expect(dialog(page).getByText("The engine does not take it")).toBeVisible();
  await expect(dialog(page).getByText(/stay while something is open/)).toBeVisible();
  await expect(dialog(page).getByRole("button", { name: "Apply" })).toBeDisabled();
  await page.keyboard.press("Escape");
  await page.getByLabel("Digits").fill("5");
  await page.getByLabel("Stops at least").fill("x");
  await page.getByRole("button", { name: "Review the change" }).click();
  await expect(page.getByText("A whole number, 0 or more.")).toBeVisible();
  await page.getByLabel("Stops at least").fill("25");
  await page.keyboard.press("Control+Enter");
  await expect(dialog(page)).toContainText("1 accounts");
  await dialog(page).getByLabel("Reason").fill("calmer stops");
  await dialog(page).getByRole("button", { name: "Apply" }).click();
  await expect(dialog(page)).toHaveCount(0);
  await page.getByRole("radio", { name: "History" }).click();
  await page.getByRole("button", { name: "Take back" }).click();
  await dialog(page).getByLabel("Reason").fill("it was a drill");
  await dialog(page).getByRole("button", { name: "Take back" }).click();
  await expect(page.getByText(/takes back/)).toBeVisible();
});

test("the kill switch wants its word; files are what the filters show @ci", async ({ page }) => {
  await go(page, await service.admin(), "state");
  await page.getByRole("button", { name: "Halt everything" }).click();
  const halt = dialog(page).getByRole("button", { name: "Halt everything" });
  await dialog(page).getByLabel("Reason").fill("a drill");
  await dialog(page).getByLabel("Type HALT to confirm").fill("halt");
  await expect(halt).toBeDisabled();
  await dialog(page).getByLabel("Type HALT to confirm").fill("HALT");
  await halt.click();
  await expect(page.getByText(/Everything is halted:/)).toBeVisible();
  await page.getByRole("button", { name: "Go on trading" }).click();
  await dialog(page).getByLabel("Reason").fill("the drill is over");
  await dialog(page).getByLabel("Type RESUME to confirm").fill("RESUME");
  await dialog(page).getByRole("button", { name: "Go on trading" }).click();
  await expect(page.getByText("Trading is on.")).toBeVisible();

  await page.goto(`${service.url}/admin/audit?action=kill_switch`);
  await expect(page.getByRole("row", { name: /a drill/ })).toBeVisible();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "CSV" }).click(),
  ]);
  const lines = readFileSync(await file.path(), "utf8")
    .trim()
    .split("\r\n");
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain("kill_switch");
});

test("what is not for one's role says so @ci", async ({ page }) => {
  await go(page, mara, "groups");
  await expect(page.getByText("Not for your role")).toBeVisible();
  await expect(page.getByText("instruments:manage")).toBeVisible();
  await expect(page.getByRole("link", { name: "Groups" })).toHaveCount(0);
});
