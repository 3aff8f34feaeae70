import { describe } from "vitest";
import { describeDataplane } from "../contract.ts";
import { xdpMissing, xdpRig } from "./rig.ts";

describe.skipIf(xdpMissing() !== undefined)("with a program in the kernel", () => {
  // in generic mode the same program runs behind the driver: the other tests of this folder have both
  describeDataplane("xdp", () => xdpRig({ mode: "native" }));
});
