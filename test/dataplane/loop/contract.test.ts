import { describe } from "vitest";
import { describeDataplane } from "../contract.ts";

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("with root", async () => {
  if (!isRoot) return;
  const { loopRig } = await import("./rig.ts");
  describeDataplane("loop", () => loopRig());
  describeDataplane("loop, by packet sockets alone", () => loopRig({ xskSlots: 0 }));
});
