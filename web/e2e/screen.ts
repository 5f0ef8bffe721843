/** The terminal as somebody sees it: names and roles, never classes. */
import { expect, type Locator, type Page } from "@playwright/test";

export class Screen {
  constructor(readonly page: Page) {}

  get strip(): Locator {
    return this.page.getByRole("group", { name: /^Account \d+/ });
  }
  get blotter(): Locator {
    return this.page.getByRole("region", { name: "Positions and orders" });
  }
  get positions(): Locator {
    return this.page.getByRole("table", { name: "Open positions" });
  }
  get orders(): Locator {
    return this.page.getByRole("table", { name: "Working orders" });
  }
  get chart(): Locator {
    return this.page.getByRole("figure", { name: /^Chart of/ });
  }
  get buy(): Locator {
    return this.page.getByRole("button", { name: "Buy", exact: true });
  }
  get sell(): Locator {
    return this.page.getByRole("button", { name: "Sell", exact: true });
  }
  get send(): Locator {
    return this.page.getByRole("button", { name: /^Send: / });
  }

  field(name: string): Locator {
    return this.page.getByRole("textbox", { name, exact: true });
  }

  /** A position's row: of a symbol, or the only one. */
  row(text: string | RegExp = /#\d+/): Locator {
    return this.positions.getByRole("row").filter({ hasText: text }).filter({ hasText: /#\d+/ });
  }

  async list(name: "Positions" | "Orders" | "History" | "Statement"): Promise<void> {
    await this.blotter
      .getByRole("radio", { name: new RegExp(`^${name}`) })
      .first()
      .click();
  }

  /** Live prices and a complete account are on the screen. */
  async live(): Promise<void> {
    await expect(this.strip).toHaveAttribute("data-ready", "true", { timeout: 20_000 });
    await expect(this.page.locator("html")).toHaveAttribute("data-prices", "live", {
      timeout: 20_000,
    });
    await expect(this.buy).toBeEnabled();
  }

  /** The present bid and ask of the ticket. */
  async prices(): Promise<{ bid: number; ask: number }> {
    await this.live();
    const read = async (button: Locator) =>
      Number(
        (((await button.textContent()) ?? "").match(/[\d.]+$/) ?? ["NaN"])[0].replace(/\s/g, ""),
      );
    return { bid: await read(this.sell), ask: await read(this.buy) };
  }

  figure(name: string): Locator {
    return this.strip.locator(`[data-figure="${name}"]`);
  }
}
