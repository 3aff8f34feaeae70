import { defineConfig } from "vitest/config";

/** For the recordings only: they are no tests, and make files that are committed. */
export default defineConfig({
  test: {
    pool: "forks",
    include: ["test/interop/vm/captures/record.ts"],
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
