import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { concatBytes, fromHex, toHex } from "../../src/base/bytes.ts";
import {
  ADDRESS_BYTES,
  ADDRESS_FAMILY,
  ADDRESS_IFINDEX,
  ADDRESS_LOCAL,
  ADDRESS_PORT,
  ADDRESS_REMOTE,
  type Receiver,
  type Region,
  RX_ADDRESS,
  RX_LENGTH,
  RX_STRIDE,
  TX_ADDRESS,
  TX_BODY_LENGTH,
  TX_BODY_OFFSET,
  TX_STRIDE,
  TX_USER,
  type UdpOptions,
} from "../../src/io/addon.ts";
import { addon } from "../../src/io/native.ts";
import { senderProgram } from "../../src/wire/bpf.ts";
import {
  addressRecord,
  describeFrames,
  LOOPBACK_4,
  LOOPBACK_6,
  nativeError,
  packetOptions,
  pattern,
  receiveBatch,
  receiveFrames,
  udpOptions,
  until,
} from "./support.ts";
import { boundPort } from "./udp-support.ts";

const EFAULT = 14;

let region: Region;
let area: number;
let opened: number[];

beforeEach(() => {
  region = addon.createRegion(16 << 20);
  area = region.allocate(1 << 20);
  opened = [];
});

afterEach(() => {
  for (const fd of opened) addon.close(fd);
});

function open(changes: Partial<UdpOptions> = {}): number {
  const fd = addon.openUdp(udpOptions(changes));
  opened.push(fd);
  return fd;
}

/** A receiver on the loopback, and the record that sends to it. */
function target(changes: Partial<UdpOptions>, groupMax: number) {
  const fd = open(changes);
  const receiver: Receiver = region.udpReceiver(fd, 64, 65536);
  const address = changes.family === 6 ? LOOPBACK_6 : LOOPBACK_4;
  return { fd, receiver, record: addressRecord({ address, port: boundPort(fd), groupMax }) };
}

