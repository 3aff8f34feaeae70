import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/support/longest-first.ts";

/** Tests in these folders use devices, network namespaces, worker threads or the VM. */
const SYSTEM = ["native", "dataplane", "netns", "interop", "deploy", "docs/lab", "web/browser"].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);
/** Of these, the ones that only compute: a process of its own would cost each more than its tests do. */
const COMPUTING = [
  "test/dataplane/{l2tp-message,pppoe-frame,reorder}.test.ts",
  "test/dataplane/memory/*.test.ts",
  "test/dataplane/loop/{address-*,control-sender,descriptors,forwarding,forwarding-loop,grace}.test.ts",
  "test/dataplane/loop/{lane-failures,record-ring,sequencing,stranger-control,unit-*gress,worker-grace}.test.ts",
  "test/dataplane/xdp/shared-grace.test.ts",
  "test/deploy/{default-configuration,operations}.test.ts",
  "test/interop/page.test.ts",
];
/** Of these, the ones that take all of the machine, or measure what is taken of it: one file at a time. */
const ALONE = [
  "test/netns/flood.test.ts",
  "test/netns/bad-input.test.ts",
  "test/dataplane/loop/{idle,system}.test.ts",
];
/** These replace modules, so that they cannot share them with others. */
const MOCKING = ["test/gateway/snapshot.test.ts", "test/sim/seeds-*.test.ts"];

/** For tests that use nothing of the machine but its processors. */
const SHARING = {
  // a process takes one file after the other: loading the gateway anew for each would be a third of the time
  isolate: false,
  // two files at a time on the smallest machine, too: they wait for child processes as much as for a core
  maxWorkers: 2,
  testTimeout: 20_000,
  sequence: { groupOrder: 0 },
};

export default defineConfig({
  test: {
    // raw-socket and cap are not context-aware: they cannot be loaded in threads
    pool: "forks",
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...SYSTEM, ...MOCKING],
          ...SHARING,
        },
      },
      { extends: true, test: { name: "computing", include: COMPUTING, ...SHARING } },
      {
        extends: true,
        test: {
          name: "system",
          include: [...SYSTEM, ...MOCKING],
          exclude: [...ALONE, ...COMPUTING],
          // they wait for the kernel, for protocols' timers and for other processes more than they compute
          maxWorkers: 4,
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
