import { describe, expect, it } from "vitest";
import { LAC_YAML } from "../support/configurations.ts";
import { L2tpPeer, wireHosts } from "../support/l2tp-peer.ts";
import { lnsView, sessionsOf, startField } from "../support/lns-field.ts";
import { Node, SubscriberSide, World, wireEthernet } from "../support/world.ts";

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

describe("an LNS that clears a tunnel without sessions", () => {
  it("just when a call is placed in it gets the call in another one, and is not locked out for that", async () => {
    let crossed = 0;
    for (let ms = 16; ms < 40; ms += 1) {
      const world = new World(ms, { latencyMs: 3, loss: 0, duplication: 0 });
      const lac = new Node(world, "10.0.0.2", LAC_YAML);
      const lns = new L2tpPeer(world, "10.0.0.11", "isp", { secret: "tunnel-secret", accept: true });
      const side = new SubscriberSide(world);
      wireHosts(world, [lac, lns]);
      wireEthernet(side, lac);
      await side.open();
      await lac.gateway.start();
      const answered = async (count: number): Promise<boolean> => {
        if (!(await world.until(() => lns.all("call-offered").length === count, 5000))) return false;
        const { tunnel, session } = lns.all("call-offered").at(-1)!;
        lns.do((endpoint, now) => endpoint.acceptCall(now, tunnel, session));
        return world.until(() => lns.all("call-connected").length === count, 5000);
      };
      const first = side.subscriber(1, "alice@isp.example", "wonderland");
      first.start();
      expect(await answered(1)).toBe(true);
      const { tunnel, session } = lns.one("call-offered");
      lns.do((endpoint, now) => endpoint.closeSession(now, tunnel, session, { result: 3 }));
      await world.pass(1000);
      side.subscriber(2, "alice@isp.example", "wonderland").start();
      await world.pass(ms);
      if (lns.all("call-offered").length > 1) break;
      lns.do((endpoint, now) => endpoint.closeTunnel(now, tunnel, { result: 1 }));
      expect([ms, await answered(2)]).toEqual([ms, true]);
      expect(lac.views.lns()).toMatchObject([{ state: "up", lockedForSeconds: null }]);
      if (lac.views.counters()["lns.lns.refused"] !== undefined) crossed += 1;
    }
    expect(crossed).toBeGreaterThan(2);
  });

  it("whenever a call is placed in it is locked out, as it takes none", async () => {
    const world = new World(1);
    const lac = new Node(world, "10.0.0.2", LAC_YAML);
    const lns = new L2tpPeer(world, "10.0.0.11", "isp", { secret: "tunnel-secret", accept: true });
    const side = new SubscriberSide(world);
    wireHosts(world, [lac, lns]);
    wireEthernet(side, lac);
    await side.open();
    await lac.gateway.start();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    for (let count = 1; count < 4; count++) {
      await world.until(() => lns.all("call-offered").length === count, 2000);
      const { tunnel } = lns.all("tunnel-up").at(-1)!;
      lns.do((endpoint, now) => endpoint.closeTunnel(now, tunnel, { result: 1 }));
    }
    expect(await world.until(() => side.offline.has(alice), 5000)).toBe(true);
    expect(lns.all("tunnel-up")).toHaveLength(2);
    expect(lac.views.lns()).toMatchObject([{ state: "locked-out" }]);
  });
});
