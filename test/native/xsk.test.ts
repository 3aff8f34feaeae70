import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PacketOptions, Region, XskOptions } from "../../src/io/addon.ts";
import { addon } from "../../src/io/native.ts";
import { etherTypeFilter } from "../../src/wire/bpf.ts";
import {
  ADDON_PATH,
  describeFrames,
  hasXsk,
  ip,
  makeCable,
  nativeError,
  openDescriptors,
  packetOptions,
  pattern,
  receiveBatch,
  receiveFrames,
  until,
  xskOptions,
} from "./support.ts";
import { message, startWorker } from "./worker.ts";

const EINVAL = 22;
const EAGAIN = 11;
const EMSGSIZE = 90;
const ENETDOWN = 100;
const ENOBUFS = 105;
const LOCAL_EXPERIMENTAL = 0x88b5;
const MACS = Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2);
const DOT1Q = [0x81, 0x00, 0x60, 0x64];
const DOT1AD = [0x88, 0xa8, 0x00, 0xc8];

/** A frame of so many octets in all, of a local experimental EtherType. */
function frameOf(octets: number, seed: number, tags: readonly number[] = []): Uint8Array {
  return Uint8Array.of(...MACS, ...tags, 0x88, 0xb5, ...pattern(octets - 14 - tags.length, seed));
}