describe.each([4, 6] as const)("UDP over IPv%i", (family) => {
  it("receives a batch in order, with the addresses of both ends", () => {
    const { receiver, record, fd } = target({ family }, 0);
    const sender = open({ family });
    const frames = [pattern(100, 1), pattern(1400, 2), pattern(1, 3)];
    expect(region.sendUdp(sender, describeFrames(region, area, frames, 12), 3, record)).toBe(3);
    expect(region.lastErrno).toBe(0);
    const descriptors = new Int32Array(16);
    expect(receiver.receive(descriptors, 4)).toBe(3);
    const at = descriptors[RX_ADDRESS]!;
    const view = new DataView(region.bytes.buffer, at);
    const loopback = family === 4 ? LOOPBACK_4 : LOOPBACK_6;
    expect(region.bytes[at + ADDRESS_FAMILY]).toBe(family);
    expect(view.getUint16(ADDRESS_PORT)).toBe(boundPort(sender));
    const octets = loopback.length;
    expect(region.bytes.slice(at + ADDRESS_REMOTE, at + ADDRESS_REMOTE + octets)).toEqual(loopback);
    expect(region.bytes.slice(at + ADDRESS_LOCAL, at + ADDRESS_LOCAL + octets)).toEqual(loopback);
    expect(view.getUint32(ADDRESS_IFINDEX, true)).toBe(1);
    receiver.release();
    expect(boundPort(fd)).not.toBe(boundPort(sender));
    region.sendUdp(sender, describeFrames(region, area, frames, 12), 3, record);
    expect(receiveFrames(region, receiver, 3).map((received) => received.frame)).toEqual(frames);
  });

  it("sends from the address and with the DSCP of each record, in a batch and singly", () => {
    const wire = addon.openPacket(
      packetOptions("lo", { ringSlots: 0, protocol: family === 4 ? 0x0800 : 0x86dd }),
    );
    opened.push(wire);
    const loopback = family === 4 ? LOOPBACK_4 : LOOPBACK_6;
    const any = new Uint8Array(loopback.length);
    // not bound to what it sends from, as a port on any address
    const sender = open({ family, address: any, freeBind: true });
    const locals =
      family === 4
        ? [Uint8Array.of(127, 0, 0, 77), Uint8Array.of(127, 0, 0, 78)]
        : [fromHex("20010db8000000000000000000000077"), fromHex("20010db8000000000000000000000078")];
    const port = boundPort(open({ family }));
    const records = [
      addressRecord({ address: loopback, port, local: locals[0]!, tos: 46 << 2, groupMax: 1400 }),
      addressRecord({ address: loopback, port, local: locals[1]!, groupMax: 1400 }),
      addressRecord({ address: loopback, port, tos: 48 << 2 }),
    ];
    const descriptors = describeFrames(
      region,
      area,
      [1, 2, 3, 4].map((seed) => pattern(40, seed)),
    );
    for (const [i, record] of [0, 0, 1, 2].entries())
      descriptors[i * TX_STRIDE + TX_ADDRESS] = record * ADDRESS_BYTES;
    expect(region.sendUdp(sender, descriptors, 4, concatBytes(...records))).toBe(4);
    expect(region.lastErrno).toBe(0);
    expect(addon.sendDatagram(sender, records[0]!, pattern(40, 5))).toBe(0);
    // the first two left as one, and the loopback device does not cut them
    const seen = new Set<string>();
    until(() => {
      for (let frame = addon.receiveFrame(wire); frame !== undefined; frame = addon.receiveFrame(wire)) {
        const ip = frame.subarray(14);
        const [source, udp] = family === 4 ? [ip.slice(12, 16), 20] : [ip.slice(8, 24), 40];
        if (((ip[udp + 2]! << 8) | ip[udp + 3]!) !== port) continue;
        const tos = family === 4 ? ip[1]! : ((ip[0]! & 15) << 4) | (ip[1]! >> 4);
        seen.add(`${toHex(source)} ${tos >> 2} ${ip[udp + 5]! - 8}`);
      }
      return seen.size >= 4 ? true : undefined;
    });
    expect([...seen]).toEqual([
      `${toHex(locals[0]!)} 46 80`,
      `${toHex(locals[1]!)} 0 40`,
      `${toHex(loopback)} 48 40`,
      `${toHex(locals[0]!)} 46 40`,
    ]);
  });

  it("sends equal datagrams to one address as one, which a GRO receiver gets as one", () => {
    const { receiver, record } = target({ family, gro: true }, 1400);
    const sender = open({ family });
    const frames = Array.from({ length: 10 }, (_, i) => pattern(i === 9 ? 77 : 500, i));
    expect(region.sendUdp(sender, describeFrames(region, area, frames, 20), 10, record)).toBe(10);
    const received = receiveFrames(region, receiver, 1);
    expect(received).toHaveLength(1);
    expect(received[0]!.aux).toBe(500);
    expect(received[0]!.frame).toEqual(Uint8Array.from(frames.flatMap((frame) => [...frame])));
  });

  it("delivers what was grouped as the datagrams that were sent", () => {
    const { receiver, record } = target({ family }, 1400);
    const sender = open({ family });
    // 200 frames: more than one message takes; a longer one, a shorter one and one too large to group in between
    const frames = Array.from({ length: 200 }, (_, i) =>
      pattern(i === 20 ? 400 : i === 40 ? 10 : i === 60 ? 1401 : 300, i),
    );
    expect(region.sendUdp(sender, describeFrames(region, area, frames, 6), 200, record)).toBe(200);
    const received = receiveFrames(region, receiver, 200);
    expect(received.map(({ frame }) => frame)).toEqual(frames);
    expect(received.every(({ frame, aux }) => aux === frame.length)).toBe(true);
  });

  it("puts address records where they can be read in words, whatever the size of the slots", () => {
    const fd = open({ family });
    const receiver = region.udpReceiver(fd, 3, 1001);
    const address = family === 4 ? LOOPBACK_4 : LOOPBACK_6;
    const record = addressRecord({ address, port: boundPort(fd), groupMax: 0 });
    expect(addon.sendDatagram(open({ family }), record, pattern(1001, 1))).toBe(0);
    const descriptors = new Int32Array(RX_STRIDE);
    until(() => (receiver.receive(descriptors, 1) === 1 ? true : undefined));
    expect(descriptors[RX_LENGTH]).toBe(1001);
    expect(descriptors[RX_ADDRESS]! % ADDRESS_BYTES).toBe(0);
  });

  it("reads at most 64 error reports with one call, and the rest with the next", () => {
    const gone = open({ family });
    const port = boundPort(gone);
    addon.close(opened.pop()!);
    const sender = open({ family });
    const nowhere = addressRecord({ address: family === 4 ? LOOPBACK_4 : LOOPBACK_6, port });
    for (let i = 0; i < 100; i++) expect(addon.sendDatagram(sender, nowhere, Uint8Array.of(i))).toBe(0);
    const read: number[] = [];
    until(() => {
      const { length } = addon.readErrors(sender);
      if (length > 0) read.push(length);
      return read.reduce((sum, count) => sum + count, 0) === 100 ? read : undefined;
    });
    expect(read).toEqual([64, 36]);
  });

  it("tells of a port that nobody listens on through the error queue, and goes on sending", () => {
    const { receiver, record } = target({ family }, 0);
    const gone = open({ family });
    const port = boundPort(gone);
    addon.close(opened.pop()!);
    const sender = open({ family });
    const address = family === 4 ? LOOPBACK_4 : LOOPBACK_6;
    const nowhere = addressRecord({ address, port });
    expect(addon.sendDatagram(sender, nowhere, Uint8Array.of(1))).toBe(0);
    const errors = until(() => {
      const read = addon.readErrors(sender);
      return read.length > 0 ? read : undefined;
    });
    const icmp = family === 4 ? { type: 3, icmpCode: 3 } : { type: 1, icmpCode: 4 };
    expect(errors).toEqual([
      { code: "ECONNREFUSED", errno: 111, info: 0, address, port, ...icmp, reporter: address },
    ]);
    expect(addon.readErrors(sender)).toEqual([]);
    // an error that nobody has read yet does not cost the next datagram
    expect(addon.sendDatagram(sender, nowhere, Uint8Array.of(1))).toBe(0);
    expect(region.sendUdp(sender, describeFrames(region, area, [pattern(9, 1)]), 1, record)).toBe(1);
    expect(receiveFrames(region, receiver, 1)).toHaveLength(1);
    const own = region.udpReceiver(sender, 4, 2048);
    expect(addon.sendDatagram(sender, nowhere, Uint8Array.of(1))).toBe(0);
    expect(own.receive(new Int32Array(16), 4)).toBe(0);
    own.close();
  });

  it("names address and reason when the port is taken", () => {
    const port = boundPort(open({ family }));
    const error = nativeError(() => open({ family, port }));
    const subject = family === 4 ? `127.0.0.1:${port}` : `[::1]:${port}`;
    expect(error).toMatchObject({ code: "EADDRINUSE", errno: 98, syscall: "bind", subject });
    expect(error.message).toBe(`bind: EADDRINUSE, address already in use (${subject})`);
  });

  it("lets several sockets share a port, by a program that picks one", () => {
    // BPF_RET | BPF_K, 1: always the second
    const program = new Uint8Array(Uint32Array.of(0x06, 1).buffer);
    const first = open({ family, reusePort: true });
    const port = boundPort(first);
    const second = open({ family, port, reusePort: true, reusePortProgram: program });
    const address = family === 4 ? LOOPBACK_4 : LOOPBACK_6;
    const receiver = region.udpReceiver(second, 16, 2048);
    for (let i = 0; i < 8; i++) {
      expect(addon.sendDatagram(open({ family }), addressRecord({ address, port }), pattern(20, i))).toBe(0);
    }
    expect(receiveFrames(region, receiver, 8)).toHaveLength(8);
  });

  it("spreads senders over the sockets that share a port, each with all that it sends", () => {
    const first = open({ family, reusePort: true });
    const port = boundPort(first);
    const second = open({ family, port, reusePort: true, reusePortProgram: senderProgram(family, 2) });
    const record = addressRecord({ address: family === 4 ? LOOPBACK_4 : LOOPBACK_6, port });
    const receivers = [first, second].map((fd) => region.udpReceiver(fd, 64, 2048));
    for (let i = 0; i < 16; i++) {
      const sender = open({ family });
      for (let again = 0; again < 2; again++)
        expect(addon.sendDatagram(sender, record, pattern(20, i))).toBe(0);
    }
    const got = receivers.map((receiver) => receiveBatch(region, receiver).map(({ frame }) => toHex(frame)));
    expect(got.flat()).toHaveLength(32);
    for (const frames of got) {
      expect(frames.length).toBeGreaterThan(0);
      // in pairs
      expect(new Set(frames).size).toBe(frames.length / 2);
    }
  });
});

