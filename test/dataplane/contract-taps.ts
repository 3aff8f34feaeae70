import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { equalBytes, readU16 } from "../../src/base/bytes.ts";
import {
  type ChannelId,
  MAX_TAPS,
  type PeerId,
  TAPPED_FRAME_COST_BYTES,
  type TappedFrame,
  type TapSpec,
} from "../../src/channel/dataplane.ts";
import { formatIpAddress } from "../../src/wire/ip-address.ts";
import { parseIpv4 } from "../../src/wire/ipv4.ts";
import { parseIpv6 } from "../../src/wire/ipv6.ts";
import { emitL2tp } from "../../src/wire/l2tp.ts";
import { parseUdp } from "../../src/wire/udp.ts";
import { ipv4Frame, l2tpMessage, numberedFrame, pppoeFrame, udpPacket } from "./frames.ts";
import { lnsPeer, type Rig, subscriberPeer } from "./rig.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 3, 1);
const SESSION = 20;
const TUNNEL = 7;
const WHOLE: TapSpec = { snapBytes: 65_535, octetsPerSecond: 2 ** 30 };
const TAGS = [
  { tpid: 0x88a8, tci: 3 },
  { tpid: 0x8100, tci: 4 },
];
const DSCP_EF = 46;

/** The outer headers and the L2TP message of a tapped packet; their checksums are right. */
function readOuter(frame: Uint8Array) {
  const ipv4 = parseIpv4(frame);
  const packet = ipv4 ?? parseIpv6(frame);
  if (packet === undefined) throw new Error("no IP packet");
  const udp = parseUdp(packet.payload, packet.source, packet.destination);
  if (udp === undefined) throw new Error("no UDP datagram");
  return {
    from: formatIpAddress(packet.source),
    to: formatIpAddress(packet.destination),
    fromPort: udp.sourcePort,
    toPort: udp.destinationPort,
    dscp: (ipv4?.tos ?? parseIpv6(frame)!.trafficClass) >> 2,
    checked: readU16(packet.payload, 6) !== 0,
    message: udp.payload,
  };
}

