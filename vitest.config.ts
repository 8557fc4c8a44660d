import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    // Longer than a wait inside of a test, which says what it waited for.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // As long as waitUntil waits: one second is little for a busy machine.
    expect: { poll: { timeout: 20_000 } },
  },
});
