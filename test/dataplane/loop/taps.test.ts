import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { readU16, readU32 } from "../../../src/base/bytes.ts";
import type { ChannelId, TappedFrame } from "../../../src/channel/dataplane.ts";
import { formatIpAddress } from "../../../src/wire/ip-address.ts";
import { describeTaps } from "../contract-taps.ts";
import { l2tpMessage, numberedFrame, pppoeFrame, readPppoe, sequenceOf } from "../frames.ts";
import { lnsPeer, subscriberPeer } from "../rig.ts";
import { isOpen, replaceByFile, unitPollers } from "./thread-faults.ts";

const isRoot = process.getuid?.() === 0;
const MAC = Uint8Array.of(2, 0, 0, 0, 3, 1);
const WHOLE = { snapBytes: 65_535, octetsPerSecond: 2 ** 30 };
describe.skipIf(!isRoot)("with root", async () => {
  if (!isRoot) return;
  const { loopRig } = await import("./rig.ts");
  const { SteadyTraffic } = await import("./steady-traffic.ts");
  const { addon } = await import("../../../src/io/native.ts");
  const { ADDRESS_GROUP_MAX, TX_BODY_LENGTH, TX_BODY_OFFSET, TX_STRIDE } = await import(
    "../../../src/io/addon.ts"
  );
  const { addressRecord } = await import("../../../src/dataplane/loop/address-record.ts");

  describeTaps("loop", () => loopRig());

  describe("taps of forwarding threads", () => {
    let rig: Awaited<ReturnType<typeof loopRig>>;
    let seen: TappedFrame[] = [];

    afterEach(async () => {
      await rig.close();
      seen = [];
    });

    const tap = (channel: ChannelId) => rig.dataplane.tap(channel, WHOLE, (frames) => seen.push(...frames));
    const of = (channel: ChannelId, direction: TappedFrame["direction"]) =>
      seen.filter((frame) => frame.channel === channel && frame.direction === direction);
    /** Messages end with the number, and frames have padding behind it. */
    const numbersOf = (frames: readonly TappedFrame[]) =>
      frames.map(({ frame }) =>
        frame[0] === 0x45 ? readU32(frame, frame.length - 4) : sequenceOf(readPppoe(frame).ppp),
      );
    const counted = (count: number) => Array.from({ length: count }, (_, i) => i);

    function bridgeOf(udpPort = rig.remotePort) {
      const { dataplane } = rig;
      const ethernet = dataplane.addPeer(subscriberPeer(rig, MAC));
      const udp = dataplane.addPeer({ ...lnsPeer(rig), udpPort });
      const ids = { localTunnelId: 7, localSessionId: 6, remoteTunnelId: 70, remoteSessionId: 6 };
      const pppoe = dataplane.addChannel({ kind: "pppoe", peer: ethernet, sessionId: 5 });
      return { pppoe, l2tp: dataplane.addChannel({ kind: "l2tp", peer: udp, ...ids }) };
    }

    /** As one send of the kernel's, which arrives as it was sent. */
    function sendCoalesced(messages: readonly Uint8Array[], udpPort: number): void {
      const [from] = rig.remotes;
      const region = addon.createRegion(1 << 20);
      const area = region.allocate(1 << 16);
      const options = {
        family: 4,
        ifindex: 0,
        reusePort: false,
        gro: false,
        checksum: true,
        df: "clear",
      } as const;
      const buffers = { receiveBufferBytes: 1 << 20, sendBufferBytes: 1 << 20 };
      const address = Uint8Array.from(from.split("."), Number);
      const fd = addon.openUdp({ ...options, ...buffers, address, port: udpPort });
      const record = addressRecord(from.replace(/\.2$/, ".1"), rig.tunnelUdpPort);
      new DataView(record.buffer).setUint32(ADDRESS_GROUP_MAX, 1400, true);
      const descriptors = new Int32Array(messages.length * TX_STRIDE);
      for (const [i, message] of messages.entries()) {
        region.bytes.set(message, area + 64 * i);
        descriptors[i * TX_STRIDE + TX_BODY_OFFSET] = area + 64 * i;
        descriptors[i * TX_STRIDE + TX_BODY_LENGTH] = message.length;
      }
      expect(region.sendUdp(fd, descriptors, messages.length, record)).toBe(messages.length);
      addon.close(fd);
    }

    it("show each datagram of what the kernel has coalesced, and of what leaves as one send", async () => {
      rig = await loopRig();
      const udpPort = rig.remotePort + 1;
      const { pppoe, l2tp } = bridgeOf(udpPort);
      await rig.dataplane.bridge(pppoe, l2tp);
      for (const channel of [pppoe, l2tp]) tap(channel);
      const count = 40;
      const began = Date.now();
      sendCoalesced(
        counted(count).map((i) => l2tpMessage(7, 6, numberedFrame(1, i))),
        udpPort,
      );
      for (const i of counted(count))
        rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, 5, numberedFrame(2, i)));
      await rig.until("all of them", () => seen.length === 4 * count);
      for (const channel of [pppoe, l2tp])
        for (const direction of ["in", "out"] as const) {
          const frames = of(channel, direction);
          expect(numbersOf(frames)).toEqual(counted(count));
          for (const [i, { timeUs }] of frames.entries()) {
            expect(timeUs).toBeGreaterThanOrEqual(frames[Math.max(0, i - 1)]!.timeUs);
            expect(timeUs / 1000).toBeGreaterThan(began - 10);
            expect(timeUs / 1000).toBeLessThan(Date.now() + 10);
          }
        }
      for (const { frame } of of(l2tp, "in")) expect(readU16(frame, 2)).toBe(frame.length);
    });

    it("have one clock for the channels of a bridge, whatever becomes of the time of day between", async () => {
      rig = await loopRig();
      const { pppoe, l2tp } = bridgeOf();
      await rig.dataplane.bridge(pppoe, l2tp);
      const wallClock = Date.now;
      const setClock = (ms: number) => {
        vi.spyOn(Date, "now").mockImplementation(() => wallClock() + ms);
      };
      onTestFinished(() => void vi.restoreAllMocks());
      setClock(3_600_000);
      tap(pppoe);
      setClock(7_200_000);
      tap(l2tp);
      vi.restoreAllMocks();
      const began = Date.now();
      rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, 5, numberedFrame(1, 0)));
      await rig.until("both", () => seen.length === 2);
      const [received, sent] = [of(pppoe, "in")[0]!.timeUs, of(l2tp, "out")[0]!.timeUs];
      expect(received / 1000 - began).toBeGreaterThan(3_500_000);
      expect(sent).toBeGreaterThanOrEqual(received);
      expect(sent - received).toBeLessThan(60_000_000);
    });

    it("count what there is no room for while the control plane does something else", async () => {
      rig = await loopRig({ tapRingBytes: 1 << 16 });
      const { pppoe, l2tp } = bridgeOf();
      await rig.dataplane.bridge(pppoe, l2tp);
      tap(pppoe);
      const count = 200;
      const long = new Uint8Array(1000).fill(0xc1);
      for (let i = 0; i < count; i++) rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, 5, long));
      // this thread does nothing else
      while (rig.dataplane.counters(pppoe).framesIn < count);
      await rig.until("all messages", () => rig.datagrams.length === count);
      const totals = await rig.dataplane.untap(pppoe);
      expect(totals.frames + totals.passedOver).toBe(count);
      expect(totals.passedOver).toBeGreaterThan(count / 2);
      expect(totals.frames).toBeGreaterThan(50);
      expect(seen).toHaveLength(totals.frames);
    });

    it("miss nothing while threads become more and fewer", async () => {
      rig = await loopRig({ lanes: 4 });
      const traffic = await SteadyTraffic.start(rig);
      const before = { ...traffic.plain };
      const { subscriber, lns } = before;
      for (const channel of [subscriber, lns]) tap(channel);
      for (const workers of [3, 1, 4, 2]) {
        await rig.loop.setWorkers(workers);
        await traffic.flow(300);
      }
      await traffic.stop();
      await rig.until("the last frames", () => traffic.arrived === traffic.sent);
      const totals = [await rig.dataplane.untap(subscriber), await rig.dataplane.untap(lns)];
      expect(totals.map(({ passedOver }) => passedOver)).toEqual([0, 0]);
      const { up, down } = traffic.plain;
      for (const [channel, direction, sent, first] of [
        [subscriber, "in", up, before.up],
        [lns, "out", up, before.up],
        [lns, "in", down, before.down],
        [subscriber, "out", down, before.down],
      ] as const) {
        const numbers = numbersOf(of(channel, direction));
        // what was on its way when the tap began may be in it
        expect(numbers[0]).toBeLessThanOrEqual(first);
        expect(numbers).toEqual(counted(sent).slice(numbers[0]));
      }
      expect(traffic.faults()).toEqual([]);
    });

    it("outlive a thread, with what it had kept", async () => {
      rig = await loopRig({ workers: 2, lanes: 2 });
      const { dataplane } = rig;
      const unit = { mtuBytes: 1400, addresses: [], routes: [], shared: false };
      // by its queue a unit shows what its thread blocks in
      await dataplane.createUnit({ name: rig.unitName, ...unit });
      const traffic = await SteadyTraffic.start(rig);
      const { subscriber } = traffic.plain;
      tap(subscriber);
      await traffic.flow(300);
      for (const poller of unitPollers()) {
        const restarts = rig.punts.length;
        replaceByFile(poller);
        await rig.until("its end", () => !isOpen(poller) || rig.punts.length > restarts);
        await rig.until("the report", () => rig.punts.length > restarts);
        traffic.forgive = traffic.sent - traffic.arrived;
        await traffic.flow(300);
      }
      await traffic.stop();
      const { up, down } = traffic.plain;
      const numbers = (direction: TappedFrame["direction"]) => numbersOf(of(subscriber, direction));
      await rig.until(
        "the last ones",
        () => numbers("in").at(-1) === up - 1 && numbers("out").at(-1) === down - 1,
      );
      expect(await dataplane.untap(subscriber)).toEqual({ frames: seen.length, passedOver: 0 });
      for (const some of [numbers("in"), numbers("out")])
        expect(some.every((number, i) => i === 0 || number > some[i - 1]!)).toBe(true);
    });

    it("learn our address, of a port that is bound to any, from what comes to it", async () => {
      rig = await loopRig();
      const { dataplane } = rig;
      const udpPort = 20_000 + (process.pid % 20_000);
      for (const [any, theirs, ours] of [
        ["0.0.0.0", rig.remotes[0], rig.remotes[0].replace(/\.2$/, ".1")],
        ["::", "::1", "::1"],
      ] as const) {
        const family = any === "::" ? "udp6" : "udp4";
        const socket = createSocket(family);
        socket.bind(0, theirs);
        await once(socket, "listening");
        const port = await dataplane.openPort({ kind: "udp", address: any, udpPort });
        const spec = { ...lnsPeer(rig), port, address: theirs, udpPort: socket.address().port };
        const peer = dataplane.addPeer(spec);
        const localTunnelId = any === "::" ? 9 : 8;
        const ids = { localTunnelId, localSessionId: 1, remoteTunnelId: 80, remoteSessionId: 1 };
        const channel = dataplane.addChannel({ kind: "l2tp", peer, ...ids });
        tap(channel);
        dataplane.inject(channel, numberedFrame(1, 1));
        socket.send(l2tpMessage(localTunnelId, 1, numberedFrame(2, 2)), udpPort, ours);
        await rig.until("both", () => of(channel, "out").length === 1 && of(channel, "in").length === 1);
        dataplane.inject(channel, numberedFrame(1, 2));
        await rig.until("one more", () => of(channel, "out").length === 2);
        const [at, octets] = any === "::" ? [8, 16] : [12, 4];
        const from = ({ frame }: TappedFrame) => formatIpAddress(frame.subarray(at, at + octets));
        const to = ({ frame }: TappedFrame) => formatIpAddress(frame.subarray(at + octets, at + 2 * octets));
        expect(of(channel, "out").map(from)).toEqual([any, ours]);
        expect(of(channel, "in").map((frame) => [from(frame), to(frame)])).toEqual([[theirs, ours]]);
        socket.close();
      }
    });
  });
});
