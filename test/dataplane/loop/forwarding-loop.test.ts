import { MessageChannel } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { ForwardingLoop } from "../../../src/dataplane/loop/forwarding-loop.ts";
import { Grace } from "../../../src/dataplane/loop/grace.ts";
import type { LaneCommand, Reply } from "../../../src/dataplane/loop/messages.ts";
import { DEFAULT_LOOP_OPTIONS } from "../../../src/dataplane/loop/options.ts";
import { allocateRecordRing } from "../../../src/dataplane/loop/record-ring.ts";
import { TableWriter } from "../../../src/dataplane/loop/table-writer.ts";
import {
  COMMANDS,
  controlOf,
  EPOCH,
  GRACE_WANTED,
  laneOfPort,
  PARKED,
  SEEN,
  Tables,
} from "../../../src/dataplane/loop/tables.ts";
import { TapTable } from "../../../src/dataplane/tap-table.ts";
import { type Addon, RX_LENGTH, RX_OFFSET, RX_STRIDE } from "../../../src/io/addon.ts";
import { numberedFrame, pppoeFrame } from "../frames.ts";
import { MemoryRegion } from "./worker-parts.ts";

const SIZES = { workers: 1, ports: 2, peers: 4, channels: 4, units: 1 };
const OURS = Uint8Array.of(2, 0, 0, 0, 0, 1);
const THEIRS = Uint8Array.of(2, 0, 0, 0, 0, 2);
const DOORBELL = 77;
const PORT = 1;
const ACCESS_LANE = 11;
const UNIT = { medium: "unit", unit: 1, number: 12, fd: 8 } as const;
const UDP = { medium: "udp", port: 2, number: 13, fd: 7 } as const;

/**
 * A loop whose poller and receiver are the test's: run() returns when the test has told it to stop. Two PPPoE
 * sessions are bridged, so that every frame of session 1 is sent on.
 */
