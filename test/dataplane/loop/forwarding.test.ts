import { beforeEach, describe, expect, it } from "vitest";
import { concatBytes, fromHex, toHex } from "../../../src/base/bytes.ts";
import type { EthernetPeerSpec, UdpPeerSpec } from "../../../src/channel/dataplane.ts";
import {
  COUNTERS_STRIDE,
  FRAMES_OUT,
  laneOfPort,
  OCTETS_OUT,
  uncheckedLaneOfPort,
} from "../../../src/dataplane/loop/tables.ts";
import { ADDRESS_GROUP_MAX } from "../../../src/io/addon.ts";
import { ipv4Frame, l2tpMessage, numberedFrame, pppoeFrame, udpPacket } from "../frames.ts";
import { makeWorkerParts } from "./worker-parts.ts";

const OURS = fromHex("020000000001");
const THEIRS = fromHex("020000000002");
const ETHERNET_FD = 10;
const UDP_FD = 11;
const UNCHECKED_FD = 12;
const UNIT_FD = 13;
const PPP = numberedFrame(1, 1);

describe("a forwarding thread", () => {
  let parts: ReturnType<typeof makeWorkerParts>;
  let access: number;
  let tunnel: number;

  function open(...limits: Parameters<typeof makeWorkerParts>): void {
    parts = makeWorkerParts(...limits);
    access = parts.openPort(
      { kind: "ethernet", ifindex: 1, name: "acc0", mtuBytes: 1500 },
      laneOfPort,
      "packet",
      ETHERNET_FD,
    );
    tunnel = parts.openPort({ kind: "udp", address: "192.0.2.1", udpPort: 1701 }, laneOfPort, "udp", UDP_FD);
    parts.transmitter.open(uncheckedLaneOfPort(parts.tables.sizes, tunnel), "udp", UNCHECKED_FD);
  }

  beforeEach(() => open());

  const subscriber = (change: Partial<EthernetPeerSpec> = {}): number =>
    parts.peer({ kind: "ethernet", port: access, remoteMac: THEIRS, localMac: OURS, tags: [], ...change });

  const lns = (change: Partial<UdpPeerSpec> = {}): number =>
    parts.peer({
      kind: "udp",
      port: tunnel,
      address: "192.0.2.2",
      udpPort: 1701,
      pathMtuBytes: 1500,
      addressControl: true,
      lengthBit: true,
      checksum: true,
      oversize: "fragment",
      ...change,
    });

  const pppoe = (sessionId: number, peer = subscriber()): number =>
    parts.channel({ kind: "pppoe", peer, sessionId });

  const l2tp = (id: number, peer = lns()): number =>
    parts.channel({
      kind: "l2tp",
      peer,
      localTunnelId: 7,
      localSessionId: id,
      remoteTunnelId: 0x1234,
      remoteSessionId: 0xfedc,
    });

  const session = (sessionId: number, ppp = PPP, tags: EthernetPeerSpec["tags"] = []) =>
    pppoeFrame(OURS, THEIRS, sessionId, ppp, tags);

  describe("towards an LNS", () => {
    it.each([
      [true, true, "4002 0012 1234 fedc ff03"],
      [true, false, "4002 0010 1234 fedc"],
      [false, true, "0002 1234 fedc ff03"],
      [false, false, "0002 1234 fedc"],
    ])("writes the header that the peer wants (L %s, FF03 %s)", (lengthBit, addressControl, header) => {
      parts.bridge(pppoe(5), l2tp(6, lns({ lengthBit, addressControl })));
      const [sent] = parts.ethernet(access, session(5));
      expect(sent?.fd).toBe(UDP_FD);
      expect(toHex(sent!.octets)).toBe(toHex(concatBytes(fromHex(header), PPP)));
    });

    it("lets datagrams be grouped up to what fits the path", () => {
      parts.bridge(pppoe(5), l2tp(6, lns({ pathMtuBytes: 1480 })));
      const [sent] = parts.ethernet(access, session(5));
      expect(new DataView(sent!.address.buffer).getUint32(ADDRESS_GROUP_MAX, true)).toBe(1452);
    });

    it("uses the socket without checksums, ungrouped, for a peer that wants none", () => {
      parts.bridge(pppoe(5), l2tp(6, lns({ checksum: false })));
      const [sent] = parts.ethernet(access, session(5));
      expect(sent!.fd).toBe(UNCHECKED_FD);
      expect(new DataView(sent!.address.buffer).getUint32(ADDRESS_GROUP_MAX, true)).toBe(0);
    });

    it("sends what exceeds the path to be fragmented, or drops it, as the peer's policy says", () => {
      const peer = lns({ pathMtuBytes: 1500 });
      parts.bridge(pppoe(5), l2tp(6, peer));
      const fits = concatBytes(fromHex("0021"), new Uint8Array(1500 - 28 - 10 - 2));
      const exceeds = concatBytes(fits, Uint8Array.of(0));
      expect(parts.ethernet(access, session(5, fits), session(5, exceeds)).length).toBe(2);
      const drop = { kind: "udp", port: tunnel, address: "192.0.2.2", udpPort: 1701 } as const;
      const policy = { ...drop, pathMtuBytes: 1500, addressControl: true, lengthBit: true, checksum: true };
      parts.writer.setPeer(peer, { ...policy, oversize: "drop" }, parts.registry.port(tunnel).spec);
      expect(parts.ethernet(access, session(5, fits), session(5, exceeds)).length).toBe(1);
      expect(parts.drops()).toEqual({ "too-big": 1 });
    });
  });

  describe("towards a subscriber", () => {
    it("writes Ethernet, tags and PPPoE, and leaves the neighbours of a coalesced datagram whole", () => {
      const tags = [
        { tpid: 0x88a8, tci: 0x0064 },
        { tpid: 0x8100, tci: 0x2005 },
      ];
      parts.bridge(pppoe(5, subscriber({ tags })), l2tp(6));
      const messages = [1, 2, 3].map((i) => l2tpMessage(7, 6, numberedFrame(9, i)));
      // the last segment of a group may be shorter
      const short = l2tpMessage(7, 6, fromHex("c0210101"));
      const coalesced = concatBytes(...messages, short);
      const sent = parts.udp(tunnel, "192.0.2.2", 1701, coalesced, messages[0]!.length);
      const header = (length: string) =>
        `${toHex(THEIRS)}${toHex(OURS)}88a8006481002005886411000005${length}`;
      expect(sent.map(({ octets }) => toHex(octets))).toEqual([
        ...[1, 2, 3].map((i) => header("0008") + toHex(numberedFrame(9, i))),
        `${header("0004")}c0210101`,
      ]);
    });

    it("sends more frames than one arena of headers holds", () => {
      parts.bridge(pppoe(5), l2tp(6));
      parts.bridge(pppoe(8), l2tp(9));
      const messages = Array.from({ length: 2000 }, (_, i) => l2tpMessage(7, i % 3 === 0 ? 6 : 9, PPP));
      const sent = parts.udp(tunnel, "192.0.2.2", 1701, concatBytes(...messages), messages[0]!.length);
      expect(sent.map(({ octets }) => octets[17])).toEqual(messages.map((_, i) => (i % 3 === 0 ? 5 : 8)));
    });

    it("drops what is longer than the access interface takes", () => {
      parts.bridge(pppoe(5), l2tp(6));
      const frame = (bytes: number) =>
        l2tpMessage(7, 6, concatBytes(fromHex("0021"), new Uint8Array(bytes - 2)));
      expect(parts.udp(tunnel, "192.0.2.2", 1701, frame(1494)).length).toBe(1);
      expect(parts.udp(tunnel, "192.0.2.2", 1701, frame(1495)).length).toBe(0);
      expect(parts.drops()).toEqual({ "too-big": 1 });
    });

    it("bridges two access sessions though the new header is longer", () => {
      const tags = [
        { tpid: 0x88a8, tci: 1 },
        { tpid: 0x8100, tci: 2 },
      ];
      parts.bridge(pppoe(5), pppoe(6, subscriber({ tags })));
      const [sent] = parts.ethernet(access, session(5));
      expect(toHex(sent!.octets)).toBe(
        `${toHex(THEIRS)}${toHex(OURS)}88a80001810000028864110000060008${toHex(PPP)}`,
      );
    });
  });

  describe("believes", () => {
    it("a PPPoE frame under its peer's MAC address and VLAN only", () => {
      parts.bridge(pppoe(5, subscriber({ tags: [{ tpid: 0x8100, tci: 100 }] })), l2tp(6));
      const good = session(5, PPP, [{ tpid: 0x8100, tci: 0xe064 }]);
      const stranger = pppoeFrame(OURS, fromHex("020000000003"), 5, PPP, [{ tpid: 0x8100, tci: 100 }]);
      const otherVlan = session(5, PPP, [{ tpid: 0x8100, tci: 101 }]);
      expect(parts.ethernet(access, stranger, otherVlan, session(5), good).length).toBe(1);
      expect(parts.drops()).toEqual({ "wrong-source": 3 });
    });

    it("an L2TP message from its peer's address and port, over IPv6 too", () => {
      parts.bridge(pppoe(5), l2tp(6));
      const six = parts.openPort(
        { kind: "udp", address: "2001:db8::5:1", udpPort: 1701 },
        laneOfPort,
        "udp",
        14,
      );
      parts.bridge(pppoe(8), l2tp(9, lns({ port: six, address: "2001:db8::5:2" })));
      expect(parts.udp(tunnel, "192.0.2.3", 1701, l2tpMessage(7, 6, PPP))).toEqual([]);
      expect(parts.udp(tunnel, "192.0.2.2", 1702, l2tpMessage(7, 6, PPP))).toEqual([]);
      expect(parts.udp(six, "2001:db8::6:2", 1701, l2tpMessage(7, 9, PPP))).toEqual([]);
      expect(parts.udp(six, "2001:db8:1::5:2", 1701, l2tpMessage(7, 9, PPP))).toEqual([]);
      expect(parts.udp(six, "192.0.2.2", 1701, l2tpMessage(7, 6, PPP))).toEqual([]);
      expect(parts.drops()).toEqual({ "wrong-source": 5 });
      expect(parts.udp(tunnel, "192.0.2.2", 1701, l2tpMessage(7, 6, PPP)).length).toBe(1);
      expect(parts.udp(six, "2001:db8::5:2", 1701, l2tpMessage(7, 9, PPP)).length).toBe(1);
    });

    it("nothing malformed, and counts each kind", () => {
      parts.bridge(pppoe(5), l2tp(6));
      const tooLong = session(5);
      tooLong[19] = 200;
      parts.ethernet(access, tooLong, session(5).subarray(0, 17), session(99));
      for (const hex of [
        "",
        "0002",
        "0003 0007 0006 c021",
        "4002 0007 0007 0006 c021",
        "0002 0008 0006 c021",
      ])
        parts.udp(tunnel, "192.0.2.2", 1701, fromHex(hex));
      parts.udp(tunnel, "192.0.2.2", 1701, fromHex("0002 0007 0106 c021"));
      expect(parts.drops()).toEqual({
        truncated: 3,
        "bad-length": 2,
        "bad-version": 1,
        "unknown-session": 2,
        "unknown-tunnel": 1,
      });
    });
  });

  describe("punts", () => {
    it("are policed by channel: a flood on one takes nothing from another", () => {
      open({ perChannel: { perSecond: 100, burst: 5 } });
      const peer = subscriber();
      const flooded = pppoe(5, peer);
      const quiet = pppoe(6, peer);
      for (let i = 0; i < 20; i++) parts.ethernet(access, session(5));
      parts.ethernet(access, session(6));
      const channels = parts.punts().map((punt) => punt !== "stale" && punt.kind === "frame" && punt.channel);
      expect(channels).toEqual([...new Array(5).fill(flooded), quiet]);
      expect(parts.drops()).toEqual({ policed: 15 });
      parts.passTime(20);
      for (let i = 0; i < 20; i++) parts.ethernet(access, session(5));
      expect(parts.punts().length).toBe(2);
    });

    it("are policed in all, and for sessions that nobody has", () => {
      open({ frames: { perSecond: 1, burst: 3 }, unknownSession: { perSecond: 1, burst: 2 } });
      const peer = subscriber();
      for (let i = 1; i <= 6; i++) pppoe(i, peer);
      for (let i = 1; i <= 6; i++) parts.ethernet(access, session(i), session(100 + i));
      const kinds = parts.punts().map((punt) => (punt === "stale" ? punt : punt.kind));
      expect(kinds.filter((kind) => kind === "frame").length).toBe(3);
      expect(kinds.filter((kind) => kind === "unknown-session").length).toBe(2);
      expect(parts.drops()).toEqual({ policed: 3, "unknown-session": 6 });
    });

    it("are let through by default where ten thousand subscribers log in at one time", () => {
      const [channels, loginsOfEach, framesOfLogin] = [10, 1000, 6];
      // each stands for many
      open({ perChannel: { perSecond: 1, burst: loginsOfEach * framesOfLogin } });
      const peer = subscriber();
      for (let i = 1; i <= channels; i++) pppoe(i, peer);
      let passed = 0;
      for (let frame = 0; frame < loginsOfEach * framesOfLogin; frame++) {
        for (let i = 1; i <= channels; i++) parts.ethernet(access, session(i));
        passed += parts.punts().length;
      }
      expect(passed).toBe(10_000 * framesOfLogin);
      expect(parts.drops()).toEqual({});
    });

    it("are policed for strangers' control messages apart from those of peers", () => {
      open({
        strangerControl: { perSecond: 1, burst: 2 },
        peerControl: { perSecond: 1, burst: 3 },
      });
      const hello = fromHex("c802000c000100000000");
      const senders = () =>
        parts.punts().map((punt) => punt !== "stale" && punt.kind === "control" && punt.remoteAddress);
      const peer = lns();
      for (let i = 0; i < 5; i++) {
        parts.udp(tunnel, `203.0.113.${i}`, 1701, hello);
        parts.udp(tunnel, "192.0.2.2", 1702, hello);
      }
      parts.udp(tunnel, "192.0.2.2", 1701, hello);
      expect(senders()).toEqual(["203.0.113.0", "192.0.2.2", "192.0.2.2"]);
      expect(parts.drops()).toEqual({ policed: 8 });
      // a peer that has moved is known by its new address, and only by that
      const { spec } = parts.registry.peer(peer);
      parts.writer.setPeer(
        peer,
        { ...(spec as UdpPeerSpec), address: "192.0.2.3" },
        parts.registry.port(tunnel).spec,
      );
      parts.udp(tunnel, "192.0.2.2", 1701, hello);
      parts.udp(tunnel, "192.0.2.3", 1701, hello);
      expect(senders()).toEqual(["192.0.2.3"]);
      parts.writer.removePeer(peer);
      parts.udp(tunnel, "192.0.2.3", 1701, hello);
      expect(senders()).toEqual([]);
    });

    it("are bounded by their ring; what does not fit is counted", () => {
      open({ perChannel: { perSecond: 1, burst: 1e6 } }, 1024);
      pppoe(5);
      for (let i = 0; i < 100; i++) parts.ethernet(access, session(5));
      const held = parts.punts().length;
      expect(held).toBe(1024 / 32);
      expect(parts.drops()).toEqual({ "punt-overflow": 100 - held });
      parts.ethernet(access, session(5));
      expect(parts.punts().length).toBe(1);
    });

    it("go to the other end when the channel was bridged meanwhile, and are stale after more than that", () => {
      const a = pppoe(5);
      const b = l2tp(6);
      for (let i = 0; i < 3; i++) parts.ethernet(access, session(5));
      const read = () => parts.readPunt(parts.takeRecord()!);
      expect(read()).toMatchObject({ kind: "punt", punt: { channel: a } });
      parts.bridge(a, b);
      expect(read()).toEqual({ kind: "forward", channel: b, frame: PPP });
      parts.registry.unbridge(a);
      parts.writer.unbridge(a);
      parts.writer.unbridge(b);
      expect(read()).toEqual({ kind: "stale" });
    });
  });

  describe("when the system refuses to send", () => {
    it("loses the refused frame alone, and says why", () => {
      parts.bridge(pppoe(5), l2tp(6));
      parts.region.refusals.push({ takes: 1, errno: 11 }, { takes: 1, errno: 100 });
      const frames = [1, 2, 3, 4, 5].map((i) => session(5, numberedFrame(1, i)));
      const sent = parts.ethernet(access, ...frames);
      expect(sent.map(({ octets }) => octets.at(-1))).toEqual([1, 3, 5]);
      expect(parts.drops()).toEqual({ "send-full": 1, "send-failed": 1 });
    });

    it("does not count it as sent, in either direction, and says that it was too big when it was", () => {
      const up = l2tp(6);
      const down = pppoe(5);
      parts.bridge(down, up);
      parts.region.refusals.push({ takes: 0, errno: 90 }, { takes: 1, errno: 0 }, { takes: 0, errno: 90 });
      parts.ethernet(access, session(5), session(5));
      parts.udp(tunnel, "192.0.2.2", 1701, l2tpMessage(7, 6, PPP));
      const sent = (channel: number) =>
        [...parts.tables.counters[0]!.slice(channel * COUNTERS_STRIDE)].slice(FRAMES_OUT, OCTETS_OUT + 1);
      expect(sent(up)).toEqual([1, PPP.length]);
      expect(sent(down)).toEqual([0, 0]);
      expect(parts.drops()).toEqual({ "too-big": 2 });
    });

    it("counts what has nowhere to go", () => {
      parts.bridge(pppoe(5), l2tp(6));
      parts.transmitter.close(laneOfPort(tunnel));
      expect(parts.ethernet(access, session(5))).toEqual([]);
      expect(parts.drops()).toEqual({ "send-failed": 1 });
    });
  });

  describe("with a unit", () => {
    const attach = (channel: number, addresses: readonly string[], shared = false, end?: "subscriber") => {
      const unitSpec = {
        name: "unit0",
        mtuBytes: 1400,
        addresses: [],
        routes: [],
        shared,
        ...(end && { end }),
      };
      const unit = parts.registry.addUnit(unitSpec);
      const spec = { unit, addresses, mruBytes: 1400, clampMss: true, ipv6: true };
      parts.writer.addUnit(unit, unitSpec);
      parts.units.open(unit, UNIT_FD, true);
      parts.registry.attach(channel, spec);
      parts.writer.attach(channel, spec, unitSpec);
      return unit;
    };
    const ipv6 = (source: string): Uint8Array =>
      fromHex(`6000 0000 0004 1140 ${source} 20010db8000000000000000000000099 01020304`);

    it("takes IPv4 and IPv6 with a source of the subscriber's only, cut to its own length", () => {
      const channel = pppoe(5);
      attach(channel, ["198.51.100.7", "2001:db8:0:5::/64", "2001:db8::1"]);
      const own = udpPacket("198.51.100.7", "203.0.113.1", 1, 2, new Uint8Array(3));
      const good = [
        ipv4Frame(own),
        concatBytes(fromHex("21"), own),
        concatBytes(fromHex("0057"), ipv6("20010db8000000050000000000000042")),
        concatBytes(fromHex("57"), ipv6("20010db8000000000000000000000001")),
      ];
      const sent = parts.ethernet(
        access,
        ...good.map((ppp) => session(5, concatBytes(ppp, fromHex("0000")))),
      );
      expect(sent.map(({ fd }) => fd)).toEqual([UNIT_FD, UNIT_FD, UNIT_FD, UNIT_FD]);
      expect(toHex(sent[1]!.octets)).toBe("00".repeat(10) + toHex(own));
      const foreign = [
        ipv4Frame(udpPacket("198.51.100.8", "203.0.113.1", 1, 2, new Uint8Array(3))),
        ipv4Frame(udpPacket("0.0.0.1", "203.0.113.1", 1, 2, new Uint8Array(3))),
        concatBytes(fromHex("0057"), ipv6("20010db8000000060000000000000042")),
        concatBytes(fromHex("0057"), ipv6("20010db8000000000000000000000002")),
      ];
      expect(parts.ethernet(access, ...foreign.map((ppp) => session(5, ppp)))).toEqual([]);
      expect(parts.drops()).toEqual({ "wrong-address": 4 });
    });

    it("punts every protocol that is not IP, known or not", () => {
      const channel = pppoe(5);
      attach(channel, ["198.51.100.7"]);
      for (const protocol of ["c021", "8021", "00fd", "c223"])
        parts.ethernet(access, session(5, fromHex(`${protocol}0102`)));
      expect(parts.punts().length).toBe(4);
      expect(parts.drops()).toEqual({});
    });

    it("drops IP that contradicts itself", () => {
      attach(pppoe(5), ["198.51.100.7"]);
      const packet = udpPacket("198.51.100.7", "203.0.113.1", 1, 2, new Uint8Array(3));
      const broken = [
        packet.subarray(0, packet.length - 1),
        concatBytes(Uint8Array.of(0x44), packet.subarray(1)),
        concatBytes(Uint8Array.of(0x65), packet.subarray(1)),
        packet.subarray(0, 19),
      ];
      parts.ethernet(
        access,
        ...broken.map((octets) => session(5, ipv4Frame(octets))),
        session(5, fromHex("0021")),
      );
      expect(parts.drops()).toEqual({ "malformed-ip": 5 });
    });

    it("finds the subscriber of a packet, writes PPP and its wire's header before it", () => {
      const unit = attach(l2tp(6), ["198.51.100.7", "2001:db8:0:5::/64"], true);
      const packet = udpPacket("203.0.113.1", "198.51.100.7", 1, 2, new Uint8Array(3));
      const [sent] = parts.unit(unit, packet);
      expect(toHex(sent!.octets)).toBe(`4002002b1234fedcff030021${toHex(packet)}`);
      expect(parts.unit(unit, udpPacket("203.0.113.1", "198.51.100.8", 1, 2, new Uint8Array(3)))).toEqual([]);
      expect(parts.drops()).toEqual({ "unknown-destination": 1 });
    });

    it("clamps the MSS of TCP SYNs both ways", () => {
      const unit = attach(pppoe(5), ["198.51.100.7"]);
      const syn = (from: string, to: string): Uint8Array => {
        const packet = udpPacket(from, to, 0, 0, new Uint8Array(16));
        packet[9] = 6;
        packet.set(fromHex("0001 0002 00000000 00000000 6002 ffff 0000 0000 020405b4"), 20);
        return packet;
      };
      const [up] = parts.ethernet(access, session(5, ipv4Frame(syn("198.51.100.7", "203.0.113.1"))));
      const [down] = parts.unit(unit, syn("203.0.113.1", "198.51.100.7"));
      // 1400 octets less the headers
      expect(toHex(up!.octets.slice(-4))).toBe("02040550");
      expect(toHex(down!.octets.slice(-4))).toBe("02040550");
    });

    it("at a subscriber's end tells packets apart by source, and takes those to its own addresses", () => {
      const peer = subscriber();
      const unit = attach(pppoe(5, peer), ["198.51.100.7"], true, "subscriber");
      const out = udpPacket("198.51.100.7", "203.0.113.1", 1, 2, new Uint8Array(3));
      const back = udpPacket("203.0.113.1", "198.51.100.7", 2, 1, new Uint8Array(3));
      expect(parts.unit(unit, out).length).toBe(1);
      expect(parts.unit(unit, back)).toEqual([]);
      expect(parts.ethernet(access, session(5, ipv4Frame(back)), session(5, ipv4Frame(out))).length).toBe(1);
      expect(parts.drops()).toEqual({ "unknown-destination": 1, "wrong-address": 1 });
    });

    it("reports a packet that the subscriber's MRU does not take", () => {
      const channel = l2tp(6);
      const unit = attach(channel, ["198.51.100.7"], true);
      const packet = udpPacket("203.0.113.1", "198.51.100.7", 1, 2, new Uint8Array(1400 - 27));
      expect(parts.unit(unit, packet)).toEqual([]);
      expect(parts.punts()).toEqual([
        { kind: "too-big", unit, channel, mruBytes: 1400, packet: packet.slice(0, 1280) },
      ]);
      expect(parts.drops()).toEqual({ "too-big": 1 });
      expect(
        parts.unit(unit, udpPacket("203.0.113.1", "198.51.100.7", 1, 2, new Uint8Array(1400 - 28))).length,
      ).toBe(1);
    });
  });
});
