// Completes package-lock.json: npm leaves out optional packages of other platforms when the registry in
// use does not carry them, and `npm ci` then refuses the file on every machine. Run it after `npm install`.
import { readFileSync, writeFileSync } from "node:fs";

const path = process.argv[2] ?? new URL("../package-lock.json", import.meta.url).pathname;
const lock = JSON.parse(readFileSync(path, "utf8"));
const OS = ["android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "sunos", "win32", "aix"];
const CPU = [
  "arm64",
  "x64",
  "arm",
  "ia32",
  "ppc64",
  "s390x",
  "riscv64",
  "loong64",
  "wasm32",
  "mips64el",
];

for (const [place, entry] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (!place || lock.packages[key] || lock.packages[`${place}/${key}`] || !/^\d/.test(version))
      continue;
    const words = name.replace(/^.*\//, "").split(/[-.]/);
    const os = OS.filter(
      (each) => words.includes(each) || (each === "linux" && words.includes("gnueabihf")),
    );
    const cpu = CPU.filter((each) => words.includes(each));
    lock.packages[key] = {
      version,
      ...(cpu.length ? { cpu } : {}),
      ...(entry.dev ? { dev: true } : {}),
      ...(words.includes("musl") ? { libc: ["musl"] } : {}),
      optional: true,
      ...(os.length ? { os } : {}),
    };
  }
}
const sorted = Object.keys(lock.packages).sort((a, b) => (a < b ? -1 : 1));
lock.packages = Object.fromEntries(sorted.map((key) => [key, lock.packages[key]]));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
