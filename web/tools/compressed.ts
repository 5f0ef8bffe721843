import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

const WORTH = /\.(js|css|html|svg|json)$/;
const SMALLEST = 1024;

/** Writes `.br` and `.gz` beside every text file of the build, so that the service compresses nothing. */
export function compressed(): Plugin {
  let folder = "";
  return {
    name: "compressed",
    apply: "build",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    async writeBundle() {
      const names = await readdir(folder, { recursive: true });
      const worth = names.filter((name) => WORTH.test(name) && name !== "manifest.json");
      await Promise.all(worth.map((name) => squeeze(join(folder, name))));
    },
  };
}

async function squeeze(path: string): Promise<void> {
  const data = await readFile(path);
  if (data.length < SMALLEST) return;
  const quality = {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
    },
  };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(data, quality));
  await writeFile(`${path}.gz`, await promisify(gzip)(data, { level: 9 }));
}
