import { expect, test } from "./journey";
import { Screen } from "./screen";

test("the server is killed and comes back: the app recovers and shows no wrong number @ci", async ({
  page,
  trader,
  service,
}) => {
  test.setTimeout(120_000);
  const screen = new Screen(page);
  await screen.live();
  const order = { account: trader.account, instrument: "EURUSD", side: "buy", volume: "0.30" };
  await service.order(trader.session, order);
  await expect(screen.row("EURUSD")).toHaveCount(1);
  await screen.field("Volume, lots").fill("0.25");

  await service.end("SIGKILL");
  await expect(page.getByText(/Connection lost/)).toBeVisible({ timeout: 15_000 });
  await expect(page.locator("html")).not.toHaveAttribute("data-prices", "live");
  // Ten seconds of silence: nothing can be sent on prices that old.
  await expect(screen.buy).toBeDisabled({ timeout: 20_000 });
  await expect(page.getByText(/too old to trade on/)).toBeVisible();

  await service.start();
  await screen.live();
  await expect(page.getByText(/Connection lost/)).toBeHidden();
  await expect(screen.field("Volume, lots")).toHaveValue("0.25");
  // What is on the screen is what the server has, to the cent.
  const held = await service.call<{ id: number; volume: string }[]>(
    "GET",
    `/positions?account=${trader.account}`,
    undefined,
    trader.session,
  );
  expect(held).toHaveLength(1);
  await expect(screen.row("EURUSD")).toHaveCount(1);
  await expect(screen.row("EURUSD")).toContainText(`#${held[0]?.id}`);
  await expect
    .poll(async () => {
      const now = await service.call(
        "GET",
        `/accounts/${trader.account}`,
        undefined,
        trader.session,
      );
      const shown = (await screen.figure("balance").textContent())?.replaceAll(",", "");
      return Number(shown) - Number(now.balance);
    })
    .toBe(0);
  // And it goes on: events of the new life arrive.
  await service.order(trader.session, { ...order, side: "sell" });
  await expect(screen.row("EURUSD")).toHaveCount(2);
});

test("a slow server: nothing is sent twice, whatever is pressed @ci", async ({
  page,
  trader,
  service,
}) => {
  const screen = new Screen(page);
  await screen.live();
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/api/v1/orders"))
      sent.push(request.headers()["idempotency-key"] ?? "");
  });
  await screen.buy.click();
  await expect(screen.send).toBeEnabled();
  service.pause(true);
  try {
    await screen.send.click();
    await expect(screen.send.or(screen.buy).first()).toBeDisabled();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
  } finally {
    service.pause(false);
  }
  await expect(screen.row("EURUSD")).toHaveCount(1);
  const filled = await service.call<{ items: unknown[] }>(
    "GET",
    `/fills?account=${trader.account}`,
    undefined,
    trader.session,
  );
  expect(filled.items).toHaveLength(1);
  expect(new Set(sent).size, "one intention, one key").toBe(1);
});

test("the answer is lost on the way: the order is repeated with its key, filled once @ci", async ({
  page,
  trader,
  service,
}) => {
  const screen = new Screen(page);
  await screen.live();
  let lost = 0;
  await page.route("**/api/v1/orders", async (route) => {
    if (route.request().method() !== "POST" || lost > 0) return route.continue();
    lost++;
    await route.fetch(); // the server carries it out …
    await route.abort("connectionreset"); // … and the answer never arrives
  });
  await screen.buy.click();
  await screen.send.click();
  await expect(page.getByText(/Bought 0.10 EURUSD at/)).toBeVisible();
  await expect(screen.row("EURUSD")).toHaveCount(1);
  const filled = await service.call<{ items: unknown[] }>(
    "GET",
    `/fills?account=${trader.account}`,
    undefined,
    trader.session,
  );
  expect(lost).toBe(1);
  expect(filled.items).toHaveLength(1);
});

test("an expired session asks to sign in over the work, which stays @ci", async ({
  page,
  trader,
  service,
}) => {
  const screen = new Screen(page);
  await screen.live();
  await screen.field("Volume, lots").fill("0.37");
  const sessions = await service.call<{ id: number }[]>(
    "GET",
    "/me/sessions",
    undefined,
    trader.session,
  );
  for (const each of sessions)
    await service.call("DELETE", `/me/sessions/${each.id}`, undefined, trader.session).catch(() => {
      // The last one ends the right to end others.
    });
  await screen.buy.click();
  await screen.send.click().catch(() => undefined);
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText(/[Ss]ign in/);
  await dialog.getByLabel("Password").fill("a-long-enough-phrase-1");
  await dialog.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(dialog).toBeHidden();
  await expect(screen.field("Volume, lots")).toHaveValue("0.37");
  await screen.live();
});
