// The size guard: gzip bytes of JavaScript that each page needs, read from the Vite manifest.
// A page = the shell (everything the entry imports statically) + the page's chunk and what that
// imports. `with` names what the page shows at once although it is loaded lazily. Budgets: issue 4.
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const KB = 1000;
const root =
  process.env.TRADELOOM_WEB_OUT ?? new URL("../../src/tradeloom/web", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(root, "manifest.json"), "utf8"));
const PAGES = [
  { name: "shell", entry: null, budget: 140 },
  {
    name: "terminal",
    entry: "src/features/terminal/TerminalPage.tsx",
    budget: 260,
    with: ["src/features/blotter/Blotter.tsx"],
  },
  ...Object.keys(manifest)
    .filter(
      (key) =>
        /^src\/features\/[^/]+\/(?:.*\/)?\w+Page\.tsx$/.test(key) && !key.includes("/terminal/"),
    )
    .map((entry) => ({
      name: entry.replace(/^src\/features\/|\.tsx$/g, ""),
      entry,
      budget: 200,
    })),
];

function closure(keys) {
  const seen = new Set();
  const visit = (key) => {
    if (seen.has(key) || !manifest[key]) return;
    seen.add(key);
    for (const each of manifest[key].imports ?? []) visit(each);
  };
  for (const key of keys) visit(key);
  return [...seen].map((key) => manifest[key].file).filter((file) => file.endsWith(".js"));
}

const expand = (pattern) =>
  pattern.endsWith("/**")
    ? Object.keys(manifest).filter((key) => key.startsWith(pattern.slice(0, -2)))
    : manifest[pattern]
      ? [pattern]
      : [];
const size = (file) => gzipSync(readFileSync(join(root, file)), { level: 9 }).length;

let failed = false;
for (const page of PAGES) {
  if (page.entry && !manifest[page.entry]) {
    console.error(`${page.name}: ${page.entry} is not in the manifest`);
    failed = true;
    continue;
  }
  const keys = [
    "index.html",
    ...(page.entry ? [page.entry] : []),
    ...(page.with ?? []).flatMap(expand),
  ];
  const kb = [...new Set(closure(keys))].reduce((sum, file) => sum + size(file), 0) / KB;
  const over = kb > page.budget;
  failed ||= over;
  console.log(
    `${over ? "OVER" : "  ok"}  ${page.name.padEnd(28)} ${kb.toFixed(1).padStart(7)} KB gzip of ${page.budget}`,
  );
}
const styles = Object.values(manifest).flatMap((each) => each.css ?? []);
const css = [...new Set(styles)].reduce((sum, file) => sum + size(file), 0) / KB;
console.log(
  `      styles ${css.toFixed(1)} KB gzip; page ${statSync(join(root, "index.html")).size} bytes`,
);
process.exit(failed ? 1 : 0);
