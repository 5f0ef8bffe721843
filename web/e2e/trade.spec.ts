import { enter, expect, test } from "./journey";
import { Screen } from "./screen";
import { PASSWORD } from "./service.ts";

test("a newcomer trades with SL and TP, moves it on the chart, closes a part, reads the statement @ci", async ({
  page,
  service,
}) => {
  const screen = new Screen(page);
  let clicks = 0;
  const begun = Date.now();
  await page.goto("/sign-up");
  await page.getByLabel("Login").fill(`newcomer${service.pid}${Date.now()}`);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: /Start trading/ }).click();
  clicks++;
  const { bid } = await screen.prices();
  await screen.field("Stop loss").fill((bid - 0.004).toFixed(5));
  clicks++; // a person clicks into the field
  await screen.field("Take profit").fill((bid + 0.004).toFixed(5));
  clicks++;
  await screen.buy.click();
  clicks++;
  await screen.send.click();
  clicks++;
  await expect(screen.row("EURUSD")).toHaveCount(1);
  const took = Date.now() - begun;
  expect(took, "first trade in under a minute").toBeLessThan(60_000);
  expect(clicks, "at most six clicks").toBeLessThanOrEqual(6);
  await expect(page.getByText(/Bought 0.10 EURUSD at/)).toBeVisible();

  const stops = screen.row("EURUSD").getByRole("button", { name: /^Stop loss of EURUSD/ });
  await expect(stops).toHaveText((bid - 0.004).toFixed(5));

  await test.step("drag the stop loss on the chart", async () => {
    const before = await stops.textContent();
    const line = await grabLine(screen);
    await page.mouse.down();
    await page.mouse.move(line.x, line.y - 8, { steps: 3 });
    await page.mouse.move(line.x, line.y - 18, { steps: 3 });
    await expect(page.getByText("Esc puts it back")).toBeVisible();
    await page.mouse.up();
    await expect(stops).not.toHaveText(before ?? "");
    expect(Number(await stops.textContent())).toBeGreaterThan(Number(before));
  });

  await test.step("Esc puts a dragged line back", async () => {
    const before = await stops.textContent();
    const line = await grabLine(screen);
    await page.mouse.down();
    await page.mouse.move(line.x, line.y + 15, { steps: 3 });
    await page.keyboard.press("Escape");
    await page.mouse.up();
    await expect(page.getByText("Esc puts it back")).toBeHidden();
    await expect(stops).toHaveText(before ?? "");
  });

  await test.step("close a half", async () => {
    await screen
      .row("EURUSD")
      .getByRole("button", { name: /^Close EURUSD/ })
      .click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "50 %" }).click();
    await dialog.getByRole("button", { name: "Close 0.05 EURUSD" }).click();
    await expect(dialog).toBeHidden();
    await expect(screen.row("EURUSD").getByRole("cell").nth(1)).toHaveText("0.05");
  });

  await test.step("the statement adds up", async () => {
    await screen.list("Statement");
    const totals = page.getByRole("group", { name: "Totals of the statement" });
    await expect(totals).toContainText("Deposits+10,000.00");
    await expect(totals).toContainText("Profit and loss");
    const balance = await screen.figure("balance").textContent();
    await expect(totals).toContainText(`Closing balance${balance}`);
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download CSV" }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/^statement-\d+\.csv$/);
    await screen.list("History");
    await page.getByRole("radio", { name: "Fills" }).click();
    await page.getByRole("cell", { name: "Out", exact: true }).dblclick();
    await expect(page.getByRole("dialog")).toContainText("Acknowledged");
    await expect(page.getByRole("dialog")).toContainText("from this browser");
  });
});

