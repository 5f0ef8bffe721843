import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compressed } from "./tools/compressed.ts";

// `npm run dev` serves the app with hot reload and passes the API on to a running Tradeloom.
const backend = process.env.TRADELOOM_BACKEND ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), tailwind(), compressed()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: {
    // Straight into the Python package: what is served in development is what a wheel ships.
    outDir: process.env.TRADELOOM_WEB_OUT ?? "../src/tradeloom/web",
    emptyOutDir: true,
    target: "es2023",
    manifest: "manifest.json",
    assetsInlineLimit: 0, // the content security policy allows no data: fonts
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        // Libraries change rarely: in chunks of their own they stay cached over our releases, and a
        // shim shared by two pages never drags a whole library into the shell.
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\//, priority: 20 },
            { name: "shims", test: /node_modules\/use-sync-external-store\//, priority: 20 },
            {
              name: "route",
              test: /node_modules\/@tanstack\/(react-router|router-core|history|react-query|query-core|store|react-store)\//,
              priority: 15,
            },
            {
              name: "charts",
              test: /node_modules\/(lightweight-charts|fancy-canvas)\//,
              priority: 15,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      "/api": backend,
      "/docs": backend,
      "/reference": backend,
      "/ws": { target: backend, ws: true },
    },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});
