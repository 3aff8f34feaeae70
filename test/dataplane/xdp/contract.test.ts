import { describe } from "vitest";
import { describeDataplane } from "../contract.ts";
import { xdpMissing, xdpRig } from "./rig.ts";

describe.skipIf(xdpMissing() !== undefined)("with a program in the kernel", () => {
  describeDataplane("xdp, native", () => xdpRig({ mode: "native" }));
  describeDataplane("xdp, generic", () => xdpRig({ mode: "generic" }));
});
