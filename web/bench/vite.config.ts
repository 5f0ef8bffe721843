import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The baseline page of `make bench-web`, built as production code, served to the browser by the bench.
export default defineConfig({
  root: new URL("./plain", import.meta.url).pathname,
  base: "/plain/",
  plugins: [react()],
  build: { outDir: "../../../build/bench/plain", emptyOutDir: true },
});
