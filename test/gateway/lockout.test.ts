import { describe, expect, it } from "vitest";
import { L2tpPeer, wireHosts } from "../support/l2tp-peer.ts";
import { lnsView, sessionsOf, startField } from "../support/lns-field.ts";
import { LNS_ADDRESS, SWITCH_ADDRESS, switchYaml } from "../support/switch-field.ts";
import { Node, World } from "../support/world.ts";

describe("the weights of a group", () => {
  it("are those of who is left while one is locked out, and after that of all, with nothing to be made up for", async () => {
    const world = new World(71);
    const f = await startField(
      world,
      {
        members: "{ peer: a, weight: 6 }, { peer: b, weight: 3 }, { peer: c, weight: 1 }",
        group: "lockout: 20s",
      },
      ["a"],
    );
    let callers = 0;
    const callOneByOne = async (count: number): Promise<ReturnType<typeof sessionsOf>> => {
      const before = sessionsOf(f);
      for (let i = 0; i < count; i++) {
        callers += 1;
        const caller = f.side.subscriber(callers, "alice@isp.example", "wonderland");
        caller.start();
        expect(await world.until(() => f.side.online.has(caller), 10_000)).toBe(true);
      }
      return difference(sessionsOf(f), before);
    };
    await callOneByOne(1);
    expect(await world.until(() => lnsView(f, "a")?.state === "locked-out", 10_000)).toBe(true);
    expect(await callOneByOne(8)).toEqual({ a: 0, b: 6, c: 2 });
    f.dead.delete("a");
    expect(await world.until(() => lnsView(f, "a")?.state !== "locked-out", 25_000)).toBe(true);
    expect(await callOneByOne(20)).toEqual({ a: 12, b: 6, c: 2 });
  });
});

function difference(after: ReturnType<typeof sessionsOf>, before: ReturnType<typeof sessionsOf>) {
  return { a: after.a - before.a, b: after.b - before.b, c: after.c - before.c };
}

describe("an LNS that never answers an ICRQ", () => {
  /** A call through a tunnel switch, whose caller does not give up, to an LNS that only acknowledges. */
  const neverAnswered = async (group: string) => {
    const world = new World(72);
    const yaml = switchYaml({ to: "lns: isp", lnsPeer: "max-tunnels: 1" })
      .replace(", { peer: b, preference: 2 }", "")
      .replace("isp: { members:", `isp: { ${group} members:`);
    const lts = new Node(world, SWITCH_ADDRESS, yaml);
    const lac = new L2tpPeer(world, "10.0.0.2", "lac", { secret: "lac-secret" }, SWITCH_ADDRESS);
    const lns = new L2tpPeer(world, LNS_ADDRESS.a, "isp", { secret: "tunnel-secret", accept: true });
    wireHosts(world, [lts, lac, lns]);
    await lts.gateway.start();
    const tunnel = lac.openTunnel();
    const session = lac.placeCall(tunnel, { callSerialNumber: 1 });
    await world.until(() => lac.all("call-accepted").length === 1, 1000);
    const proxyAuth = { type: 3, name: ALICE, id: 7, response: ALICE };
    const proxyLcp = { lastSent: LCP, lastReceived: LCP };
    lac.do((endpoint, now) =>
      endpoint.connectCall(now, tunnel, session, { txConnectSpeed: 1, framingType: 1, proxyLcp, proxyAuth }),
    );
    await world.until(() => lac.all("session-down").length === 1, 90_000);
    expect(lns.all("call-offered")).toHaveLength(1);
    expect(lac.one("session-down").cause).toMatchObject({ by: "peer" });
    return { view: lts.views.lns().find(({ peer }) => peer === "a"), reason: lts.records[0]?.reason };
  };

  it.each([
    ["is locked out where the policy says so for refusals", "lockout-on-cdn: true,", "locked-out"],
    ["is not otherwise: its tunnel is well", "", "slow"],
  ])("%s", async (_, group, state) => {
    const { view, reason } = await neverAnswered(group);
    expect(view).toMatchObject({ state });
    expect(reason).toMatch(/ICRQ/);
  });
});

const ALICE = new TextEncoder().encode("alice@isp.example");
const LCP = Uint8Array.of(1, 4, 5, 212);
