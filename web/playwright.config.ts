import { defineConfig, devices } from "@playwright/test";
import { browser, flags } from "./e2e/browser";

// One worker and one service for all journeys: the machine that checks changes has two cores.
export default defineConfig({
  testDir: "e2e",
  outputDir: "../build/web-journeys",
  fullyParallel: false,
  workers: Number(process.env.TRADELOOM_WEB_WORKERS ?? 1),
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  use: {
    ...devices["Desktop Chrome"],
    viewport: { width: 1600, height: 900 },
    locale: "en-GB",
    timezoneId: "UTC",
    actionTimeout: 10_000,
    trace: process.env.TRADELOOM_TRACE ? "retain-on-failure" : "off",
    screenshot: "only-on-failure",
    launchOptions: { executablePath: browser, args: flags },
  },
});
