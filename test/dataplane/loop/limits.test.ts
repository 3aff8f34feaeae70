import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { afterEach, describe, expect, it } from "vitest";
import type { UdpPeerSpec } from "../../../src/channel/dataplane.ts";
import { numberedFrame } from "../frames.ts";
import type { LoopRig } from "./rig.ts";

const isRoot = process.getuid?.() === 0;
const FULL = { code: "table-full" };

describe.skipIf(!isRoot)("the loop engine at the limits of its tables (root)", async () => {
  if (!isRoot) return;
  const { loopRig } = await import("./rig.ts");
  let rig: LoopRig;
  afterEach(() => rig.close());

  const peerOf = (remote: number): UdpPeerSpec => ({
    kind: "udp",
    port: rig.tunnel,
    address: rig.remotes[remote]!,
    udpPort: rig.remotePort,
    pathMtuBytes: 1500,
    addressControl: true,
    lengthBit: true,
    checksum: true,
    oversize: "fragment",
  });
  const l2tp = (peer: number, session: number) =>
    rig.dataplane.addChannel({
      kind: "l2tp",
      peer,
      localTunnelId: 7,
      localSessionId: session,
      remoteTunnelId: 70,
      remoteSessionId: session,
    });
  const unitSpec = (shared: boolean) => ({
    name: rig.unitName,
    mtuBytes: 1400,
    addresses: [],
    routes: [],
    shared,
  });
  const settled = async (peer: number) => {
    const channel = l2tp(peer, 99);
    await rig.dataplane.closeChannel(channel);
  };

  it("refuses an update of a peer that has no room, and keeps the peer as it was", async () => {
    rig = await loopRig({ maxPeers: 2, maxChannels: 8 });
    const { dataplane } = rig;
    const peer = dataplane.addPeer(peerOf(0));
    // each takes an entry that is free again only after a grace period
    for (let i = 0; i < 3; i++) dataplane.updatePeer(peer, peerOf(0));
    expect(() => dataplane.updatePeer(peer, peerOf(1))).toThrow(expect.objectContaining(FULL));
    dataplane.inject(l2tp(peer, 1), numberedFrame(1, 1));
    await rig.until("the datagram", () => rig.datagrams.length === 1);
    expect(rig.datagrams[0]!.address).toBe(rig.remotes[0]);
    await settled(peer);
    dataplane.updatePeer(peer, peerOf(1));
  });

  it("refuses a peer that has no room, and nothing of it stays", async () => {
    rig = await loopRig({ maxPeers: 2, maxChannels: 8 });
    const { dataplane } = rig;
    const peer = dataplane.addPeer(peerOf(0));
    for (let i = 0; i < 3; i++) dataplane.updatePeer(peer, peerOf(0));
    for (let i = 0; i < 3; i++)
      expect(() => dataplane.addPeer(peerOf(1))).toThrow(expect.objectContaining(FULL));
    await settled(peer);
    await dataplane.removePeer(dataplane.addPeer(peerOf(1)));
    await dataplane.removePeer(peer);
    await dataplane.closePort(rig.tunnel);
  });

  it("fails an attachment whose addresses do not all fit, and leaves the channel punted", async () => {
    rig = await loopRig({ maxPeers: 4, maxChannels: 2 });
    const { dataplane } = rig;
    const peer = dataplane.addPeer(peerOf(0));
    const [a, b] = [l2tp(peer, 1), l2tp(peer, 2)];
    const unit = await dataplane.createUnit(unitSpec(true));
    const attach = (channel: number, ...addresses: string[]) =>
      dataplane.attach(channel, { unit, addresses, mruBytes: 1400, clampMss: false, ipv6: false });
    await attach(a, "198.18.0.1", "198.18.0.2", "198.18.0.3");
    for (let i = 0; i < 5; i++)
      await expect(attach(b, "198.18.0.4", "198.18.0.5")).rejects.toMatchObject(FULL);
    await dataplane.detach(a);
    await attach(b, "198.18.0.1", "198.18.0.4", "198.18.0.5");
  });

  it("removes the devices of many units without holding the control plane up", async () => {
    rig = await loopRig();
    const { dataplane } = rig;
    const names = Array.from({ length: 40 }, (_, i) => `${rig.unitName}.${i}`);
    const units = await Promise.all(names.map((name) => dataplane.createUnit({ ...unitSpec(false), name })));
    let longestMs = 0;
    let last = performance.now();
    const turn = () => {
      const now = performance.now();
      longestMs = Math.max(longestMs, now - last);
      last = now;
    };
    let left = units.length;
    const closing = units.map(async (unit, i) => {
      await dataplane.closeUnit(unit);
      expect(existsSync(`/sys/class/net/${names[i]}`)).toBe(false);
      left -= 1;
    });
    await rig.until("the last device's end", () => {
      turn();
      return left === 0;
    });
    await Promise.all(closing);
    // one device takes the kernel some 20 ms, and all of them most of a second
    expect(longestMs).toBeLessThan(400);
    expect(execFileSync("ip", ["-json", "link", "show"], { encoding: "utf8" })).not.toContain(rig.unitName);
  });
});
