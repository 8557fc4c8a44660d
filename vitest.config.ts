import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // As long as waitUntil waits: one second is little for a busy machine.
    expect: { poll: { timeout: 20_000 } },
  },
});
