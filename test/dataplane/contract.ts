import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { concatBytes, utf8 } from "../../src/base/bytes.ts";
import type { ChannelId, PeerId, UnitSpec } from "../../src/channel/dataplane.ts";
import { describeSequencing } from "./contract-sequencing.ts";
import { describeTraffic } from "./contract-traffic.ts";
import {
  ipv4Frame,
  l2tpMessage,
  numberedFrame,
  pppoeFrame,
  readL2tp,
  readPppoe,
  sequenceOf,
  udpPacket,
} from "./frames.ts";
import { lnsPeer, type Rig, subscriberPeer } from "./rig.ts";

const SUBSCRIBER_MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);

/** What every engine does, seen from outside: each gets the same tests. */
export function describeDataplane(engine: string, makeRig: () => Promise<Rig>): void {
  describe(`the ${engine} data plane`, () => {
    let rig: Rig;
    let ethernetPeer: PeerId;
    let udpPeer: PeerId;

    beforeEach(async () => {
      rig = await makeRig();
      ethernetPeer = rig.dataplane.addPeer(subscriberPeer(rig, SUBSCRIBER_MAC));
      udpPeer = rig.dataplane.addPeer(lnsPeer(rig));
    });

    afterEach(() => rig.close());

    function pppoe(sessionId: number): ChannelId {
      return rig.dataplane.addChannel({ kind: "pppoe", peer: ethernetPeer, sessionId });
    }

    function l2tp(id: number, peer = udpPeer): ChannelId {
      return rig.dataplane.addChannel({
        kind: "l2tp",
        peer,
        localTunnelId: 7,
        localSessionId: id,
        remoteTunnelId: 70,
        remoteSessionId: 1000 + id,
      });
    }

    function fromSubscriber(sessionId: number, ppp: Uint8Array, mac = SUBSCRIBER_MAC): void {
      rig.fromSubscriber(pppoeFrame(rig.gatewayMac, mac, sessionId, ppp));
    }

    function fromRemote(sessionId: number, ppp: Uint8Array, which: 0 | 1 = 0): void {
      rig.fromRemote(rig.remotes[which], l2tpMessage(7, sessionId, ppp));
    }

    const puntedFrames = () => rig.punts.filter((punt) => punt.kind === "frame");

    describe("punted channels", () => {
      it("hand every frame to the control plane, from either kind of wire", async () => {
        const a = pppoe(5);
        const b = l2tp(6);
        fromSubscriber(5, numberedFrame(1, 1));
        await rig.until("the first punt", () => rig.punts.length === 1);
        fromRemote(6, numberedFrame(2, 2));
        await rig.until("the second punt", () => rig.punts.length === 2);
        expect(rig.punts).toEqual([
          { kind: "frame", channel: a, frame: numberedFrame(1, 1) },
          { kind: "frame", channel: b, frame: numberedFrame(2, 2) },
        ]);
      });

      it("send what is injected", async () => {
        rig.dataplane.inject(pppoe(5), numberedFrame(1, 1));
        rig.dataplane.inject(l2tp(6), numberedFrame(2, 2));
        await rig.until("both", () => rig.frames.length === 1 && rig.datagrams.length === 1);
        expect(readPppoe(rig.frames[0]!)).toEqual({ sessionId: 5, ppp: numberedFrame(1, 1) });
        expect(rig.frames[0]!.slice(0, 12)).toEqual(concatBytes(SUBSCRIBER_MAC, rig.gatewayMac));
        const { address, datagram } = rig.datagrams[0]!;
        expect(address).toBe(rig.remotes[0]);
        expect(readL2tp(datagram)).toEqual({ tunnelId: 70, sessionId: 1006, ppp: numberedFrame(2, 2) });
      });

      it("count what they receive and send", async () => {
        const channel = pppoe(5);
        fromSubscriber(5, numberedFrame(1, 1));
        fromSubscriber(5, numberedFrame(1, 2));
        await rig.until("two punts", () => rig.punts.length === 2);
        rig.dataplane.inject(channel, numberedFrame(2, 1));
        const counters = rig.dataplane.counters(channel);
        expect(counters).toEqual({ framesIn: 2, octetsIn: 16, framesOut: 1, octetsOut: 8 });
      });
    });

    describe("control messages", () => {
      it("come with the addresses of both ends, from anybody", async () => {
        const message = Uint8Array.of(0xc8, 0x02, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0);
        rig.fromRemote(rig.remotes[1], message);
        await rig.until("the punt", () => rig.punts.length === 1);
        expect(rig.punts[0]).toMatchObject({
          kind: "control",
          port: rig.tunnel,
          remoteAddress: rig.remotes[1],
          remotePort: rig.remotePort,
          datagram: message,
        });
      });

      it("are sent as they are", async () => {
        const message = Uint8Array.of(0xc8, 0x02, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0);
        rig.dataplane.sendControl(rig.tunnel, rig.remotes[1], rig.remotePort, message);
        await rig.until("it", () => rig.datagrams.length === 1);
        expect(rig.datagrams).toEqual([{ address: rig.remotes[1], datagram: message }]);
      });
    });

    describe("bridges", () => {
      it("carry frames of every protocol both ways, whatever kind of wire", async () => {
        await rig.dataplane.bridge(pppoe(5), l2tp(6));
        fromSubscriber(5, numberedFrame(1, 1));
        fromRemote(6, numberedFrame(2, 2));
        await rig.until("both", () => rig.frames.length === 1 && rig.datagrams.length === 1);
        expect(readPppoe(rig.frames[0]!)).toEqual({ sessionId: 5, ppp: numberedFrame(2, 2) });
        expect(readL2tp(rig.datagrams[0]!.datagram)).toMatchObject({
          sessionId: 1006,
          ppp: numberedFrame(1, 1),
        });
        expect(rig.punts).toEqual([]);
      });

      it("join two tunnels (LTS)", async () => {
        const other = rig.dataplane.addPeer(lnsPeer(rig, 1));
        await rig.dataplane.bridge(l2tp(6), l2tp(7, other));
        fromRemote(6, numberedFrame(1, 1));
        fromRemote(7, numberedFrame(2, 2), 1);
        await rig.until("both", () => rig.datagrams.length === 2);
        const byAddress = rig.datagrams.toSorted((a, b) => a.address.localeCompare(b.address));
        expect(byAddress.map(({ datagram }) => readL2tp(datagram).sessionId)).toEqual([1006, 1007]);
        expect(byAddress.map(({ datagram }) => sequenceOf(readL2tp(datagram).ppp))).toEqual([2, 1]);
      });

      it("let the held frames go first", async () => {
        const a = pppoe(5);
        const b = l2tp(6);
        const standing = rig.dataplane.bridge(a, b, [
          { channel: a, frame: numberedFrame(9, 1) },
          { channel: b, frame: numberedFrame(9, 2) },
          { channel: b, frame: numberedFrame(9, 3) },
        ]);
        fromSubscriber(5, numberedFrame(1, 4));
        await standing;
        await rig.until("all", () => rig.frames.length === 1 && rig.datagrams.length === 3);
        expect(sequenceOf(readPppoe(rig.frames[0]!).ppp)).toBe(1);
        const sequence = rig.datagrams.map(({ datagram }) => sequenceOf(readL2tp(datagram).ppp));
        expect(sequence).toEqual([2, 3, 4]);
      });

      it("are undone by unbridge, from either end, to what was before", async () => {
        const a = pppoe(5);
        const b = l2tp(6);
        for (const end of [a, b]) {
          await rig.dataplane.bridge(a, b);
          await rig.dataplane.unbridge(end);
          rig.punts.length = 0;
          fromSubscriber(5, numberedFrame(1, 1));
          await rig.until("the first punt", () => rig.punts.length === 1);
          fromRemote(6, numberedFrame(2, 2));
          await rig.until("the second punt", () => rig.punts.length === 2);
          expect(puntedFrames().map(({ channel }) => channel)).toEqual([a, b]);
        }
        expect(rig.frames.length + rig.datagrams.length).toBe(0);
      });

      it("end with either channel: the other is punted again", async () => {
        const a = pppoe(5);
        const b = l2tp(6);
        await rig.dataplane.bridge(a, b);
        await rig.dataplane.closeChannel(a);
        fromRemote(6, numberedFrame(2, 2));
        await rig.until("the punt", () => rig.punts.length === 1);
        expect(rig.punts).toEqual([{ kind: "frame", channel: b, frame: numberedFrame(2, 2) }]);
        await rig.dataplane.bridge(pppoe(5), b);
      });
    });

    describe("closed channels", () => {
      it("are unknown sessions, reported with what a PADT needs", async () => {
        const channel = pppoe(5);
        await rig.dataplane.closeChannel(channel);
        fromSubscriber(5, numberedFrame(1, 1));
        await rig.until("the report", () => rig.punts.length === 1);
        expect(rig.punts).toEqual([
          {
            kind: "unknown-session",
            port: rig.access,
            remoteMac: SUBSCRIBER_MAC,
            localMac: rig.gatewayMac,
            tags: [],
            sessionId: 5,
          },
        ]);
        expect(rig.dataplane.drops()["unknown-session"]).toBe(1);
      });

      it("give their session id back", async () => {
        const first = pppoe(5);
        const closing = rig.dataplane.closeChannel(first);
        const second = pppoe(5);
        await closing;
        expect(second).not.toBe(first);
        fromSubscriber(5, numberedFrame(1, 1));
        await rig.until("the punt", () => rig.punts.length === 1);
        expect(puntedFrames().map(({ channel }) => channel)).toEqual([second]);
        expect(rig.dataplane.counters(second).framesIn).toBe(1);
      });

      it("leave sessions of other pages and tunnels alone", async () => {
        const channel = l2tp(6);
        const far = l2tp(0x3006);
        await rig.dataplane.closeChannel(channel);
        fromRemote(6, numberedFrame(1, 1));
        rig.fromRemote(rig.remotes[0], l2tpMessage(8, 6, numberedFrame(1, 2)));
        fromRemote(0x3006, numberedFrame(1, 3));
        await rig.until("the punt", () => rig.punts.length === 1);
        expect(rig.punts).toEqual([{ kind: "frame", channel: far, frame: numberedFrame(1, 3) }]);
        // who receives from the other tunnel may be slower
        await rig.until("the drop", () => rig.dataplane.drops()["unknown-tunnel"] === 1);
        expect(rig.dataplane.drops()).toMatchObject({ "unknown-session": 1, "unknown-tunnel": 1 });
      });
    });

    describe("the rules", () => {
      const refusal = (code: string) => expect.objectContaining({ name: "DataplaneError", code });

      it("refuse a bridge of what is not punted, of a channel with itself and of strangers", async () => {
        const { dataplane } = rig;
        const [a, b, c] = [pppoe(1), pppoe(2), pppoe(3)];
        await dataplane.bridge(a, b);
        await expect(dataplane.bridge(a, c)).rejects.toEqual(refusal("not-punted"));
        await expect(dataplane.bridge(c, b)).rejects.toEqual(refusal("not-punted"));
        await expect(dataplane.bridge(c, c)).rejects.toEqual(refusal("same-channel"));
        await expect(dataplane.bridge(c, 999)).rejects.toEqual(refusal("unknown-channel"));
        const held = [{ channel: a, frame: numberedFrame(1, 1) }];
        await expect(dataplane.bridge(c, pppoe(4), held)).rejects.toEqual(refusal("held-elsewhere"));
        await expect(dataplane.unbridge(c)).rejects.toEqual(refusal("not-bridged"));
        expect(rig.frames).toEqual([]);
        fromSubscriber(1, numberedFrame(1, 1));
        await rig.until("the bridge still stands", () => rig.frames.length === 1);
      });

      it("refuse to attach what is bridged and to bridge what is attached", async () => {
        const { dataplane } = rig;
        const unit = await dataplane.createUnit(unitSpec(rig));
        const [a, b, c] = [pppoe(1), pppoe(2), pppoe(3)];
        const attach = { unit, addresses: [], mruBytes: 1492, clampMss: false, ipv6: false };
        await dataplane.bridge(a, b);
        await expect(dataplane.attach(a, attach)).rejects.toEqual(refusal("not-punted"));
        await dataplane.attach(c, attach);
        await expect(dataplane.bridge(c, pppoe(4))).rejects.toEqual(refusal("not-punted"));
        await dataplane.unbridge(a);
        await expect(dataplane.attach(a, attach)).rejects.toEqual(refusal("in-use"));
        await dataplane.detach(c);
        await expect(dataplane.detach(c)).rejects.toEqual(refusal("not-attached"));
        await dataplane.attach(a, attach);
      });

      it("let nothing be taken away that is still used, and no id twice", async () => {
        const { dataplane } = rig;
        const channel = pppoe(1);
        expect(() => pppoe(1)).toThrow(refusal("session-taken"));
        expect(() => pppoe(0)).toThrow(refusal("bad-spec"));
        await expect(dataplane.removePeer(ethernetPeer)).rejects.toEqual(refusal("in-use"));
        await expect(dataplane.closePort(rig.access)).rejects.toEqual(refusal("in-use"));
        await dataplane.closeChannel(channel);
        await expect(dataplane.closeChannel(channel)).rejects.toEqual(refusal("unknown-channel"));
        await dataplane.removePeer(ethernetPeer);
        await dataplane.closePort(rig.access);
        expect(() => dataplane.counters(channel)).toThrow(refusal("unknown-channel"));
      });
    });

    describe("peers", () => {
      it("are believed by their addresses alone", async () => {
        pppoe(5);
        l2tp(6);
        fromSubscriber(5, numberedFrame(1, 1), Uint8Array.of(2, 0, 0, 0, 0, 2));
        fromRemote(6, numberedFrame(1, 2), 1);
        await rig.until("both", () => rig.dataplane.drops()["wrong-source"] === 2);
        expect(puntedFrames()).toEqual([]);
      });

      it("that outlived us are reported, though somebody else has their session id by now", async () => {
        pppoe(5);
        const remoteMac = Uint8Array.of(2, 0, 0, 0, 0, 2);
        fromSubscriber(5, numberedFrame(1, 1), remoteMac);
        await rig.until("the report", () => rig.punts.length === 1);
        const { access: port, gatewayMac: localMac } = rig;
        const stray = { kind: "unknown-session", port, remoteMac, localMac, tags: [], sessionId: 5 };
        expect(rig.punts).toEqual([stray]);
        expect(rig.dataplane.drops()).toMatchObject({ "wrong-source": 1, "unknown-session": 0 });
      });

      it("in different VLANs may have the same session id", async () => {
        const { dataplane } = rig;
        const vlans = [3, 4, 5].map((vlan) => [{ tpid: 0x8100, tci: vlan }]);
        const channels = vlans.map((tags) => {
          const { access: port, gatewayMac: localMac } = rig;
          const spec = { kind: "ethernet", port, remoteMac: SUBSCRIBER_MAC, localMac, tags } as const;
          return dataplane.addChannel({ kind: "pppoe", peer: dataplane.addPeer(spec), sessionId: 9 });
        });
        const under = (vlan: number) => {
          const frame = pppoeFrame(rig.gatewayMac, SUBSCRIBER_MAC, 9, numberedFrame(vlan, vlan));
          rig.fromSubscriber(
            concatBytes(frame.subarray(0, 12), Uint8Array.of(0x81, 0, 0xe0, vlan), frame.subarray(12)),
          );
        };
        const heard = () => puntedFrames().map((punt) => punt.channel);
        for (const vlan of [3, 4, 5]) under(vlan);
        await rig.until("all", () => rig.punts.length === 3);
        expect(heard()).toEqual(channels);
        const [third, fourth, fifth] = channels;
        await dataplane.closeChannel(fourth!);
        for (const vlan of [3, 4, 5]) under(vlan);
        await rig.until("two more, and a report", () => rig.punts.length === 6);
        expect(heard().slice(3)).toEqual([third, fifth]);
        expect(rig.punts[4]).toMatchObject({ kind: "unknown-session", tags: [{ tci: 0xe004 }] });
        expect(dataplane.drops()["wrong-source"]).toBe(1);
        await dataplane.closeChannel(fifth!);
        under(3);
        await rig.until("one more", () => rig.punts.length === 7);
        expect(heard().at(-1)).toBe(third);
        await dataplane.closeChannel(third!);
        under(3);
        await rig.until("none of it", () => rig.punts.at(-1)?.kind === "unknown-session");
      });

      it("move with one update", async () => {
        const channel = l2tp(6);
        rig.dataplane.updatePeer(udpPeer, { ...lnsPeer(rig, 1), lengthBit: false, addressControl: false });
        rig.dataplane.inject(channel, numberedFrame(1, 1));
        fromRemote(6, numberedFrame(1, 2), 1);
        await rig.until("both", () => rig.punts.length === 1 && rig.datagrams.length === 1);
        const { address, datagram } = rig.datagrams[0]!;
        expect(address).toBe(rig.remotes[1]);
        expect(datagram).toEqual(concatBytes(Uint8Array.of(0, 2, 0, 70, 0x03, 0xee), numberedFrame(1, 1)));
        expect(() => rig.dataplane.updatePeer(ethernetPeer, lnsPeer(rig))).toThrow(
          expect.objectContaining({ code: "peer-kind" }),
        );
      });
    });

    describe("attached channels", () => {
      const HELLO = utf8("hello");

      it("carry IP between their wire and the host, and control protocols to the control plane", async () => {
        const subscriber = rig.subscriberAddresses[0];
        const unit = await rig.dataplane.createUnit({ ...unitSpec(rig), peerAddress: subscriber });
        const hostPort = await rig.openHost();
        const channel = pppoe(5);
        const attach = { unit, addresses: [subscriber], mruBytes: 1492, clampMss: true, ipv6: false };
        await rig.dataplane.attach(channel, attach);
        fromSubscriber(5, ipv4Frame(udpPacket(subscriber, rig.unitAddress, 4000, hostPort, HELLO)));
        await rig.until("the host has it", () => rig.hostReceived.length === 1);
        expect(rig.hostReceived).toEqual([{ from: subscriber, payload: HELLO }]);
        rig.hostSend(subscriber, HELLO);
        await rig.until("the subscriber has it", () => rig.frames.length === 1);
        const { ppp } = readPppoe(rig.frames[0]!);
        expect(ppp.slice(0, 2)).toEqual(Uint8Array.of(0, 0x21));
        expect(ppp.slice(-5)).toEqual(HELLO);
        fromSubscriber(5, numberedFrame(1, 1));
        await rig.until("the punt", () => rig.punts.length === 1);
        expect(rig.punts).toEqual([{ kind: "frame", channel, frame: numberedFrame(1, 1) }]);
      });

      it("may use no address but their own", async () => {
        const [own, foreign] = rig.subscriberAddresses;
        const unit = await rig.dataplane.createUnit({ ...unitSpec(rig), peerAddress: own });
        const hostPort = await rig.openHost();
        await rig.dataplane.attach(l2tp(6), {
          unit,
          addresses: [own],
          mruBytes: 1492,
          clampMss: true,
          ipv6: false,
        });
        fromRemote(6, ipv4Frame(udpPacket(foreign, rig.unitAddress, 4000, hostPort, utf8("spoof"))));
        fromRemote(6, ipv4Frame(udpPacket(own, rig.unitAddress, 4000, hostPort, HELLO).subarray(0, 30)));
        fromRemote(6, concatBytes(Uint8Array.of(0, 0x57, 0x60), new Uint8Array(39)));
        fromRemote(6, ipv4Frame(udpPacket(own, rig.unitAddress, 4000, hostPort, HELLO)));
        await rig.until("the good one", () => rig.hostReceived.length === 1);
        expect(rig.hostReceived[0]!.payload).toEqual(HELLO);
        const drops = rig.dataplane.drops();
        expect(drops).toMatchObject({ "wrong-address": 1, "malformed-ip": 1, "unsupported-protocol": 1 });
      });

      it("share a device by destination address, and are gone from it when closed", async () => {
        const [first, second, nobody] = rig.subscriberAddresses;
        const routes = rig.subscriberAddresses.map((address) => `${address}/32`);
        const unit = await rig.dataplane.createUnit({ ...unitSpec(rig), routes, shared: true });
        await rig.openHost();
        const attach = (address: string) => ({
          unit,
          addresses: [address],
          mruBytes: 100,
          clampMss: true,
          ipv6: false,
        });
        const a = pppoe(5);
        const b = l2tp(6);
        await rig.dataplane.attach(a, attach(first));
        await rig.dataplane.attach(b, attach(second));
        const third = pppoe(9);
        await expect(rig.dataplane.attach(third, attach(second))).rejects.toMatchObject({
          code: "address-taken",
        });
        rig.hostSend(first, HELLO);
        rig.hostSend(second, HELLO);
        rig.hostSend(nobody, HELLO);
        rig.hostSend(first, new Uint8Array(100));
        await rig.until(
          "all",
          () =>
            rig.frames.length === 1 &&
            rig.datagrams.length === 1 &&
            rig.punts.length === 1 &&
            rig.dataplane.drops()["unknown-destination"] === 1,
        );
        expect(rig.punts[0]).toMatchObject({ kind: "too-big", unit, channel: a, mruBytes: 100 });
        expect(rig.dataplane.drops()).toMatchObject({ "unknown-destination": 1, "too-big": 1 });
        await rig.dataplane.closeChannel(a);
        rig.hostSend(first, HELLO);
        rig.hostSend(second, HELLO);
        await rig.until("the one that stayed", () => rig.datagrams.length === 2);
        // another thread may have taken the one that nobody has the address of
        await rig.until("the other one's end", () => rig.dataplane.drops()["unknown-destination"] === 2);
        expect(rig.frames.length).toBe(1);
        await rig.dataplane.attach(third, attach(first));
        rig.hostSend(first, HELLO);
        await rig.until("who has the address now", () => rig.frames.length === 2);
        expect(readPppoe(rig.frames[1]!).sessionId).toBe(9);
        await rig.dataplane.closeChannel(b);
        await rig.dataplane.closeChannel(third);
        await rig.dataplane.closeUnit(unit);
      });
    });

    describeSequencing(() => rig);
    describeTraffic(() => rig);
  });
}

function unitSpec(rig: Rig): UnitSpec {
  return {
    name: rig.unitName,
    mtuBytes: 1400,
    addresses: [`${rig.unitAddress}/32`],
    routes: [],
    shared: false,
  };
}
