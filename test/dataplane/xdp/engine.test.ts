import { beforeEach, describe, expect, it } from "vitest";
import { toHex } from "../../../src/base/bytes.ts";
import type { ChannelId, L2tpChannelSpec, PeerId, UdpPeerSpec } from "../../../src/channel/dataplane.ts";
import type { NextHop } from "../../../src/io/next-hops.ts";
import {
  XDP_CHANNEL_BYTES,
  XDP_CHANNEL_FLAGS,
  XDP_CHANNEL_IN_IDS,
  XDP_CHANNEL_IN_MACS,
  XDP_CHANNEL_IN_PEER,
  XDP_CHANNEL_IN_TAGS,
  XDP_CHANNEL_L2TP,
  XDP_CHANNEL_OTHER,
  XDP_CHANNEL_TO_HEADER,
  XDP_CHANNEL_TO_HEADER_BYTES,
  XDP_CHANNEL_TO_IDS,
  XDP_CHANNEL_TO_IFINDEX,
  XDP_CHANNEL_TO_MAX_PPP,
  XDP_CHANNEL_TO_PEER,
  XDP_CHANNEL_TO_SUBSCRIBER,
  XDP_INTERFACE_BYTES,
  XDP_INTERFACE_DOMAIN,
  XDP_INTERFACE_FLAGS,
  XDP_INTERFACE_NEEDS_CHECKSUM,
  XDP_INTERFACE_NEEDS_LENGTH,
  XDP_INTERFACE_PORT,
  XDP_PEER_DOMAIN,
  XDP_PEER_IFINDEX,
} from "../../../src/io/xdp.ts";
import { fakeSite } from "./fakes.ts";

const LOCAL_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0xac);
const REMOTE = "192.0.2.2";
const ACC0 = 3;
const CORE0 = 4;
const HOP: NextHop = {
  ifindex: CORE0,
  device: "core0",
  sourceMac: Uint8Array.of(2, 0, 0, 0, 0, 0xc0),
  destinationMac: Uint8Array.of(2, 0, 0, 0, 0, 0xc1),
  tags: [],
  mtuBytes: 1500,
  localAddress: "192.0.2.1",
};

