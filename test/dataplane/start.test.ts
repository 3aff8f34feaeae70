/** Which engine runs, and what the log says of it. Needs root. */

import { describe, expect, it } from "vitest";
import { startLoopDataplane } from "../../src/dataplane/loop/engine.ts";
import { type DataplaneOptions, startDataplane } from "../../src/dataplane/start.ts";
import { startXdpDataplane } from "../../src/dataplane/xdp/start.ts";
import { isRoot } from "../support/system.ts";
import { FakeLog } from "./xdp/fakes.ts";
import { xdpMissing } from "./xdp/rig.ts";

const SMALL = { maxChannels: 64, maxPeers: 64, maxUnits: 4, maxPorts: 4, workers: "auto" } as const;

/** Starts and ends one; returns its name and what was logged. */
async function run(options: Partial<DataplaneOptions> & Pick<DataplaneOptions, "engine">) {
  const logger = new FakeLog();
  const dataplane = await startDataplane({ ...SMALL, ...options, logger });
  const { engine } = dataplane;
  const interfaces = dataplane.interfaces?.();
  await dataplane.close();
  return { engine, interfaces, log: logger.lines };
}

describe.skipIf(!isRoot)("a data plane that is started", () => {
  it("on the loop is the loop", async () => {
    const log = ['info: data plane started {"engine":"loop"}'];
    expect(await run({ engine: "loop" })).toEqual({ engine: "loop", interfaces: undefined, log });
  });

  it.each(["auto", "xdp"] as const)(
    "on %s is the program above the loop where that can be, else the loop; one line says which, and why",
    async (engine) => {
      const { engine: runs, interfaces, log } = await run({ engine });
      expect(log).toHaveLength(1);
      if (xdpMissing() === undefined) {
        expect([runs, interfaces]).toEqual(["xdp", []]);
        expect(log).toEqual(['info: data plane started {"engine":"xdp"}']);
        return;
      }
      expect(runs).toBe("loop");
      expect(log[0]).toMatch(engine === "auto" ? /^info/ : /^error/);
      expect(log[0]).toContain(`"wanted":"${engine}"`);
    },
  );

  it.skipIf(xdpMissing() !== undefined)("is told what the kernel refuses of the program", async () => {
    const loop = await startLoopDataplane({ ...SMALL, workers: 1 });
    // a table of more octets than one may have
    const sizes = { maxPorts: 4, maxPeers: 64, maxChannels: 2_000_000_000 };
    const reason = startXdpDataplane(loop, { ...sizes, logger: new FakeLog() });
    expect(reason).toMatch(/^\S.*$/);
    await loop.close();
  });
});