function makeLoop(script: {
  /** Whether there is a frame now; a negative errno when the device is gone. */
  readonly receive: () => boolean | number;
  /** Whether the lane is ready. */
  readonly wait?: () => boolean;
  readonly send?: () => void;
  /** What is ready; the access port when absent. */
  readonly lane?: number;
  /** Of a call that may receive so many: how many datagrams there are, and of how many frames each. */
  readonly datagrams?: (most: number) => readonly [count: number, frames: number];
}) {
  const tables = Tables.view(SIZES, Tables.allocate(SIZES));
  const { control } = tables;
  const writer = new TableWriter(tables, new Grace(tables));
  const port = { kind: "ethernet", ifindex: 1, name: "acc0", mtuBytes: 1500 } as const;
  writer.setPeer(1, { kind: "ethernet", port: PORT, remoteMac: THEIRS, localMac: OURS, tags: [] }, port);
  for (const channel of [1, 2])
    writer.addChannel(channel, { kind: "pppoe", peer: 1, sessionId: channel }, PORT);
  writer.bridge(1, 2);

  const rings: number[] = [];
  const calls: string[] = [];
  const overflowsAsked: string[] = [];
  const frame = pppoeFrame(OURS, THEIRS, 1, numberedFrame(1, 1));
  class ScriptedRegion extends MemoryRegion {
    override sendPacket(fd: number, descriptors: Int32Array, count: number): number {
      calls.push("send");
      script.send?.();
      return super.sendPacket(fd, descriptors, count);
    }
    udpReceiver() {
      const at = this.allocate(4096);
      return {
        receive: (descriptors: Int32Array, most: number) => {
          const [count, frames] = script.datagrams?.(most) ?? [0, 0];
          // of one octet each, which is no message
          for (let i = 0; i < count; i++) descriptors.set([at, frames, 1, at], i * RX_STRIDE);
          return count;
        },
        release: () => {},
        overflows: () => 0,
        close() {},
      };
    }
    tunReceiver() {
      return this.packetReceiver(undefined, undefined, "unit");
    }
    packetReceiver(_fd?: unknown, _options?: unknown, of = "access port") {
      const at = this.allocate(4096) + 256;
      return {
        receive: (descriptors: Int32Array) => {
          const has = script.receive();
          if (typeof has === "number" || !has) return Number(has);
          calls.push("receive");
          this.bytes.set(frame, at);
          descriptors[RX_OFFSET] = at;
          descriptors[RX_LENGTH] = frame.length;
          return 1;
        },
        release: () => calls.push("release"),
        overflows: () => {
          overflowsAsked.push(of);
          return 0;
        },
        close() {},
      };
    }
  }
  const addon = {
    createRegion: () => new ScriptedRegion(),
    createPoller: () => ({
      wakeFd: 5,
      add() {},
      remove: (fd: number) => calls.push(`unpoll ${fd}`),
      wait: (_timeout: number, ready: Int32Array) => {
        if (!(script.wait?.() ?? true)) return 0;
        ready.set([script.lane ?? ACCESS_LANE, 1]);
        return 1;
      },
      close() {},
    }),
    signal: (fd: number) => rings.push(fd),
  } as unknown as Addon;

  const { port1, port2 } = new MessageChannel();
  const replies: Reply[] = [];
  const command = (message: LaneCommand & { id: number }) => {
    port1.postMessage(message);
    Atomics.store(control, controlOf(0, COMMANDS), 1);
  };
  const options = { ...DEFAULT_LOOP_OPTIONS, udpSlots: 1, reorderFrames: 1 };
  const setup = {
    index: 0,
    sizes: SIZES,
    tables: tables.control.buffer as SharedArrayBuffer,
    puntRing: allocateRecordRing(4096),
    taps: TapTable.allocate(2),
    tapRing: allocateRecordRing(4096),
    doorbell: DOORBELL,
    wakeFd: 5,
    options,
  };
  const loop = new ForwardingLoop(addon, setup, port2, (reply) => replies.push(reply));
  const packet = { ifindex: 1, name: "acc0", filter: new Uint8Array(8), ringSlots: 2, slotBytes: 2048 };
  command({ kind: "open-outlet", id: 1, outlet: { kind: "packet", lane: laneOfPort(PORT) }, fd: 9 });
  const options9 = {
    ...packet,
    headroomBytes: 16,
    sendBufferBytes: 1,
    bypassQdisc: true,
    promiscuous: false,
  };
  const access = { medium: "ethernet", port: PORT, packet: options9, number: ACCESS_LANE, fd: 9 } as const;
  command({ kind: "adopt", id: 3, lane: access, waiting: [] });
  command({ kind: "adopt", id: 4, lane: UNIT, waiting: [] });
  command({ kind: "adopt", id: 5, lane: UDP, waiting: [] });
  return {
    control,
    rings,
    calls,
    overflowsAsked,
    replies,
    command,
    drops: () => tables.drops[0]!.reduce((sum, count) => sum + count, 0),
    run: () => {
      loop.run();
      port1.close();
    },
    stop: () => command({ kind: "stop", id: 2 }),
    entry: (which: number) => Atomics.load(control, controlOf(0, which)),
    epoch: () => Atomics.load(control, EPOCH),
    change(): void {
      Atomics.add(control, EPOCH, 1);
      Atomics.store(control, GRACE_WANTED, 1);
    },
  };
}

