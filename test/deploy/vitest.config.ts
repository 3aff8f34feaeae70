import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** `npm run test:image`: what takes minutes to build. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL("../..", import.meta.url)),
    pool: "forks",
    include: ["test/deploy/*.image.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