describe.skipIf(!hasXsk())("packet sockets that send by AF_XDP", () => {
  let cable: ReturnType<typeof makeCable>;
  let region: Region;
  let area: number;
  let opened: number[];

  beforeEach(() => {
    cable = makeCable("xs");
    region = addon.createRegion(32 << 20);
    area = region.allocate(1 << 20);
    opened = [];
  });
  afterEach(() => {
    for (const fd of opened) addon.close(fd);
    cable.remove();
  });

  function packetSender(name = cable.a, changes: Partial<PacketOptions> = {}): number {
    const sending = { ringSlots: 0, slotBytes: 0, protocol: 0, bypassQdisc: true };
    const fd = addon.openPacket(packetOptions(name, { ...sending, ...changes }));
    opened.push(fd);
    return fd;
  }

  function xskSender(changes: Partial<XskOptions> = {}, name = cable.a): number {
    const fd = packetSender(name);
    addon.sendByXsk(fd, xskOptions(name, changes));
    return fd;
  }

  function receiver(name = cable.b) {
    const options = packetOptions(name, { ringSlots: 2048, filter: etherTypeFilter(LOCAL_EXPERIMENTAL) });
    const fd = addon.openPacket(options);
    opened.push(fd);
    return region.packetReceiver(fd, options);
  }

  function close(fd: number): void {
    opened.splice(opened.indexOf(fd), 1);
    addon.close(fd);
  }

  /** How many were taken, and why not all. */
  function send(fd: number, frames: readonly Uint8Array[], headBytes = 0): readonly [number, number] {
    const taken = region.sendPacket(fd, describeFrames(region, area, frames, headBytes), frames.length);
    return [taken, region.lastErrno];
  }

  const octetsOf = (received: ReturnType<typeof receiveBatch>) => received.map(({ frame }) => frame);

  it("put the same octets on the wire in the same order, whatever their pieces are", () => {
    const there = receiver();
    const senders = [packetSender(), xskSender()];
    const frames = fc.array(
      fc.record({
        octets: fc.integer({ min: 22, max: 1514 }),
        tags: fc.constantFrom([], DOT1Q, [...DOT1AD, ...DOT1Q]),
        seed: fc.nat(1000),
      }),
      { minLength: 1, maxLength: 200 },
    );
    fc.assert(
      fc.property(frames, fc.nat(60), (described, headBytes) => {
        const batch = described.map(({ octets, tags, seed }) => frameOf(octets, seed, tags));
        for (const fd of senders) {
          expect(send(fd, batch, headBytes)).toEqual([batch.length, 0]);
          expect(octetsOf(receiveFrames(region, there, batch.length))).toEqual(batch);
        }
      }),
      { numRuns: 20 },
    );
  });

  it("send any number of frames with one call, and go round their rings", () => {
    const there = receiver();
    const fd = xskSender({ slots: 16 });
    for (let round = 0; round < 40; round++) {
      const frames = Array.from({ length: 1 + ((round * 7) % 53) }, (_, i) => frameOf(100, round + i));
      expect(send(fd, frames)).toEqual([frames.length, 0]);
      expect(octetsOf(receiveFrames(region, there, frames.length))).toEqual(frames);
    }
  });

  it("refuse what packet sockets refuse for its length, at every MTU", () => {
    const [packet, xsk] = [packetSender(), xskSender()];
    receiver();
    for (const mtu of [1500, 1504, 1400]) {
      ip("link", "set", cable.a, "mtu", `${mtu}`);
      // what the socket knows of the MTU may be a tenth of a second old
      until(() =>
        send(xsk, [frameOf(mtu + 14, 1)])[0] === 1 && send(xsk, [frameOf(mtu + 15, 1)])[0] === 0
          ? true
          : undefined,
      );
      for (const octets of [13, 14, mtu + 14, mtu + 15, mtu + 18, mtu + 19])
        for (const tags of octets > 18 ? [[], DOT1Q, DOT1AD] : [[]]) {
          const frame = frameOf(Math.max(octets, 14), 1, tags).subarray(0, octets);
          const { length } = frame;
          expect({ length, tags, sent: send(xsk, [frame]) }).toEqual({
            length,
            tags,
            sent: send(packet, [frame]),
          });
        }
    }
    expect(send(xsk, [frameOf(4000, 1)])).toEqual([0, EMSGSIZE]);
    expect(send(xsk, [frameOf(14, 1).subarray(0, 13)])).toEqual([0, EINVAL]);
  });

  it("send up to the first frame that is refused, and those behind it when they are tried", () => {
    const there = receiver();
    const fd = xskSender();
    const frames = [frameOf(60, 1), frameOf(60, 2), frameOf(1600, 3), frameOf(60, 4)];
    expect(send(fd, frames)).toEqual([2, EMSGSIZE]);
    expect(send(fd, frames.slice(3))).toEqual([1, 0]);
    expect(octetsOf(receiveFrames(region, there, 3))).toEqual([frames[0], frames[1], frames[3]]);
  });

  it("are refused while the device is down, and send nothing late when it is back", () => {
    const there = receiver();
    const fd = xskSender({ slots: 8 });
    ip("link", "set", cable.a, "down");
    // more than the rings have room for
    for (let i = 0; i < 20; i++) expect(send(fd, [frameOf(60, i), frameOf(70, i)])).toEqual([0, ENETDOWN]);
    ip("link", "set", cable.a, "up");
    const frames = Array.from({ length: 30 }, (_, i) => frameOf(80, i));
    until(() => (send(fd, [frameOf(90, 1)])[0] === 1 ? true : undefined));
    expect(send(fd, frames)).toEqual([30, 0]);
    const seen = octetsOf(
      until(() => {
        const all = receiveFrames(region, there, 1);
        return all.some(({ frame }) => frame.length === 80) ? all : undefined;
      }),
    );
    expect(seen.every(({ length }) => length >= 80)).toBe(true);
  });

  it("lose only the frames that a device without a carrier refuses, and go on when it has one", () => {
    const there = receiver();
    const fd = xskSender({ slots: 8 });
    expect(send(fd, [frameOf(60, 1)])).toEqual([1, 0]);
    receiveFrames(region, there, 1);
    ip("link", "set", cable.b, "down");
    for (let i = 0; i < 20; i++) {
      // one at a time, as the first of several and as the last
      expect(send(fd, [frameOf(60, i), frameOf(70, i), frameOf(80, i)])).toEqual([0, ENOBUFS]);
      expect(send(fd, [frameOf(60, i)])).toEqual([0, ENOBUFS]);
    }
    ip("link", "set", cable.b, "up");
    const frames = Array.from({ length: 30 }, (_, i) => frameOf(100 + i, i));
    until(() => (send(fd, [frameOf(90, 1)])[0] === 1 ? true : undefined));
    expect(send(fd, frames)).toEqual([30, 0]);
    until(() =>
      receiveFrames(region, there, 1).some(({ frame }) => frame.length === 129) ? true : undefined,
    );
  });

  it("refuse when all slots are on the way, until some have arrived", () => {
    const slow = `lwxsm${process.pid}`;
    execFileSync("tc", [
      "qdisc",
      "add",
      "dev",
      cable.a,
      "root",
      "tbf",
      "rate",
      "200kbit",
      "burst",
      "2000",
      "latency",
      "100s",
    ]);
    ip("link", "add", slow, "link", cable.a, "type", "macvlan");
    ip("link", "set", slow, "addrgenmode", "none", "arp", "off", "up");
    const there = receiver();
    const fd = xskSender({ slots: 16 }, slow);
    const frames = Array.from({ length: 100 }, (_, i) => frameOf(1000, i));
    const [taken, errno] = send(fd, frames);
    // the first leave at once
    expect(taken).toBeGreaterThanOrEqual(16);
    expect(taken).toBeLessThan(30);
    expect(errno).toBe(EAGAIN);
    expect(send(fd, frames)).toEqual([0, EAGAIN]);
    const more = until(() => (send(fd, frames.slice(taken, taken + 1))[0] === 1 ? frames[taken] : undefined));
    expect(octetsOf(receiveFrames(region, there, taken + 1))).toEqual([...frames.slice(0, taken), more]);
  });

  it("may be shared by threads: the frames of each stay whole and in order", async () => {
    const there = receiver();
    const fd = xskSender();
    const batches = 40;
    const perBatch = 25;
    const begun = new Int32Array(new SharedArrayBuffer(4));
    const worker = startWorker(
      `
      const region = addon.createRegion(1 << 20);
      const at = region.allocate(1 << 16);
      for (let batch = 0; batch < workerData.batches; batch++) {
        const descriptors = new Int32Array(workerData.perBatch * 6);
        for (let i = 0; i < workerData.perBatch; i++) {
          region.bytes.fill(0x55, at + i * 200, at + (i + 1) * 200);
          region.bytes.set([0x88, 0xb5, 1, batch, i], at + i * 200 + 12);
          descriptors.set([0, 0, at + i * 200, 200], i * 6);
        }
        if (region.sendPacket(workerData.fd, descriptors, workerData.perBatch) !== workerData.perBatch) throw region.lastErrno;
        Atomics.store(workerData.begun, 0, 1);
      }
      parentPort.postMessage("done");
      `,
      { fd, batches, perBatch, begun },
    );
    const done = message(worker);
    until(() => (Atomics.load(begun, 0) === 1 ? true : undefined));
    const all: Uint8Array[] = [];
    const take = () => all.push(...octetsOf(receiveBatch(region, there))) && there.release();
    for (let batch = 0; batch < batches; batch++) {
      const frames = Array.from({ length: perBatch }, (_, i) => {
        const frame = new Uint8Array(200).fill(0xaa);
        frame.set([0x88, 0xb5, 2, batch, i], 12);
        return frame;
      });
      expect(send(fd, frames)).toEqual([perBatch, 0]);
      take();
    }
    await done;
    until(() => {
      take();
      return all.length === 2 * batches * perBatch ? true : undefined;
    });
    for (const [sender, filler] of [
      [1, 0x55],
      [2, 0xaa],
    ] as const) {
      const own = all.filter((frame) => frame[14] === sender);
      expect(own.map((frame) => frame[15]! * perBatch + frame[16]!)).toEqual(
        Array.from({ length: batches * perBatch }, (_, i) => i),
      );
      for (const frame of own) {
        expect(frame.length).toBe(200);
        expect([...frame.subarray(0, 12), ...frame.subarray(17)].every((octet) => octet === filler)).toBe(
          true,
        );
      }
    }
    await worker.terminate();
  });

  it("go on by AF_XDP however often the device goes down and up while they send", async () => {
    for (const name of [cable.a, cable.b]) ip("link", "set", name, "mtu", "9000");
    const fd = xskSender({ slots: 64 });
    const stop = new Int32Array(new SharedArrayBuffer(4));
    const worker = startWorker(
      `
      const region = addon.createRegion(1 << 20);
      const at = region.allocate(1 << 16);
      const descriptors = new Int32Array(40 * 6);
      for (let i = 0; i < 40; i++) descriptors.set([0, 0, at, 100], i * 6);
      while (Atomics.load(workerData.stop, 0) === 0) region.sendPacket(workerData.fd, descriptors, 40);
      parentPort.postMessage("done");
      `,
      { fd, stop },
    );
    const done = message(worker);
    for (let i = 0; i < 12; i++) {
      ip("link", "set", cable.a, "down");
      ip("link", "set", cable.a, "up");
    }
    Atomics.store(stop, 0, 1);
    await done;
    await worker.terminate();
    until(() => (send(fd, [frameOf(60, 1)])[0] === 1 ? true : undefined));
    // a slot has no room for it, and a packet socket would send it
    expect(send(fd, [frameOf(3000, 1)])).toEqual([0, EMSGSIZE]);
    // none of the slots is lost, or two frames'
    const there = receiver();
    const frames = Array.from({ length: 200 }, (_, i) => frameOf(200 + i, i));
    expect(send(fd, frames)).toEqual([200, 0]);
    expect(octetsOf(receiveFrames(region, there, 200))).toEqual(frames);
  });

  it("go on under another name of the device", () => {
    const there = receiver();
    const fd = xskSender();
    const name = `lwxsn${process.pid}`;
    ip("link", "set", cable.a, "down");
    ip("link", "set", cable.a, "name", name);
    ip("link", "set", name, "up");
    until(() => (send(fd, [frameOf(60, 1)])[0] === 1 ? true : undefined));
    receiveFrames(region, there, 1);
    expect(send(fd, [frameOf(1514, 2), frameOf(1515, 2)])).toEqual([1, EMSGSIZE]);
    ip("link", "set", name, "down");
    ip("link", "set", name, "name", cable.a);
  });

  it("fail as packet sockets do when the device is gone", () => {
    const [packet, xsk] = [packetSender(), xskSender()];
    cable.remove();
    expect(send(xsk, [frameOf(60, 1), frameOf(60, 2)])).toEqual(
      send(packet, [frameOf(60, 1), frameOf(60, 2)]),
    );
    expect(send(xsk, [frameOf(60, 1)])[0]).toBe(0);
    cable = makeCable("xs");
  });

  it("send by themselves when somebody has the queue, or there is none", () => {
    const there = receiver();
    const first = xskSender();
    const second = packetSender();
    expect(nativeError(() => addon.sendByXsk(second, xskOptions(cable.a)))).toMatchObject({
      code: "EBUSY",
      syscall: "bind",
      subject: cable.a,
    });
    expect(nativeError(() => addon.sendByXsk(second, xskOptions(cable.a, { queue: 9 }))).code).toBe("EINVAL");
    for (const [i, fd] of [first, second].entries()) {
      expect(send(fd, [frameOf(60, i)])).toEqual([1, 0]);
      expect(octetsOf(receiveFrames(region, there, 1))).toEqual([frameOf(60, i)]);
    }
  });

  it("give the queue back when they are closed, and every descriptor", () => {
    const before = openDescriptors();
    for (let i = 0; i < 5; i++) {
      const fd = xskSender();
      expect(send(fd, [frameOf(60, 1)])).toEqual([1, 0]);
      close(fd);
      // the number is another socket's now
      const next = packetSender();
      expect(next).toBe(fd);
      close(next);
    }
    expect(openDescriptors()).toBe(before);
  });

  it("are refused without memory that may be pinned, and without a descriptor of ours", () => {
    const job = `
      const addon = require(${JSON.stringify(ADDON_PATH)});
      const options = ${JSON.stringify({ ...packetOptions(cable.a, { ringSlots: 0, slotBytes: 0 }), filter: 0 })};
      const fd = addon.openPacket({ ...options, filter: new Uint8Array(0) });
      try {
        addon.sendByXsk(fd, ${JSON.stringify(xskOptions(cable.a))});
      } catch (error) {
        process.stdout.write(error.code);
      }
    `;
    // 64 KiB, and not the capability to have more
    const words = [
      "--bounding-set=-ipc_lock",
      "--inh-caps=-ipc_lock",
      "prlimit",
      "--memlock=65536",
      process.execPath,
    ];
    expect(execFileSync("setpriv", [...words, "-e", job], { encoding: "utf8" })).toBe("ENOBUFS");
    expect(nativeError(() => addon.sendByXsk(99_999, xskOptions(cable.a))).code).toBe("EBADF");
    expect(nativeError(() => addon.sendByXsk(0, xskOptions(cable.a, { slots: 3 })))).toBeInstanceOf(
      RangeError,
    );
  });

  it("are seen by no capture on their device, as those are not that go past its qdiscs", async () => {
    const observer = `
      const { Cap } = require("cap");
      const cap = new Cap();
      const buffer = Buffer.alloc(65536);
      cap.open(${JSON.stringify(cable.a)}, "ether proto ${LOCAL_EXPERIMENTAL}", 1 << 20, buffer);
      cap.setMinBytes?.(0);
      const lengths = [];
      cap.on("packet", (length) => {
        if (lengths.push(length) < 2) return;
        process.stdout.write(lengths.join());
        cap.close();
      });
      process.stdout.write("ready:");
    `;
    // in a process of its own: libpcap's binding ends the process when the interface goes away
    const child = spawn(process.execPath, ["-e", observer], { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    while (output !== "ready:") await once(child.stdout, "data");
    const queueing = packetSender(cable.a, { bypassQdisc: false });
    for (const [i, fd] of [queueing, packetSender(), xskSender(), queueing].entries())
      expect(send(fd, [frameOf(60 + i, 1)])).toEqual([1, 0]);
    await once(child, "close");
    expect(output).toBe("ready:60,63");
  });
});
