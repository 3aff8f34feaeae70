/** What becomes of bridged traffic when devices and threads fail beneath it, with each engine. Needs root. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ChannelId, PeerId, PortId } from "../../../src/channel/dataplane.ts";
import { startLoopDataplane } from "../../../src/dataplane/loop/engine.ts";
import { ETHERTYPE_PPPOE_SESSION, formatMac } from "../../../src/wire/ethernet.ts";
import { l2tpMessage, numberedFrame, pppoeFrame, readL2tp } from "../frames.ts";
import { type Cable, ip, type LoopRig, makeCable, openWire, RIG_OPTIONS } from "../loop/rig.ts";
import { replaceByFile, unitPollers } from "../loop/thread-faults.ts";
import { type CableCore, cableCore, makeReady, rigOnCables, xdpMissing, xdpRig } from "./rig.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 3, 1);
/** Frames of each kind that are sent before other things get their turn. */
const BURST = 4;
/** What "it flows" means. */
const FRAMES = 40;

/** What single frames and datagrams lead to. */
const OF_FRAMES: readonly string[] = ["unreachable", "unknown-session"];

type FaultRig = LoopRig & { readonly core: CableCore };
/** The subscriber's session, and one that only switches between two L2TP peers. */
type Way = "up" | "down" | "switched";

const ENGINES: readonly (readonly [string, () => Promise<FaultRig>])[] = [
  ["the loop", async () => rigOnCables(await startLoopDataplane(RIG_OPTIONS), cableCore())],
  ["the program", () => xdpRig({ mode: "native" })],
];

