import { beforeEach, describe, expect, it } from "vitest";
import type {
  ChannelId,
  L2tpChannelSpec,
  L2tpSequencing,
  PeerId,
  UdpPeerSpec,
} from "../../src/channel/dataplane.ts";
import { emitL2tp, parseL2tp } from "../../src/wire/l2tp.ts";
import { ipv4Frame, numberedFrame, pppoeFrame, readPppoe, sequenceOf, udpPacket } from "./frames.ts";
import { lnsPeer, type Rig, subscriberPeer } from "./rig.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 2, 1);
const TUNNEL = 7;
const SESSION = 6;
/** Longer than any test takes. */
const PATIENT = { frames: 8, timeMs: 10_000 };
const HASTY = { frames: 8, timeMs: 50 };

/** Sequence numbers of L2TP data messages (RFC 2661 §5.4), sent and received. */
export function describeSequencing(getRig: () => Rig): void {
  describe("sequence numbers", () => {
    let rig: Rig;
    let pppoe: ChannelId;
    let udpPeer: PeerId;

    beforeEach(() => {
      rig = getRig();
      const { dataplane } = rig;
      const ethernet = dataplane.addPeer(subscriberPeer(rig, MAC));
      pppoe = dataplane.addChannel({ kind: "pppoe", peer: ethernet, sessionId: 20 });
      udpPeer = dataplane.addPeer(peerSpec());
    });

    function peerSpec(): UdpPeerSpec {
      return { ...lnsPeer(rig), addressControl: false };
    }

    function l2tp(how: Pick<L2tpChannelSpec, "sequencing" | "reorder">, localSessionId = SESSION): ChannelId {
      const ids = { localTunnelId: TUNNEL, localSessionId, remoteTunnelId: 70, remoteSessionId: 1000 };
      return rig.dataplane.addChannel({ kind: "l2tp", peer: udpPeer, ...ids, ...how });
    }

    /** A data message to us. */
    function receive(ns: number | undefined, frame: Uint8Array, sessionId = SESSION): void {
      const sequence = ns === undefined ? {} : { sequence: { ns, nr: 0x1234 } };
      const header = { control: false, lengthBit: true, tunnelId: TUNNEL, sessionId, priority: false };
      rig.fromRemote(rig.remotes[0], emitL2tp({ ...header, ...sequence }, frame));
    }

    const fromSubscriber = (number: number) =>
      rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, 20, numberedFrame(1, number)));

    /** What left: Ns, or undefined, and the number of the frame. */
    async function sent(count: number): Promise<(readonly [number | undefined, number])[]> {
      await rig.until(`${count} messages`, () => rig.datagrams.length === count);
      return rig.datagrams.map(({ datagram }) => {
        const message = parseL2tp(datagram);
        if (typeof message === "string") throw new Error(message);
        const { sequence } = message.header;
        expect(sequence?.nr ?? 0).toBe(0);
        return [sequence?.ns, sequenceOf(message.payload)] as const;
      });
    }

    /** What the subscriber got, when the last that is expected has come. */
    async function forwarded(last: number): Promise<number[]> {
      const numbers = () => rig.frames.map((frame) => sequenceOf(readPppoe(frame).ppp));
      await rig.until(`frame ${last}`, () => numbers().includes(last));
      return numbers();
    }

    /** Messages to us, Ns and number of the frame the same. */
    function receiveAll(...numbers: readonly number[]): void {
      for (const ns of numbers) receive(ns, numberedFrame(2, ns));
    }

    it("are on everything that we send, when always: held, injected and forwarded", async () => {
      const channel = l2tp({ sequencing: "always" });
      rig.dataplane.inject(channel, numberedFrame(1, 1));
      await sent(1);
      await rig.dataplane.bridge(pppoe, channel, [{ channel, frame: numberedFrame(1, 2) }]);
      fromSubscriber(3);
      await sent(3);
      rig.dataplane.inject(channel, numberedFrame(1, 4));
      expect(await sent(4)).toEqual([
        [0, 1],
        [1, 2],
        [2, 3],
        [3, 4],
      ]);
    });

    it("are on nothing, when never, whatever the peer does", async () => {
      await rig.dataplane.bridge(pppoe, l2tp({ sequencing: "never" }));
      receiveAll(0);
      await forwarded(0);
      fromSubscriber(1);
      expect(await sent(1)).toEqual([[undefined, 1]]);
    });

    it("follow the peer's, and go on where they left off", async () => {
      const channel = l2tp({});
      await rig.dataplane.bridge(pppoe, channel);
      fromSubscriber(1);
      await sent(1);
      receive(0, numberedFrame(2, 0));
      await forwarded(0);
      fromSubscriber(2);
      await sent(2);
      rig.dataplane.inject(channel, numberedFrame(1, 3));
      await sent(3);
      receive(undefined, numberedFrame(2, 50));
      await forwarded(50);
      fromSubscriber(4);
      await sent(4);
      receive(1, numberedFrame(2, 1));
      await forwarded(1);
      fromSubscriber(5);
      expect(await sent(5)).toEqual([
        [undefined, 1],
        [0, 2],
        [1, 3],
        [undefined, 4],
        [2, 5],
      ]);
    });

    it("are as the control plane last said, on every channel of L2TP and no other", async () => {
      const channel = l2tp({});
      const change = (sequencing: L2tpSequencing, number: number) => {
        rig.dataplane.setSequencing(channel, sequencing);
        fromSubscriber(number);
      };
      rig.dataplane.inject(channel, numberedFrame(1, 1));
      await sent(1);
      await rig.dataplane.bridge(pppoe, channel);
      change("always", 2);
      await sent(2);
      receive(undefined, numberedFrame(2, 50));
      await forwarded(50);
      fromSubscriber(3);
      await sent(3);
      change("never", 4);
      await sent(4);
      receive(0, numberedFrame(2, 51));
      await forwarded(51);
      change("follow", 5);
      await sent(5);
      receive(1, numberedFrame(2, 52));
      await forwarded(52);
      fromSubscriber(6);
      expect(await sent(6)).toEqual([
        [undefined, 1],
        [0, 2],
        [1, 3],
        [undefined, 4],
        [undefined, 5],
        [2, 6],
      ]);
      const badSpec = expect.objectContaining({ code: "bad-spec" });
      expect(() => rig.dataplane.setSequencing(pppoe, "always")).toThrow(badSpec);
    });

    it("put in order what is received, before a bridge and on it, and drop what comes twice", async () => {
      const channel = l2tp({ reorder: PATIENT });
      receiveAll(1, 2, 0);
      await rig.until("the punts", () => rig.punts.length === 3);
      const punted = rig.punts.flatMap((punt) => (punt.kind === "frame" ? [sequenceOf(punt.frame)] : []));
      expect(punted).toEqual([0, 1, 2]);
      await rig.dataplane.bridge(pppoe, channel);
      receiveAll(3, 6, 5, 5, 3, 4, 7);
      expect(await forwarded(7)).toEqual([3, 4, 5, 6, 7]);
      expect(rig.dataplane.drops()["out-of-order-late"]).toBe(2);
      expect(rig.dataplane.counters(channel).framesIn).toBe(8);
    });

    it("hold nothing up that has none", async () => {
      await rig.dataplane.bridge(pppoe, l2tp({ reorder: PATIENT }));
      receiveAll(1);
      receive(undefined, numberedFrame(2, 9));
      expect(await forwarded(9)).toEqual([9]);
      receiveAll(0);
      expect(await forwarded(1)).toEqual([9, 0, 1]);
    });

    it("give a missing message up when its time is over", async () => {
      await rig.dataplane.bridge(pppoe, l2tp({ reorder: HASTY }));
      receiveAll(1, 2);
      rig.passTime(HASTY.timeMs);
      expect(await forwarded(2)).toEqual([1, 2]);
      receiveAll(0, 3);
      expect(await forwarded(3)).toEqual([1, 2, 3]);
      expect(rig.dataplane.drops()["out-of-order-late"]).toBe(1);
    });

    it("give a missing message up when the window is full", async () => {
      await rig.dataplane.bridge(pppoe, l2tp({ reorder: PATIENT }));
      receiveAll(1, 2, 3, 4, 5, 6, 7, 8, 9);
      expect(await forwarded(9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    });

    it("begin anew with a channel's successor, which gets nothing of what waited for the old one", async () => {
      const first = l2tp({ sequencing: "always", reorder: PATIENT });
      receiveAll(0, 2);
      rig.dataplane.inject(first, numberedFrame(1, 1));
      await rig.until("the punt", () => rig.punts.length === 1);
      await rig.until("the one that waits", () => rig.dataplane.framesFrom(udpPeer) === 2);
      await rig.dataplane.closeChannel(first);
      const second = l2tp({ sequencing: "always", reorder: PATIENT });
      await rig.dataplane.bridge(pppoe, second);
      receiveAll(0, 1, 3);
      await forwarded(1);
      fromSubscriber(2);
      expect(await sent(2)).toEqual([
        [0, 1],
        [0, 2],
      ]);
      expect(rig.frames).toHaveLength(2);
    });

    it("count for the path MTU", async () => {
      const mtu = 600;
      rig.dataplane.updatePeer(udpPeer, { ...peerSpec(), pathMtuBytes: mtu, oversize: "drop" });
      const channel = l2tp({ sequencing: "always" });
      const fits = new Uint8Array(mtu - 28 - 12).fill(1);
      rig.dataplane.inject(channel, new Uint8Array(fits.length + 1));
      rig.dataplane.inject(channel, fits);
      await rig.dataplane.bridge(pppoe, channel);
      rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, 20, new Uint8Array(fits.length + 1)));
      rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, 20, fits));
      await rig.until("both", () => rig.datagrams.length === 2);
      const numbers = rig.datagrams.map(({ datagram }) => parseL2tp(datagram));
      expect(numbers).toMatchObject(
        [0, 1].map((ns) => ({ header: { sequence: { ns, nr: 0 } }, payload: fits })),
      );
      expect(rig.dataplane.drops()["too-big"]).toBe(2);
    });

    it("must have sensible bounds", () => {
      const refusal = expect.objectContaining({ code: "bad-spec" });
      expect(() => l2tp({ reorder: { frames: 2000, timeMs: 100 } })).toThrow(refusal);
      expect(() => l2tp({ reorder: { frames: 32, timeMs: 0 } })).toThrow(refusal);
      l2tp({ reorder: { frames: 0, timeMs: 1 } });
    });
  });

  describe("readings of traffic", () => {
    it("tell user data from control, on a bridge and beside a unit", async () => {
      const rig = getRig();
      const { dataplane } = rig;
      const [own] = rig.subscriberAddresses;
      const peer = dataplane.addPeer(subscriberPeer(rig, MAC));
      const [a, b, c] = [1, 2, 3].map((sessionId) =>
        dataplane.addChannel({ kind: "pppoe", peer, sessionId }),
      );
      const from = (session: number, frame: Uint8Array) =>
        rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, session, frame));
      const readings = (channel: number) => [dataplane.framesIn(channel), dataplane.userFrames(channel)];
      await dataplane.bridge(a!, b!);
      const packet = ipv4Frame(udpPacket(own, rig.unitAddress, 1, 2, new Uint8Array(8)));
      from(1, packet);
      from(1, numberedFrame(1, 1));
      from(2, packet);
      from(2, Uint8Array.of(0x80, 0x21, 1, 1, 0, 4));
      await rig.until("all", () => rig.frames.length === 4);
      dataplane.inject(a!, numberedFrame(1, 1));
      expect([readings(a!), readings(b!)]).toEqual([
        [2, 2],
        [2, 2],
      ]);

      const unit = await dataplane.createUnit({
        name: rig.unitName,
        mtuBytes: 1500,
        addresses: [`${rig.unitAddress}/32`],
        peerAddress: own,
        routes: [],
        shared: false,
      });
      const hostPort = await rig.openHost();
      await dataplane.attach(c!, { unit, addresses: [own], mruBytes: 1492, clampMss: false, ipv6: false });
      from(3, ipv4Frame(udpPacket(own, rig.unitAddress, 4000, hostPort, new Uint8Array(8))));
      from(3, numberedFrame(1, 2));
      await rig.until("the host has it", () => rig.hostReceived.length === 1 && rig.punts.length === 1);
      rig.hostSend(own, new Uint8Array(8));
      await rig.until("the subscriber has it", () => rig.frames.length === 6);
      dataplane.inject(c!, numberedFrame(1, 3));
      expect(readings(c!)).toEqual([2, 2]);
      await dataplane.closeChannel(c!);
      expect(() => dataplane.userFrames(c!)).toThrow(expect.objectContaining({ code: "unknown-channel" }));
      expect(() => dataplane.framesIn(c!)).toThrow(expect.objectContaining({ code: "unknown-channel" }));
    });

    it("say what came from a peer, of all its channels", async () => {
      const rig = getRig();
      const { dataplane } = rig;
      const spec: UdpPeerSpec = {
        kind: "udp",
        port: rig.tunnel,
        address: rig.remotes[1],
        udpPort: rig.remotePort,
        pathMtuBytes: 1500,
        addressControl: false,
        lengthBit: true,
        checksum: true,
        oversize: "fragment",
      };
      const peer = dataplane.addPeer(spec);
      const ids = { localTunnelId: TUNNEL, remoteTunnelId: 70, remoteSessionId: 1000 };
      const channels = [1, 2].map((localSessionId) =>
        dataplane.addChannel({ kind: "l2tp", peer, localSessionId, ...ids }),
      );
      const header = { control: false, lengthBit: true, tunnelId: TUNNEL, priority: false };
      const from = (address: string, sessionId: number) =>
        rig.fromRemote(address, emitL2tp({ ...header, sessionId }, numberedFrame(1, 1)));
      expect(dataplane.framesFrom(peer)).toBe(0);
      from(rig.remotes[1], 1);
      from(rig.remotes[1], 2);
      from(rig.remotes[1], 3);
      from(rig.remotes[0], 1);
      const drops = () => dataplane.drops()["unknown-session"] + dataplane.drops()["wrong-source"];
      await rig.until("all", () => rig.punts.length === 2 && drops() === 2);
      expect(dataplane.framesFrom(peer)).toBe(2);
      for (const channel of channels) await dataplane.closeChannel(channel);
      await dataplane.removePeer(peer);
      expect(() => dataplane.framesFrom(peer)).toThrow(expect.objectContaining({ code: "unknown-peer" }));
    });
  });
}
