import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  FANOUT_BY_PROGRAM,
  FANOUT_IGNORE_OUTGOING,
  FANOUT_UNIQUE,
  type PacketOptions,
  type Region,
  TX_HEAD_OFFSET,
  TX_STRIDE,
} from "../../src/io/addon.ts";
import { addon } from "../../src/io/native.ts";
import { etherTypeFilter, sessionIdProgram } from "../../src/wire/bpf.ts";
import {
  describeFrames,
  ip,
  makeCable,
  nativeError,
  packetOptions,
  pattern,
  type Received,
  receiveBatch,
  receiveFrames,
  root,
  until,
} from "./support.ts";

const EFAULT = 14;
const EMSGSIZE = 90;
const ENETDOWN = 100;

const MACS = Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2);

/** MACs, any tags, a local experimental EtherType (88B5) and a payload. */
function frameOf(length: number, seed: number, tags: readonly number[] = []): Uint8Array {
  return Uint8Array.of(...MACS, ...tags, 0x88, 0xb5, ...pattern(length, seed));
}

/** A PPPoE session frame with an empty IPv4 packet. */
function sessionFrame(sessionId: number, tags: readonly number[]): Uint8Array {
  const pppoe = [0x88, 0x64, 0x11, 0x00, sessionId >>> 8, sessionId & 0xff, 0, 2, 0x00, 0x21];
  return Uint8Array.of(...MACS, ...tags, ...pppoe, ...pattern(40, sessionId));
}

const DOT1Q = [0x81, 0x00, 0x60, 0x64];
const PRIORITY_TAG = [0x81, 0x00, 0x00, 0x00];
const DOT1AD = [0x88, 0xa8, 0x00, 0xc8];