describe.skipIf(xdpMissing() !== undefined).each(ENGINES)("%s under load", (engine, makeRig) => {
  let rig: FaultRig;
  let sessions: { subscriber: PeerId; pppoe: ChannelId; l2tp: ChannelId };
  let counts: { up: number; switched: number };
  let load: Promise<void>;
  let running: boolean;
  /** Where the subscriber is now. */
  let send: (frame: Uint8Array) => void;
  let arrivedDown: () => number;
  let accessMac: Uint8Array;
  /** Takes what is in place of the first access interface away. */
  let replaced: (() => void) | undefined;

  function udpPeer(remote: string): PeerId {
    const framing = { pathMtuBytes: 1500, addressControl: true, lengthBit: true, checksum: true } as const;
    const { tunnel: port, remotePort: udpPort } = rig;
    const spec = { kind: "udp", port, address: remote, udpPort, oversize: "fragment" } as const;
    return rig.dataplane.addPeer({ ...spec, ...framing });
  }

  const l2tp = (peer: PeerId, id: number) =>
    rig.dataplane.addChannel({
      kind: "l2tp",
      peer,
      localTunnelId: 7,
      localSessionId: id,
      remoteTunnelId: 70,
      remoteSessionId: id,
    });

  async function subscribe(port: PortId, toLns: ChannelId): Promise<typeof sessions> {
    const ends = { remoteMac: MAC, localMac: accessMac, tags: [] };
    const subscriber = rig.dataplane.addPeer({ kind: "ethernet", port, ...ends });
    const pppoe = rig.dataplane.addChannel({ kind: "pppoe", peer: subscriber, sessionId: 5 });
    await rig.dataplane.bridge(pppoe, toLns);
    return { subscriber, pppoe, l2tp: toLns };
  }

  /** So many have arrived; what has been counted is not kept. */
  function arrived(): Record<Way, number> {
    for (const { datagram } of rig.datagrams.splice(0)) {
      if (readL2tp(datagram).sessionId === 5) counts.up += 1;
      else counts.switched += 1;
    }
    rig.core.frames.length = 0;
    return { ...counts, down: arrivedDown() };
  }

  /** Much more arrives, each of these ways. */
  async function flows(...ways: readonly Way[]): Promise<void> {
    const before = arrived();
    await rig.until(`${ways.join()} flow`, () => {
      const now = arrived();
      return ways.every((way) => now[way] >= before[way] + FRAMES);
    });
  }

  /** Frames that the program has taken from the loop. */
  const carried = () => {
    const { dataplane } = rig;
    const { loop } = rig as Partial<{ loop: typeof dataplane }>;
    return loop === undefined ? 0 : dataplane.framesIn(sessions.l2tp) - loop.framesIn(sessions.l2tp);
  };

  /** The engine forwards as it did at first. */
  async function isBack(): Promise<void> {
    await flows("up", "down", "switched");
    if (engine === "the loop") return;
    const before = carried();
    await rig.until("the program has it", () => carried() > before + FRAMES);
  }

  async function run(): Promise<void> {
    const up = pppoeFrame(accessMac, MAC, 5, numberedFrame(1, 1));
    const down = l2tpMessage(7, 5, numberedFrame(2, 2));
    const switched = l2tpMessage(7, 6, numberedFrame(3, 3));
    while (running) {
      const attempts = [
        () => send(up),
        () => rig.fromRemote(rig.remotes[0], down),
        () => rig.fromRemote(rig.remotes[0], switched),
      ];
      for (let i = 0; i < BURST; i++) for (const attempt of attempts) unlessRefused(attempt);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  // each test leaves everything as it was: to start an engine takes longer than most of them
  beforeAll(async () => {
    rig = await makeRig();
    counts = { up: 0, switched: 0 };
    send = (frame) => rig.fromSubscriber(frame);
    arrivedDown = () => rig.frames.length;
    accessMac = rig.gatewayMac;
    const [lns, next] = rig.remotes.map(udpPeer);
    await rig.dataplane.bridge(l2tp(lns!, 6), l2tp(next!, 7));
    sessions = await subscribe(rig.access, l2tp(lns!, 5));
    running = true;
    load = run();
    await isBack();
  });

  afterAll(async () => {
    running = false;
    await load;
    await rig.close();
    replaced?.();
  });

  beforeEach(() => {
    rig.punts.length = 0;
  });

  /** What the control plane was told of ports and threads. */
  const told = () => rig.punts.map(({ kind }) => kind).filter((kind) => !OF_FRAMES.includes(kind));

  it("goes on when the core interface was down, and has another name when it is up again", async () => {
    const { gateway, subscriber } = rig.core.cable;
    const renamed = `${gateway.name}x`;
    ip("link", "set", gateway.name, "down");
    ip("link", "set", gateway.name, "name", renamed);
    ip("link", "set", renamed, "up");
    // a neighbour does not outlive its device's being down
    const neighbour = ["dev", renamed, "nud", "permanent", "lladdr", formatMac(subscriber.mac)];
    for (const remote of rig.remotes) ip("neighbour", "replace", remote, ...neighbour);
    await isBack();
    expect(told()).toEqual([]);
    ip("link", "set", renamed, "name", gateway.name);
  });

  it("goes on when the access interface was down, and has another name when it is up again", async () => {
    const { name } = rig.cable.gateway;
    ip("link", "set", name, "down");
    await flows("switched");
    ip("link", "set", name, "name", `${name}x`);
    ip("link", "set", `${name}x`, "up");
    await isBack();
    expect(told()).toEqual([]);
    ip("link", "set", `${name}x`, "name", name);
  });

  it("goes on when the core interface was pulled out and another is in its place", async () => {
    rig.core.pull();
    rig.core.putBack();
    await isBack();
    expect(told()).toEqual([]);
  });

  it("has a successor for a thread that dies, and says so", async () => {
    const spec = { name: rig.unitName, mtuBytes: 1400, addresses: [], routes: [], shared: false };
    await rig.dataplane.createUnit(spec);
    // what the thread blocks in is a file now, which its next wait refuses
    replaceByFile(unitPollers()[0]!);
    // of which there may be none for a while where the program forwards
    send(pppoeFrame(accessMac, MAC, 99, numberedFrame(1, 1)));
    await rig.until("the report", () => told().length > 0);
    expect(told()).toEqual(["worker-restarted"]);
    await isBack();
  });

  it("says once that the access interface was pulled out, serves the others, and takes another in its place", async () => {
    const { dataplane, access } = rig;
    rig.cable.remove();
    await rig.until("the report", () => told().length > 0);
    expect(told()).toEqual(["port-down"]);
    await flows("switched");
    await dataplane.closeChannel(sessions.pppoe);
    await dataplane.removePeer(sessions.subscriber);
    await dataplane.closePort(access);
    // from here on as the first time
    const cable: Cable = makeCable();
    makeReady(cable.subscriber.ifindex);
    const wire = openWire(cable.subscriber, ETHERTYPE_PPPOE_SESSION);
    let frames = 0;
    wire.onFrame(() => {
      frames += 1;
    });
    running = false;
    await load;
    send = wire.send;
    arrivedDown = () => frames;
    accessMac = cable.gateway.mac;
    const port = await dataplane.openPort({ kind: "ethernet", mtuBytes: 1500, ...cable.gateway });
    sessions = await subscribe(port, sessions.l2tp);
    running = true;
    load = run();
    await isBack();
    replaced = () => {
      wire.close();
      cable.remove();
    };
  });
});

/** On a device that is down, or gone, what is sent is lost: that is what the tests are about. */
function unlessRefused(attempt: () => void): void {
  try {
    attempt();
  } catch (error) {
    if (!(error as Error).message.includes("was refused")) throw error;
  }
}
