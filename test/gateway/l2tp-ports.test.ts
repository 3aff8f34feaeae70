import { describe, expect, it } from "vitest";
import type { LinkInfo } from "../../src/wire/rtnetlink-link.ts";
import { LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { wireHosts } from "../support/l2tp-peer.ts";
import { Node, SubscriberSide, World, wireEthernet } from "../support/world.ts";

const YAML = `
name: lac
access: [{ interface: acc0 }]
l2tp:
  listen: [{ address: 10.0.0.2, interface: up0 }]
  peers:
    - { name: a, address: 10.0.0.11, secret: tunnel-secret }
    - { name: b, address: 10.0.0.12, secret: tunnel-secret }
lns-groups: { wholesale: { members: [{ peer: a, preference: 1 }, { peer: b, preference: 2 }] } }
realms: { isp.example: { lns: wholesale }, b.example: { lns: b } }
`;

const UP0 = { flags: 0, up: true, operState: "up", mtuBytes: 1500, name: "up0" } as const;

function up0(ifindex: number): LinkInfo {
  return { ...UP0, ifindex, mac: Uint8Array.of(2, 0, 0, 0, 0, 0xbb) };
}

interface Field {
  readonly world: World;
  readonly lac: Node;
  readonly side: SubscriberSide;
  /** Addresses of whose line is cut. */
  readonly dead: Set<string>;
}

/** A LAC that speaks L2TP on up0, which is there or not, and two LNSes. */
async function field(there = true): Promise<Field> {
  const world = new World(81);
  const lac = new Node(world, "10.0.0.2", YAML, USERS_YAML);
  const lnses = ["10.0.0.11", "10.0.0.12"].map(
    (address) => new Node(world, address, LNS_YAML.replaceAll("10.0.0.11", address), USERS_YAML),
  );
  const side = new SubscriberSide(world);
  const dead = new Set<string>();
  wireHosts(world, [lac, ...lnses], dead);
  wireEthernet(side, lac);
  await side.open();
  if (there) lac.host.announce({ kind: "link", link: up0(7) });
  for (const node of [...lnses, lac]) await node.gateway.start();
  return { world, lac, side, dead };
}

function call({ side }: Field, number = 1, user = "alice@isp.example") {
  const caller = side.subscriber(number, user, "wonderland");
  caller.start();
  return caller;
}

function states({ lac }: Field): readonly string[] {
  return lac.views.lns().map(({ state }) => state);
}

describe("an L2TP port whose interface", () => {
  it("is not there is why calls are refused, at once, and no LNS is locked out for it", async () => {
    const f = await field(false);
    const alice = call(f);
    expect(await f.world.until(() => f.side.offline.has(alice), 4000)).toBe(true);
    await f.world.pass(10_000);
    expect(f.lac.records).toMatchObject([
      { cause: "no-lns", reason: expect.stringMatching(/^a: .*no port to call it from; b: .*no port/) },
    ]);
    expect(states(f)).toEqual(["idle", "idle"]);
    f.lac.host.announce({ kind: "link", link: up0(7) });
    const again = call(f, 2);
    expect(await f.world.until(() => f.side.online.has(again), 2000)).toBe(true);
  });

  it("goes away while an LNS is called takes nobody's good name, and comes back for the next call", async () => {
    const f = await field();
    f.dead.add("10.0.0.11").add("10.0.0.12");
    const alice = call(f);
    await f.world.until(() => f.lac.views.tunnels().length === 2, 5000);
    f.lac.host.announce({ kind: "gone", ifindex: 7, name: "up0" });
    expect(await f.world.until(() => f.side.offline.has(alice), 4000)).toBe(true);
    await f.world.pass(10_000);
    expect(states(f)).not.toContain("locked-out");
    f.dead.clear();
    f.lac.host.announce({ kind: "link", link: up0(8) });
    const again = call(f, 2);
    expect(await f.world.until(() => f.side.online.has(again), 2000)).toBe(true);
  });

  it("is made anew at once, while a tunnel comes up through it, is closed and opened again all the same", async () => {
    for (let ms = 0; ms < 20; ms++) {
      const f = await field();
      f.lac.dataplane.delayMs = 5;
      call(f);
      await f.world.pass(1000);
      // a second tunnel comes up while the first one's sessions are taken apart
      const late = call(f, 2, "alice@b.example");
      await f.world.pass(ms);
      f.lac.host.announce({ kind: "gone", ifindex: 7, name: "up0" });
      f.lac.host.announce({ kind: "link", link: up0(8) });
      await f.world.pass(1000);
      expect(f.lac.log.filter(({ message }) => message.startsWith("L2TP port lost"))).toHaveLength(1);
      expect(f.lac.log.filter(({ level }) => level === "error")).toEqual([]);
      late.hangUp();
      await f.world.pass(3000);
      const third = call(f, 3);
      expect([ms, await f.world.until(() => f.side.online.has(third), 2000)]).toEqual([ms, true]);
    }
  });

  it("comes and goes while the port is being opened is waited for", async () => {
    const f = await field(false);
    f.lac.dataplane.delayMs = 5;
    f.lac.host.announce({ kind: "link", link: up0(7) });
    await f.world.pass(2);
    f.lac.host.announce({ kind: "gone", ifindex: 7, name: "up0" });
    await f.world.pass(100);
    expect([...f.lac.dataplane.ports.keys()]).not.toContain("udp");
    f.lac.host.announce({ kind: "link", link: up0(8) });
    await f.world.pass(2);
    f.lac.host.announce({ kind: "gone", ifindex: 8, name: "up0" });
    f.lac.host.announce({ kind: "link", link: up0(9) });
    const alice = call(f);
    expect(await f.world.until(() => f.side.online.has(alice), 2000)).toBe(true);
  });
});
