import { defineConfig } from "vitest/config";

/** Tests in these folders use devices, network namespaces, worker threads or the VM: one file at a time. */
const SYSTEM = ["native", "dataplane", "netns", "interop"].map((folder) => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    // raw-socket and cap are not context-aware: they cannot be loaded in threads
    pool: "forks",
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: SYSTEM,
          // two files at a time on the smallest machine, too: they wait for child processes as much as for a core
          maxWorkers: 2,
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "system",
          include: SYSTEM,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
