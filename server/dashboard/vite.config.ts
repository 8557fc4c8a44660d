import { defineConfig } from "vite";

export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  // An inline script would need a hole in the content security policy.
  build: { target: "es2022", modulePreload: { polyfill: false }, assetsInlineLimit: 0, emptyOutDir: true },
});
