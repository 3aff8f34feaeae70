import { afterEach, describe, expect, it } from "vitest";
import { readU16 } from "../../../src/base/bytes.ts";
import type { UdpPeerSpec } from "../../../src/channel/dataplane.ts";
import { addon } from "../../../src/io/native.ts";
import { etherTypeFilter } from "../../../src/wire/bpf.ts";
import { formatIpAddress } from "../../../src/wire/ip-address.ts";
import { numberedFrame, pppoeFrame } from "../frames.ts";
import { eventually, type LoopRig, loopRig } from "./rig.ts";

const ETHERTYPE_IPV4 = 0x0800;
const LOOPBACK_IFINDEX = 1;
const DSCP_EF = 46;
const MAC = Uint8Array.of(2, 0, 0, 0, 3, 1);

/** IP packets of the loopback device, as who sends them sees them: source, DSCP and the UDP payload's octets. */
function tapLoopback(udpPort: number) {
  const fd = addon.openPacket({
    ifindex: LOOPBACK_IFINDEX,
    name: "lo",
    filter: etherTypeFilter(ETHERTYPE_IPV4),
    ringSlots: 0,
    slotBytes: 0,
    headroomBytes: 0,
    sendBufferBytes: 1 << 16,
    bypassQdisc: false,
    promiscuous: false,
  });
  const seen: { from: string; dscp: number; octets: number }[] = [];
  return {
    seen(): typeof seen {
      for (let frame = addon.receiveFrame(fd); frame !== undefined; frame = addon.receiveFrame(fd)) {
        const packet = frame.subarray(14);
        if (readU16(packet, 22) !== udpPort) continue;
        const from = formatIpAddress(packet.subarray(12, 16));
        seen.push({ from, dscp: packet[1]! >> 2, octets: readU16(packet, 24) - 8 });
      }
      return seen;
    },
    close: () => addon.close(fd),
  };
}

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)("what leaves a port that is bound to any address (root)", () => {
  const closers: (() => Promise<void> | void)[] = [];

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  it("comes from the address and has the DSCP that its peer is given, whoever sends it", async () => {
    const rig: LoopRig = await loopRig();
    closers.push(() => rig.close());
    const { dataplane } = rig;
    // nobody listens there; the packets are seen on the way
    const remotePort = 20_000 + (process.pid % 20_000);
    const tap = tapLoopback(remotePort);
    closers.push(() => tap.close());
    const port = await dataplane.openPort({ kind: "udp", address: "0.0.0.0", udpPort: remotePort + 20_000 });
    const net = rig.remotes[0].replace(/\d+$/, "");
    const spec: UdpPeerSpec = {
      kind: "udp",
      port,
      address: rig.remotes[0],
      udpPort: remotePort,
      pathMtuBytes: 1500,
      addressControl: true,
      lengthBit: true,
      checksum: true,
      oversize: "fragment",
      dscp: DSCP_EF,
      localAddress: `${net}77`,
    };
    const peer = dataplane.addPeer(spec);
    const macs = { remoteMac: MAC, localMac: rig.gatewayMac };
    const subscriber = dataplane.addPeer({ kind: "ethernet", port: rig.access, ...macs, tags: [] });
    const pppoe = dataplane.addChannel({ kind: "pppoe", peer: subscriber, sessionId: 5 });
    const ids = { localTunnelId: 7, localSessionId: 8, remoteTunnelId: 9, remoteSessionId: 10 };
    const l2tp = dataplane.addChannel({ kind: "l2tp", peer, ...ids });
    await dataplane.bridge(pppoe, l2tp);
    const count = (n: number) => eventually(`${n} packets`, () => tap.seen().length === n);

    rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, 5, numberedFrame(1, 1)));
    await count(1);
    dataplane.inject(l2tp, numberedFrame(1, 1));
    await count(2);
    dataplane.updatePeer(peer, { ...spec, checksum: false, dscp: 0, localAddress: `${net}78` });
    rig.fromSubscriber(pppoeFrame(rig.gatewayMac, MAC, 5, numberedFrame(1, 1)));
    await count(3);
    dataplane.sendControl(port, rig.remotes[0], remotePort, new Uint8Array(12), `${net}79`);
    dataplane.sendControl(port, rig.remotes[0], remotePort, new Uint8Array(12), `${net}80`, 10);
    await count(5);
    expect(tap.seen()).toEqual([
      { from: `${net}77`, dscp: DSCP_EF, octets: 18 },
      { from: `${net}77`, dscp: DSCP_EF, octets: 18 },
      { from: `${net}78`, dscp: 0, octets: 18 },
      { from: `${net}79`, dscp: 48, octets: 12 },
      { from: `${net}80`, dscp: 10, octets: 12 },
    ]);
    const refusal = expect.objectContaining({ code: "bad-spec" });
    expect(() => dataplane.updatePeer(peer, { ...spec, dscp: 64 })).toThrow(refusal);
    expect(() => dataplane.updatePeer(peer, { ...spec, localAddress: "::1" })).toThrow(refusal);
    expect(() => dataplane.sendControl(port, "192.0.2.1", 1, new Uint8Array(1), undefined, -1)).toThrow(
      refusal,
    );
  });
});
