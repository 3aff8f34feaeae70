/** The order in which test files are started: the longest first, so that none of them is what all others' end waits for. */

import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Seconds on two processors that have nothing else to do. What is not here is short, or alone at its time. */
const SECONDS: Readonly<Record<string, number>> = {
  "test/deploy/package.test.ts": 50,
  "test/interop/debian-peers.test.ts": 45,
  "test/dataplane/loop/threads.test.ts": 36,
  "test/dataplane/loop/contract.test.ts": 31,
  "test/dataplane/xdp/contract.test.ts": 25,
  "test/web/browser/lab.test.ts": 23,
  "test/web/browser/many.test.ts": 22,
  "test/netns/lab.test.ts": 21,
  "test/netns/bad-callers.test.ts": 15,
  "test/netns/interfaces.test.ts": 15,
  "test/netns/shutdown.test.ts": 14,
  "test/netns/xdp.test.ts": 12,
  "test/sim/seeds-1-to-250.test.ts": 12,
  "test/sim/seeds-251-to-500.test.ts": 12,
  "test/netns/units.test.ts": 11,
  "test/netns/dial.test.ts": 10,
  "test/netns/operator.test.ts": 9,
  "test/interop/vm.test.ts": 8,
  "test/netns/ipv6.test.ts": 8,
  "test/netns/next-hops.test.ts": 8,
  "test/netns/source-address.test.ts": 8,
  "test/scripts/setup.test.ts": 8,
  "test/dataplane/loop/crew.test.ts": 7,
  "test/netns/samples.test.ts": 7,
  "test/web/browser/look.test.ts": 7,
  "test/dataplane/loop/garbage.test.ts": 6,
  "test/netns/core-wire.test.ts": 6,
  "test/control/addresses.test.ts": 5,
  "test/netns/answering-port.test.ts": 5,
  "test/netns/roles.test.ts": 5,
  "test/l2tp/hostile.test.ts": 4,
  "test/native/xsk.test.ts": 4,
  "test/netns/ipv6-core.test.ts": 4,
  "test/netns/tcp.test.ts": 4,
};

/** Vitest's own order knows only the size of files that it has not run before: some of the longest are the smallest. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const seconds = ({ moduleId }: TestSpecification): number => SECONDS[relative(root, moduleId)] ?? 0;
    const sorted = await super.sort(files);
    // one after the other, as their groups come and as processes that serve several files serve one project only
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return sorted.sort(
      (a, b) => projects.indexOf(a.project) - projects.indexOf(b.project) || seconds(b) - seconds(a),
    );
  }
}
