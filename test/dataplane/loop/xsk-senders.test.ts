import { describe, expect, it } from "vitest";
import { XskSenders } from "../../../src/dataplane/loop/xsk-senders.ts";
import type { XskOptions } from "../../../src/io/addon.ts";
import { FakeLog } from "../xdp/fakes.ts";

const SPEC = { kind: "ethernet", ifindex: 3, name: "acc0", mtuBytes: 1500 } as const;
const PORT = 1;

/** Over a device that has so many queues, and then says `code`. */
function onDevice({ queues = 8, code = "EINVAL", xskSlots = 256 } = {}) {
  const opened: [number, XskOptions][] = [];
  const device = { queues };
  const addon = {
    sendByXsk(fd: number, options: XskOptions): void {
      if (options.queue >= device.queues) throw Object.assign(new Error(`bind: ${code}`), { code });
      opened.push([fd, options]);
    },
  };
  const log = new FakeLog();
  const senders = new XskSenders(addon, { xskSlots, sendBufferBytes: 1 << 20 }, log);
  const reasons = () => log.lines.map((line) => (JSON.parse(line.slice(line.indexOf("{"))) as Fields).reason);
  return { device, senders, opened, log, reasons, fds: () => opened.map(([fd]) => fd) };
}

interface Fields {
  readonly reason: string;
}

describe("the AF_XDP sockets of an access port", () => {
  it("are one for each worker, by a queue of its own", () => {
    const { senders, opened, log } = onDevice();
    senders.open(PORT, SPEC, [10, 11, 12], 2);
    const common = { ifindex: 3, name: "acc0", slots: 256, slotBytes: 2048, sendBufferBytes: 1 << 20 };
    expect(opened).toEqual([
      [10, { ...common, queue: 0 }],
      [11, { ...common, queue: 1 }],
    ]);
    expect(log.lines).toEqual([]);
  });

  it("become more with the workers, while those that there are stay as they are", () => {
    const { senders, fds, opened, log } = onDevice();
    senders.open(PORT, SPEC, [10, 11, 12], 1);
    senders.open(2, { ...SPEC, ifindex: 4 }, [20, 21, 22], 1);
    senders.close(2);
    senders.resize(3);
    expect(fds()).toEqual([10, 20, 11, 12]);
    // who has gone has left his queue to who comes, and nobody is without a socket of his own
    for (const workers of [1, 2, 3, 4]) senders.resize(workers);
    expect(fds()).toEqual([10, 20, 11, 12]);
    expect(opened.map(([, { queue }]) => queue)).toEqual([0, 0, 1, 2]);
    expect(log.lines).toEqual([]);
  });

  it("that were refused are asked for again, and it is said each time why there is none", () => {
    const { device, senders, fds, reasons, log } = onDevice({ queues: 1 });
    senders.open(PORT, SPEC, [10, 11], 1);
    expect(reasons()).toEqual([]);
    senders.resize(2);
    expect(log.lines).toEqual([
      'info: frames to subscribers leave by packet sockets {"interface":"acc0","workers":2,"byXsk":1,"reason":"queue 1: bind: EINVAL: the device has no queue for it"}',
    ]);
    senders.resize(1);
    device.queues = 2;
    senders.resize(2);
    expect(fds()).toEqual([10, 11]);
    expect(log.lines).toHaveLength(1);
  });

  it("have slots for whole frames under one tag, and are none where a page has no room for one", () => {
    const slotsOf = (mtuBytes: number) => {
      const { senders, opened, reasons } = onDevice();
      senders.open(PORT, { ...SPEC, mtuBytes }, [10], 1);
      return reasons()[0] ?? opened[0]![1].slotBytes;
    };
    expect(slotsOf(2030)).toBe(2048);
    expect(slotsOf(2031)).toBe(4096);
    expect(slotsOf(4078)).toBe(4096);
    expect(slotsOf(4079)).toBe("an MTU of 4079 is more than a page has room for");
  });

  it("are as many as can be had, and it is said what kept the others from it", () => {
    const { senders, fds, reasons } = onDevice({ queues: 1 });
    senders.open(PORT, SPEC, [10, 11], 2);
    expect(reasons()).toEqual(["queue 1: bind: EINVAL: the device has no queue for it"]);
    expect(fds()).toEqual([10]);
    for (const [code, meaning] of [
      ["EBUSY", "queue 0: bind: EBUSY: somebody else has an AF_XDP socket on its queue"],
      ["EAFNOSUPPORT", "queue 0: bind: EAFNOSUPPORT"],
    ] as const) {
      const refusing = onDevice({ queues: 0, code });
      refusing.senders.open(PORT, SPEC, [10], 1);
      expect(refusing.reasons()).toEqual([meaning]);
    }
  });

  it("are none where none are wanted", () => {
    const { senders, opened, reasons } = onDevice({ xskSlots: 0 });
    senders.open(PORT, SPEC, [10], 1);
    expect(reasons()).toEqual(["AF_XDP is not to be used"]);
    expect(opened).toEqual([]);
  });
});
