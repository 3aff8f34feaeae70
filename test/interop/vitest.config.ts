import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** `npm run interop`: every scenario with a peer that is not ours. */
export default defineConfig({
  test: {
    root: fileURLToPath(new URL("../..", import.meta.url)),
    pool: "forks",
    include: ["test/interop/debian-peers.test.ts", "test/interop/*.interop.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ["default", "./test/interop/report.ts"],
  },
});
