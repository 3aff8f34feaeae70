import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // raw-socket and cap are not context-aware: they cannot be loaded in threads
    pool: "forks",
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
