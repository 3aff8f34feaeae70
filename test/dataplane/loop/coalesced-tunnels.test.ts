import { describe, expect, it } from "vitest";
import { fromHex } from "../../../src/base/bytes.ts";
import { l2tpMessage, numberedFrame, readPppoe, sequenceOf } from "../frames.ts";
import { lnsPeer, subscriberPeer } from "../rig.ts";

const isRoot = process.getuid?.() === 0;
const TUNNELS = [7, 8];
/** Datagrams that one send of the kernel's carries: one of each tunnel, the one or the other first. */
const ROUNDS = 2000;
const ROUNDS_AT_ONCE = 50;

describe.skipIf(!isRoot)("tunnels between the same two addresses (root)", async () => {
  if (!isRoot) return;
  const { loopRig } = await import("./rig.ts");
  const { addon } = await import("../../../src/io/native.ts");
  const { ADDRESS_GROUP_MAX, TX_BODY_LENGTH, TX_BODY_OFFSET, TX_STRIDE } = await import(
    "../../../src/io/addon.ts"
  );
  const { addressRecord } = await import("../../../src/dataplane/loop/address-record.ts");
  const { addressOctets } = await import("../../../src/dataplane/specs.ts");

  it("keep the order of their sessions when the kernel coalesces datagrams of both", async () => {
    const rig = await loopRig({ workers: 2, lanes: 2 });
    const { dataplane } = rig;
    const udpPort = rig.remotePort + 1;
    const access = dataplane.addPeer(subscriberPeer(rig, fromHex("020000000001")));
    const peer = dataplane.addPeer({ ...lnsPeer(rig), udpPort });
    for (const tunnel of TUNNELS)
      await dataplane.bridge(
        dataplane.addChannel({ kind: "pppoe", peer: access, sessionId: tunnel }),
        dataplane.addChannel({
          kind: "l2tp",
          peer,
          localTunnelId: tunnel,
          localSessionId: 6,
          remoteTunnelId: tunnel,
          remoteSessionId: 6,
        }),
      );

    const region = addon.createRegion(4 << 20);
    const area = region.allocate(1 << 20);
    const fd = addon.openUdp({
      family: 4,
      address: addressOctets(rig.remotes[0]),
      port: udpPort,
      ifindex: 0,
      reusePort: false,
      receiveBufferBytes: 1 << 20,
      sendBufferBytes: 1 << 20,
      gro: false,
      checksum: true,
      df: "clear",
    });
    const address = addressRecord(rig.remotes[0].replace(/\.2$/, ".1"), rig.tunnelUdpPort);
    new DataView(address.buffer).setUint32(ADDRESS_GROUP_MAX, 1400, true);
    const descriptors = new Int32Array(TUNNELS.length * TX_STRIDE);
    for (let sent = 0; sent < ROUNDS; sent++) {
      const order = sent % 2 === 0 ? TUNNELS : TUNNELS.toReversed();
      for (const [i, tunnel] of order.entries()) {
        const message = l2tpMessage(tunnel, 6, numberedFrame(tunnel, sent));
        region.bytes.set(message, area + 64 * i);
        descriptors[i * TX_STRIDE + TX_BODY_OFFSET] = area + 64 * i;
        descriptors[i * TX_STRIDE + TX_BODY_LENGTH] = message.length;
      }
      expect(region.sendUdp(fd, descriptors, TUNNELS.length, address)).toBe(TUNNELS.length);
      const all = (sent + 1) * TUNNELS.length;
      if ((sent + 1) % ROUNDS_AT_ONCE === 0)
        await rig.until("the frames so far", () => rig.frames.length === all);
    }
    addon.close(fd);
    const frames = rig.frames.map(readPppoe);
    await rig.close();
    for (const tunnel of TUNNELS)
      expect(
        frames.filter(({ sessionId }) => sessionId === tunnel).map(({ ppp }) => sequenceOf(ppp)),
      ).toEqual(Array.from({ length: ROUNDS }, (_, i) => i));
  });
});
