import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { LAC_YAML, USERS_YAML } from "../support/configurations.ts";
import { L2tpPeer, wireHosts } from "../support/l2tp-peer.ts";
import { LNS_ADDRESS, SWITCH_ADDRESS, startSwitchField, switchYaml } from "../support/switch-field.ts";
import { Node, SubscriberSide, World, wireEthernet } from "../support/world.ts";

const SECRET = "secret: s";

/** Switches, each with its peers, behind a LAC whose LNS is the first of them; and what comes of a call. */
async function callThrough(
  switches: Readonly<Record<string, readonly string[]>>,
  access = "",
): Promise<{ readonly lac: Node; readonly nodes: readonly Node[]; readonly world: World }> {
  const world = new World(61);
  const addressOf = (i: number): string => `10.0.1.${i + 1}`;
  const nodes = Object.entries(switches).map(([name, peers], i) => {
    const yaml = `
name: ${name}
l2tp:
  listen: [{ address: ${addressOf(i)} }]
  peers:
${peers.map((peer) => `    - { ${peer}, ${SECRET} }`).join("\n")}
realms: { isp.example: { lns: next } }
`;
    return new Node(world, addressOf(i), yaml, USERS_YAML);
  });
  const yaml = LAC_YAML.replace("10.0.0.11", addressOf(0))
    .replace("secret: tunnel-secret", SECRET)
    .replace("interface: acc0", `interface: acc0, ${access}`);
  const lac = new Node(world, "10.0.0.2", yaml, USERS_YAML);
  const side = new SubscriberSide(world);
  wireHosts(world, [lac, ...nodes]);
  wireEthernet(side, lac);
  await side.open();
  for (const node of [lac, ...nodes]) await node.gateway.start();
  const alice = side.subscriber(1, "alice@isp.example", "wonderland");
  alice.start();
  expect(await world.until(() => side.offline.has(alice), 30_000)).toBe(true);
  await world.pass(5000);
  for (const node of [lac, ...nodes]) expect(node.views.sessions()).toEqual([]);
  return { lac, nodes, world };
}

const FROM_ANYBODY = "name: before, role: lac";

function records(node: Node | undefined): readonly unknown[] {
  return node?.records.map(({ role, cause, reason }) => [role, cause, reason]) ?? [];
}

describe("a switched call", () => {
  it("may come again when it has ended, by another path or by the same", async () => {
    const world = new World(63);
    const lts = new Node(world, SWITCH_ADDRESS, switchYaml({ to: "lns: a" }));
    const lac = new L2tpPeer(world, "10.0.0.2", "lac", { secret: "lac-secret" }, SWITCH_ADDRESS);
    const lns = new L2tpPeer(world, LNS_ADDRESS.a, "isp", { secret: "tunnel-secret", accept: true });
    wireHosts(world, [lts, lac, lns]);
    await lts.gateway.start();
    const tunnel = lac.openTunnel();
    const lcp = Uint8Array.of(5, 6, 1, 2, 3, 4);
    const call = async (): Promise<number> => {
      const session = lac.placeCall(tunnel, { callSerialNumber: 1 });
      await world.pass(100);
      lac.do((endpoint, now) =>
        endpoint.connectCall(now, tunnel, session, {
          txConnectSpeed: 1,
          framingType: 1,
          proxyLcp: { lastSent: lcp, lastReceived: lcp },
          proxyAuth: { type: 3, name: utf8("u@isp.example"), id: 1, response: utf8("pw") },
        }),
      );
      await world.pass(100);
      const offered = lns.all("call-offered").at(-1)!;
      lns.do((endpoint, now) => endpoint.acceptCall(now, offered.tunnel, offered.session));
      await world.pass(100);
      return session;
    };
    const first = await call();
    await call();
    expect(lac.one("session-down").cause).toMatchObject({
      result: 6,
      message: expect.stringContaining("we have sent it on before"),
    });
    lac.do((endpoint, now) => endpoint.closeSession(now, tunnel, first, { result: 1 }));
    await world.pass(100);
    await call();
    expect(lns.all("call-connected")).toHaveLength(2);
  });

  it("does not go back to the peer that it came from", async () => {
    const { nodes, lac } = await callThrough({
      left: [FROM_ANYBODY, "name: next, address: 10.0.1.2"],
      right: ["name: next, role: both, host-name: left, address: 10.0.1.1"],
    });
    const why = "next leads back to next, from where the call came";
    expect(records(nodes[1])).toEqual([["lts", "no-lns", why]]);
    expect(records(nodes[0])).toMatchObject([["lts", "lns-ended", expect.stringContaining(why)]]);
    expect(lac.records[0]?.reason).toContain("result 6 (invalid destination)");
  });

  it("does not go back there under another name of the same address either", async () => {
    const { nodes } = await callThrough({
      only: ["name: lac, role: lac, host-name: lac", "name: next, address: 10.0.0.2"],
    });
    expect(records(nodes[0])).toEqual([
      ["lts", "no-lns", "next leads back to lac, from where the call came"],
    ]);
  });

  it("goes to another LNS of the group than the one that it came from", async () => {
    const world = new World(62);
    const f = await startSwitchField(world, {
      otherPeer: "name: back, address: 10.0.0.2",
      firstMembers: "{ peer: back, preference: 0 },",
    });
    const alice = f.side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    expect(await world.until(() => f.side.online.has(alice), 5000)).toBe(true);
    expect(f.lts.views.sessions()[0]?.onward).toMatchObject({ peer: "a" });
  });

  it("is refused when it comes from somebody with our own name", async () => {
    const { nodes } = await callThrough({
      only: [FROM_ANYBODY, "name: next, address: 10.0.1.1, role: both, host-name: only"],
    });
    expect(records(nodes[0])).toContainEqual([
      "lts",
      "no-lns",
      "the call has come round: who sent it calls himself only, as we do",
    ]);
  });

  const ring = {
    one: [FROM_ANYBODY, "name: next, address: 10.0.1.2"],
    two: [FROM_ANYBODY, "name: next, address: 10.0.1.3"],
    three: [FROM_ANYBODY, "name: next, address: 10.0.1.1"],
  };

  it.each([
    ["whose name the LAC has told", ""],
    ["whose name the first switch has asked for", "authentication: [ms-chap-v2]"],
  ])("is refused when it comes round through a ring of switches: one %s", async (_, access) => {
    const { nodes } = await callThrough(ring, access);
    const why = "the call has come round: we have sent it on before, and it still stands";
    expect(records(nodes[0])).toMatchObject([
      ["lts", "no-lns", why],
      ["lts", "lns-ended", expect.stringContaining(why)],
    ]);
    expect(records(nodes[1])).toHaveLength(1);
    expect(records(nodes[2])).toHaveLength(1);
  });
});