/** What arrives, taken apart where it is coalesced, with the number that each begins with. */
function receiveDatagrams(receiver: Receiver, count: number) {
  const came: { readonly frame: Uint8Array; readonly number: number }[] = [];
  until(() => {
    for (const { frame, aux } of receiveBatch(region, receiver, 64))
      for (let at = 0; at < frame.length; at += aux)
        came.push({ frame: frame.slice(at, at + aux), number: (frame[at]! << 8) | frame[at + 1]! });
    receiver.release();
    return came.length >= count ? true : undefined;
  });
  return came;
}

describe("UDP batches", () => {
  it("go singly where a socket sends no checksums, which the kernel cannot do for groups", () => {
    const { receiver, record } = target({ gro: true }, 1400);
    const sender = open({ checksum: false });
    const frames = Array.from({ length: 10 }, (_, i) => pattern(500, i));
    expect(region.sendUdp(sender, describeFrames(region, area, frames), 10, record)).toBe(10);
    expect(receiveFrames(region, receiver, 10).map(({ frame }) => frame)).toEqual(frames);
  });

  it("keep to each descriptor's own address", () => {
    const one = target({}, 1400);
    const two = target({}, 1400);
    const table = new Uint8Array(new SharedArrayBuffer(128));
    table.set(one.record);
    table.set(two.record, 64);
    const frames = Array.from({ length: 6 }, (_, i) => pattern(100, i));
    const descriptors = describeFrames(region, area, frames);
    for (const i of [2, 3, 5]) descriptors[i * TX_STRIDE + TX_ADDRESS] = 64;
    expect(region.sendUdp(open(), descriptors, 6, table)).toBe(6);
    const taken = (of: typeof one) => receiveFrames(region, of.receiver, 3).map(({ frame }) => frame);
    expect(taken(one)).toEqual([frames[0], frames[1], frames[4]]);
    expect(taken(two)).toEqual([frames[2], frames[3], frames[5]]);
  });

  it("have one message for each peer, though datagrams of several alternate", () => {
    const targets = [target({ gro: true }, 1400), target({ gro: true }, 1400)];
    const frames = Array.from({ length: 20 }, (_, i) => pattern(200, i));
    const descriptors = describeFrames(region, area, frames);
    for (let i = 0; i < 20; i++) {
      descriptors[i * TX_STRIDE + TX_ADDRESS] = (i % 2) * ADDRESS_BYTES;
      descriptors[i * TX_STRIDE + TX_USER] = i;
    }
    const table = concatBytes(...targets.map(({ record }) => record));
    expect(region.sendUdp(open(), descriptors, 20, table)).toBe(20);
    for (const [own, { receiver }] of targets.entries()) {
      const [message] = receiveFrames(region, receiver, 1);
      expect(message!.aux).toBe(200);
      expect(message!.frame).toEqual(concatBytes(...frames.filter((_, i) => i % 2 === own)));
    }
  });

  it("change their order for it, but no flow's", () => {
    const { receiver, record } = target({ gro: true }, 1400);
    const sender = open();
    const datagram = fc.record({ size: fc.constantFrom(50, 60, 70), user: fc.nat({ max: 60 }) });
    fc.assert(
      fc.property(fc.array(datagram, { minLength: 1, maxLength: 400, size: "max" }), (datagrams) => {
        const frames = datagrams.map(({ size }, i) => pattern(size, i));
        for (const [i, frame] of frames.entries()) new DataView(frame.buffer).setUint16(0, i);
        const descriptors = describeFrames(region, area, frames, 8);
        for (const [i, { user }] of datagrams.entries()) descriptors[i * TX_STRIDE + TX_USER] = user;
        expect(region.sendUdp(sender, descriptors, frames.length, record)).toBe(frames.length);
        const came = receiveDatagrams(receiver, frames.length);
        expect(came.toSorted((a, b) => a.number - b.number).map(({ frame }) => frame)).toEqual(frames);
        for (const flow of new Set(datagrams.map(({ user }) => user))) {
          const numbers = came.map(({ number }) => number).filter((i) => datagrams[i]!.user === flow);
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
        }
      }),
      { numRuns: 20 },
    );
  });

  it("stop at a descriptor that points outside, with EFAULT", () => {
    const { receiver, record } = target({}, 1400);
    const sender = open();
    const frames = Array.from({ length: 3 }, (_, i) => pattern(100, i));
    const spoil: [number, number][] = [
      [TX_BODY_OFFSET, region.bytes.length - 50],
      [TX_BODY_OFFSET, -1],
      [TX_BODY_LENGTH, -1],
      [TX_BODY_LENGTH, 0x7fffffff],
      [TX_ADDRESS, 1],
      [TX_ADDRESS, -64],
    ];
    for (const [field, value] of spoil) {
      const descriptors = describeFrames(region, area, frames);
      descriptors[TX_STRIDE + field] = value;
      expect(region.sendUdp(sender, descriptors, 3, record)).toBe(1);
      expect(region.lastErrno).toBe(EFAULT);
      expect(receiveFrames(region, receiver, 1)).toHaveLength(1);
    }
    // a count beyond the array's end is cut
    expect(region.sendUdp(sender, describeFrames(region, area, frames), 1000, record)).toBe(3);
    expect(receiveFrames(region, receiver, 3)).toHaveLength(3);
  });

  it("are limited by free slots until they are released, and by the caller", () => {
    const fd = open();
    const receiver = region.udpReceiver(fd, 4, 2048);
    const record = addressRecord({ address: LOOPBACK_4, port: boundPort(fd) });
    const frames = Array.from({ length: 6 }, (_, i) => pattern(50, i));
    expect(region.sendUdp(open(), describeFrames(region, area, frames), 6, record)).toBe(6);
    expect(receiveBatch(region, receiver, 3)).toHaveLength(3);
    const last = receiveBatch(region, receiver, 3);
    expect(last.map(({ frame }) => frame)).toEqual([frames[3]]);
    expect(receiveBatch(region, receiver, 3)).toHaveLength(0);
    receiver.release();
    expect(receiveBatch(region, receiver, 3).map(({ frame }) => frame)).toEqual([frames[4], frames[5]]);
  });

  it("do not pass on a part of a datagram that is larger than its slot", () => {
    const fd = open();
    const receiver = region.udpReceiver(fd, 4, 1024);
    const record = addressRecord({ address: LOOPBACK_4, port: boundPort(fd) });
    const frames = [pattern(1025, 1), pattern(1024, 2)];
    expect(region.sendUdp(open(), describeFrames(region, area, frames), 2, record)).toBe(2);
    const received = receiveFrames(region, receiver, 2);
    expect(received.map(({ frame }) => frame)).toEqual([new Uint8Array(0), frames[1]]);
  });

  it("count what the kernel dropped, once", () => {
    const fd = open({ receiveBufferBytes: 4096 });
    const receiver = region.udpReceiver(fd, 64, 2048);
    const record = addressRecord({ address: LOOPBACK_4, port: boundPort(fd) });
    const frames = Array.from({ length: 100 }, (_, i) => pattern(1000, i));
    expect(region.sendUdp(open(), describeFrames(region, area, frames), 100, record)).toBe(100);
    const got = receiveBatch(region, receiver).length;
    expect(got).toBeLessThan(100);
    expect(receiver.overflows()).toBe(100 - got);
    expect(receiver.overflows()).toBe(0);
  });

  it("say what is wrong with an option", () => {
    const wrong: [Partial<Record<keyof UdpOptions, unknown>>, ErrorConstructor][] = [
      [{ family: 5 }, RangeError],
      [{ address: new Uint8Array(16) }, RangeError],
      [{ address: [127, 0, 0, 1] }, TypeError],
      [{ port: 65536 }, RangeError],
      [{ df: "maybe" }, RangeError],
      [{ gro: 1 }, TypeError],
      [{ reusePortProgram: new Uint8Array(7) }, RangeError],
    ];
    for (const [changes, type] of wrong)
      expect(() => addon.openUdp({ ...udpOptions(), ...changes } as UdpOptions)).toThrow(type);
  });
});
