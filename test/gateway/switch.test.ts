import { describe, expect, it } from "vitest";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import { ipv4Packet } from "../support/ipv4-packet.ts";
import {
  LNS_ADDRESS,
  type SwitchField,
  type SwitchOptions,
  startSwitchField,
} from "../support/switch-field.ts";
import { type Node, World } from "../support/world.ts";

let world: World;

async function field(options: SwitchOptions = {}): Promise<SwitchField> {
  world = new World(41);
  return startSwitchField(world, options);
}

function call({ side }: SwitchField, password = "wonderland", number = 1): Subscriber {
  const caller = side.subscriber(number, "alice@isp.example", password);
  caller.start();
  return caller;
}

async function online(f: SwitchField, caller: Subscriber, limitMs = 5000): Promise<boolean> {
  const up = await world.until(() => f.side.online.has(caller), limitMs);
  await world.pass(10);
  return up;
}

/** A packet of the caller's to the LNS and one back. */
async function traffic({ side, lns }: SwitchField, caller: Subscriber): Promise<readonly [boolean, boolean]> {
  const { address } = side.online.get(caller)!;
  side.dataplane.receivePacket(side.units.get(caller)!, ipv4Packet(address, "203.0.113.10"));
  await world.pass(10);
  const node = [lns.a, lns.b].find(({ packets }) => packets.length > 0);
  if (node === undefined) return [false, false];
  node.dataplane.receivePacket(node.packets[0]!.unit, ipv4Packet("203.0.113.10", address));
  await world.pass(10);
  return [true, side.packets.length === 1];
}

/** PPP protocols of the data messages that a gateway sends from now on, and to whom. */
function pppSent(node: Node): { to: string; protocol: number }[] {
  const sent: { to: string; protocol: number }[] = [];
  const send = node.onDatagram;
  node.onDatagram = (to, port, datagram) => {
    if ((datagram[0]! & 0x80) === 0) sent.push({ to, protocol: (datagram[10]! << 8) | datagram[11]! });
    send(to, port, datagram);
  };
  return sent;
}

function expectEmpty(...nodes: readonly Node[]): void {
  for (const node of nodes) {
    expect(node.views.sessions()).toEqual([]);
    expect(node.views.channels()).toEqual([]);
    expect(node.log.filter(({ level }) => level === "error")).toEqual([]);
    const told = node.records.map(({ session }) => session);
    expect(new Set(told).size).toBe(told.length);
  }
}

const LCP = 0xc021;

describe("a tunnel switch between a LAC and an LNS", () => {
  it("sends a call on by its realm, says no word of PPP itself, and carries packets both ways", async () => {
    const f = await field();
    const sent = pppSent(f.lts);
    const alice = call(f);
    expect(await online(f, alice, 1000)).toBe(true);
    expect(sent.filter(({ protocol }) => protocol === LCP)).toEqual([]);
    expect(await traffic(f, alice)).toEqual([true, true]);
    expect(f.lts.views.sessions()).toMatchObject([
      {
        role: "lts",
        state: "open",
        user: "alice@isp.example",
        origin: { kind: "l2tp", peer: "lac" },
        onward: { kind: "l2tp", peer: "a" },
        device: null,
      },
    ]);
    expect(f.lts.views.channels()).toMatchObject([
      { kind: "l2tp", state: "bridged" },
      { kind: "l2tp", state: "bridged" },
    ]);
    expect(f.lts.views.tunnels().map(({ peer, initiator }) => [peer, initiator])).toEqual([
      ["lac", false],
      ["a", true],
    ]);
    expect(f.lns.a.views.sessions()).toMatchObject([{ role: "lns", state: "open", address: "100.64.0.2" }]);
  });

  it("asks the subscriber itself who he is where the LAC does not tell, and tells the LNS what he said", async () => {
    // MS-CHAPv2 has no proxy authentication type: a LAC that has held it tells LCP only
    const f = await field({ access: "authentication: [ms-chap-v2]", lacPeer: "authentication: [pap]" });
    const sent = pppSent(f.lts);
    const fromLns = pppSent(f.lns.a);
    const alice = call(f);
    expect(await online(f, alice)).toBe(true);
    expect(
      sent.filter(({ to, protocol }) => to === f.lac.address && protocol === LCP).length,
    ).toBeGreaterThan(0);
    expect(fromLns.filter(({ protocol }) => protocol === LCP)).toEqual([]);
    expect(f.lts.views.sessions()).toMatchObject([{ role: "lts", user: "alice@isp.example" }]);
    expect(await traffic(f, alice)).toEqual([true, true]);
  });

  it("goes by the peer that the call came from, whatever the subscriber's name is, and leaves all PPP to the LNS", async () => {
    const f = await field({
      lacPeer: "destination: { lns: b }",
      lnsPeer: "switch-avps: { proxy-lcp: drop, proxy-authentication: drop }",
      to: "lns: a",
    });
    const sent = pppSent(f.lts);
    const alice = call(f);
    expect(await online(f, alice, 20_000)).toBe(true);
    expect(f.lns.b.views.sessions()).toMatchObject([{ user: "alice@isp.example" }]);
    // the LNS's, not the switch's: everything it sends to the LAC has come from the LNS
    expect(sent.length).toBeGreaterThan(0);
    expect(f.lts.views.sessions()[0]).toMatchObject({ onward: { peer: "b" } });
    expect(await traffic(f, alice)).toEqual([true, true]);
  });

  it("terminates or refuses others of the LAC's subscribers itself", async () => {
    const f = await field({
      to: "terminate: here",
      more: 'units: { here: { name: "sub%d", address: 100.64.9.1, pool: 100.64.9.0/24 } }\nusers-file: users.yaml',
    });
    const alice = call(f);
    expect(await online(f, alice)).toBe(true);
    expect(f.side.online.get(alice)).toMatchObject({ peerAddress: "100.64.9.1" });
    const other = await field({ to: "refuse: true" });
    const refused = call(other);
    await world.until(() => other.side.offline.has(refused), 10_000);
    expect(other.side.offline.get(refused)).toContain("no service for this user name");
  });

  it("carries MS-CHAPv2 of the LNS, and sequence numbers of each leg's own", async () => {
    const f = await field({
      lnsPeer: "sequencing: required",
      lns: (yaml) => yaml.replace("role: lac", "role: lac, proxy: renegotiate, authentication: [ms-chap-v2]"),
    });
    const numbered = { lac: new Set<boolean>(), lns: new Set<boolean>() };
    const send = f.lts.onDatagram;
    f.lts.onDatagram = (to, port, datagram) => {
      if ((datagram[0]! & 0x80) === 0)
        numbered[to === f.lac.address ? "lac" : "lns"].add((datagram[0]! & 0x08) !== 0);
      send(to, port, datagram);
    };
    const alice = call(f);
    expect(await online(f, alice, 20_000)).toBe(true);
    expect(await traffic(f, alice)).toEqual([true, true]);
    expect([...numbered.lac, "|", ...numbered.lns]).toEqual([false, "|", true]);
  });
});

