/**
 * The same random traffic, well-formed and not, through the loop alone and through the program above a loop. What leaves
 * must be the same from the PPPoE or L2TP header on, and before it but for what each packet has of its own.
 */

import { afterEach, describe, expect, it } from "vitest";
import { concatBytes, readU16, toHex, writeU16 } from "../../../src/base/bytes.ts";
import type { ChannelId, Dataplane, L2tpSequencing, UdpPeerSpec } from "../../../src/channel/dataplane.ts";
import { startLoopDataplane } from "../../../src/dataplane/loop/engine.ts";
import { addToSum, checksumOf, internetChecksum, pseudoHeaderSum } from "../../../src/wire/checksum.ts";
import type { VlanTag } from "../../../src/wire/ethernet.ts";
import { parseIpv4 } from "../../../src/wire/ipv4.ts";
import { seededRandom } from "../../support/seeded-random.ts";
import { l2tpMessage, numberedFrame, pppoeFrame, udpPacket } from "../frames.ts";
import { RIG_OPTIONS } from "../loop/rig.ts";
import { cableCore, rigOnCables, xdpMissing, xdpRig } from "./rig.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 4, 1);
const STRANGER = Uint8Array.of(2, 0, 0, 0, 4, 2);
const TUNNEL = 7;
/** Joined to an L2TP session of the same number. */
const PPPOE_SESSIONS = [1, 2, 3, 4] as const;
const TAGS: readonly (readonly VlanTag[])[] = [
  [],
  [],
  [{ tpid: 0x8100, tci: 7 }],
  [
    { tpid: 0x88a8, tci: 9 },
    { tpid: 0x8100, tci: 8 },
  ],
];
/** Joined to each other. */
const SWITCHED = [5, 6] as const;
const PUNTED = 8;
/** Joined by the loop alone, since it has sequence numbers. */
const SLOW = 9;
const BATCHES = 12;
const FRAMES = 40;

type Rig = Awaited<ReturnType<typeof rigOnCables>>;

/** One engine, with the same sessions as the other. */
class Side {
  readonly rig: Rig;
  readonly channels: ChannelId[] = [];

  constructor(rig: Rig) {
    this.rig = rig;
  }

  async set(): Promise<void> {
    const { dataplane } = this.rig;
    const udp = this.#udpPeers().map((spec) => dataplane.addPeer(spec));
    const l2tp = (session: number, peer: number, sequencing: L2tpSequencing = "never") =>
      this.#channel(dataplane, {
        kind: "l2tp",
        peer: udp[peer]!,
        localTunnelId: TUNNEL + peer,
        localSessionId: session,
        remoteTunnelId: 70 + peer,
        remoteSessionId: 1000 + session,
        sequencing,
        reorder: { frames: 0, timeMs: 1 },
      });
    const pppoe = (session: number, tags: readonly VlanTag[]) => {
      const { access: port, gatewayMac: localMac } = this.rig;
      const peer = dataplane.addPeer({ kind: "ethernet", port, remoteMac: MAC, localMac, tags });
      return this.#channel(dataplane, { kind: "pppoe", peer, sessionId: session });
    };
    for (const [i, session] of PPPOE_SESSIONS.entries())
      await dataplane.bridge(pppoe(session, TAGS[i]!), l2tp(session, i % udp.length));
    await dataplane.bridge(l2tp(SWITCHED[0], 0), l2tp(SWITCHED[1], 1));
    pppoe(PUNTED, []);
    l2tp(PUNTED, 0);
    await dataplane.bridge(pppoe(SLOW, []), l2tp(SLOW, 0, "always"));
  }

  #channel(dataplane: Dataplane, spec: Parameters<Dataplane["addChannel"]>[0]): ChannelId {
    const channel = dataplane.addChannel(spec);
    this.channels.push(channel);
    return channel;
  }

  /** With everything that may differ between peers. */
  #udpPeers(): UdpPeerSpec[] {
    const { tunnel: port, remotes, remotePort: udpPort } = this.rig;
    const common = { kind: "udp", port, udpPort } as const;
    const [first, second] = remotes;
    return [
      {
        ...common,
        address: first,
        pathMtuBytes: 1500,
        addressControl: true,
        lengthBit: true,
        checksum: true,
        oversize: "fragment",
        dscp: 10,
      },
      {
        ...common,
        address: second,
        pathMtuBytes: 1000,
        addressControl: false,
        lengthBit: false,
        checksum: false,
        oversize: "drop",
      },
    ];
  }

  send(frame: Traffic): void {
    const { rig } = this;
    if (frame.kind === "subscriber") rig.fromSubscriber(frame.make(rig.gatewayMac));
    else rig.fromRemote(rig.remotes[frame.remote], frame.message);
  }

  /** Resolves when everything that was sent has come out, by the program and by the loop. */
  async through(batch: number): Promise<void> {
    const { rig } = this;
    const fence = numberedFrame(0xfe0f, batch);
    for (const session of [PPPOE_SESSIONS[0], SLOW]) {
      rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, session, fence));
      rig.fromRemote(rig.remotes[0], l2tpMessage(TUNNEL, session, fence));
    }
    const hex = toHex(fence);
    const twice = (frames: readonly Uint8Array[]) =>
      frames.filter((frame) => toHex(frame).includes(hex)).length === 2;
    await rig.until("what was sent is through", () => twice(rig.frames) && twice(rig.core.frames));
  }

  /** What came out, in no order: frames at the subscriber, packets at the remotes, punts. */
  received(): string[] {
    const { rig } = this;
    return [
      ...rig.frames.map((frame) => `frame ${toHex(frame.subarray(12))}`),
      ...rig.core.frames.map((frame) => `packet ${outer(frame)}`),
      ...rig.punts.map((punt) =>
        punt.kind === "frame" ? `punt of ${punt.channel} ${toHex(punt.frame)}` : punt.kind,
      ),
    ].toSorted();
  }

  counters() {
    return this.channels.map((channel) => this.rig.dataplane.counters(channel));
  }
}