test("stops are changed in place, refusals stay at the field @ci", async ({
  page,
  trader,
  service,
}) => {
  const screen = new Screen(page);
  const { bid } = await screen.prices();
  await service.order(trader.session, {
    account: trader.account,
    instrument: "EURUSD",
    side: "buy",
    volume: "0.10",
  });
  const row = screen.row("EURUSD");
  await row.getByRole("button", { name: /^Stop loss of/ }).click();
  const input = page.getByRole("textbox", { name: /^Stop loss of EURUSD/ });
  await input.fill("abc");
  await input.press("Enter");
  await expect(page.getByRole("alert")).toContainText("not a number");
  await input.fill((bid + 0.01).toFixed(5));
  await input.press("Enter");
  await expect(page.getByRole("alert")).toContainText("belongs below");
  await expect(input).toHaveValue((bid + 0.01).toFixed(5));
  await input.fill((bid - 0.01).toFixed(5));
  await input.press("Enter");
  await expect(row.getByRole("button", { name: /^Stop loss of/ })).toHaveText(
    (bid - 0.01).toFixed(5),
  );
  const kept = await service.call<{ sl: string }[]>(
    "GET",
    `/positions?account=${trader.account}`,
    undefined,
    trader.session,
  );
  expect(Number(kept[0]?.sl)).toBeCloseTo(bid - 0.01, 5);
});

test("pending order: placed, changed in place, cancelled; close all is held", async ({
  page,
  trader,
  service,
}) => {
  const screen = new Screen(page);
  const { bid } = await screen.prices();
  await page.getByRole("radio", { name: "Limit", exact: true }).click();
  await screen.field("Limit price").fill((bid - 0.01).toFixed(5));
  await screen.buy.click();
  await screen.send.click();
  await screen.list("Orders");
  const row = screen.orders.getByRole("row").filter({ hasText: "EURUSD" });
  await expect(row).toHaveCount(1);
  await row.getByRole("button", { name: /^Price of order/ }).click();
  const input = page.getByRole("textbox", { name: /^Price of order/ });
  await input.fill((bid - 0.02).toFixed(5));
  await input.press("Enter");
  await expect(row.getByRole("button", { name: /^Price of order/ })).toHaveText(
    (bid - 0.02).toFixed(5),
  );
  await row.getByRole("button", { name: /^Cancel order/ }).click();
  await expect(row).toHaveCount(0);
  for (const side of ["buy", "sell"])
    await service.order(trader.session, {
      account: trader.account,
      instrument: "EURUSD",
      side,
      volume: "0.10",
    });
  await screen.list("Positions");
  await expect(screen.row("EURUSD")).toHaveCount(2);
  await page.getByRole("button", { name: "Close all", exact: true }).click();
  const hold = page.getByRole("button", { name: /^Hold to close all/ });
  await hold.click(); // a click is no hold: the dialog stays and still counts two
  await expect(page.getByRole("dialog", { name: "Close all 2 positions" })).toBeVisible();
  await hold.click({ delay: 1200 });
  await expect(screen.row("EURUSD")).toHaveCount(0);
});

test("two tabs show one truth @ci", async ({ page, trader, context }) => {
  const one = new Screen(page);
  await one.live();
  const second = await context.newPage();
  const two = new Screen(second);
  await enter(second, trader.session);
  await two.live();
  await one.buy.click();
  await one.send.click();
  await expect(one.row("EURUSD")).toHaveCount(1);
  await expect(two.row("EURUSD")).toHaveCount(1);
  await two
    .row("EURUSD")
    .getByRole("button", { name: /^Close EURUSD/ })
    .click();
  await second
    .getByRole("dialog")
    .getByRole("button", { name: /^Close 0.10/ })
    .click();
  await expect(two.row("EURUSD")).toHaveCount(0);
  await expect(one.row("EURUSD")).toHaveCount(0);
  await expect
    .poll(async () => (await one.figure("balance").textContent()) ?? "")
    .toBe((await two.figure("balance").textContent()) ?? "");
});

/** The pointer on the lowest line that can be dragged (of a buy: its stop loss). */
async function grabLine(screen: Screen): Promise<{ x: number; y: number }> {
  const { page, chart } = screen;
  const box = await chart.boundingBox();
  if (!box) throw new Error("no chart");
  const x = box.x + box.width / 3;
  for (let y = box.y + box.height - 34; y > box.y; y -= 4) {
    await page.mouse.move(x, y);
    if (await chart.evaluate((node) => node.classList.contains("grab-line")))
      return { x, y: y - 2 };
  }
  throw new Error("no line on the chart can be dragged");
}
