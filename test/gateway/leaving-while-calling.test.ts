import { describe, expect, it } from "vitest";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { startPair, World } from "../support/world.ts";

describe("a LAC that stops while it calls an LNS for a subscriber who does not answer", () => {
  it("does so at whatever moment the call's own time is up", async () => {
    for (let ms = 500; ms < 12_000; ms += 500) {
      const world = new World(5);
      const { lac, side } = await startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
      lac.onDatagram = () => {};
      side.subscriber(1, "alice@isp.example", "wonderland").start();
      await world.pass(ms);
      lac.onEthernet = () => {};
      let stopped = false;
      void lac.gateway.stop("test").then(() => {
        stopped = true;
      });
      expect(await world.until(() => stopped, 3000), `after ${ms} ms`).toBe(true);
    }
  });
});