describe.skipIf(!root)("packet sockets", () => {
  let cable: ReturnType<typeof makeCable>;
  let region: Region;
  let area: number;
  let opened: number[];

  beforeAll(() => {
    cable = makeCable("pk");
  });
  afterAll(() => cable.remove());
  beforeEach(() => {
    region = addon.createRegion(32 << 20);
    area = region.allocate(1 << 20);
    opened = [];
  });
  afterEach(() => {
    for (const fd of opened) addon.close(fd);
  });

  function open(name: string, changes: Partial<PacketOptions> = {}) {
    const options = packetOptions(name, changes);
    const fd = addon.openPacket(options);
    opened.push(fd);
    return { fd, options };
  }

  function ring(changes: Partial<PacketOptions> = {}) {
    const { fd, options } = open(cable.b, changes);
    return { fd, options, receiver: region.packetReceiver(fd, options) };
  }

  function send(fd: number, frames: readonly Uint8Array[], headBytes = 0): number {
    return region.sendPacket(fd, describeFrames(region, area, frames, headBytes), frames.length);
  }

  const framesOf = (received: readonly Received[]) => received.map(({ frame }) => frame);

  it("receive in order what was sent in a batch, gathered from two pieces, tags where the wire had them", () => {
    const { receiver } = ring();
    const { fd } = open(cable.a);
    const frames = [
      frameOf(60, 1),
      frameOf(60, 2, DOT1Q),
      frameOf(60, 3, [...DOT1AD, ...DOT1Q]),
      frameOf(60, 4, [...DOT1Q, ...DOT1Q]),
      frameOf(60, 5, PRIORITY_TAG),
      frameOf(1500, 6),
      frameOf(1500, 7, DOT1Q),
      frameOf(0, 8),
    ];
    expect(send(fd, frames, 22)).toBe(frames.length);
    expect(region.lastErrno).toBe(0);
    const received = receiveFrames(region, receiver, frames.length);
    expect(framesOf(received)).toEqual(frames);
    expect(received.every(({ frame, aux }) => aux === frame.length)).toBe(true);
  });

  it("keep the headroom that was asked for before every frame, tagged or not", () => {
    const { receiver } = ring({ headroomBytes: 128 });
    send(open(cable.a).fd, [frameOf(60, 1), frameOf(60, 2, DOT1Q)]);
    const descriptors = new Int32Array(8);
    until(() => (receiver.receive(descriptors, 1) === 1 ? true : undefined));
    const first = descriptors[0]!;
    until(() => (receiver.receive(descriptors, 1) === 1 ? true : undefined));
    // frames that are written over up to their headroom do not harm the slot before, nor its header
    for (const offset of [first, descriptors[0]!]) region.bytes.fill(0xee, offset - 128, offset);
    expect(descriptors[0]! - first).toBe(2048 - 4);
    expect(region.bytes.slice(first, first + 74)).toEqual(frameOf(60, 1));
    receiver.release();
    send(open(cable.a).fd, [frameOf(60, 3)]);
    expect(framesOf(receiveFrames(region, receiver, 1))).toEqual([frameOf(60, 3)]);
  });

  it("go round the ring in order, and count what a full ring dropped", () => {
    const { receiver } = ring({ ringSlots: 16 });
    const { fd } = open(cable.a);
    for (let round = 0; round < 10; round++) {
      const frames = Array.from({ length: 11 }, (_, i) => frameOf(100 + i, round * 11 + i));
      send(fd, frames);
      expect(framesOf(receiveFrames(region, receiver, 11))).toEqual(frames);
    }
    expect(receiver.overflows()).toBe(0);
    const frames = Array.from({ length: 40 }, (_, i) => frameOf(100, i));
    send(fd, frames);
    const kept: Received[] = [];
    until(() => {
      kept.push(...receiveBatch(region, receiver));
      return kept.length === 16 ? true : undefined;
    });
    // nothing more until the slots are given back, although the ring says that all of them are ours
    expect(receiveBatch(region, receiver)).toEqual([]);
    expect(framesOf(kept)).toEqual(frames.slice(0, 16));
    expect(until(() => receiver.overflows() || undefined)).toBe(24);
    expect(receiver.overflows()).toBe(0);
    receiver.release();
    send(fd, frames.slice(0, 3));
    expect(framesOf(receiveFrames(region, receiver, 3))).toEqual(frames.slice(0, 3));
  });

  it("are read on in order by the next reader of the same ring", () => {
    const { fd: from } = open(cable.a);
    const { fd, options, receiver } = ring({ ringSlots: 8 });
    send(from, [frameOf(50, 1), frameOf(50, 2), frameOf(50, 3)]);
    receiveFrames(region, receiver, 3);
    receiver.close();
    // the ring is left half-way, with frames around its end
    const frames = Array.from({ length: 7 }, (_, i) => frameOf(50, 10 + i));
    send(from, frames);
    const next = region.packetReceiver(fd, options);
    expect(framesOf(receiveFrames(region, next, 7))).toEqual(frames);
    next.close();
    // full, so that no slot tells where the beginning is
    const full = Array.from({ length: 8 }, (_, i) => frameOf(50, 20 + i));
    send(from, full);
    const last = region.packetReceiver(fd, options);
    expect(framesOf(receiveFrames(region, last, 8))).toEqual(full);
  });

  it("say how long a frame was that did not fit its slot", () => {
    const { receiver } = ring({ headroomBytes: 1000 });
    send(open(cable.a).fd, [frameOf(1500, 1)]);
    const [received] = receiveFrames(region, receiver, 1);
    expect(received!.aux).toBe(1514);
    expect(received!.frame.length).toBeLessThan(1000);
    expect(received!.frame).toEqual(frameOf(1500, 1).slice(0, received!.frame.length));
  });

  it("see only what their filter takes, and not what they send themselves", () => {
    // ldh [14]; jeq 0x0102: take all of it, else nothing
    const filter = new Uint8Array(new ArrayBuffer(32));
    const program = new DataView(filter.buffer);
    const instructions = [
      [0x28, 0, 0, 14],
      [0x15, 0, 1, 0x0102],
      [0x06, 0, 0, 0xffffffff],
      [0x06, 0, 0, 0],
    ];
    for (const [i, [code, jt, jf, k]] of instructions.entries()) {
      program.setUint16(i * 8, code!, true);
      program.setUint8(i * 8 + 2, jt!);
      program.setUint8(i * 8 + 3, jf!);
      program.setUint32(i * 8 + 4, k!, true);
    }
    const { receiver, fd } = ring({ filter });
    const wanted = frameOf(50, 1);
    wanted.set([1, 2], 14);
    send(fd, [wanted]);
    send(open(cable.a).fd, [frameOf(50, 1), wanted, frameOf(50, 2), wanted]);
    expect(framesOf(receiveFrames(region, receiver, 2))).toEqual([wanted, wanted]);
    expect(receiveBatch(region, receiver)).toEqual([]);
  });

  it("send up to the first frame that is refused, and say why", () => {
    const { receiver } = ring();
    const { fd } = open(cable.a);
    const frames = [frameOf(60, 1), frameOf(60, 2), frameOf(1600, 3), frameOf(60, 4)];
    expect(send(fd, frames)).toBe(2);
    expect(region.lastErrno).toBe(EMSGSIZE);
    const descriptors = describeFrames(region, area, frames.slice(0, 2), 20);
    descriptors[TX_STRIDE + TX_HEAD_OFFSET] = region.bytes.length - 10;
    expect(region.sendPacket(fd, descriptors, 2)).toBe(1);
    expect(region.lastErrno).toBe(EFAULT);
    expect(framesOf(receiveFrames(region, receiver, 3))).toEqual([frames[0], frames[1], frames[0]]);
    expect(region.sendPacket(-1, describeFrames(region, area, frames), 1)).toBe(0);
    expect(region.lastErrno).toBe(9);
  });

  it("without a ring give one frame at a time, tags put back", () => {
    const { fd } = open(cable.b, { ringSlots: 0, slotBytes: 0 });
    const from = open(cable.a, { ringSlots: 0, slotBytes: 0 }).fd;
    const frames = [frameOf(60, 1), frameOf(60, 2, DOT1Q), frameOf(60, 3, [...DOT1AD, ...DOT1Q])];
    for (const frame of frames) expect(addon.sendFrame(from, frame)).toBe(0);
    for (const frame of frames) expect(until(() => addon.receiveFrame(fd))).toEqual(frame);
    expect(addon.receiveFrame(fd)).toBeUndefined();
    expect(addon.sendFrame(from, new Uint8Array(4000))).toBe(EMSGSIZE);
  });

  it("without a ring keep what comes before it is read, as far as the receive buffer goes", () => {
    const most = 2000;
    const small = open(cable.b, { ringSlots: 0, slotBytes: 0, receiveBufferBytes: 64 << 10 }).fd;
    const large = open(cable.b, { ringSlots: 0, slotBytes: 0, receiveBufferBytes: 8 << 20 }).fd;
    const from = open(cable.a, { ringSlots: 0, slotBytes: 0 }).fd;
    for (let i = 0; i < most; i += 1) addon.sendFrame(from, frameOf(60, i));
    for (let i = 0; i < most; i += 1) expect(until(() => addon.receiveFrame(large))).toEqual(frameOf(60, i));
    expect(addon.receiveFrame(large)).toBeUndefined();
    let kept = 0;
    while (addon.receiveFrame(small) !== undefined) kept += 1;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(most);
  });

  it("say once that the interface went down, and go on when it is back", () => {
    const { receiver } = ring();
    const silent = open(cable.b, { ringSlots: 0, slotBytes: 0 }).fd;
    const { fd } = open(cable.a);
    ip("link", "set", cable.b, "down");
    expect(receiver.receive(new Int32Array(4), 1)).toBe(-ENETDOWN);
    expect(receiver.receive(new Int32Array(4), 1)).toBe(0);
    expect(nativeError(() => addon.receiveFrame(silent)).code).toBe("ENETDOWN");
    ip("link", "set", cable.b, "up");
    until(() => {
      send(fd, [frameOf(60, 1)]);
      return receiveBatch(region, receiver).length > 0 ? true : undefined;
    });
  });

  it("share the frames of an interface in a fanout group by a program", () => {
    // BPF_RET | BPF_K, 1: always the second
    const program = new Uint8Array(Uint32Array.of(0x06, 1).buffer);
    const fanout = { group: process.pid & 0xffff, mode: 6, program };
    const first = ring({ fanout });
    const second = ring({ fanout });
    send(open(cable.a).fd, [frameOf(60, 1), frameOf(60, 2)]);
    expect(framesOf(receiveFrames(region, second.receiver, 2))).toEqual([frameOf(60, 1), frameOf(60, 2)]);
    expect(receiveBatch(region, first.receiver)).toEqual([]);
  });

  it("spread sessions over a group of their own, whatever tags they are under, and hear nothing that is sent", () => {
    const program = sessionIdProgram(0x8864);
    const flags = FANOUT_BY_PROGRAM | FANOUT_IGNORE_OUTGOING;
    const filter = etherTypeFilter(0x8864);
    const first = ring({ filter, fanout: { group: 0, mode: flags | FANOUT_UNIQUE, program } });
    const group = addon.fanoutGroup(first.fd);
    const second = ring({ filter, fanout: { group, mode: flags } });
    const other = ring({ filter, fanout: { group: 0, mode: flags | FANOUT_UNIQUE, program } });
    expect(addon.fanoutGroup(other.fd)).not.toBe(group);
    const frames = (session: number) =>
      [[], DOT1Q, DOT1AD, [...DOT1AD, ...DOT1Q]].map((tags) => sessionFrame(session, tags));
    send(open(cable.a).fd, [...frames(2), ...frames(3)]);
    expect(framesOf(receiveFrames(region, first.receiver, 4))).toEqual(frames(2));
    expect(framesOf(receiveFrames(region, second.receiver, 4))).toEqual(frames(3));
    expect(framesOf(receiveFrames(region, other.receiver, 8))).toEqual([...frames(2), ...frames(3)]);
    send(first.fd, frames(3));
    expect(receiveBatch(region, second.receiver)).toEqual([]);
  });

  it("put on the wire what libpcap sees there", async () => {
    const observer = `
      const { Cap, decoders } = require("cap");
      const cap = new Cap();
      const buffer = Buffer.alloc(65536);
      cap.open(${JSON.stringify(cable.b)}, "", 1 << 20, buffer);
      cap.setMinBytes?.(0);
      let seen = 0;
      cap.on("packet", (length) => {
        process.stdout.write(buffer.toString("hex", 0, length) + "\\n");
        if (++seen === 4) cap.close();
      });
      process.stdout.write("ready\\n");
    `;
    // in a process of its own: libpcap's binding ends the process when the interface goes away
    const child = spawn(process.execPath, ["-e", observer], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    while (!output.includes("ready")) await once(child.stdout, "data");
    const frames = [
      frameOf(60, 1),
      frameOf(60, 2, DOT1Q),
      frameOf(60, 3, [...DOT1AD, ...DOT1Q]),
      frameOf(1486, 4),
    ];
    expect(send(open(cable.a).fd, frames, 26)).toBe(4);
    await once(child, "close");
    const seen = output
      .trim()
      .split("\n")
      .filter((line) => line !== "ready");
    expect(seen).toEqual(frames.map((frame) => Buffer.from(frame).toString("hex")));
  });

  it("refuse options that make no ring, and an interface that is not there", () => {
    const wrong: Partial<PacketOptions>[] = [
      { ringSlots: 3 },
      { slotBytes: 1024 },
      { slotBytes: 3000 },
      { filter: new Uint8Array(9) },
      { headroomBytes: -1 },
      { ifindex: 0 },
    ];
    for (const changes of wrong) expect(() => open(cable.a, changes)).toThrow(RangeError);
    expect(nativeError(() => open(cable.a, { ifindex: 0x7ffffff0 }))).toMatchObject({
      code: "ENODEV",
      syscall: "bind",
      subject: cable.a,
    });
    const { fd } = open(cable.a, { ringSlots: 0, slotBytes: 0 });
    expect(nativeError(() => region.packetReceiver(fd, packetOptions(cable.a))).syscall).toBe("mmap");
    expect(region.bytes[region.allocate(64 * 2048)]).toBe(0);
  });
});
