/**
 * The benchmark's LNS, a process of its own in the namespace of the core: the least that a LAC can call. It takes
 * every call, adopts what the LAC negotiated, lets every user in, and hands its socket to the traffic tool for
 * the time of a run.
 *
 * Its parent speaks with it by messages: see LnsRequest and LnsAnswer.
 */
import { Scheduler } from "../src/base/scheduler.ts";
import { addressRecord, parseAddressRecord } from "../src/dataplane/loop/address-record.ts";
import { ADDRESS_BYTES, RX_ADDRESS, RX_AUX, RX_LENGTH, RX_OFFSET, RX_STRIDE } from "../src/io/addon.ts";
import { addon } from "../src/io/native.ts";
import { systemClock, systemRandom, timerAlarm } from "../src/io/system.ts";
import { parseIpv4Address } from "../src/wire/ip-address.ts";
import { L2TP_UDP_PORT } from "../src/wire/l2tp.ts";
import { LnsCalls } from "./lns-calls.ts";
import type { TrafficReport } from "./traffic-report.ts";
import { runTraffic } from "./traffic-tool.ts";

export type LnsRequest =
  /** Leaves the socket to the traffic tool, with these options; answered when it has ended. */
  { readonly kind: "traffic"; readonly options: readonly string[] };

export type LnsAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "traffic-done"; readonly report: TrafficReport }
  | { readonly kind: "traffic-failed"; readonly reason: string };

/** Datagrams that one read takes. */
const SLOTS = 64;
const SLOT_BYTES = 65_536;
/** What waits while the traffic tool or this process gets no processor. */
const BUFFER_BYTES = 128 << 20;

const address = process.argv[2] ?? "";
const octets = parseIpv4Address(address);
if (octets === undefined) throw new Error(`no IPv4 address to listen on: "${address}"`);

const socket = addon.openUdp({
  family: 4,
  address: octets,
  port: L2TP_UDP_PORT,
  ifindex: 0,
  reusePort: false,
  receiveBufferBytes: BUFFER_BYTES,
  sendBufferBytes: BUFFER_BYTES,
  gro: true,
  checksum: true,
  df: "clear",
});
const region = addon.createRegion(2 * SLOTS * SLOT_BYTES);
const receiver = region.udpReceiver(socket, SLOTS, SLOT_BYTES);
const descriptors = new Int32Array(SLOTS * RX_STRIDE);

const records = new Map<string, Uint8Array>();
function send(to: { readonly address: string; readonly port: number }, datagram: Uint8Array): void {
  const key = `${to.address} ${to.port}`;
  let record = records.get(key);
  if (record === undefined) {
    record = addressRecord(to.address, to.port);
    records.set(key, record);
  }
  addon.sendDatagram(socket, record, datagram);
}

const alarm = timerAlarm(systemClock, () => scheduler.run(systemClock.now()));
const scheduler: Scheduler = new Scheduler(alarm);
const calls = new LnsCalls(systemRandom(), scheduler, send);

/** Everything that is there; a group that the kernel put together is taken apart again. */
function receive(): void {
  for (;;) {
    const count = receiver.receive(descriptors, SLOTS);
    if (count < 0) throw new Error(`the LNS's socket failed: errno ${-count}`);
    if (count === 0) return;
    const now = systemClock.now();
    for (let i = 0; i < count; i += 1) {
      const at = i * RX_STRIDE;
      const record = descriptors[at + RX_ADDRESS]!;
      const from = parseAddressRecord(region.bytes.subarray(record, record + ADDRESS_BYTES));
      const start = descriptors[at + RX_OFFSET]!;
      const end = start + descriptors[at + RX_LENGTH]!;
      const segment = Math.max(1, descriptors[at + RX_AUX]!);
      for (let next = start; next < end; next += segment)
        calls.receive(now, from, region.bytes.slice(next, Math.min(end, next + segment)));
    }
    receiver.release();
  }
}

let watcher = addon.watch(socket, receive);

async function traffic(options: readonly string[]): Promise<LnsAnswer> {
  watcher.close();
  try {
    return { kind: "traffic-done", report: await runTraffic(options, socket) };
  } catch (error) {
    return { kind: "traffic-failed", reason: (error as Error).message };
  } finally {
    watcher = addon.watch(socket, receive);
  }
}

function tell(answer: LnsAnswer): void {
  process.send?.(answer);
}

process.on("message", (request: LnsRequest) => {
  void traffic(request.options).then(tell);
});
process.on("disconnect", () => process.exit());
tell({ kind: "ready" });
