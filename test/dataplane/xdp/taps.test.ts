import { describe } from "vitest";
import { describeTaps } from "../contract-taps.ts";
import { xdpMissing, xdpRig } from "./rig.ts";

describe.skipIf(xdpMissing() !== undefined)("with a program in the kernel", () => {
  describeTaps("xdp", () => xdpRig({ mode: "native" }));
});