/** A packet in words, without what each has of its own: identification, DF, TTL, and both checksums. */
function outer(frame: Uint8Array): string {
  const packet = parseIpv4(frame.subarray(14))!;
  const { payload, source, destination } = packet;
  const ends = `${source[3]}>${destination[3]}`;
  const rest = `tos ${packet.tos} ${packet.fragmentOffset}${packet.moreFragments ? "+" : ""}`;
  if (packet.fragmentOffset > 0) return `${ends} ${rest} ${toHex(payload)}`;
  const hasSum = readU16(payload, 6) !== 0;
  const masked = payload.slice();
  writeU16(masked, 6, 0);
  return `${ends} ${rest} ${hasSum ? "sum" : "no sum"} ${toHex(masked)}`;
}

/** What is wrong with what a packet has of its own. `partial`: the kernel leaves UDP checksums to the device. */
function faults(frame: Uint8Array, partial: boolean): string[] {
  const ip = frame.subarray(14);
  const packet = parseIpv4(ip);
  if (packet === undefined) return ["no IPv4 packet"];
  const { source, destination, payload } = packet;
  const found: string[] = [];
  if (internetChecksum(ip, 0, 20) !== 0) found.push("header checksum");
  if (packet.ttl !== 64) found.push(`TTL ${packet.ttl}`);
  if (packet.dontFragment) found.push("DF");
  if (packet.moreFragments || packet.fragmentOffset > 0) return found;
  if (readU16(payload, 4) !== payload.length) found.push("UDP length");
  const pseudo = pseudoHeaderSum(source, destination, 17, payload.length);
  const sum = readU16(payload, 6);
  if (sum === 0 || checksumOf(addToSum(pseudo, payload, 0, payload.length)) === 0) return found;
  if (!partial || sum !== (~checksumOf(pseudo) & 0xffff)) found.push(`UDP checksum ${sum}`);
  return found;
}

type Traffic =
  | { readonly kind: "subscriber"; readonly make: (gatewayMac: Uint8Array) => Uint8Array }
  | { readonly kind: "remote"; readonly remote: 0 | 1; readonly message: Uint8Array };

