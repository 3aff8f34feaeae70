import { afterEach, beforeEach, describe } from "vitest";
import { isRoot } from "../../support/system.ts";
import { describeDataplane } from "../contract.ts";
import { describeSequencing } from "../contract-sequencing.ts";
import { describeTraffic } from "../contract-traffic.ts";
import type { LoopRig } from "./rig.ts";

describe.skipIf(!isRoot)("the loop engine with several threads (root)", async () => {
  if (!isRoot) return;
  const { loopRig } = await import("./rig.ts");

  describeDataplane("loop, with four threads,", () => loopRig({ workers: 4 }));

  // what threads can have between them; the rest is seen with one and with four
  describe("the loop, with two threads that have two lanes of each port,", () => {
    let rig: LoopRig;

    beforeEach(async () => {
      rig = await loopRig({ workers: 2, lanes: 4 });
    });
    afterEach(() => rig.close());

    describeSequencing(() => rig);
    describeTraffic(() => rig);
  });
});
