import { describe, expect, it } from "vitest";
import type { L2tpChannelSpec, UdpPeerSpec } from "../../src/channel/dataplane.ts";
import { Gateway } from "../../src/gateway/gateway.ts";
import { etherTypeOffset } from "../../src/wire/ethernet.ts";
import { ActedOnce } from "./acted-once.ts";
import { Deliveries } from "./deliveries.ts";
import { FirstIds, repeatsTooOften } from "./first-ids.ts";
import { Referee, ToldOnce } from "./invariants.ts";
import type { Machine } from "./replaceable.ts";
import { type Saboteur, simulate } from "./run.ts";
import { SimDataplane } from "./sim-dataplane.ts";

const SEEDS = [1, 2, 3];

/** The invariants that worlds violate when something is wrong with them. */
async function violatedBy(sabotage: Saboteur): Promise<ReadonlySet<string | undefined>> {
  const violated = new Set<string | undefined>();
  for (const seed of SEEDS)
    violated.add((await simulate({ seed, disturb: false }, sabotage)).violation?.invariant);
  return violated;
}

const machine: Machine = { snapshot: () => ({}), deadline: () => 50 };

function told(...outputs: readonly { kind: string; tunnel: number; session: number }[]): string | undefined {
  const referee = new Referee();
  const toldOnce = new ToldOnce("lns", referee);
  for (const output of outputs)
    toldOnce.called({ kind: "L2tpEndpoint", machine, method: "receive", args: [0], returned: [output] });
  return referee.first?.invariant;
}