/** Taps of every engine: what of a channel's frames is seen. One rig serves all cases, each with channels of its own. */
export function describeTaps(engine: string, makeRig: () => Promise<Rig>): void {
  describe(`taps of the ${engine} data plane`, () => {
    let rig: Rig;
    let udpPeer: PeerId;
    let pppoe: ChannelId;
    let l2tp: ChannelId;
    let channels: ChannelId[];
    let seen: TappedFrame[];

    beforeAll(async () => {
      rig = await makeRig();
    });

    afterAll(() => rig.close());

    beforeEach(() => {
      for (const list of [rig.punts, rig.frames, rig.datagrams]) list.length = 0;
      channels = [];
      const ethernet = rig.dataplane.addPeer(subscriberPeer(rig, MAC));
      udpPeer = rig.dataplane.addPeer({ ...lnsPeer(rig), dscp: DSCP_EF });
      pppoe = addPppoe(ethernet);
      l2tp = addL2tp(6);
      seen = [];
    });

    afterEach(async () => {
      for (const channel of channels) await rig.dataplane.closeChannel(channel);
    });

    function addPppoe(peer: PeerId): ChannelId {
      return kept(rig.dataplane.addChannel({ kind: "pppoe", peer, sessionId: SESSION }));
    }

    function addL2tp(localSessionId: number, peer = udpPeer): ChannelId {
      const ids = { localTunnelId: TUNNEL, localSessionId, remoteTunnelId: 70, remoteSessionId: 1006 };
      return kept(rig.dataplane.addChannel({ kind: "l2tp", peer, ...ids }));
    }

    /** Until the end of the case. */
    function kept(channel: ChannelId): ChannelId {
      channels.push(channel);
      return channel;
    }

    async function close(channel: ChannelId): Promise<void> {
      channels = channels.filter((other) => other !== channel);
      await rig.dataplane.closeChannel(channel);
    }

    function tap(channel: ChannelId, spec: Partial<TapSpec> = {}): void {
      rig.dataplane.tap(channel, { ...WHOLE, ...spec }, (frames) => seen.push(...frames));
    }

    function fromSubscriber(ppp: Uint8Array): Uint8Array {
      const frame = pppoeFrame(rig.gatewayMac, MAC, SESSION, ppp);
      rig.fromSubscriber(frame);
      return frame;
    }

    function fromRemote(ppp: Uint8Array): Uint8Array {
      const message = l2tpMessage(TUNNEL, 6, ppp);
      rig.fromRemote(rig.remotes[0], message);
      return message;
    }

    const of = (channel: ChannelId, direction: "in" | "out") =>
      seen.filter((frame) => frame.channel === channel && frame.direction === direction);
    const framesOf = (channel: ChannelId, direction: "in" | "out") =>
      of(channel, direction).map(({ frame }) => frame);
    const refusal = (code: string) => expect.objectContaining({ name: "DataplaneError", code });

    it("show both legs of a bridge, each way, as the frames are on the wires", async () => {
      await rig.dataplane.bridge(pppoe, l2tp);
      tap(pppoe);
      tap(l2tp);
      const up = fromSubscriber(numberedFrame(1, 1));
      const down = fromRemote(numberedFrame(2, 2));
      await rig.until("all of them", () => seen.length === 4);
      await rig.until("what left", () => rig.frames.length === 1 && rig.datagrams.length === 1);
      expect(framesOf(pppoe, "in")).toEqual([up]);
      // what is padded on the wire is padded by the system
      const [sent] = framesOf(pppoe, "out");
      expect(rig.frames[0]!.subarray(0, sent!.length)).toEqual(sent);
      const [received, message] = [...framesOf(l2tp, "in"), ...framesOf(l2tp, "out")].map(readOuter);
      const { remotePort } = rig;
      const remote = rig.remotes[0];
      expect(received).toMatchObject({ from: remote, fromPort: remotePort, dscp: 0, message: down });
      expect(message).toMatchObject({
        from: received!.to,
        fromPort: received!.toPort,
        to: remote,
        toPort: remotePort,
        dscp: DSCP_EF,
        checked: true,
        message: rig.datagrams[0]!.datagram,
      });
      for (const { frame, lengthBytes, timeUs } of seen) {
        expect(lengthBytes).toBe(frame.length);
        expect(Number.isSafeInteger(timeUs)).toBe(true);
      }
    });

    it("show both legs of a tunnel switch, whose frames leave in two pieces", async () => {
      const other = addL2tp(7, rig.dataplane.addPeer(lnsPeer(rig, 1)));
      await rig.dataplane.bridge(l2tp, other);
      for (const channel of [l2tp, other]) tap(channel);
      const received = fromRemote(new Uint8Array(101).fill(0xc1));
      await rig.until("both", () => seen.length === 2 && rig.datagrams.length === 1);
      expect(readOuter(framesOf(l2tp, "in")[0]!).message).toEqual(received);
      const sent = readOuter(framesOf(other, "out")[0]!);
      expect(sent).toMatchObject({ to: rig.remotes[1], message: rig.datagrams[0]!.datagram });
    });

    it("show what a punted channel receives, and what is injected and held", async () => {
      tap(pppoe);
      tap(l2tp);
      const first = fromSubscriber(numberedFrame(1, 1));
      await rig.until("the punt", () => rig.punts.length === 1);
      rig.dataplane.inject(pppoe, numberedFrame(2, 1));
      rig.dataplane.inject(l2tp, numberedFrame(2, 2));
      await rig.dataplane.bridge(pppoe, l2tp, [{ channel: l2tp, frame: numberedFrame(9, 3) }]);
      await rig.until("all of them", () => seen.length === 4);
      await rig.until("what left", () => rig.frames.length === 1 && rig.datagrams.length === 2);
      expect(framesOf(pppoe, "in")).toEqual([first]);
      expect(rig.frames[0]!.subarray(0, 28)).toEqual(framesOf(pppoe, "out")[0]);
      const messages = framesOf(l2tp, "out").map((frame) => readOuter(frame).message);
      expect(messages).toEqual(rig.datagrams.map(({ datagram }) => datagram));
    });

    it("show an attached channel's packets, and what is dropped of them only as received", async () => {
      const { dataplane, subscriberAddresses, unitAddress } = rig;
      const unit = await dataplane.createUnit({
        name: rig.unitName,
        mtuBytes: 1400,
        addresses: [`${unitAddress}/32`],
        peerAddress: subscriberAddresses[0],
        routes: [],
        shared: false,
      });
      const port = await rig.openHost();
      const addresses = [subscriberAddresses[0]];
      await dataplane.attach(pppoe, { unit, addresses, mruBytes: 1492, clampMss: false, ipv6: false });
      tap(pppoe);
      const packet = (from: string) => udpPacket(from, unitAddress, 4000, port, Uint8Array.of(1, 2, 3));
      const mine = fromSubscriber(ipv4Frame(packet(subscriberAddresses[0])));
      const forged = fromSubscriber(ipv4Frame(packet(subscriberAddresses[1])));
      await rig.until("the packet", () => rig.hostReceived.length === 1);
      await rig.until("both", () => framesOf(pppoe, "in").length === 2);
      expect(framesOf(pppoe, "in")).toEqual([mine, forged]);
      rig.hostSend(subscriberAddresses[0], Uint8Array.of(4, 5, 6, 7));
      // the host may have something of its own to say
      const isAnswer = (frame: Uint8Array) => equalBytes(frame.slice(-4), Uint8Array.of(4, 5, 6, 7));
      await rig.until("the answer", () => framesOf(pppoe, "out").some(isAnswer));
      const answer = framesOf(pppoe, "out").find(isAnswer)!;
      await rig.until("it on the wire", () =>
        rig.frames.some((frame) => equalBytes(frame.subarray(0, answer.length), answer)),
      );
    });

    it("show what is too big as received, and not as sent", async () => {
      const narrow = { ...lnsPeer(rig), pathMtuBytes: 576, oversize: "drop" } as const;
      const channel = addL2tp(7, rig.dataplane.addPeer(narrow));
      const before = rig.dataplane.drops()["too-big"];
      await rig.dataplane.bridge(pppoe, channel);
      tap(pppoe);
      tap(channel);
      fromSubscriber(new Uint8Array(1000).fill(0xc1));
      fromSubscriber(numberedFrame(1, 2));
      await rig.until("what is not", () => framesOf(channel, "out").length === 1);
      await rig.until("both", () => framesOf(pppoe, "in").length === 2 && rig.datagrams.length === 1);
      expect(rig.dataplane.drops()["too-big"]).toBe(before + 1);
      expect(readOuter(framesOf(channel, "out")[0]!).message).toHaveLength(10 + 8);
    });

    it("show a message whole that leaves in outer fragments", async () => {
      tap(l2tp);
      rig.dataplane.inject(l2tp, new Uint8Array(1600).fill(0xc0));
      await rig.until("it", () => seen.length === 1);
      expect(seen[0]!.lengthBytes).toBe(28 + 10 + 1600);
      expect(readOuter(seen[0]!.frame).message).toHaveLength(10 + 1600);
      rig.dataplane.inject(l2tp, numberedFrame(2, 2));
      const isNext = (datagram: Uint8Array) => equalBytes(datagram.slice(-8), numberedFrame(2, 2));
      await rig.until("the next", () => rig.datagrams.some(({ datagram }) => isNext(datagram)));
    });

    it("show VLAN tags where the wire has them", async () => {
      const tags = {
        kind: "ethernet",
        port: rig.access,
        remoteMac: MAC,
        localMac: rig.gatewayMac,
        tags: TAGS,
      } as const;
      const peer = rig.dataplane.addPeer(tags);
      const tagged = addPppoe(peer);
      tap(tagged);
      tap(pppoe);
      const frame = pppoeFrame(rig.gatewayMac, MAC, SESSION, numberedFrame(1, 1), TAGS);
      rig.fromSubscriber(frame);
      rig.dataplane.inject(tagged, numberedFrame(2, 2));
      await rig.until("both", () => seen.length === 2 && rig.frames.length === 1);
      const [received] = framesOf(tagged, "in");
      expect(received!.subarray(0, frame.length)).toEqual(frame);
      expect(framesOf(tagged, "out")[0]!.subarray(12, 24)).toEqual(
        Uint8Array.of(0x88, 0xa8, 0, 3, 0x81, 0, 0, 4, 0x88, 0x64, 0x11, 0),
      );
    });

    it("show sequence numbers, and a message that comes early when it comes", async () => {
      const receive = (ns: number, ppp: Uint8Array) => {
        const header = { control: false, lengthBit: true, tunnelId: TUNNEL, sessionId: 6, priority: false };
        const message = emitL2tp({ ...header, sequence: { ns, nr: 0 } }, ppp);
        rig.fromRemote(rig.remotes[0], message);
        return message;
      };
      tap(l2tp);
      const messages = [receive(0, numberedFrame(1, 1)), receive(2, numberedFrame(1, 3))];
      await rig.until("both", () => seen.length === 2);
      expect(rig.punts).toHaveLength(1);
      messages.push(receive(1, numberedFrame(1, 2)));
      await rig.until("all punts", () => rig.punts.length === 3);
      rig.dataplane.inject(l2tp, numberedFrame(2, 2));
      await rig.until("all of them", () => seen.length === 4);
      await rig.until("what left", () => rig.datagrams.length === 1);
      rig.dataplane.setSequencing(l2tp, "never");
      rig.dataplane.inject(l2tp, numberedFrame(2, 3));
      await rig.until("one without a number", () => seen.length === 5 && rig.datagrams.length === 2);
      expect(framesOf(l2tp, "in").map((frame) => readOuter(frame).message)).toEqual(messages);
      const sent = framesOf(l2tp, "out").map((frame) => readOuter(frame).message);
      expect(sent).toEqual(rig.datagrams.map(({ datagram }) => datagram));
      expect(sent.map(({ length }) => length)).toEqual([10 + 4 + 8, 10 + 8]);
    });

    it("show IPv6 around messages, with a checksum whatever the peer wants, and IPv4 without one", async () => {
      const { dataplane } = rig;
      const port = await dataplane.openPort({
        kind: "udp",
        address: "::1",
        udpPort: 20_000 + (process.pid % 20_000),
      });
      const spec = { ...lnsPeer(rig), checksum: false };
      const six = dataplane.addPeer({ ...spec, port, address: "::1", udpPort: 17_999 });
      const both = [addL2tp(8, dataplane.addPeer(spec)), addL2tp(9, six)];
      for (const channel of both) {
        tap(channel);
        dataplane.inject(channel, numberedFrame(1, channel));
      }
      await rig.until("both", () => seen.length === 2 && rig.datagrams.length > 0);
      const [ipv4, ipv6] = both.map((channel) => readOuter(framesOf(channel, "out")[0]!));
      expect(ipv4).toMatchObject({ checked: false, to: rig.remotes[0] });
      expect(ipv6).toMatchObject({ checked: true, from: "::1", to: "::1", toPort: 17_999 });
    });

    it("keep no more of a frame than they are to, and say how long it was and what it sums to", async () => {
      await rig.dataplane.bridge(pppoe, l2tp);
      tap(pppoe, { snapBytes: 64 });
      const long = new Uint8Array(1000).fill(0xc1);
      const sent = fromSubscriber(long);
      await rig.until("it", () => seen.length === 1);
      expect(seen[0]).toMatchObject({ lengthBytes: sent.length, frame: sent.subarray(0, 64) });
      await rig.dataplane.untap(pppoe);
      tap(l2tp, { snapBytes: 64 });
      fromSubscriber(long);
      fromRemote(long);
      await rig.until("two more", () => seen.length === 3);
      await rig.until("what left", () => rig.datagrams.length === 2 && rig.frames.length === 1);
      const whole = { in: l2tpMessage(TUNNEL, 6, long), out: rig.datagrams[1]!.datagram };
      for (const { direction, frame, lengthBytes } of seen.slice(1)) {
        expect(frame).toHaveLength(64);
        expect(lengthBytes).toBe(28 + 10 + 1000);
        // with the rest of the message its checksums are right
        const message = Uint8Array.of(...frame, ...whole[direction].subarray(64 - 28));
        expect(readOuter(message).message).toEqual(whole[direction]);
      }
    });

    it("keep no more octets than a second may have, count the rest, and forward all", async () => {
      const rate = 20 * (TAPPED_FRAME_COST_BYTES + 28);
      tap(pppoe, { octetsPerSecond: rate });
      const count = 200;
      for (let i = 0; i < count; i++) rig.dataplane.inject(pppoe, numberedFrame(1, i));
      await rig.until("all frames", () => rig.frames.length === count);
      const { frames, passedOver } = rig.dataplane.tapTotals(pppoe)!;
      expect(frames + passedOver).toBe(count);
      expect(frames).toBeGreaterThanOrEqual(20);
      expect(passedOver).toBeGreaterThan(0);
      await rig.until("what was kept", () => seen.length === frames);
    });

    it("end when they are told, with everything kept before, and may begin again", async () => {
      const { dataplane } = rig;
      tap(pppoe);
      fromSubscriber(numberedFrame(1, 1));
      await rig.until("the punt", () => rig.punts.length === 1);
      dataplane.inject(pppoe, numberedFrame(2, 1));
      const ended = dataplane.untap(pppoe);
      expect(dataplane.tapTotals(pppoe)).toBeUndefined();
      dataplane.inject(pppoe, numberedFrame(2, 2));
      expect(await ended).toEqual({ frames: 2, passedOver: 0 });
      expect(seen).toHaveLength(2);
      await expect(dataplane.untap(pppoe)).rejects.toEqual(refusal("not-tapped"));
      tap(pppoe);
      expect(dataplane.tapTotals(pppoe)).toEqual({ frames: 0, passedOver: 0 });
      fromSubscriber(numberedFrame(1, 2));
      await rig.until("the next", () => seen.length === 3 && rig.frames.length === 2);
    });

    it("end with their channel; what was kept still comes", async () => {
      const { dataplane } = rig;
      await dataplane.bridge(pppoe, l2tp);
      tap(pppoe);
      tap(l2tp);
      fromSubscriber(numberedFrame(1, 1));
      await rig.until("the message", () => rig.datagrams.length === 1);
      await close(pppoe);
      expect(framesOf(pppoe, "in")).toHaveLength(1);
      expect(dataplane.tapTotals(pppoe)).toBeUndefined();
      await expect(dataplane.untap(pppoe)).rejects.toEqual(refusal("not-tapped"));
      // the other end's goes on
      fromRemote(numberedFrame(2, 2));
      await rig.until("the punt", () => rig.punts.length === 1);
      await rig.until("it", () => framesOf(l2tp, "in").length === 1);
      expect(await dataplane.untap(l2tp)).toEqual({ frames: 2, passedOver: 0 });
    });

    it("see nothing of other channels", async () => {
      const other = addL2tp(7);
      tap(other);
      await rig.dataplane.bridge(pppoe, l2tp);
      fromSubscriber(numberedFrame(1, 1));
      fromRemote(numberedFrame(2, 2));
      await rig.until("both", () => rig.frames.length === 1 && rig.datagrams.length === 1);
      expect(await rig.dataplane.untap(other)).toEqual({ frames: 0, passedOver: 0 });
      expect(seen).toEqual([]);
    });

    it("come and go while the bridge forwards", async () => {
      await rig.dataplane.bridge(pppoe, l2tp);
      for (let round = 1; round <= 3; round++) {
        tap(round === 2 ? l2tp : pppoe);
        fromSubscriber(numberedFrame(1, 2 * round));
        await rig.until("the tapped one", () => rig.datagrams.length === 2 * round - 1);
        await rig.dataplane.untap(round === 2 ? l2tp : pppoe);
        fromSubscriber(numberedFrame(1, 2 * round + 1));
        await rig.until("the other", () => rig.datagrams.length === 2 * round);
      }
      expect(seen.map(({ channel, direction }) => [channel, direction])).toEqual([
        [pppoe, "in"],
        [l2tp, "out"],
        [pppoe, "in"],
      ]);
      expect(rig.dataplane.counters(pppoe).framesIn).toBe(6);
      expect(rig.dataplane.counters(l2tp).framesOut).toBe(6);
    });

    it("are refused against the rules, one more than there can be, too", async () => {
      const { dataplane } = rig;
      expect(() => tap(9999)).toThrow(refusal("unknown-channel"));
      for (const spec of [
        { snapBytes: 63 },
        { snapBytes: 65_536 },
        { octetsPerSecond: 0 },
        { snapBytes: 100.5 },
      ])
        expect(() => tap(pppoe, spec)).toThrow(refusal("bad-spec"));
      tap(pppoe);
      expect(() => tap(pppoe)).toThrow(refusal("in-use"));
      const more = Array.from({ length: MAX_TAPS - 1 }, (_, i) => addL2tp(100 + i));
      for (const channel of more) tap(channel);
      expect(() => tap(l2tp)).toThrow(refusal("table-full"));
      await dataplane.untap(pppoe);
      tap(l2tp);
    });

    it("are given back to an engine that has been closed, and then there are no more", async () => {
      tap(pppoe);
      await rig.dataplane.close();
      expect(() => tap(l2tp)).toThrow(refusal("closed"));
      expect(await rig.dataplane.untap(pppoe)).toEqual({ frames: 0, passedOver: 0 });
    });
  });
}
