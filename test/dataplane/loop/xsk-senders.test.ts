import { describe, expect, it } from "vitest";
import { openXskSenders } from "../../../src/dataplane/loop/xsk-senders.ts";
import type { XskOptions } from "../../../src/io/addon.ts";

const SPEC = { kind: "ethernet", ifindex: 3, name: "acc0", mtuBytes: 1500 } as const;
const OPTIONS = { xskSlots: 256, workers: 2, sendBufferBytes: 1 << 20 };

/** An addon that has AF_XDP sockets for so many queues, and then says `code`. */
function addonWith(queues: number, code = "EINVAL") {
  const opened: [number, XskOptions][] = [];
  const addon = {
    sendByXsk(fd: number, options: XskOptions): void {
      if (options.queue >= queues) throw Object.assign(new Error(`bind: ${code}`), { code });
      opened.push([fd, options]);
    },
  };
  return { addon, opened };
}

describe("the AF_XDP sockets of an access port", () => {
  it("are one for each worker, by a queue of its own", () => {
    const { addon, opened } = addonWith(4);
    expect(openXskSenders(addon, [10, 11, 12], SPEC, OPTIONS)).toBeUndefined();
    const common = { ifindex: 3, name: "acc0", slots: 256, slotBytes: 2048, sendBufferBytes: 1 << 20 };
    expect(opened).toEqual([
      [10, { ...common, queue: 0 }],
      [11, { ...common, queue: 1 }],
    ]);
  });

  it("have slots for whole frames under one tag, and are none where a page has no room for one", () => {
    const slotsOf = (mtuBytes: number) => {
      const { addon, opened } = addonWith(1);
      const reason = openXskSenders(addon, [10], { ...SPEC, mtuBytes }, { ...OPTIONS, workers: 1 });
      return reason ?? opened[0]![1].slotBytes;
    };
    expect(slotsOf(2030)).toBe(2048);
    expect(slotsOf(2031)).toBe(4096);
    expect(slotsOf(4078)).toBe(4096);
    expect(slotsOf(4079)).toBe("an MTU of 4079 is more than a page has room for");
  });

  it("are as many as can be had, and it is said what kept the others from it", () => {
    const { addon, opened } = addonWith(1);
    expect(openXskSenders(addon, [10, 11], SPEC, OPTIONS)).toBe(
      "queue 1: bind: EINVAL: the device has no queue for it",
    );
    expect(opened.map(([fd]) => fd)).toEqual([10]);
    for (const [code, meaning] of [
      ["EBUSY", "queue 0: bind: EBUSY: somebody else has an AF_XDP socket on its queue"],
      ["EAFNOSUPPORT", "queue 0: bind: EAFNOSUPPORT"],
    ] as const)
      expect(openXskSenders(addonWith(0, code).addon, [10], SPEC, OPTIONS)).toBe(meaning);
  });

  it("are none where none are wanted", () => {
    const { addon, opened } = addonWith(1);
    expect(openXskSenders(addon, [10], SPEC, { ...OPTIONS, xskSlots: 0 })).toBe("AF_XDP is not to be used");
    expect(opened).toEqual([]);
  });
});