describe("every invariant can fail", () => {
  it("a call that is offered twice was acted on twice", () => {
    const offered = { kind: "call-offered", tunnel: 1, session: 2 };
    expect(told(offered)).toBeUndefined();
    expect(told(offered, offered)).toBe("a message is acted on once");
  });

  it("nothing may be told of a session after its end", () => {
    const down = { kind: "session-down", tunnel: 1, session: 2 };
    expect(told(down, { kind: "call-connected", tunnel: 1, session: 2 })).toBe(
      "nothing is told after the end",
    );
    expect(told(down, { kind: "call-connected", tunnel: 1, session: 3 })).toBeUndefined();
  });

  it("a message that was acknowledged may lead to nothing when it comes again", () => {
    const referee = new Referee();
    const actedOnce = new ActedOnce("lns", referee);
    const control = (tunnel: number, ns: number, nr: number, ...body: number[]): Uint8Array =>
      Uint8Array.of(0xc8, 2, 0, 12 + body.length, 0, tunnel, 0, 0, 0, ns, 0, nr, ...body);
    const to = { address: "192.0.2.1" };
    const receive = (...returned: object[]): void =>
      actedOnce.called({
        kind: "L2tpEndpoint",
        machine,
        method: "receive",
        args: [0, to, control(7, 3, 0, 0x80, 8, 0, 0, 0, 0, 0, 10)],
        returned,
      });
    receive({ kind: "tunnel-up", tunnel: 7, remoteTunnelId: 9, remote: to });
    receive({ kind: "call-offered" }, { kind: "send", to, datagram: control(9, 0, 4) });
    expect(referee.first).toBeUndefined();
    receive({ kind: "send", to, datagram: control(9, 0, 4) });
    expect(referee.first).toBeUndefined();
    receive({ kind: "session-down" });
    expect(referee.first?.invariant).toBe("a message is acted on once");
  });

  it("a deadline may not have passed when its timeout has run", () => {
    const referee = new Referee();
    const call = { kind: "PppServer", machine, method: "timeout", returned: [] };
    new ToldOnce("lns", referee).called({ ...call, args: [49] });
    expect(referee.first).toBeUndefined();
    new ToldOnce("lns", referee).called({ ...call, args: [50] });
    expect(referee.first?.invariant).toBe("no deadline lies in the past");
  });

  it("a PPPoE session id may be one session's only", async () => {
    const referee = new Referee();
    const dataplane = new SimDataplane("lac", { referee, firstIds: new FirstIds() }, async () => {});
    const port = await dataplane.openPort({ kind: "ethernet", ifindex: 1, name: "acc0", mtuBytes: 1500 });
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
    const peer = dataplane.addPeer({ kind: "ethernet", port, remoteMac: mac, localMac: mac, tags: [] });
    dataplane.addChannel({ kind: "pppoe", peer, sessionId: 5 });
    expect(() => dataplane.addChannel({ kind: "pppoe", peer, sessionId: 5 })).toThrow("session");
    expect(referee.first?.invariant).toBe("no two sessions share an id");
  });

  it("a frame that comes out of another channel than its own was delivered wrongly", () => {
    const referee = new Referee();
    const deliveries = new Deliveries("lns", referee);
    const peer = { kind: "udp", address: "192.0.2.1" } as UdpPeerSpec;
    const channel = (session: number): L2tpChannelSpec => ({
      kind: "l2tp",
      peer: 1,
      localTunnelId: 7,
      localSessionId: session,
      remoteTunnelId: 8,
      remoteSessionId: session,
    });
    deliveries.added(1, channel(5), peer);
    deliveries.added(2, channel(6), peer);
    const data = Uint8Array.of(0, 2, 0, 7, 0, 5, 0xff, 3, 0xc0, 0x21);
    const puntedOn = (id: number): string | undefined => {
      const punt = { kind: "frame", channel: id, frame: data } as const;
      deliveries.datagram("192.0.2.1", data, () => deliveries.punted(punt, () => {}));
      return referee.first?.invariant;
    };
    expect(puntedOn(1)).toBeUndefined();
    expect(puntedOn(2)).toBe("nothing is delivered on a closed session");
  });

  it("gateways that begin with the same ids after each restart are noticed", () => {
    const restarts = (idOf: (life: number) => number): boolean => {
      const firstIds = new FirstIds();
      for (let life = 0; life < 20; life++)
        firstIds.note("lac", {}, { kind: "pppoe", peer: 1, sessionId: idOf(life) });
      return repeatsTooOften(firstIds);
    };
    expect(restarts((life) => 1000 + life)).toBe(false);
    expect(restarts(() => 1)).toBe(true);
  });

  it("a tunnel that lives on without hearing anything is noticed", async () => {
    const numb: Saboteur = ({ gateways }, world) =>
      world.timeline.after(1, () => {
        for (const { life } of gateways) life!.heard.get = () => -1e6;
      });
    expect(await violatedBy(numb)).toContain("a tunnel ends whose peer is silent");
  });

  it("a CPE that nobody hears gets no working session", async () => {
    const deaf: Saboteur = ({ cpes }) => {
      cpes[0]!.onEthernet = () => {};
    };
    expect(await violatedBy(deaf)).toEqual(new Set(["everyone gets a working session or a definite no"]));
  });

  it("a gateway whose channels are never closed has something left", async () => {
    const leaky: Saboteur = ({ lacs }, world) =>
      world.timeline.after(1, () => {
        const { dataplane } = lacs[0]!.life!;
        dataplane.holdings = () => ({ channels: 1, ethernetPeers: 0, udpPeers: 0, units: 0 });
      });
    expect(await violatedBy(leaky)).toContain("nothing is left when all have hung up");
  });

  it("a session that only one end has is a disagreement", async () => {
    const haunted: Saboteur = ({ lnses }, world) =>
      world.timeline.after(1, () => {
        const { gateway } = lnses[0]!.life!;
        const ghost = {
          id: "s0",
          view: () => ({ id: "s0", state: "open", origin: { kind: "l2tp", peer: "lac0" }, onward: null }),
        };
        const real = Object.getOwnPropertyDescriptor(Gateway.prototype, "sessions")!.get!;
        Object.defineProperty(gateway, "sessions", { get: () => [...real.call(gateway), ghost] });
      });
    expect(await violatedBy(haunted)).toContain("both ends agree on who is up");
  });

  it("what is sent into another call's session is noticed", async () => {
    const mixed: Saboteur = ({ cpes }) => {
      for (const cpe of cpes) {
        const send = cpe.onEthernet;
        cpe.onEthernet = (frame) => send(withOtherCall(frame));
      }
    };
    expect(await violatedBy(mixed)).toContain("nothing is delivered on a closed session");
  });
});

let other = 0;

/** A probe (see payload.ts) that says that it is of another call than the one before. */
function withOtherCall(frame: Uint8Array): Uint8Array {
  const probeAt = etherTypeOffset(frame, 0, frame.length) + 2 + 6 + 2 + 20;
  if (frame.length !== probeAt + 10) return frame;
  const changed = frame.slice();
  changed[probeAt + 5] = other++ & 0xff;
  return changed;
}
