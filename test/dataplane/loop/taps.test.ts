import { describe } from "vitest";
import { describeTaps } from "../contract-taps.ts";

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("with root", async () => {
  if (!isRoot) return;
  const { loopRig } = await import("./rig.ts");
  describeTaps("loop", () => loopRig());
});
