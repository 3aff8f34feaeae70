/** Interfaces that begin to take redirected frames, or cease to, while frames are on the way. Needs root. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readU16 } from "../../../src/base/bytes.ts";
import type { ChannelId } from "../../../src/channel/dataplane.ts";
import { openXdp, type XdpLink, type XdpProgram } from "../../../src/io/xdp.ts";
import { l2tpMessage, numberedFrame, pppoeFrame, readL2tp, readPppoe, sequenceOf } from "../frames.ts";
import { type XdpRig, xdpMissing, xdpRigUnready } from "./rig.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 4, 1);
const TUNNEL = 7;
const SESSION = 5;
/** On the way in each direction at most: queues have room for more. */
const WINDOW = 64;
/** What "it flows" means. */
const FRAMES = 100;

/** Numbered frames one way: what was sent, and each that arrived once. */
class Flow {
  sent = 0;
  readonly arrived = new Set<number>();
  twice = 0;

  arrive(ppp: Uint8Array): void {
    const sequence = sequenceOf(ppp);
    if (this.arrived.has(sequence)) this.twice += 1;
    this.arrived.add(sequence);
  }
}

/** While its end is not ready, what the loop sends together comes uncut: messages that each begin with their length. */
function* messagesIn(datagram: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < datagram.length; at += readU16(datagram, at + 2) || datagram.length)
    yield datagram.subarray(at);
}

describe.skipIf(xdpMissing() !== undefined)("the mode of interfaces under load", () => {
  let rig: XdpRig;
  let ends: XdpProgram;
  let links: XdpLink[];
  let access: number;
  let channels: readonly ChannelId[];
  const up = new Flow();
  const down = new Flow();
  let running = true;
  let load: Promise<void>;

  beforeAll(async () => {
    rig = await xdpRigUnready();
    access = rig.cable.subscriber.ifindex;
    const sizes = {
      interfaces: 1,
      ports: 1,
      tunnels: 1,
      sessionPages: 1,
      channels: 1,
      peers: 1,
      peerSlots: 1,
    };
    ends = (openXdp() as Exclude<ReturnType<typeof openXdp>, string>).load(sizes);
    const { dataplane, access: port, tunnel, remotePort: udpPort, gatewayMac } = rig;
    const lns = dataplane.addPeer({
      kind: "udp",
      port: tunnel,
      address: rig.remotes[0],
      udpPort,
      oversize: "fragment",
      pathMtuBytes: 1500,
      addressControl: true,
      lengthBit: true,
      checksum: true,
    });
    const ids = { localTunnelId: TUNNEL, localSessionId: SESSION, remoteTunnelId: 70, remoteSessionId: 50 };
    const l2tp = dataplane.addChannel({ kind: "l2tp", peer: lns, ...ids });
    const macs = { remoteMac: MAC, localMac: gatewayMac, tags: [] };
    const subscriber = dataplane.addPeer({ kind: "ethernet", port, ...macs });
    const pppoe = dataplane.addChannel({ kind: "pppoe", peer: subscriber, sessionId: SESSION });
    await dataplane.bridge(pppoe, l2tp);
    channels = [pppoe, l2tp];
    load = run();
  });

  afterAll(async () => {
    running = false;
    await load;
    ends?.close();
    await rig?.close();
  });

  function take(): void {
    for (const { datagram } of rig.datagrams.splice(0))
      for (const message of messagesIn(datagram)) up.arrive(readL2tp(message).ppp);
    for (const frame of rig.frames.splice(0)) down.arrive(readPppoe(frame).ppp);
    rig.core.frames.length = 0;
  }

  async function run(): Promise<void> {
    while (running) {
      take();
      if (up.sent - up.arrived.size < WINDOW)
        rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, SESSION, numberedFrame(1, up.sent++)));
      if (down.sent - down.arrived.size < WINDOW)
        rig.fromRemote(rig.remotes[0], l2tpMessage(TUNNEL, SESSION, numberedFrame(2, down.sent++)));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** What was lost is given up: the next can be sent. */
  function forgive(): void {
    for (const flow of [up, down]) for (let i = 0; i < flow.sent; i++) flow.arrived.add(i);
  }

  const modes = () => rig.dataplane.interfaces!().map(({ mode }) => mode);

  /** The program forwards that many more, both ways. */
  async function programHasIt(): Promise<void> {
    const carried = () => channels.map((id) => rig.dataplane.framesIn(id) - rig.loop.framesIn(id));
    const before = carried();
    const arrived = [up.arrived.size, down.arrived.size] as const;
    await rig.until("frames flow through the program", () => {
      const flow = up.arrived.size >= arrived[0] + FRAMES && down.arrived.size >= arrived[1] + FRAMES;
      return flow && carried().every((frames, i) => frames >= before[i]! + FRAMES);
    });
  }

  it("is native soon after the last of them has become ready, and nothing is lost or comes twice", async () => {
    await rig.until("the program is on both", () => modes().join() === "generic,generic");
    await programHasIt();
    links = [access, rig.core.farIfindex].map((ifindex) => ends.attach(ifindex, "native"));
    await rig.until("both are native", () => modes().join() === "native,native");
    await programHasIt();
    running = false;
    await load;
    const arrived = () => {
      take();
      return up.arrived.size === up.sent && down.arrived.size === down.sent;
    };
    await rig.until("all have arrived", arrived);
    expect([up.twice, down.twice]).toEqual([0, 0]);
    running = true;
    load = run();
  });

  it("is generic at once when one of them ceases to be ready, so that no more is lost", async () => {
    links[1]!.close();
    await rig.until("both are generic", () => modes().join() === "generic,generic");
    forgive();
    await programHasIt();
  });
});
