// Lists every text of the app as JSON { English: "" }, ready to be translated: node tools/messages.mjs
import { globSync, readFileSync } from "node:fs";

const found = new Set();
for (const path of globSync("src/**/*.{ts,tsx}", {
  cwd: new URL("..", import.meta.url).pathname,
})) {
  if (path.endsWith(".test.ts") || path.endsWith(".d.ts")) continue;
  const source = readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
  for (const [, text] of source.matchAll(/\bt\(\s*"((?:[^"\\]|\\.)*)"/g))
    found.add(JSON.parse(`"${text}"`));
  for (const [, one, many] of source.matchAll(/\bplural\([^,]+,\s*"([^"]*)",\s*"([^"]*)"/g))
    found.add(one).add(many);
}
console.log(
  JSON.stringify(Object.fromEntries([...found].sort().map((text) => [text, ""])), null, 2),
);
