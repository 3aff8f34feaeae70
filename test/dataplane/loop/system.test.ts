import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { concatBytes, fromHex } from "../../../src/base/bytes.ts";
import type { ChannelId, Dataplane, UdpPeerSpec } from "../../../src/channel/dataplane.ts";
import { largestPppFrame } from "../../../src/dataplane/pppoe-frame.ts";
import { l2tpMessage, numberedFrame, pppoeFrame, readL2tp, readPppoe, sequenceOf } from "../frames.ts";
import { lnsPeer, subscriberPeer } from "../rig.ts";
import type { LoopRig } from "./rig.ts";
import { replaceByFile, unitPollers } from "./thread-faults.ts";

const isRoot = process.getuid?.() === 0;
const openDescriptors = () => readdirSync("/proc/self/fd").length;
const MAC = fromHex("020000000001");

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

describe.skipIf(!isRoot)("the loop engine on real devices (root)", async () => {
  if (!isRoot) return;
  const { eventually, loopRig } = await import("./rig.ts");
  const { startLoopDataplane } = await import("../../../src/dataplane/loop/engine.ts");

  describe("alone", () => {
    let rig: LoopRig;
    let dataplane: Dataplane;

    async function open(...options: Parameters<typeof loopRig>): Promise<void> {
      rig = await loopRig(...options);
      dataplane = rig.dataplane;
    }

    afterEach(() => rig.close());

    const pppoe = (sessionId: number): ChannelId =>
      dataplane.addChannel({
        kind: "pppoe",
        peer: dataplane.addPeer(subscriberPeer(rig, MAC)),
        sessionId,
      });

    const lns = (change: Partial<UdpPeerSpec> = {}, session = 6): ChannelId =>
      dataplane.addChannel({
        kind: "l2tp",
        peer: dataplane.addPeer({ ...lnsPeer(rig), ...change }),
        localTunnelId: 7,
        localSessionId: session,
        remoteTunnelId: 70,
        remoteSessionId: session,
      });

    const send = (sessionId: number, sequence: number) =>
      rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, sessionId, numberedFrame(1, sequence)));

    it("says that a port is down when its interface is gone, and closes it", async () => {
      await open();
      const channel = pppoe(5);
      rig.cable.remove();
      await rig.until("the report", () => rig.punts.some(({ kind }) => kind === "port-down"));
      expect(rig.punts).toEqual([
        { kind: "port-down", port: rig.access, reason: `${rig.cable.gateway.name} is gone` },
      ]);
      dataplane.inject(channel, numberedFrame(1, 1));
      await dataplane.closeChannel(channel);
      expect(dataplane.drops()["send-failed"]).toBe(1);
    });

    it("goes on after its interface was renamed, down and up again, and says nothing of it", async () => {
      await open();
      pppoe(5);
      const { name } = rig.cable.gateway;
      ip("link", "set", name, "down");
      ip("link", "set", name, "name", `${name}x`);
      ip("link", "set", `${name}x`, "up");
      send(5, 1);
      await rig.until("the frame", () => rig.punts.length === 1);
      expect(rig.punts[0]).toMatchObject({ kind: "frame" });
      ip("link", "set", `${name}x`, "down");
      ip("link", "set", `${name}x`, "name", name);
      ip("link", "set", name, "up");
    });

    it("says that a unit is down when its device is gone, and goes on for the others", async () => {
      await open();
      const spec = { mtuBytes: 1400, addresses: [], routes: [], shared: false };
      const unit = await dataplane.createUnit({ ...spec, name: rig.unitName });
      ip("link", "del", rig.unitName);
      await rig.until("the report", () => rig.punts.length > 0);
      expect(rig.punts).toEqual([expect.objectContaining({ kind: "unit-down", unit })]);
      await dataplane.closeUnit(unit);
      pppoe(5);
      send(5, 1);
      await rig.until("the frame", () => rig.punts.length === 2);
    });

    it("brings a unit up once, with its final name, MTU, addresses and routes", async () => {
      await open();
      await dataplane.createUnit({
        name: rig.unitName,
        mtuBytes: 1400,
        addresses: [`${rig.unitAddress}/32`, "2001:db8:ffff::1/64"],
        peerAddress: rig.subscriberAddresses[0],
        routes: [`${rig.subscriberAddresses[1]}/32`],
        shared: false,
      });
      const [link] = JSON.parse(ip("-json", "address", "show", rig.unitName));
      expect(link).toMatchObject({ mtu: 1400, flags: expect.arrayContaining(["UP"]) });
      const addresses = link.addr_info.map((item: Record<string, unknown>) => [item.local, item.address]);
      expect(addresses).toEqual([
        [rig.unitAddress, rig.subscriberAddresses[0]],
        ["2001:db8:ffff::1", undefined],
      ]);
      expect(ip("route", "show", "dev", rig.unitName)).toContain(rig.subscriberAddresses[1]);
    });

    it("leaves nothing of a unit that cannot be made", async () => {
      await open();
      const spec = { name: rig.unitName, mtuBytes: 1400, addresses: [], shared: false };
      const clash = { ...spec, routes: ["203.0.113.0/24", "203.0.113.0/24"] };
      await expect(dataplane.createUnit(clash)).rejects.toThrow(/203\.0\.113\.0\/24/);
      expect(ip("-json", "link", "show")).not.toContain(rig.unitName);
      await dataplane.createUnit({ ...spec, routes: ["203.0.113.0/24"] });
    });

    it("reports ICMP errors of what it sent, and goes on sending", async () => {
      await open();
      const nobody = rig.remotes[0].replace(/\.2$/, ".9");
      dataplane.sendControl(rig.tunnel, nobody, 9, fromHex("c802000c0000000000000000"));
      await rig.until("the report", () => rig.punts.length === 1);
      expect(rig.punts[0]).toEqual({
        kind: "unreachable",
        port: rig.tunnel,
        remoteAddress: nobody,
        remotePort: 9,
        errno: "ECONNREFUSED",
        icmp: { reason: "port", reporter: nobody },
      });
      dataplane.inject(lns(), numberedFrame(1, 1));
      await rig.until("the datagram", () => rig.datagrams.length === 1);
    });

    it("refuses a UDP address that somebody has", async () => {
      await open();
      const address = rig.remotes[0].replace(/\.2$/, ".1");
      const second = dataplane.openPort({ kind: "udp", address, udpPort: rig.tunnelUdpPort });
      await expect(second).rejects.toMatchObject({ code: "EADDRINUSE", syscall: "bind" });
    });

    it("forwards to a peer that wants no UDP checksums", async () => {
      await open();
      await dataplane.bridge(pppoe(5), lns({ checksum: false }));
      for (let i = 1; i <= 3; i++) send(5, i);
      await rig.until("all", () => rig.datagrams.length === 3);
      dataplane.updatePeer(1, { ...subscriberPeer(rig, MAC), tags: [{ tpid: 0x8100, tci: 7 }] });
      rig.fromRemote(rig.remotes[0], l2tpMessage(7, 6, numberedFrame(2, 1)));
      await rig.until("the tagged frame", () => rig.frames.length === 1);
      expect(rig.frames[0]!.slice(12, 18)).toEqual(fromHex("810000078864"));
    });

    it.each([[[]], [[0x8100]], [[0x88a8]], [[0x88a8, 0x8100]], [[0x8100, 0x8100]]])(
      "sends the largest frame that the kernel takes under tags %j, and counts a larger one as too big",
      async (tpids) => {
        await open();
        const tags = tpids.map((tpid) => ({ tpid, tci: 7 }));
        const largest = largestPppFrame(1500, tags);
        const peer = dataplane.addPeer({ ...subscriberPeer(rig, MAC), tags });
        const channel = dataplane.addChannel({ kind: "pppoe", peer, sessionId: 5 });
        const sized = (bytes: number) => concatBytes(numberedFrame(1, 1), new Uint8Array(bytes - 8));
        dataplane.inject(channel, sized(largest));
        dataplane.inject(channel, sized(largest + 1));
        await dataplane.bridge(channel, lns());
        rig.fromRemote(rig.remotes[0], l2tpMessage(7, 6, sized(largest)));
        rig.fromRemote(rig.remotes[0], l2tpMessage(7, 6, sized(largest + 1)));
        await rig.until("the last verdict", () => dataplane.drops()["too-big"] === 2);
        await rig.until("both frames", () => rig.frames.length === 2);
        expect(rig.frames.map((frame) => frame.length)).toEqual(
          new Array(2).fill(14 + 4 * tags.length + 6 + largest),
        );
        expect(dataplane.counters(channel)).toMatchObject({ framesOut: 2, octetsOut: 2 * largest });
        expect(dataplane.drops()["send-failed"]).toBe(0);
      },
    );

    it("polices a flood of punts and stays of use to others", async () => {
      await open({
        punts: (await import("../../../src/dataplane/loop/options.ts")).DEFAULT_LOOP_OPTIONS.punts,
      });
      pppoe(5);
      const quiet = pppoe(6);
      await dataplane.bridge(pppoe(7), lns());
      for (let i = 0; i < 2000; i++) send(5, i);
      send(6, 1);
      send(7, 1);
      await rig.until("the bridged frame", () => rig.datagrams.length === 1);
      await rig.until("the quiet channel's frame", () =>
        rig.punts.some((punt) => punt.kind === "frame" && punt.channel === quiet),
      );
      const { policed } = dataplane.drops();
      expect(policed).toBeGreaterThan(1000);
      expect(policed + rig.punts.length).toBe(2001);
    });

    it("lets held frames go before a bridge carries anything, under a flood", async () => {
      await open();
      const a = pppoe(5);
      const stop = await rig.flood(pppoeFrame(rig.gatewayMac, MAC, 5, numberedFrame(1, 999)));
      const faults: string[] = [];
      let proven = 0;
      // a session whose held frames the kernel lost in the flood, all of them, proves nothing: another one does
      for (let session = 10; proven < 5 && session < 60; session++) {
        const punted = rig.punts.length;
        await rig.until("the flood", () => rig.punts.length > punted + 100);
        const b = lns({}, session);
        const held = Array.from({ length: 200 }, (_, i) => ({ channel: b, frame: numberedFrame(9, i) }));
        const standing = dataplane.bridge(a, b, held);
        const ofSession = () =>
          rig.datagrams
            .map(({ datagram }) => readL2tp(datagram))
            .filter(({ sessionId }) => sessionId === session)
            .map(({ ppp }) => sequenceOf(ppp));
        await rig.until("what the bridge carries", () => ofSession().includes(999));
        await standing;
        await dataplane.unbridge(a);
        const marker = fromHex("c802000c0000000000000000");
        await rig.until("the last of it", () => {
          dataplane.sendControl(rig.tunnel, rig.remotes[0], rig.remotePort, marker);
          return rig.datagrams.some(({ datagram }) => datagram[0] === marker[0]);
        });
        // the flood may cost any of them, on the way through the kernel, but never their order
        const sequences = ofSession();
        const before = sequences.slice(0, sequences.indexOf(999));
        if (before.length > 0) proven += 1;
        if (before.some((sequence, i) => i > 0 && sequence <= before[i - 1]!))
          faults.push(`${session}: held frames`);
        if (sequences.slice(before.length).some((sequence) => sequence !== 999))
          faults.push(`${session}: late`);
        rig.datagrams.length = 0;
      }
      await stop();
      expect(faults).toEqual([]);
      expect(proven).toBe(5);
    });

    it("loses nothing and keeps the order when datagrams come coalesced", async () => {
      await open();
      await dataplane.bridge(pppoe(5), lns());
      for (let i = 0; i < 1000; i++) {
        rig.fromRemote(rig.remotes[0], l2tpMessage(7, 6, numberedFrame(2, i)));
        if (i % 100 === 99) await rig.until("the frames so far", () => rig.frames.length === i + 1);
      }
      const order = rig.frames.map((frame) => readPppoe(frame).ppp[7]! + 256 * readPppoe(frame).ppp[6]!);
      expect(order).toEqual(Array.from({ length: 1000 }, (_, i) => i));
      expect(Object.values(dataplane.drops()).every((count) => count === 0)).toBe(true);
    });

    it("gives back everything that ports and units had, many times over", async () => {
      await open({ maxPorts: 4, maxUnits: 2 });
      const address = rig.remotes[0].replace(/\.2$/, ".1");
      for (let i = 0; i < 20; i++) {
        const port = await dataplane.openPort({ kind: "udp", address, udpPort: rig.tunnelUdpPort + 1 });
        const unit = await dataplane.createUnit({
          name: rig.unitName,
          mtuBytes: 1400,
          addresses: [],
          routes: [],
          shared: true,
        });
        await dataplane.closePort(port);
        await dataplane.closeUnit(unit);
      }
    });
  });

  describe("closed", () => {
    it("completes what was still under way", async () => {
      const rig = await loopRig();
      const peer = rig.dataplane.addPeer(subscriberPeer(rig, MAC));
      const channel = rig.dataplane.addChannel({ kind: "pppoe", peer, sessionId: 1 });
      const closing = [rig.dataplane.closeChannel(channel), rig.dataplane.removePeer(peer)];
      await rig.close();
      await Promise.all(closing);
    });

    it("sends and takes up nothing more, and lets everything go that there is", async () => {
      const rig = await loopRig();
      const { dataplane } = rig;
      const spec = subscriberPeer(rig, MAC);
      const unitSpec = { name: rig.unitName, mtuBytes: 1400, addresses: [], routes: [], shared: false };
      const peer = dataplane.addPeer(spec);
      const [a, b, c] = [1, 2, 3].map((sessionId) =>
        dataplane.addChannel({ kind: "pppoe", peer, sessionId }),
      );
      const unit = await dataplane.createUnit(unitSpec);
      const attach = { unit, addresses: [], mruBytes: 1400, clampMss: false, ipv6: false };
      await dataplane.bridge(a!, b!);
      await dataplane.attach(c!, attach);
      await rig.close();
      expect(existsSync(`/sys/class/net/${rig.unitName}`)).toBe(false);
      const closed = { code: "closed" };
      for (const refused of [
        () => dataplane.inject(a!, numberedFrame(1, 1)),
        () => dataplane.injectPacket(unit, new Uint8Array(20)),
        () => dataplane.sendControl(rig.tunnel, rig.remotes[0], 1701, new Uint8Array(12)),
        () => dataplane.addPeer(spec),
        () => dataplane.updatePeer(peer, spec),
        () => dataplane.addChannel({ kind: "pppoe", peer, sessionId: 9 }),
      ])
        expect(refused).toThrow(expect.objectContaining(closed));
      for (const refused of [
        () => dataplane.openPort({ kind: "udp", address: "127.0.0.1", udpPort: 17_999 }),
        () => dataplane.createUnit(unitSpec),
        () => dataplane.bridge(a!, b!),
        () => dataplane.attach(c!, attach),
      ])
        await expect(refused()).rejects.toMatchObject(closed);
      await dataplane.unbridge(a!);
      await dataplane.detach(c!);
      for (const channel of [a!, b!, c!]) await dataplane.closeChannel(channel);
      await dataplane.removePeer(peer);
      await dataplane.closeUnit(unit);
      await dataplane.closePort(rig.access);
      await dataplane.close();
    });

    it("while ports and units are being opened leaves nothing of them", async () => {
      const name = `lwc${process.pid % 1e6}`;
      const before = openDescriptors();
      for (let turns = 0; turns < 6; turns++) {
        const dataplane = await startLoopDataplane({ maxChannels: 16, maxPeers: 16 });
        const opening = [
          dataplane.openPort({ kind: "udp", address: `127.9.${process.pid % 250}.1`, udpPort: 17_998 }),
          dataplane.createUnit({ name, mtuBytes: 1400, addresses: [], routes: [], shared: false }),
        ];
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        const closing = dataplane.close();
        opening.push(
          dataplane.createUnit({
            name: `${name}b`,
            mtuBytes: 1400,
            addresses: [],
            routes: [],
            shared: false,
          }),
        );
        const results = await Promise.allSettled(opening);
        await closing;
        expect(results.at(-1)).toMatchObject({ status: "rejected", reason: { code: "closed" } });
        for (const result of results)
          if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "closed" });
        expect(existsSync(`/sys/class/net/${name}`)).toBe(false);
      }
      await eventually("the last descriptor's end", () => openDescriptors() <= before);
    });
  });

  describe("whose thread has died, and no other takes its place", () => {
    it("says so once, completes what is under way and can be closed", async () => {
      const rig = await loopRig({ workerRestarts: { most: 0, withinMs: 1000 } });
      const { dataplane } = rig;
      const channels = [1, 2].map((sessionId) =>
        dataplane.addChannel({
          kind: "pppoe",
          peer: dataplane.addPeer(subscriberPeer(rig, MAC)),
          sessionId,
        }),
      );
      // what the thread blocks in is a file now, which its next wait refuses
      await dataplane.createUnit({
        name: rig.unitName,
        mtuBytes: 1400,
        addresses: [],
        routes: [],
        shared: false,
      });
      replaceByFile(unitPollers()[0]!);
      rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, 1, numberedFrame(1, 1)));
      await rig.until("the report", () => rig.punts.some(({ kind }) => kind === "engine-down"));
      const reports = rig.punts.filter(({ kind }) => kind === "engine-down");
      expect(reports).toEqual([
        { kind: "engine-down", reason: expect.stringMatching(/thread 0: epoll_wait/) },
      ]);
      await dataplane.bridge(channels[0]!, channels[1]!);
      const opening = dataplane.openPort({ kind: "udp", address: rig.remotes[0], udpPort: 17_997 });
      await expect(opening).rejects.toMatchObject({ code: "worker-died" });
      await rig.close();
    });
  });
});