/** Random frames, each the same for every engine. */
class Generator {
  readonly #uint32: () => number;
  #serial = 0;

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.#uint32 = () => random.uint32();
  }

  next(): Traffic {
    const ppp = this.#ppp();
    return this.#below(2) === 0 ? this.#fromSubscriber(ppp) : this.#fromRemote(ppp);
  }

  #fromSubscriber(ppp: Uint8Array): Traffic {
    const session = this.#below(10);
    const tags = this.#below(8) === 0 ? TAGS[this.#below(4)]! : (TAGS[session - 1] ?? []);
    const from = this.#below(12) === 0 ? STRANGER : MAC;
    const padding = new Uint8Array(this.#below(4) === 0 ? this.#below(20) : 0);
    const priority = tags.map(({ tpid, tci }) => ({ tpid, tci: tci | (this.#below(8) << 13) }));
    const change = this.#change(14 + 4 * tags.length, 8);
    return {
      kind: "subscriber",
      make: (gatewayMac) => {
        const frame = concatBytes(pppoeFrame(gatewayMac, from, session, ppp, priority), padding);
        return change(frame).subarray(0, 1514);
      },
    };
  }

  #fromRemote(ppp: Uint8Array): Traffic {
    const session = this.#below(10);
    const remote = this.#below(12) === 0 ? this.#below(2) : (session - 1) % 2;
    const tunnel = this.#below(12) === 0 ? this.#below(12) : TUNNEL + ((session - 1) & 1);
    const message = this.#message(tunnel, session, ppp);
    return {
      kind: "remote",
      remote: remote === 1 ? 1 : 0,
      message: this.#change(0, 12)(message).subarray(0, 1472),
    };
  }

  /** Every form that a data message may have (RFC 2661 §3.1). */
  #message(tunnel: number, session: number, ppp: Uint8Array): Uint8Array {
    const form = this.#below(6);
    if (form < 3) return l2tpMessage(tunnel, session, ppp);
    const ids = Uint8Array.of(tunnel >>> 8, tunnel, session >>> 8, session);
    if (form === 3) return concatBytes(Uint8Array.of(0, 2), ids, ppp);
    // with a priority bit, an offset field, or sequence numbers
    if (form === 4) return concatBytes(Uint8Array.of(0x03, 2), ids, Uint8Array.of(0, 2, 0, 0), ppp);
    return concatBytes(Uint8Array.of(0x01, 2), ids, Uint8Array.of(0xff, 3), ppp);
  }

  /** A PPP frame with a number of its own, so that no two are the same. */
  #ppp(): Uint8Array {
    this.#serial += 1;
    const number = Uint8Array.of(0, this.#serial >>> 16, this.#serial >>> 8, this.#serial);
    const size = this.#below(5) === 0 ? 1400 + this.#below(92) : this.#below(120);
    const filler = Uint8Array.from({ length: size }, () => this.#below(256));
    const payload = concatBytes(number, filler);
    const kind = this.#below(6);
    if (kind === 0) return concatBytes(Uint8Array.of(0xc0, 0x21), payload);
    if (kind === 1) return concatBytes(Uint8Array.of(0x21), payload);
    if (kind === 2) return concatBytes(Uint8Array.of(0, 0x57), payload);
    if (kind === 3) return concatBytes(Uint8Array.of(0, 0x21), payload);
    const packet = udpPacket("198.51.100.1", "203.0.113.9", 1000, 2000, payload.subarray(0, 1400));
    // a checksum of its own, or none
    if (kind === 4) {
      const udp = packet.subarray(20);
      const pseudo = pseudoHeaderSum(packet.subarray(12, 16), packet.subarray(16, 20), 17, udp.length);
      writeU16(udp, 6, checksumOf(addToSum(pseudo, udp, 0, udp.length)) || 0xffff);
    }
    return concatBytes(Uint8Array.of(0, 0x21), packet);
  }

  /** What is sometimes done to `octets` of a header at `offset`, or to the length of the whole. */
  #change(offset: number, octets: number): (frame: Uint8Array) => Uint8Array {
    const kind = this.#below(10);
    const at = offset + this.#below(octets);
    const bit = 1 << this.#below(8);
    const cut = 1 + this.#below(30);
    if (kind === 0)
      return (frame) => {
        frame[at]! ^= bit;
        return frame;
      };
    if (kind === 1) return (frame) => frame.subarray(0, Math.max(offset + 2, frame.length - cut));
    return (frame) => frame;
  }

  #below(limit: number): number {
    return this.#uint32() % limit;
  }
}

describe.skipIf(xdpMissing() !== undefined)("random traffic", () => {
  const sides: Side[] = [];

  afterEach(async () => {
    for (const { rig } of sides.splice(0)) await rig.close();
  });

  it.each([
    ["native", 1],
    ["native", 2],
    ["generic", 3],
  ] as const)(
    "comes out of the program and the loop as it does of the loop alone (%s, seed %i)",
    async (mode, seed) => {
      const loop = new Side(await rigOnCables(await startLoopDataplane(RIG_OPTIONS), cableCore()));
      const above = await xdpRig({ mode });
      const xdp = new Side(above);
      sides.push(loop, xdp);
      for (const side of sides) await side.set();
      const generator = new Generator(seed);
      for (let batch = 0; batch < BATCHES; batch++) {
        for (let i = 0; i < FRAMES; i++) {
          const frame = generator.next();
          for (const side of sides) side.send(frame);
        }
        for (const side of sides) await side.through(batch);
      }
      expect(xdp.received()).toEqual(loop.received());
      expect(xdp.counters()).toEqual(loop.counters());
      expect(xdp.rig.dataplane.drops()).toEqual(loop.rig.dataplane.drops());
      expect(loop.rig.core.frames.flatMap((frame) => faults(frame, true))).toEqual([]);
      expect(xdp.rig.core.frames.flatMap((frame) => faults(frame, true))).toEqual([]);
      const ofLoop = xdp.channels.reduce((sum, channel) => sum + above.loop.framesIn(channel), 0);
      const all = xdp.counters().reduce((sum, { framesIn }) => sum + framesIn, 0);
      // the program had its part in it
      expect(all - ofLoop).toBeGreaterThan(all / 4);
    },
  );
});
