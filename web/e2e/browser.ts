/** Which Chromium the journeys use: a named one, Debian's, else Playwright's own. */
import { existsSync } from "node:fs";
import { chromium } from "@playwright/test";

const named = process.env.TRADELOOM_CHROMIUM;
const places = [named, "/usr/bin/chromium", "/usr/bin/chromium-browser", chromium.executablePath()];

/** Undefined: there is none. */
export const browser = places.find((each) => each && existsSync(each));
export const NONE =
  "no Chromium here: `make browsers` installs Debian's, or name one in TRADELOOM_CHROMIUM";

/** Chromium refuses its sandbox to root, as in containers. */
export const flags = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
