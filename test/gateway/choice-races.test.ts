import { describe, expect, it } from "vitest";
import { lnsView, sessionsOf, startField } from "../support/lns-field.ts";
import { type Node, World } from "../support/world.ts";

const PREFERRED = "{ peer: a, preference: 1 }, { peer: b, preference: 2 }";

/** Configure-Requests of LCP that a gateway sends through its tunnels, behind FF03. */
function watchLcp(node: Node): Uint8Array[] {
  const requests: Uint8Array[] = [];
  const send = node.onDatagram;
  node.onDatagram = (to, port, datagram) => {
    const [protocol, subProtocol, code] = datagram.subarray(10);
    if ((datagram[0]! & 0x80) === 0 && protocol === 0xc0 && subProtocol === 0x21 && code === 1)
      requests.push(datagram);
    send(to, port, datagram);
  };
  return requests;
}

describe("an LNS that goes away at any moment of a call", () => {
  it("costs its subscriber nothing but time before the call is connected, and leaves nothing behind", async () => {
    const endings = new Set<string>();
    for (let ms = 6; ms < 36; ms++) {
      const world = new World(ms, { latencyMs: 2, loss: 0, duplication: 0 });
      const field = await startField(world, { members: PREFERRED });
      const { lac, lns, side } = field;
      lac.dataplane.delayMs = 5;
      const alice = side.subscriber(1, "alice@isp.example", "wonderland");
      const fromB = watchLcp(lns.b);
      alice.start();
      await world.pass(ms);
      void lns.a.gateway.stop("test");
      await world.until(() => side.online.has(alice) && sessionsOf(field).b === 1, 10_000);
      await world.pass(1000);
      const [record] = lac.records;
      // who had been connected is hung up on: his LNS is gone, and he calls again
      if (record === undefined)
        expect([ms, side.online.has(alice), sessionsOf(field).b]).toEqual([ms, true, 1]);
      else expect(["lns-ended", "hung-up"]).toContain(record.cause);
      // what he had negotiated and said was held for him: nobody asks him again
      expect([ms, fromB]).toEqual([ms, []]);
      endings.add(record === undefined ? "online" : "hung up on");
      expect(lac.log.filter(({ level }) => level === "error")).toEqual([]);
      expect(lac.views.channels()).toHaveLength(record === undefined ? 2 : 0);
      alice.hangUp();
      await world.pass(1000);
      expect([lac.views.sessions(), lac.views.channels()]).toEqual([[], []]);
      expect(lnsView(field, "b")?.sessions).toBe(0);
    }
    expect(endings).toEqual(new Set(["online", "hung up on"]));
  }, 30_000);

  it("is not waited for by who has hung up meanwhile", async () => {
    for (const ms of [100, 2600, 5000]) {
      const world = new World(ms);
      const field = await startField(world, { members: PREFERRED }, ["a", "b", "c"]);
      const alice = field.side.subscriber(1, "alice@isp.example", "wonderland");
      alice.start();
      await world.pass(1000 + ms);
      alice.hangUp();
      await world.pass(20_000);
      expect(field.lac.records).toMatchObject([{ cause: "hung-up" }]);
      expect(field.lac.views.channels()).toEqual([]);
      expect(field.lac.views.lns().map(({ sessions }) => sessions)).toEqual([0, 0, 0]);
    }
  });

  it("does not keep its callers from others over lines that lose, double and reorder", async () => {
    for (let seed = 0; seed < 6; seed++) {
      const world = new World(seed, { latencyMs: 5, loss: 0.05, duplication: 0.05 });
      const field = await startField(world, { members: PREFERRED });
      const callers = [1, 2, 3].map((n) => field.side.subscriber(n, "alice@isp.example", "wonderland"));
      for (const caller of callers) caller.start();
      await world.pass(10 * seed);
      field.dead.add("a");
      const settled = (): boolean =>
        callers.every((caller) => field.side.online.has(caller) || field.side.offline.has(caller));
      expect([seed, await world.until(settled, 120_000)]).toEqual([seed, true]);
      expect([seed, ...field.side.offline.values()]).toEqual([seed]);
    }
  }, 30_000);
});
