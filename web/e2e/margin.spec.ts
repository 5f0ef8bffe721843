import { expect, test } from "./journey";
import { Screen } from "./screen";

test("margin call and stop-out are seen as they happen @ci", async ({ page, trader, service }) => {
  const screen = new Screen(page);
  await screen.live();
  await service.order(trader.session, {
    account: trader.account,
    instrument: "EURUSD",
    side: "buy",
    volume: "5.00",
  });
  await expect(screen.row("EURUSD")).toHaveCount(1);
  await expect(screen.strip).toHaveAttribute("data-level", "ok");
  const admin = await service.admin();
  const take = async (level: number) => {
    const now = await service.call("GET", `/accounts/${trader.account}`, undefined, trader.session);
    const amount = Number(now.equity) - (Number(now.margin) * level) / 100;
    await service.call(
      "POST",
      `/accounts/${trader.account}/corrections`,
      { amount: (-amount).toFixed(2), reason: "A journey of the tests" },
      admin,
    );
  };
  await take(80);
  await expect(screen.strip).toHaveAttribute("data-level", "margin_call");
  await expect(screen.strip).toContainText("Margin call");
  await expect(page.getByText(/Margin call: deposit/)).toBeVisible();
  await take(30);
  await expect(screen.row("EURUSD")).toHaveCount(0);
  await expect(screen.strip).toHaveAttribute("data-level", "ok");
  await expect(page.getByText("No open positions")).toBeVisible();
  await screen.list("History");
  await expect(page.getByRole("table", { name: "Closed positions" })).toContainText("Stop-out");
  const end = await service.call("GET", `/accounts/${trader.account}`, undefined, trader.session);
  await expect
    .poll(async () => Number((await screen.figure("balance").textContent())?.replaceAll(",", "")))
    .toBeCloseTo(Number(end.balance), 2);
});
