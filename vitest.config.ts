import { defineConfig } from "vitest/config";

/** Tests in these folders use devices, network namespaces, worker threads or the VM. */
const SYSTEM = ["native", "dataplane", "netns", "interop", "deploy", "docs/lab", "web/browser"].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);
/** Of these, the ones that take all of the machine, or measure what is taken of it: one file at a time. */
const ALONE = [
  "test/netns/flood.test.ts",
  "test/netns/bad-input.test.ts",
  "test/dataplane/loop/{idle,system}.test.ts",
];
/** These replace modules, so that they cannot share them with others. */
const MOCKING = ["test/gateway/snapshot.test.ts", "test/sim/seeds-*.test.ts"];

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
          exclude: [...SYSTEM, ...MOCKING],
          // a process takes one file after the other: loading the gateway anew for each would be a third of the time
          isolate: false,
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
          include: [...SYSTEM, ...MOCKING],
          exclude: ALONE,
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "alone",
          include: ALONE,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