describe("the loop of a forwarding thread", () => {
  it("has seen a change at the end of the batch in which it came, with everything sent, though it never blocks", () => {
    let batches = 0;
    const faults: string[] = [];
    const loop = makeLoop({
      receive() {
        if (loop.entry(SEEN) !== loop.epoch()) faults.push(`batch ${batches} ended without it`);
        batches += 1;
        if (batches === 20) loop.stop();
        loop.change();
        return true;
      },
      send() {
        if (loop.entry(SEEN) === loop.epoch()) faults.push(`batch ${batches} was not sent before`);
      },
    });
    loop.run();
    expect(faults).toEqual([]);
    expect(batches).toBeGreaterThanOrEqual(20);
    expect(loop.rings).toContain(DOORBELL);
    expect(loop.calls.slice(0, 6)).toEqual(["receive", "send", "release", "receive", "send", "release"]);
    expect(loop.replies.at(-1)).toEqual({ kind: "done", id: 2 });
  });

  it("receives more datagrams with one call when they are of few frames, and no more frames than a turn has", () => {
    const asked: number[] = [];
    const loop = makeLoop({
      receive: () => false,
      lane: UDP.number,
      datagrams(most) {
        asked.push(most);
        if (asked.length === 5) loop.stop();
        if (asked.length > 4) return [0, 0];
        return [4, [1, 32, 64, 1][asked.length - 1]!];
      },
    });
    loop.run();
    expect(asked.slice(0, 5)).toEqual([16, 64, 32, 16, 64]);
  });

  it("counts as having seen everything while it blocks, and never while it works", () => {
    let waits = 0;
    const faults: string[] = [];
    let ready = false;
    const loop = makeLoop({
      receive() {
        if (loop.entry(PARKED) !== 0) faults.push("parked while receiving");
        const has = ready;
        ready = false;
        return has;
      },
      send() {
        if (loop.entry(PARKED) !== 0) faults.push("parked while sending");
      },
      wait() {
        waits += 1;
        if (loop.entry(PARKED) !== 1) faults.push("not parked while blocked");
        if (waits === 10) loop.stop();
        ready = true;
        return waits > 1;
      },
    });
    loop.run();
    expect(faults).toEqual([]);
    expect(loop.calls.filter((call) => call === "send").length).toBeGreaterThanOrEqual(8);
  });

  it("asks what the kernel dropped when traffic has stopped, but not units, which there may be thousands of", () => {
    let waits = 0;
    let frames = 1;
    const loop = makeLoop({
      receive: () => frames-- > 0,
      wait() {
        waits += 1;
        if (waits === 4) loop.stop();
        return waits === 2;
      },
    });
    loop.run();
    expect(loop.overflowsAsked).toEqual(["access port"]);
  });

  it("turns away from a unit whose device is gone, and says so once", () => {
    let waits = 0;
    const loop = makeLoop({
      lane: UNIT.number,
      receive: () => -77,
      wait() {
        waits += 1;
        if (waits === 3) loop.stop();
        return waits === 2;
      },
    });
    loop.run();
    expect(loop.calls.filter((call) => call !== "release")).toEqual(["unpoll 8"]);
    const failures = loop.replies.filter(({ kind }) => kind === "lane-failed");
    expect(failures).toEqual([{ kind: "lane-failed", source: UNIT, errno: 77 }]);
  });

  it("rings when it blocks and somebody waits for it", () => {
    let waits = 0;
    const loop = makeLoop({
      receive: () => false,
      wait() {
        waits += 1;
        if (waits === 1) loop.change();
        if (waits === 2) loop.stop();
        return false;
      },
    });
    loop.run();
    expect(loop.rings).toContain(DOORBELL);
  });

  it("lets go of a lane between two batches, and asks it no more", () => {
    let batches = 0;
    let waits = 0;
    const loop = makeLoop({
      receive() {
        batches += 1;
        if (batches === 3) loop.command({ kind: "release", id: 5, lane: ACCESS_LANE });
        return true;
      },
      wait() {
        waits += 1;
        if (waits === 3) loop.stop();
        return true;
      },
    });
    loop.run();
    const last = loop.calls.indexOf("unpoll 9");
    expect(loop.calls.slice(last - 3, last)).toEqual(["receive", "send", "release"]);
    expect(loop.calls.slice(last)).not.toContain("receive");
    expect(loop.replies).toContainEqual({ kind: "done", id: 5 });
    // as when traffic stops
    expect(loop.overflowsAsked).toEqual(["access port"]);
  });

  it("gives back and counts what it had in hand when it ends by a bug", () => {
    const loop = makeLoop({
      receive: () => true,
      send() {
        throw new Error("a bug");
      },
    });
    expect(() => loop.run()).toThrow("a bug");
    expect(loop.calls.slice(0, 3)).toEqual(["receive", "send", "release"]);
    expect(loop.drops()).toBe(1);
  });
});
