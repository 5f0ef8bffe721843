import { expect, test } from "./journey";
import { Screen } from "./screen";
import { PASSWORD } from "./service.ts";

test("the first trade, and its end, without a mouse @ci", async ({ page }) => {
  const screen = new Screen(page);
  const keys = page.keyboard;
  await page.goto("/sign-up");
  await expect(page.getByLabel("Login")).toBeFocused();
  await keys.type(`keys${Date.now()}`);
  await keys.press("Tab");
  await keys.type(PASSWORD);
  await keys.press("Enter");
  await screen.live();
  await keys.press("Shift+B");
  await expect(screen.send).toBeFocused();
  await keys.press("Enter");
  await expect(screen.row("EURUSD")).toHaveCount(1);
  await expect(page.getByText(/Bought 0.10 EURUSD at/)).toBeVisible();

  // Into the list, J to the row, Enter opens its receipt, and from there it is closed.
  await screen.positions.focus();
  await keys.press("j");
  await expect(screen.row("EURUSD")).toHaveAttribute("aria-selected", "true");
  await keys.press("Enter");
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText("Receipt of order");
  await dialog.getByRole("button", { name: "Close position" }).focus();
  await keys.press("Enter");
  await expect(page.getByRole("button", { name: "Close 0.10 EURUSD" })).toBeFocused();
  await keys.press("Enter");
  await expect(screen.row("EURUSD")).toHaveCount(0);

  // Symbol by palette.
  await keys.press("Control+k");
  await expect(page.getByRole("dialog").getByRole("combobox")).toBeFocused();
  await keys.type("xauusd");
  await keys.press("Enter");
  await expect(page).toHaveURL(/symbol=XAUUSD/);
});
