/** What the kernel may refuse: the program, or memory. Whatever else there is serves on. Needs root. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Dataplane } from "../../../src/channel/dataplane.ts";
import { startLoopDataplane } from "../../../src/dataplane/loop/engine.ts";
import { DEFAULT_LOOP_OPTIONS } from "../../../src/dataplane/loop/options.ts";
import type { LoopEngine } from "../../../src/dataplane/loop/threaded-loop.ts";
import { startXdpDataplane } from "../../../src/dataplane/xdp/start.ts";
import { type Cable, makeCable, RIG_OPTIONS } from "../loop/rig.ts";
import { FakeLog } from "./fakes.ts";
import { xdpMissing } from "./rig.ts";

const CHILD = fileURLToPath(new URL("./memory-child.mjs", import.meta.url));
const DIST = new URL("../../../dist/src", import.meta.url).href;
/** Room for what a thread has anyway and two UDP ports, and not for the ring of an access port. */
const NARROW = { regionBytes: 24 << 20, packetRingSlots: 16_384, lanes: 1 } as const;

const above = (loop: LoopEngine, ...rest: [] | [Parameters<typeof startXdpDataplane>[2]]) =>
  startXdpDataplane(loop, { ...DEFAULT_LOOP_OPTIONS, ...RIG_OPTIONS, logger: new FakeLog() }, ...rest);

describe.skipIf(xdpMissing() !== undefined)("a refusal", () => {
  let loop: LoopEngine;

  beforeEach(async () => {
    loop = await startLoopDataplane({ ...RIG_OPTIONS, ...NARROW });
    loop.onPunt(() => {});
  });
  afterEach(() => loop.close());

  const openUdp = (dataplane: Dataplane, last: number) =>
    dataplane.openPort({ kind: "udp", address: `127.8.${1 + (process.pid % 250)}.${last}`, udpPort: 1701 });

  it("of the program by the verifier is told in a line, and leaves the loop as it was", async () => {
    const log = "R1 offset is outside of the packet\nprocessed 2 insns (limit 1000000)\n";
    const load = () => {
      throw Object.assign(new Error("bpf: EACCES"), { code: "EACCES", log });
    };
    expect(above(loop, { load })).toBe(
      "the kernel's verifier refuses the program: EACCES, R1 offset is outside of the packet",
    );
    await openUdp(loop, 1);
  });

  it("of memory for the program's tables is told in a line, and leaves the loop as it was", () => {
    const said = execFileSync(process.execPath, [CHILD, DIST], { encoding: "utf8" });
    expect(JSON.parse(said)).toEqual({
      engine: "loop",
      reason: expect.stringMatching(/^mmap: ENOMEM, cannot allocate memory \(XDP table \w+\)$/),
    });
  });

  describe.each(["loop", "xdp"])("of memory for a port's ring (%s)", (engine) => {
    let cable: Cable;
    let dataplane: Dataplane;

    beforeEach(() => {
      cable = makeCable();
      const engineAbove = engine === "loop" ? loop : above(loop);
      if (typeof engineAbove === "string") throw new Error(engineAbove);
      dataplane = engineAbove;
    });
    afterEach(async () => {
      await dataplane.close();
      cable.remove();
    });

    it("is of that port alone, says how much was asked for, and leaves nothing of it", async () => {
      await openUdp(dataplane, 1);
      const { gateway } = cable;
      const opening = () => dataplane.openPort({ kind: "ethernet", mtuBytes: 1500, ...gateway });
      for (let attempt = 0; attempt < 3; attempt++)
        await expect(opening()).rejects.toThrow(
          /^mmap: ENOMEM, cannot allocate memory \(region: \d+ octets more than the \d+ that are left\)$/,
        );
      expect(dataplane.interfaces?.() ?? []).toEqual([]);
      await openUdp(dataplane, 2);
    });
  });

  it("of memory for a thread is told when it starts", async () => {
    await expect(startLoopDataplane({ ...RIG_OPTIONS, regionBytes: 1 << 20 })).rejects.toMatchObject({
      code: "worker-died",
      message: expect.stringContaining("mmap: ENOMEM"),
    });
  });
});