/** Everything that waits for nothing but its turn has had it. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("the xdp engine", () => {
  let site: Awaited<ReturnType<typeof fakeSite>>;
  let subscriber: PeerId;
  let lns: PeerId;

  const pppoe = (sessionId: number, peer = subscriber): ChannelId =>
    site.dataplane.addChannel({ kind: "pppoe", peer, sessionId });
  const l2tp = (localSessionId: number, more: Partial<L2tpChannelSpec> = {}): ChannelId =>
    site.dataplane.addChannel({
      kind: "l2tp",
      peer: lns,
      localTunnelId: 7,
      localSessionId,
      remoteTunnelId: 70,
      remoteSessionId: 1000 + localSessionId,
      ...more,
    });

  async function set(...options: Parameters<typeof fakeSite>): Promise<void> {
    site = await fakeSite(...options);
    const { dataplane, access } = site;
    const remoteMac = Uint8Array.of(2, 0, 0, 0, 0, 1);
    subscriber = dataplane.addPeer({
      kind: "ethernet",
      port: access,
      remoteMac,
      localMac: LOCAL_MAC,
      tags: [],
    });
    lns = dataplane.addPeer(lnsSpec());
  }

  const lnsSpec = (): UdpPeerSpec => ({
    kind: "udp",
    port: site.tunnel,
    address: REMOTE,
    udpPort: 1701,
    pathMtuBytes: 1500,
    addressControl: true,
    lengthBit: true,
    checksum: true,
    oversize: "fragment",
  });

  beforeEach(() => set());

  const interfaceWord = (ifindex: number, offset: number) =>
    site.program.word("interfaces", ifindex * XDP_INTERFACE_BYTES + offset);
  /** Where the program would send what comes in on a channel; 0: to the loop. */
  const sendsTo = (slot: number): number => {
    const { program } = site;
    if ((program.channel(slot, XDP_CHANNEL_FLAGS) & XDP_CHANNEL_TO_SUBSCRIBER) !== 0)
      return program.channel(slot, XDP_CHANNEL_TO_IFINDEX);
    const peer = program.peer(program.channel(slot, XDP_CHANNEL_TO_PEER));
    return peer?.getUint32(XDP_PEER_IFINDEX, true) ?? 0;
  };

  describe("a bridge", () => {
    it("is found by the ids of both ends, and leads from each to the other", async () => {
      const [a, b] = [pppoe(5), l2tp(6)];
      expect(site.program.findAccess(1, 5)).toEqual([]);
      await site.dataplane.bridge(a, b);
      site.hops.tell(REMOTE, HOP);
      const [fromAccess] = site.program.findAccess(1, 5);
      const fromTunnel = site.program.findSession(7, 6);
      expect(site.program.channel(fromAccess!, XDP_CHANNEL_OTHER)).toBe(fromTunnel);
      expect(site.program.channel(fromTunnel, XDP_CHANNEL_OTHER)).toBe(fromAccess);
      expect(site.program.channel(fromAccess!, XDP_CHANNEL_TO_IDS)).toBe((70 << 16) | 1006);
      expect(site.program.channel(fromTunnel, XDP_CHANNEL_TO_IDS)).toBe(5);
      expect(site.program.channel(fromTunnel, XDP_CHANNEL_IN_IDS)).toBe((7 << 16) | 6);
      expect([sendsTo(fromAccess!), sendsTo(fromTunnel)]).toEqual([CORE0, ACC0]);
    });

    it("says what a subscriber's frames must look like, and says it anew when that changes", async () => {
      const believed = () => {
        const [slot = 0] = site.program.findAccess(1, 5);
        const macs = slot * XDP_CHANNEL_BYTES + XDP_CHANNEL_IN_MACS;
        return {
          macs: toHex(new Uint8Array(site.program.tables.channels, macs, 12)),
          tags: [0, 4].map((at) => site.program.channel(slot, XDP_CHANNEL_IN_TAGS + at).toString(16)),
        };
      };
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      expect(believed()).toEqual({ macs: "0200000000ac020000000001", tags: ["0", "0"] });
      site.dataplane.updatePeer(subscriber, {
        kind: "ethernet",
        port: site.access,
        remoteMac: Uint8Array.of(2, 0, 0, 0, 0, 9),
        localMac: LOCAL_MAC,
        tags: [{ tpid: 0x8100, tci: 0xe064 }],
      });
      expect(believed()).toEqual({ macs: "0200000000ac020000000009", tags: ["81000064", "0"] });
      // the entry that it had goes to others, who say nothing about tags
      await turn();
      const other = site.dataplane.addPeer({
        kind: "ethernet",
        port: site.access,
        remoteMac: Uint8Array.of(2, 0, 0, 0, 0, 7),
        localMac: LOCAL_MAC,
        tags: [],
      });
      await site.dataplane.bridge(pppoe(8, other), l2tp(9));
      const slots = site.program.findAccess(1, 8);
      expect(slots.map((slot) => site.program.channel(slot, XDP_CHANNEL_IN_TAGS))).toEqual([0]);
    });

    it("has all that goes to a subscriber in the entry of the channel that it comes on, anew when that changes", async () => {
      const made = () => {
        const slot = site.program.findSession(7, 6);
        const at = slot * XDP_CHANNEL_BYTES;
        const octets = site.program.half("channels", at + XDP_CHANNEL_TO_HEADER_BYTES);
        return {
          maxPpp: site.program.half("channels", at + XDP_CHANNEL_TO_MAX_PPP),
          header: toHex(new Uint8Array(site.program.tables.channels, at + XDP_CHANNEL_TO_HEADER, octets)),
        };
      };
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      expect(made()).toEqual({ maxPpp: 1494, header: "0200000000010200000000ac8864" });
      site.dataplane.updatePeer(subscriber, {
        kind: "ethernet",
        port: site.access,
        remoteMac: Uint8Array.of(2, 0, 0, 0, 0, 9),
        localMac: LOCAL_MAC,
        tags: [
          { tpid: 0x88a8, tci: 0xe064 },
          { tpid: 0x8100, tci: 7 },
        ],
      });
      // neither tag is free: the outer one is not 802.1Q's
      expect(made()).toEqual({ maxPpp: 1486, header: "0200000000090200000000ac88a8e064810000078864" });
      await site.dataplane.bridge(l2tp(8), l2tp(9));
      const switched = site.program.channel(site.program.findSession(7, 8), XDP_CHANNEL_FLAGS);
      expect(switched).toBe(XDP_CHANNEL_L2TP);
    });

    it("between two subscribers is the loop's: an entry has no room for what comes and for what goes", async () => {
      await site.dataplane.bridge(pppoe(5), pppoe(6));
      expect([5, 6].map((id) => site.program.findAccess(1, id))).toEqual([[], []]);
    });

    it("is taken back in the same turn, and that completes when no run of the program can use it", async () => {
      const [a, b] = [pppoe(5), l2tp(6)];
      await site.dataplane.bridge(a, b);
      site.program.holds = true;
      let complete = false;
      const unbridging = site.dataplane.unbridge(b).then(() => {
        complete = true;
      });
      expect(site.program.findAccess(1, 5)).toEqual([]);
      expect(site.program.findSession(7, 6)).toBe(0);
      await turn();
      expect(complete).toBe(false);
      site.program.pass();
      await unbridging;
    });

    it.each(["unbridge", "close"])("that ends before it stands is never the program's (%s)", async (how) => {
      const [a, b] = [pppoe(5), l2tp(6)];
      const { dataplane } = site;
      const bridging = dataplane.bridge(a, b);
      await Promise.all([bridging, how === "close" ? dataplane.closeChannel(b) : dataplane.unbridge(b)]);
      expect(site.program.findAccess(1, 5)).toEqual([]);
      expect(site.program.findSession(7, 6)).toBe(0);
    });

    it("that was refused changes nothing", async () => {
      const [a, b, c] = [pppoe(5), l2tp(6), l2tp(8)];
      await site.dataplane.bridge(a, b);
      const found = site.program.findAccess(1, 5);
      await expect(site.dataplane.bridge(a, c)).rejects.toMatchObject({ code: "not-punted" });
      await expect(site.dataplane.unbridge(c)).rejects.toMatchObject({ code: "not-bridged" });
      expect(site.program.findAccess(1, 5)).toEqual(found);
      expect(site.program.findSession(7, 8)).toBe(0);
    });

    it("may follow another at once: each has entries of its own until the first has passed", async () => {
      const [a, b, c] = [pppoe(5), l2tp(6), l2tp(8)];
      await site.dataplane.bridge(a, b);
      const [before] = site.program.findAccess(1, 5);
      const leadTo = site.program.channel(before!, XDP_CHANNEL_OTHER);
      site.program.holds = true;
      const unbridging = site.dataplane.unbridge(a);
      await site.dataplane.bridge(a, c);
      const [after] = site.program.findAccess(1, 5);
      expect(after).not.toBe(before);
      // a run that stands on the old entry still goes where it led
      expect(site.program.channel(before!, XDP_CHANNEL_OTHER)).toBe(leadTo);
      site.program.pass();
      await unbridging;
    });

    it("gives its entries to others when no run can stand on them any more, and they count from nothing", async () => {
      await set({ channels: 4 });
      const [a, b, c] = [pppoe(5), l2tp(6), l2tp(8)];
      const [d, e] = [l2tp(10), l2tp(11)];
      await site.dataplane.bridge(a, b);
      site.program.count(0, site.program.findSession(7, 6), 3, 30, 1);
      site.program.holds = true;
      const unbridging = site.dataplane.unbridge(a);
      await site.dataplane.bridge(a, c);
      await turn();
      await site.dataplane.bridge(d, e);
      expect(site.program.findSession(7, 10)).toBe(0);
      site.program.pass();
      await unbridging;
      await site.dataplane.unbridge(d);
      await site.dataplane.bridge(d, e);
      expect(site.program.findSession(7, 10)).not.toBe(0);
      expect([site.dataplane.framesIn(d), site.dataplane.framesIn(e)]).toEqual([0, 0]);
    });

    it("made and undone again and again waits for no more grace periods than there are turns", async () => {
      const [a, b] = [pppoe(5), l2tp(6)];
      let grace = 0;
      const { synchronize } = site.program;
      site.program.synchronize = () => {
        grace += 1;
        return synchronize.call(site.program);
      };
      const undone: Promise<void>[] = [];
      for (let round = 0; round < 20; round++) {
        await site.dataplane.bridge(a, b);
        undone.push(site.dataplane.unbridge(a));
      }
      await Promise.all(undone);
      expect(grace).toBeLessThanOrEqual(21);
      await site.dataplane.bridge(a, b);
      expect(site.program.findAccess(1, 5)).toHaveLength(1);
    });

    it("joins tunnels, too", async () => {
      await site.dataplane.bridge(l2tp(6), l2tp(0x1234));
      const [first, second] = [site.program.findSession(7, 6), site.program.findSession(7, 0x1234)];
      expect(site.program.channel(first, XDP_CHANNEL_OTHER)).toBe(second);
      expect(site.program.channel(second, XDP_CHANNEL_TO_IDS)).toBe((70 << 16) | 1006);
    });

    it("of the same session id under different tags is one of a chain", async () => {
      const tagged = [1, 2, 3].map((vlan) =>
        site.dataplane.addPeer({
          kind: "ethernet",
          port: site.access,
          remoteMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
          localMac: LOCAL_MAC,
          tags: [{ tpid: 0x8100, tci: vlan }],
        }),
      );
      const ends = tagged.map((peer) => pppoe(5, peer));
      for (const [i, end] of ends.entries()) await site.dataplane.bridge(end, l2tp(20 + i));
      const chain = site.program.findAccess(1, 5);
      expect(chain).toHaveLength(3);
      await site.dataplane.closeChannel(ends[1]!);
      expect(site.program.findAccess(1, 5)).toEqual([chain[0], chain[2]]);
      await site.dataplane.closeChannel(ends[2]!);
      expect(site.program.findAccess(1, 5)).toEqual([chain[2]]);
    });
  });

  describe("sequence numbers", () => {
    it("that we always send are the loop's, both ways", async () => {
      const [a, b] = [pppoe(5), l2tp(6, { sequencing: "always" })];
      await site.dataplane.bridge(a, b);
      expect(site.program.findSession(7, 6)).toBe(0);
      site.dataplane.setSequencing(b, "follow");
      expect(site.program.findAccess(1, 5)).toHaveLength(1);
      site.dataplane.setSequencing(b, "always");
      expect(site.program.findAccess(1, 5)).toEqual([]);
    });

    it("that the peer began with before the bridge stood keep it in the loop", async () => {
      const [a, b] = [pppoe(5), l2tp(6)];
      site.beneath.numbered.add(b);
      await site.dataplane.bridge(a, b);
      expect(site.program.findSession(7, 6)).toBe(0);
      // not for a moment
      expect(new Int32Array(site.program.tables.channels).every((word) => word === 0)).toBe(true);
    });

    it("that the peer begins with while the bridge is made keep it in the loop", async () => {
      const [a, b] = [pppoe(5), l2tp(6)];
      let asked = 0;
      site.beneath.numbersSent = (channel) => {
        asked += 1;
        return channel === b && asked > 1;
      };
      await site.dataplane.bridge(a, b);
      expect(site.program.findSession(7, 6)).toBe(0);
      expect(site.program.findAccess(1, 5)).toEqual([]);
    });

    it("that end when they are not asked for any more leave the bridge to the program", async () => {
      const [a, b] = [pppoe(5), l2tp(6)];
      site.beneath.numbered.add(b);
      await site.dataplane.bridge(a, b);
      site.beneath.numbered.delete(b);
      site.dataplane.setSequencing(b, "never");
      expect(site.program.findSession(7, 6)).not.toBe(0);
    });
  });

  describe("taps", () => {
    const spec = { snapBytes: 100, octetsPerSecond: 1000 };
    const isCarried = (session: number) =>
      site.program.findAccess(1, session).length === 1 && site.program.findSession(7, session) !== 0;

    it("leave a bridge to the loop while either end has one, and no other bridge", async () => {
      const [a, b] = [pppoe(5), l2tp(5)];
      await site.dataplane.bridge(a, b);
      await site.dataplane.bridge(pppoe(6), l2tp(6));
      const nobody = () => expect.unreachable();
      for (const [first, second] of [
        [a, b],
        [b, a],
      ] as const) {
        site.dataplane.tap(first, spec, nobody);
        expect([isCarried(5), isCarried(6)]).toEqual([false, true]);
        site.dataplane.tap(second, spec, nobody);
        await site.dataplane.untap(first);
        expect(site.program.findAccess(1, 5)).toEqual([]);
        await site.dataplane.untap(second);
        expect([isCarried(5), isCarried(6)]).toEqual([true, true]);
      }
    });

    it("that stood before the bridge do so, too, and end with their channel", async () => {
      const [a, b] = [pppoe(5), l2tp(5)];
      site.dataplane.tap(a, spec, () => expect.unreachable());
      await site.dataplane.bridge(a, b);
      expect(site.program.findSession(7, 5)).toBe(0);
      await site.dataplane.closeChannel(a);
      await site.dataplane.bridge(pppoe(5), b);
      expect(isCarried(5)).toBe(true);
    });

    it("that are refused, or were none, leave it to the program", async () => {
      const [a, b] = [pppoe(5), l2tp(5)];
      await site.dataplane.bridge(a, b);
      expect(() => site.dataplane.tap(a, { ...spec, snapBytes: 0 }, () => {})).toThrow("0 octets");
      await expect(site.dataplane.untap(a)).rejects.toMatchObject({ code: "not-tapped" });
      expect(isCarried(5)).toBe(true);
    });
  });

  it("takes bridges over that stood before the program could be on their interfaces", async () => {
    await set({}, (program) => program.refusals.set(ACC0, "EBUSY").set(CORE0, "EBUSY"));
    site.features.names.set(ACC0, "acc0").set(CORE0, "core0");
    const channel = l2tp(6);
    await site.dataplane.bridge(pppoe(5), channel);
    await site.dataplane.bridge(l2tp(7), l2tp(8));
    site.hops.tell(REMOTE, HOP);
    expect(site.program.findSession(7, 6)).toBe(0);
    expect(site.program.peer(1)!.getUint32(XDP_PEER_IFINDEX, true)).toBe(0);
    site.program.refusals.clear();
    site.features.listener!.changed(true);
    expect(site.program.findAccess(1, 5)).toHaveLength(1);
    expect(site.program.findSession(7, 6)).not.toBe(0);
    expect(site.program.peer(1)!.getUint32(XDP_PEER_IFINDEX, true)).toBe(CORE0);
  });

  describe("an L2TP peer", () => {
    it("has its messages left to the loop until its next hop is known, and when it is lost", async () => {
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      const [slot] = site.program.findAccess(1, 5);
      expect(sendsTo(slot!)).toBe(0);
      site.hops.tell(REMOTE, HOP);
      expect(sendsTo(slot!)).toBe(CORE0);
      site.hops.tell(REMOTE, { reason: "device core0 is down" });
      expect(sendsTo(slot!)).toBe(0);
      expect(site.log.of("info").at(-1)).toContain("device core0 is down");
      expect([...site.program.attached.keys()]).toEqual([ACC0]);
    });

    it("is believed nowhere while it has no next hop, though its device has others: IPsec may be why", async () => {
      const believedOn = (slot: number) =>
        site.program.peer(site.program.channel(slot, XDP_CHANNEL_IN_PEER))!.getUint32(XDP_PEER_DOMAIN, true);
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      const slot = site.program.findSession(7, 6);
      expect(believedOn(slot)).toBe(0);
      site.hops.tell(REMOTE, HOP);
      expect(believedOn(slot)).toBe(interfaceWord(CORE0, XDP_INTERFACE_DOMAIN));
      site.hops.tell(REMOTE, { reason: "an IPsec policy protects it" });
      expect(believedOn(slot)).toBe(0);
    });

    it("is asked for with both ports, anew when its own is another one", async () => {
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      const asked = () => [...site.hops.watches.values()];
      const ports = { localPort: 1701, remotePort: 1701 };
      expect(asked()).toEqual([{ remoteAddress: REMOTE, localAddress: "192.0.2.1", ...ports }]);
      const framing = { pathMtuBytes: 1500, addressControl: true, lengthBit: true, checksum: true } as const;
      const moved = { kind: "udp", port: site.tunnel, address: REMOTE, oversize: "fragment" } as const;
      site.dataplane.updatePeer(lns, { ...moved, ...framing, udpPort: 1702 });
      expect(asked()).toEqual([
        { remoteAddress: REMOTE, localAddress: "192.0.2.1", ...ports, remotePort: 1702 },
      ]);
    });

    it("moves to another device with one store", async () => {
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      site.hops.tell(REMOTE, HOP);
      const [slot] = site.program.findAccess(1, 5);
      site.hops.tell(REMOTE, { ...HOP, ifindex: 9, device: "core1" });
      expect(sendsTo(slot!)).toBe(9);
      expect([...site.program.attached.keys()]).toEqual([ACC0, 9]);
      expect(interfaceWord(CORE0, XDP_INTERFACE_DOMAIN)).toBe(0);
      expect(interfaceWord(9, XDP_INTERFACE_DOMAIN)).toBe(1);
    });

    it("that is told to be elsewhere is asked for anew", async () => {
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      site.hops.tell(REMOTE, HOP);
      const [slot] = site.program.findAccess(1, 5);
      const { tunnel: port } = site;
      const framing = { pathMtuBytes: 1500, addressControl: true, lengthBit: true, checksum: true } as const;
      const moved = { kind: "udp", port, address: "192.0.2.9", udpPort: 1701, oversize: "fragment" } as const;
      site.dataplane.updatePeer(lns, { ...moved, ...framing });
      expect(sendsTo(slot!)).toBe(0);
      site.hops.tell("192.0.2.9", HOP);
      expect(sendsTo(slot!)).toBe(CORE0);
      expect(site.hops.watches.size).toBe(1);
    });

    it("is forgotten with its watch and its device when it is removed", async () => {
      const [a, b] = [pppoe(5), l2tp(6)];
      await site.dataplane.bridge(a, b);
      site.hops.tell(REMOTE, HOP);
      await site.dataplane.closeChannel(b);
      await site.dataplane.removePeer(lns);
      expect(site.hops.watches.size).toBe(0);
      expect([...site.program.attached.keys()]).toEqual([ACC0]);
    });
  });

  describe("an interface", () => {
    it("is attached as long as a port or a next hop uses it", async () => {
      expect(site.program.attached.get(ACC0)).toBe("native");
      expect(interfaceWord(ACC0, XDP_INTERFACE_PORT)).toBe(1);
      expect(site.dataplane.interfaces()).toEqual([{ name: "acc0", mode: "native" }]);
      await site.dataplane.removePeer(subscriber);
      await site.dataplane.closePort(site.access);
      expect(site.program.attached.size).toBe(0);
      expect(interfaceWord(ACC0, XDP_INTERFACE_PORT)).toBe(0);
    });

    it("is shown by its name as it is now", async () => {
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      site.hops.tell(REMOTE, HOP);
      site.features.names.set(ACC0, "access-2");
      const names = () => site.dataplane.interfaces().map(({ name }) => name);
      expect(names()).toEqual(["access-2", "core0"]);
      site.features.names.clear();
      expect(names()).toEqual(["acc0", "core0"]);
      await site.dataplane.close();
      site.features.names.set(ACC0, "access-3");
      expect(names()).toEqual(["acc0", "core0"]);
    });

    it("that is closed is not taken for one that is opened with its id before that is told", async () => {
      await site.dataplane.removePeer(subscriber);
      const { beneath } = site;
      beneath.openPort = async () => site.access;
      beneath.closePort = async () => {
        beneath.closePort = async () => {};
        await site.dataplane.openPort({ kind: "ethernet", ifindex: 5, name: "acc1", mtuBytes: 1500 });
      };
      await site.dataplane.closePort(site.access);
      expect([...site.program.attached.keys()]).toEqual([5]);
      await site.dataplane.closePort(site.access);
      expect(site.program.attached.size).toBe(0);
    });

    it("with somebody else's program is the loop's, which is said once", async () => {
      const refusal = "EBUSY: there is program 42 (other)";
      await set({}, (program) => program.refusals.set(ACC0, refusal));
      expect(site.dataplane.interfaces()).toEqual([{ name: "acc0", mode: undefined, reason: refusal }]);
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      expect(site.program.findSession(7, 6)).toBe(0);
      expect(site.log.of("error")).toEqual([expect.stringContaining("program 42 (other)")]);
    });

    it("towards the tunnels with somebody else's program sends nothing of ours, and receives nothing", async () => {
      site.program.refusals.set(CORE0, "EBUSY");
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      site.hops.tell(REMOTE, HOP);
      expect(sendsTo(site.program.findAccess(1, 5)[0]!)).toBe(0);
    });

    it("that takes VLAN tags off is the loop's", async () => {
      site.features.stripping.add(CORE0);
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      site.hops.tell(REMOTE, HOP);
      expect(site.program.attached.has(CORE0)).toBe(false);
      expect(site.dataplane.interfaces().at(-1)).toMatchObject({ name: "core0", mode: undefined });
    });

    it("beyond the program's table is the loop's", async () => {
      await site.dataplane.bridge(pppoe(5), l2tp(6));
      site.hops.tell(REMOTE, { ...HOP, ifindex: 32 });
      expect(site.program.attached.has(32)).toBe(false);
      expect(site.log.of("error")[0]).toContain("beyond");
    });

    it.each(["has no native XDP", "does not transmit what is redirected"])(
      "that %s makes all of them generic",
      async (why) => {
        if (why.startsWith("has")) site.program.genericOnly.add(CORE0);
        else site.features.notTargets.add(CORE0);
        await site.dataplane.bridge(pppoe(5), l2tp(6));
        site.hops.tell(REMOTE, HOP);
        expect(Object.fromEntries(site.program.attached)).toEqual({ [ACC0]: "generic", [CORE0]: "generic" });
        expect(interfaceWord(ACC0, XDP_INTERFACE_PORT)).toBe(1);
        expect(interfaceWord(CORE0, XDP_INTERFACE_DOMAIN)).toBe(1);
        const flags = site.program.half("interfaces", CORE0 * XDP_INTERFACE_BYTES + XDP_INTERFACE_FLAGS);
        expect(flags).toBe(XDP_INTERFACE_NEEDS_LENGTH | XDP_INTERFACE_NEEDS_CHECKSUM);
      },
    );
  });

  describe("tables that are full", () => {
    it.each([
      ["channels", { channels: 3 }],
      ["session pages", { sessionPages: 1 }],
      ["peers", { peers: 1 }],
    ])("of %s leave further bridges to the loop, said once, until there is room again", async (_, sizes) => {
      await set(sizes);
      const remoteMac = Uint8Array.of(2, 0, 0, 0, 0, 9);
      const other = {
        kind: "ethernet",
        port: site.access,
        remoteMac,
        localMac: LOCAL_MAC,
        tags: [],
      } as const;
      const [first, second] = [pppoe(5), pppoe(0x700, site.dataplane.addPeer(other))];
      const elsewhere = site.dataplane.addPeer({ ...lnsSpec(), address: "192.0.2.3" });
      const [third, fourth] = [l2tp(6), l2tp(0x700, { peer: elsewhere })];
      await site.dataplane.bridge(first, third);
      await site.dataplane.bridge(second, fourth);
      expect(site.program.findAccess(1, 5)).toHaveLength(1);
      expect(site.program.findAccess(1, 0x700)).toEqual([]);
      expect(site.program.findSession(7, 0x700)).toBe(0);
      await site.dataplane.unbridge(second);
      await site.dataplane.bridge(second, fourth);
      expect(site.log.of("error")).toHaveLength(1);
      await site.dataplane.closeChannel(first);
      await site.dataplane.removePeer(subscriber);
      await site.dataplane.closeChannel(third);
      await site.dataplane.removePeer(lns);
      await site.dataplane.unbridge(second);
      await turn();
      await site.dataplane.bridge(second, fourth);
      expect(site.program.findAccess(1, 0x700)).toHaveLength(1);
    });

    it("fill no log where some bridges find room and others do not", async () => {
      // the sessions of one tunnel alone
      await set({ tunnels: 1 });
      await site.dataplane.bridge(pppoe(4), l2tp(5));
      const [known, unknown] = [pppoe(5), pppoe(6)];
      const [inside, outside] = [l2tp(6), l2tp(7, { localTunnelId: 8 })];
      for (let i = 0; i < 10; i++) {
        for (const [a, b] of [[known, inside] as const, [unknown, outside] as const]) {
          await site.dataplane.bridge(a, b);
          await site.dataplane.unbridge(a);
        }
      }
      expect(site.log.of("error")).toEqual([
        expect.stringContaining('"bridges":1}'),
        expect.stringContaining('"bridges":10}'),
      ]);
    });
  });

  describe("counters", () => {
    it("have nothing of what the program keeps for itself", async () => {
      site.program.count(0, 0, 99, 99, 99);
      const a = pppoe(5);
      expect(site.dataplane.counters(a)).toEqual({ framesIn: 0, octetsIn: 0, framesOut: 0, octetsOut: 0 });
      expect([site.dataplane.framesIn(a), site.dataplane.userFrames(a)]).toEqual([0, 0]);
    });

    it("are the loop's and the program's together, over all bridges of a channel", async () => {
      const [a, b, c] = [pppoe(5), l2tp(6), l2tp(8)];
      const { dataplane, program } = site;
      await dataplane.bridge(a, b);
      program.count(0, program.findAccess(1, 5)[0]!, 3, 300, 1);
      program.count(1, program.findAccess(1, 5)[0]!, 2, 200, 0);
      program.count(1, program.findSession(7, 6), 7, 70, 2);
      expect(dataplane.counters(a)).toEqual({ framesIn: 5, octetsIn: 500, framesOut: 7, octetsOut: 70 });
      expect(dataplane.counters(b)).toEqual({ framesIn: 7, octetsIn: 70, framesOut: 5, octetsOut: 500 });
      expect([dataplane.framesIn(a), dataplane.userFrames(a), dataplane.framesFrom(lns)]).toEqual([5, 9, 7]);
      await dataplane.unbridge(a);
      await dataplane.bridge(a, c);
      program.count(0, program.findAccess(1, 5)[0]!, 1, 10, 0);
      expect(dataplane.counters(a)).toEqual({ framesIn: 6, octetsIn: 510, framesOut: 7, octetsOut: 70 });
      expect(dataplane.counters(c)).toEqual({ framesIn: 0, octetsIn: 0, framesOut: 1, octetsOut: 10 });
      await dataplane.closeChannel(b);
      expect(dataplane.framesFrom(lns)).toBe(7);
    });

    it("of the program are figures of their own, and stay when channels go", async () => {
      const [a, b] = [pppoe(5), l2tp(6)];
      const { dataplane, program } = site;
      const figures = async () => (await dataplane.workerFigures()).at(-1);
      await dataplane.bridge(a, b);
      const slots = [program.findAccess(1, 5)[0]!, program.findSession(7, 6)] as const;
      program.count(0, slots[0], 3, 300, 1);
      program.count(1, slots[1], 7, 70, 2);
      const program10 = { engine: "xdp", worker: "program", running: true, deaths: 0, frames: 10, punts: 0 };
      expect(await figures()).toMatchObject(program10);
      program.holds = true;
      const closing = [dataplane.closeChannel(a), dataplane.closeChannel(b)];
      program.count(0, slots[0], 1, 10, 0);
      await turn();
      program.pass();
      await Promise.all(closing);
      expect(await figures()).toMatchObject({ frames: 11 });
      pppoe(5);
      expect(await figures()).toMatchObject({ frames: 11 });
    });

    it("have what the program counts until its last run is over, also of a channel that was closed", async () => {
      const [a, b] = [pppoe(5), l2tp(6)];
      const { dataplane, program } = site;
      await dataplane.bridge(a, b);
      const slots = [program.findAccess(1, 5)[0]!, program.findSession(7, 6)] as const;
      program.holds = true;
      const closing = dataplane.closeChannel(b);
      program.count(0, slots[0], 1, 10, 0);
      program.count(0, slots[1], 2, 20, 0);
      await turn();
      program.pass();
      await closing;
      expect(dataplane.counters(a)).toEqual({ framesIn: 1, octetsIn: 10, framesOut: 2, octetsOut: 20 });
      expect(dataplane.framesFrom(lns)).toBe(2);
      const successor = l2tp(6);
      expect(dataplane.counters(successor)).toEqual({ framesIn: 0, octetsIn: 0, framesOut: 0, octetsOut: 0 });
    });
  });

  it("takes the program away when the kernel cannot say that a change has passed, and goes on as the loop", async () => {
    const [a, b] = [pppoe(5), l2tp(6)];
    await site.dataplane.bridge(a, b);
    site.program.holds = true;
    const unbridging = site.dataplane.unbridge(a);
    await turn();
    site.program.fail("no memory");
    await unbridging;
    expect(site.program.closed).toBe(true);
    expect(site.log.of("error")).toEqual([expect.stringContaining("no memory")]);
    await site.dataplane.bridge(a, b);
    expect(site.program.findAccess(1, 5)).toEqual([]);
    await site.dataplane.unbridge(a);
  });

  it("ends with its program, its watches and the engine beneath", async () => {
    const [a, b] = [pppoe(5), l2tp(6)];
    await site.dataplane.bridge(a, b);
    const unbridging = site.dataplane.unbridge(a);
    await Promise.all([site.dataplane.close(), unbridging]);
    expect(site.program.closed).toBe(true);
    expect(() => l2tp(9)).toThrow(expect.objectContaining({ code: "closed" }));
    await site.dataplane.closeChannel(a);
  });
});
