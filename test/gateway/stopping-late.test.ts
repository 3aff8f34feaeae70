import { describe, expect, it } from "vitest";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { startPair, World } from "../support/world.ts";

describe("a gateway that cannot take everything apart in time", () => {
  it("ends within 3 s all the same: its peer is told, and no socket is left open to keep the process", async () => {
    const world = new World(7);
    const { lac, lns, side } = await startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 500);
    await world.pass(10);
    lac.dataplane.closeChannel = () => new Promise(() => {});
    expect(lac.openFramePorts).toBe(1);
    let stopped = false;
    void lac.gateway.stop("SIGTERM").then(() => {
      stopped = true;
    });
    expect(await world.until(() => stopped, 3000)).toBe(true);
    expect(lac.openFramePorts).toBe(0);
    expect(lac.log.map(({ message }) => message)).toContain(
      "not everything could be ended in time; ending all the same",
    );
    await world.pass(100);
    expect(side.offline.has(alice)).toBe(true);
    expect(lns.log.filter(({ message }) => message === "L2TP tunnel down")).toMatchObject([
      { reason: expect.stringContaining("result 6") },
    ]);
  });

  it("has closed everything once, too, when it can", async () => {
    const world = new World(8);
    const { lac } = await startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
    let stopped = false;
    void lac.gateway.stop("SIGTERM").then(() => {
      stopped = true;
    });
    expect(await world.until(() => stopped, 3000)).toBe(true);
    expect(lac.openFramePorts).toBe(0);
  });
});