describe("a tunnel switch whose LNS", () => {
  it("is dead sends the call to the next one within the patience of a CPE, with the same authentication", async () => {
    const f = await field();
    f.dead.add(LNS_ADDRESS.a);
    const alice = call(f);
    expect(await online(f, alice, 4000)).toBe(true);
    expect(f.lts.views.sessions()).toMatchObject([{ role: "lts", onward: { peer: "b" } }]);
    expect(await traffic(f, alice)).toEqual([true, true]);
  });

  it("is not there at all refuses the call, with why in the record, and the subscriber is told", async () => {
    const f = await field();
    f.dead.add(LNS_ADDRESS.a).add(LNS_ADDRESS.b);
    const alice = call(f);
    expect(await world.until(() => f.side.offline.has(alice), 30_000)).toBe(true);
    await world.pass(5000);
    expect(f.lts.records).toMatchObject([
      { role: "lts", cause: "no-lns", reason: expect.stringMatching(/^a: .*SCCRQ.*; b: .*SCCRQ/) },
    ]);
    expect(f.lac.records).toMatchObject([
      { cause: "lns-ended", reason: expect.stringContaining("result 4 (lack of appropriate facilities") },
    ]);
    expectEmpty(f.lac, f.lts);
  });

  it("refuses a wrong password passes its CDN on with its cause", async () => {
    const f = await field();
    const mallory = call(f, "guess");
    expect(await world.until(() => f.side.offline.has(mallory), 10_000)).toBe(true);
    expect(f.side.offline.get(mallory)).toContain("wrong user name or password");
    await world.pass(5000);
    const reason = f.lts.records[0]?.reason;
    expect(reason).toMatch(/^a: CDN from the peer, result 3 .*PPP disconnect cause 16/);
    // word for word
    expect(f.lac.records[0]?.reason).toBe(String(reason).replace(/^a: /, "lns: "));
    expect(f.lts.views.lns().map(({ state }) => state)).toEqual(["up", "idle"]);
    expectEmpty(f.lac, f.lts, f.lns.a);
  });
});

describe("every end of a switched call, at every moment of it", () => {
  const events: Readonly<Record<string, (f: SwitchField, alice: Subscriber) => void>> = {
    "the subscriber hangs up": (_f, alice) => alice.hangUp(),
    "the LAC stops": ({ lac }) => void lac.gateway.stop("test"),
    "the switch stops": ({ lts }) => void lts.gateway.stop("test"),
    "the LNS stops": ({ lns }) => void lns.a.gateway.stop("test"),
    "the LNS clears the call": ({ lns }) =>
      [...lns.a.gateway.sessions][0]?.end({ code: "failed", text: "cleared" }),
    "the switch clears the call": ({ lts }) =>
      [...lts.gateway.sessions][0]?.end({ code: "failed", text: "cleared" }),
    "the LAC clears the call": ({ lac }) =>
      [...lac.gateway.sessions][0]?.end({ code: "failed", text: "cleared" }),
    "the LNS's line is cut": ({ dead }) => dead.add(LNS_ADDRESS.a),
  };

  it.each(Object.entries(events))("%s: nothing is left, everyone is told once", async (_name, happen) => {
    for (let ms = 0; ms < 44; ms += 4) {
      const f = await field();
      for (const node of [f.lac, f.lts, f.lns.a]) node.dataplane.delayMs = 1.5;
      const alice = call(f);
      await world.pass(ms);
      happen(f, alice);
      await world.pass(20_000);
      for (const caller of [...f.side.online.keys()]) caller.hangUp();
      await world.pass(100_000);
      expectEmpty(f.lac, f.lts, f.lns.a, f.lns.b);
    }
  });

  it("gives the other leg the end's own code", async () => {
    const f = await field();
    const alice = call(f);
    await online(f, alice);
    alice.hangUp();
    await world.pass(5000);
    expect(f.lns.a.records).toMatchObject([{ cause: "hung-up" }]);
    expect(f.lts.records[0]?.reason).toContain("PPP disconnect cause 3");
    expectEmpty(f.lac, f.lts, f.lns.a);
  });

  it("comes also when a switched session has been idle for too long", async () => {
    const f = await field({ to: "lns: a, idle-timeout: 5s" });
    await online(f, call(f));
    await world.pass(10_000);
    expect(f.lts.records).toMatchObject([{ cause: "idle" }]);
    expect(f.lac.records[0]?.reason).toContain("result 3");
    expectEmpty(f.lac, f.lts);
  });
});
