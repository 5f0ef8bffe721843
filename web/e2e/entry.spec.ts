import { expect, test } from "./journey";
import { Screen } from "./screen";

test("what is typed wrong is said at its field, and nothing is sent @ci", async ({
  page,
  trader,
  service,
}) => {
  const screen = new Screen(page);
  const { bid } = await screen.prices();
  let sent = 0;
  page.on("request", (request) => {
    if (request.method() === "POST" && request.url().endsWith("/api/v1/orders")) sent++;
  });
  const refused = async (field: string, text: string, words: RegExp) => {
    const input = screen.field(field);
    const before = await input.inputValue();
    await input.fill(text);
    await screen.buy.click();
    await expect(input).toHaveAttribute("aria-invalid", "true");
    const id = await input.getAttribute("aria-describedby");
    await expect(page.locator(`[id="${id}"]`)).toHaveText(words);
    await expect(input).toHaveValue(text);
    await input.fill(before);
  };
  await refused("Volume, lots", "ten", /is not a number/);
  await refused("Volume, lots", "0.105", /step|0\.01/i);
  await refused("Volume, lots", "0.001", /0\.01/);
  await refused("Volume, lots", "", /number/);
  await refused("Stop loss", (bid + 0.01).toFixed(5), /below/);
  await refused("Take profit", (bid - 0.01).toFixed(5), /above/);
  await refused("Stop loss", "1.2x", /is not a number/);
  await refused("Volume, lots", "400", /margin|money|free|deposit/i);
  expect(sent).toBe(0);
  const orders = await service.call<{ items: unknown[] }>(
    "GET",
    `/history/orders?account=${trader.account}`,
    undefined,
    trader.session,
  );
  expect(orders.items).toHaveLength(0);
});

test("what only the server knows is said too: closed market, halted account @ci", async ({
  page,
  trader,
  service,
}) => {
  const screen = new Screen(page);
  await screen.live();
  const admin = await service.admin();
  const found = await service.call<Record<string, unknown>[]>(
    "GET",
    "/instruments",
    undefined,
    admin,
  );
  const definition = { ...found.find((each) => each.symbol === "BRENT") };
  for (const name of ["converts"]) delete definition[name];
  // Open only for an hour of the weekday before this one.
  const day = ["Sat", "Sun", "Mon", "Tue", "Wed", "Thu", "Fri"][new Date().getUTCDay()];
  definition.sessions = [{ start: `${day} 01:00`, end: `${day} 02:00` }];
  await service.call(
    "PUT",
    "/instruments/BRENT",
    { definition, reason: "A journey of the tests" },
    admin,
  );
  await page.getByPlaceholder("Filter symbols").fill("BRENT");
  await page.getByRole("row", { name: /BRENT/ }).click();
  await expect(page.getByRole("heading", { name: "BRENT" }).first()).toBeVisible();
  await screen.buy.click();
  await screen.send.click({ timeout: 2000 }).catch(() => undefined);
  await expect(
    page
      .getByRole("alert")
      .filter({ hasText: /closed/i })
      .first(),
  ).toBeVisible();

  await service.call(
    "PUT",
    "/trading-states",
    { scope: "account", state: "halted", target: String(trader.account), reason: "journey" },
    admin,
  );
  await page.reload();
  await expect(page.getByText(/Trading is halted/)).toBeVisible();
  await expect(screen.buy).toBeDisabled();
});
