import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ADDRESS_BYTES,
  ADDRESS_FAMILY,
  ADDRESS_GROUP_MAX,
  ADDRESS_LOCAL,
  ADDRESS_PORT,
  ADDRESS_REMOTE,
  ADDRESS_TOS,
  type NativeError,
  type PacketOptions,
  type Receiver,
  type Region,
  RX_AUX,
  RX_LENGTH,
  RX_OFFSET,
  RX_STRIDE,
  TX_BODY_LENGTH,
  TX_BODY_OFFSET,
  TX_HEAD_LENGTH,
  TX_HEAD_OFFSET,
  TX_STRIDE,
  type UdpOptions,
  type XskOptions,
} from "../../src/io/addon.ts";
import { addon } from "../../src/io/native.ts";

export const root = process.getuid?.() === 0;

/** What a worker thread, which does not go through vitest, loads. */
export const ADDON_PATH = join(import.meta.dirname, "../../build/Release/lacewing.node");

export function ip(...args: string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

export function ifindexOf(name: string): number {
  return Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8"));
}

/** Two ends of a cable, both in our namespace, on which nobody speaks but the test. */
export function makeCable(tag: string): { a: string; b: string; remove(): void } {
  const a = `lw${tag}a${process.pid}`;
  const b = `lw${tag}b${process.pid}`;
  ip("link", "add", a, "type", "veth", "peer", "name", b);
  for (const end of [a, b]) ip("link", "set", end, "addrgenmode", "none", "arp", "off", "up");
  return { a, b, remove: () => ip("link", "del", a) };
}

export function packetOptions(name: string, changes: Partial<PacketOptions> = {}): PacketOptions {
  return {
    ifindex: ifindexOf(name),
    name,
    filter: new Uint8Array(0),
    ringSlots: 64,
    slotBytes: 2048,
    headroomBytes: 64,
    sendBufferBytes: 1 << 20,
    bypassQdisc: false,
    promiscuous: false,
    ...changes,
  };
}

export function xskOptions(name: string, changes: Partial<XskOptions> = {}): XskOptions {
  const size = { slots: 64, slotBytes: 2048, sendBufferBytes: 1 << 20 };
  return { ifindex: ifindexOf(name), name, queue: 0, ...size, ...changes };
}

/** Whether the kernel has AF_XDP, and we may use it. */
export function hasXsk(): boolean {
  if (!root) return false;
  const cable = makeCable("xp");
  const fd = addon.openPacket(packetOptions(cable.a, { ringSlots: 0, slotBytes: 0 }));
  try {
    addon.sendByXsk(fd, xskOptions(cable.a));
    return true;
  } catch {
    return false;
  } finally {
    addon.close(fd);
    cable.remove();
  }
}

export const LOOPBACK_4 = Uint8Array.of(127, 0, 0, 1);
export const LOOPBACK_6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

export function udpOptions(changes: Partial<UdpOptions> = {}): UdpOptions {
  const family = changes.family ?? 4;
  return {
    family,
    address: family === 4 ? LOOPBACK_4 : LOOPBACK_6,
    port: 0,
    ifindex: 0,
    reusePort: false,
    receiveBufferBytes: 4 << 20,
    sendBufferBytes: 4 << 20,
    gro: false,
    checksum: true,
    df: "probe",
    ...changes,
  };
}

export function addressRecord(fields: {
  address: Uint8Array;
  port: number;
  local?: Uint8Array;
  groupMax?: number;
  tos?: number;
}): Uint8Array {
  const record = new Uint8Array(ADDRESS_BYTES);
  record[ADDRESS_FAMILY] = fields.address.length === 4 ? 4 : 6;
  record[ADDRESS_PORT] = fields.port >> 8;
  record[ADDRESS_PORT + 1] = fields.port;
  record.set(fields.address, ADDRESS_REMOTE);
  if (fields.local) record.set(fields.local, ADDRESS_LOCAL);
  record.set(new Uint8Array(Uint32Array.of(fields.groupMax ?? 0).buffer), ADDRESS_GROUP_MAX);
  record[ADDRESS_TOS] = fields.tos ?? 0;
  return record;
}

/** Writes frames into `region` from `at` on, as head pieces of `headBytes` and the rest as bodies. */
export function describeFrames(region: Region, at: number, frames: readonly Uint8Array[], headBytes = 0) {
  const descriptors = new Int32Array(frames.length * TX_STRIDE);
  let offset = at;
  for (const [i, frame] of frames.entries()) {
    const head = Math.min(headBytes, frame.length);
    region.bytes.set(frame, offset);
    descriptors[i * TX_STRIDE + TX_HEAD_OFFSET] = offset;
    descriptors[i * TX_STRIDE + TX_HEAD_LENGTH] = head;
    descriptors[i * TX_STRIDE + TX_BODY_OFFSET] = offset + head;
    descriptors[i * TX_STRIDE + TX_BODY_LENGTH] = frame.length - head;
    offset += frame.length;
  }
  return descriptors;
}

export interface Received {
  readonly frame: Uint8Array;
  readonly aux: number;
  readonly offset: number;
}

/** One batch, copied out. Throws what receive() says when the socket is dead. */
export function receiveBatch(region: Region, receiver: Receiver, max = 256): Received[] {
  const descriptors = new Int32Array(max * RX_STRIDE);
  const count = receiver.receive(descriptors, max);
  if (count < 0) throw new Error(`receive: errno ${-count}`);
  return Array.from({ length: count }, (_, i) => {
    const offset = descriptors[i * RX_STRIDE + RX_OFFSET]!;
    const length = descriptors[i * RX_STRIDE + RX_LENGTH]!;
    return {
      frame: region.bytes.slice(offset, offset + length),
      aux: descriptors[i * RX_STRIDE + RX_AUX]!,
      offset,
    };
  });
}

const LONGEST_WAIT_MS = 10_000;

/** Repeats until the answer is there. Blocks, so that the runner's own time limit could not end it. */
export function until<T>(look: () => T | undefined): T {
  const end = Date.now() + LONGEST_WAIT_MS;
  while (Date.now() < end) {
    const found = look();
    if (found !== undefined) return found;
  }
  throw new Error("waited in vain");
}

/** Receives and releases until `count` frames are there. */
export function receiveFrames(region: Region, receiver: Receiver, count: number): Received[] {
  const all: Received[] = [];
  return until(() => {
    all.push(...receiveBatch(region, receiver));
    receiver.release();
    return all.length >= count ? all : undefined;
  });
}

/** Octets that tell frames apart. */
export function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 31) & 0xff);
}

export function nativeError(action: () => unknown): NativeError {
  try {
    action();
  } catch (error) {
    return error as NativeError;
  }
  throw new Error("nothing was thrown");
}

export function openDescriptors(): number {
  return readdirSync("/proc/self/fd").length;
}
