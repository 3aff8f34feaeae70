/**
 * A process that forwards frames in both directions through one thread of a loop engine, and says which of the lines
 * that --trace-gc makes it write are whose: test/dataplane/loop/garbage.test.ts.
 *
 *     node --trace-gc --expose-gc garbage-child.mjs JSON
 */

import { setImmediate as turn } from "node:timers/promises";

const { dist, gateway, subscriber, mac, address, remote, udpPort, warmUp, frames } = JSON.parse(
  process.argv[2],
);
const { startLoopDataplane } = await import(`${dist}/dataplane/loop/engine.js`);
const { addressRecord } = await import(`${dist}/dataplane/loop/address-record.js`);
const { addon } = await import(`${dist}/io/native.js`);
const { emitL2tp } = await import(`${dist}/wire/l2tp.js`);

const OURS = Uint8Array.from(mac);
const THEIRS = Uint8Array.of(2, 0, 0, 0, 0, 9);
const SESSION = 77;
const BATCH = 128;
const TX_STRIDE = 6;

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
// a line of this isolate's
globalThis.gc();

const dataplane = await startLoopDataplane({ maxChannels: 64, maxPeers: 64, maxUnits: 4, lanes: 1 });
const started = performance.now();
const access = await dataplane.openPort({ kind: "ethernet", mtuBytes: 1500, ...gateway });
const tunnel = await dataplane.openPort({ kind: "udp", address, udpPort });
const ethernet = { kind: "ethernet", port: access, remoteMac: THEIRS, localMac: OURS, tags: [] };
const channel = dataplane.addChannel({
  kind: "pppoe",
  peer: dataplane.addPeer(ethernet),
  sessionId: SESSION,
});
const framing = { addressControl: true, lengthBit: true, checksum: true, oversize: "fragment" };
const lns = { kind: "udp", port: tunnel, address: remote, udpPort, pathMtuBytes: 1500, ...framing };
const ids = { localTunnelId: SESSION, localSessionId: 1, remoteTunnelId: 1, remoteSessionId: 1 };
const other = dataplane.addChannel({ kind: "l2tp", peer: dataplane.addPeer(lns), ...ids });
await dataplane.bridge(channel, other);

const region = addon.createRegion(1 << 20);
const ppp = Uint8Array.of(0x00, 0x21, ...new Uint8Array(98).fill(0x45));
const pppoe = [...OURS, ...THEIRS, 0x88, 0x64, 0x11, 0, 0, SESSION, 0, ppp.length, ...ppp];
const header = { control: false, lengthBit: true, tunnelId: SESSION, sessionId: 1, priority: false };

/** Descriptors of a batch of one frame. */
function batchOf(octets) {
  const at = region.allocate(4096);
  region.bytes.set(octets, at);
  const descriptors = new Int32Array(BATCH * TX_STRIDE);
  for (let i = 0; i < BATCH; i++) descriptors.set([0, 0, at, octets.length, 0, 0], i * TX_STRIDE);
  return descriptors;
}

const wire = addon.openPacket({
  ...subscriber,
  filter: new Uint8Array(0),
  protocol: 0,
  ringSlots: 0,
  slotBytes: 0,
  headroomBytes: 0,
  sendBufferBytes: 1 << 20,
  bypassQdisc: true,
  promiscuous: false,
});
const octets = (text) => Uint8Array.from(text.split("."), Number);
const socket = addon.openUdp({
  family: 4,
  address: octets(remote),
  port: udpPort,
  ifindex: 0,
  reusePort: false,
  receiveBufferBytes: 4096,
  sendBufferBytes: 1 << 20,
  gro: false,
  checksum: true,
  df: "clear",
});
const upward = batchOf(Uint8Array.from(pppoe));
const downward = batchOf(emitL2tp(header, ppp));
const to = addressRecord(address, udpPort);

/** Until so many have been forwarded each way. */
async function forward(count) {
  const least = (id) => dataplane.counters(id).framesOut;
  const wanted = [least(other) + count, least(channel) + count];
  while (least(other) < wanted[0] || least(channel) < wanted[1]) {
    for (let i = 0; i < 8; i++) {
      region.sendPacket(wire, upward, BATCH);
      region.sendUdp(socket, downward, BATCH, to);
    }
    await turn();
  }
}

await forward(warmUp);
const warm = performance.now();
await forward(frames);
const end = performance.now();
// by the clock of the forwarding thread's isolate, which began before `started`
say({ from: warm - started, to: end - started, forwarded: dataplane.counters(other).framesOut });
await dataplane.close();
