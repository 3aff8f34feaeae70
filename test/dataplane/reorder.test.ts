import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeU16 } from "../../src/base/bytes.ts";
import { DELIVER, HELD, LATE, limitsOf, PROGRESS_STRIDE, Reorder } from "../../src/dataplane/reorder.ts";

const CHANNEL = 3;
const OTHER = 4;
const HEADROOM = 16;

function makeReorder({
  frames = 4,
  timeMs = 100,
  slots = 8,
  slotBytes = 64,
  serial = new Int32Array(10).fill(1),
  progress = new Int32Array(10 * PROGRESS_STRIDE),
} = {}) {
  const pool = new Uint8Array(slots * slotBytes);
  const limits = new Int32Array(10).fill(limitsOf({ frames, timeMs }));
  const out: string[] = [];
  let now = 1000;
  let stale = 0;
  const name = (channel: number, ns: number) => (channel === CHANNEL ? `${ns}` : `${channel}:${ns}`);
  const sink = {
    deliver(channel: number, offset: number, length: number) {
      expect((offset - HEADROOM) % slotBytes).toBe(0);
      out.push(name(channel, (pool[offset]! << 8) | pool[offset + 1]!));
      expect(length).toBe(2);
    },
    stale() {
      stale += 1;
    },
  };
  const table = {
    serial,
    limits,
    progress,
    peers: 9,
    peerOf: (channel: number) => (channel === OTHER ? 2 : 1),
  };
  const reorder = new Reorder(
    table,
    { bytes: pool, offset: 0, slots, slotBytes, headroomBytes: HEADROOM },
    sink,
    9,
    () => now,
  );
  const verdicts: number[] = [];
  const receive = (ns: number, channel = CHANNEL, length = 2) => {
    const bytes = new Uint8Array(length);
    writeU16(bytes, 0, ns);
    const verdict = reorder.arrive(channel, ns, bytes, 0, length);
    verdicts.push(verdict);
    if (verdict === DELIVER) {
      out.push(name(channel, ns));
      reorder.arrived(channel);
    }
    reorder.release();
  };
  return {
    reorder,
    out,
    verdicts,
    serial,
    progress,
    receive,
    stale: () => stale,
    pass(ms: number) {
      now += ms;
      reorder.expire();
      reorder.release();
    },
    now: () => now,
  };
}

describe("messages with sequence numbers", () => {
  it("pass in order, from 0 on, through the wrap", () => {
    const { receive, out } = makeReorder();
    const all = Array.from({ length: 0x10000 + 3 }, (_, i) => i & 0xffff);
    for (const ns of all) receive(ns);
    expect(out).toEqual(all.map(String));
  });

  it("wait for the ones before them, and follow these at once", () => {
    const { receive, out, reorder } = makeReorder();
    for (const ns of [0, 2, 4, 3]) receive(ns);
    expect(out).toEqual(["0"]);
    receive(1);
    expect(out).toEqual(["0", "1", "2", "3", "4"]);
    expect(reorder.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it("are dropped when they are duplicates, of what has passed or of what waits", () => {
    const { receive, out, verdicts } = makeReorder();
    for (const ns of [0, 0, 2, 2, 3, 2, 1]) receive(ns);
    expect(out).toEqual(["0", "1", "2", "3"]);
    expect(verdicts).toEqual([DELIVER, LATE, HELD, LATE, HELD, LATE, DELIVER]);
  });

  it("wait no longer than their time, however many gaps are behind one another", () => {
    const { receive, out, pass, reorder, now } = makeReorder();
    receive(0);
    receive(2);
    pass(60);
    receive(4);
    expect(reorder.deadline - now()).toBe(40);
    pass(39);
    expect(out).toEqual(["0"]);
    pass(1);
    expect(out).toEqual(["0", "2"]);
    expect(reorder.deadline - now()).toBe(60);
    pass(60);
    expect(out).toEqual(["0", "2", "4"]);
    expect(reorder.deadline).toBe(Number.POSITIVE_INFINITY);
    receive(1);
    receive(5);
    expect(out).toEqual(["0", "2", "4", "5"]);
  });

  it("give up what is missing when one comes that is too far ahead", () => {
    const { receive, out, verdicts } = makeReorder({ frames: 4 });
    for (const ns of [1, 3, 4]) receive(ns);
    expect(out).toEqual([]);
    receive(5);
    expect(out).toEqual(["1"]);
    receive(0x4000);
    expect(out).toEqual(["1", "3", "4", "5"]);
    for (const ns of [0x3ffc, 0x3ffd, 0x3ffe, 0x3fff]) receive(ns);
    expect(out.slice(4)).toEqual([0x3ffc, 0x3ffd, 0x3ffe, 0x3fff, 0x4000].map(String));
    expect(verdicts.includes(LATE)).toBe(false);
  });

  it("never wait in a window of none", () => {
    const { receive, out, reorder } = makeReorder({ frames: 0 });
    for (const ns of [0, 2, 1, 5]) receive(ns);
    expect(out).toEqual(["0", "2", "5"]);
    expect(reorder.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it("go on at once when there is no room for them to wait", () => {
    const { receive, out } = makeReorder({ frames: 100, slots: 2 });
    for (const ns of [1, 2, 3]) receive(ns);
    expect(out).toEqual(["1", "2", "3"]);
    receive(5, CHANNEL, 64 - HEADROOM + 1);
    expect(out).toEqual(["1", "2", "3", "5"]);
    receive(7);
    receive(1, OTHER);
    receive(3, OTHER);
    expect(out.slice(4)).toEqual(["4:1", "4:3"]);
    for (const ns of [8, 8, 6]) receive(ns);
    expect(out.slice(6)).toEqual(["7", "8"]);
  });

  it("find room to wait, whatever another peer leaves out", () => {
    const { receive, out, verdicts } = makeReorder({ frames: 100, slots: 8 });
    for (const channel of [1, 2, 3]) for (let ns = 1; ns < 100; ns += 2) receive(ns, channel);
    out.length = 0;
    verdicts.length = 0;
    for (const ns of [1, 2, 0]) receive(ns, OTHER);
    expect(out).toEqual(["4:0", "4:1", "4:2"]);
    expect(verdicts).toEqual([HELD, HELD, DELIVER]);
  });

  it("are taken from a peer that counts from somewhere else, once it is clear that it does", () => {
    const { receive, out } = makeReorder();
    for (let ns = 0; ns < 300; ns++) receive(ns);
    receive(301);
    out.length = 0;
    for (const ns of [0, 1, 2, 3, 4]) receive(ns);
    expect(out).toEqual(["301", "3", "4"]);
  });

  it("are not taken for a restart when many are late together", () => {
    const { receive, out } = makeReorder({ frames: 0 });
    receive(250);
    for (let ns = 0; ns < 252; ns++) receive(ns);
    expect(out).toEqual(["250", "251"]);
  });

  it("are not taken for a restart when they are late one by one", () => {
    const { receive, out } = makeReorder();
    for (const ns of [0, 1, 2, 3, 4, 5]) receive(ns);
    for (const ns of [0, 6, 1, 7, 2, 8, 3, 9]) receive(ns);
    for (const ns of [3, 3, 3, 3]) receive(ns);
    expect(out.at(-1)).toBe("9");
    expect(out).toHaveLength(10);
  });

  it("of a channel that has gone are dropped, and its successor begins anew", () => {
    const { receive, out, serial, pass, stale } = makeReorder();
    for (const ns of [0, 1, 3, 4]) receive(ns);
    serial[CHANNEL]! += 1;
    for (const ns of [0, 2, 1]) receive(ns);
    pass(100);
    expect(out).toEqual(["0", "1", "0", "1", "2"]);
    expect(stale()).toBe(2);
  });

  it("of one channel do not wait for another's", () => {
    const { receive, out, pass } = makeReorder();
    receive(1);
    receive(0, OTHER);
    receive(2, OTHER);
    pass(50);
    receive(1, OTHER);
    pass(50);
    expect(out).toEqual(["4:0", "4:1", "4:2", "1"]);
  });

  it("come out in order, once, within the window and the time, whatever the network does", () => {
    const step = fc.record({
      jitter: fc.integer({ min: 0, max: 12 }),
      lost: fc.boolean().chain((a) => fc.boolean().map((b) => a && b)),
      twice: fc.boolean(),
      pass: fc.integer({ min: 0, max: 30 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0xffb0, max: 0x10010 }),
        (steps, frames, slots, first) => {
          const { receive, out, pass, reorder, now } = makeReorder({ frames, slots, timeMs: 50 });
          // leaps to where it begins
          for (const ns of [0x4000, 0x9000, first - 1]) {
            receive(ns & 0xffff);
            pass(50);
          }
          out.length = 0;
          const sent = steps
            .flatMap(({ jitter, lost, twice }, i) => [
              ...(lost ? [] : [{ i, at: i + jitter }]),
              ...(twice ? [{ i, at: i + jitter / 2 }] : []),
            ])
            .sort((a, b) => a.at - b.at);
          for (const [order, { i }] of sent.entries()) {
            receive((first + i) & 0xffff);
            pass(steps[order % steps.length]!.pass);
            expect(reorder.deadline === Number.POSITIVE_INFINITY || reorder.deadline > now()).toBe(true);
          }
          pass(50);
          expect(reorder.deadline).toBe(Number.POSITIVE_INFINITY);
          const numbers = out.map((text) => (Number(text) - first) & 0xffff);
          expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
          // what came in order and without loss is all there
          const inOrder = sent.every(({ i }, order) => order === 0 || i >= sent[order - 1]!.i);
          if (inOrder) expect(new Set(numbers)).toEqual(new Set(sent.map(({ i }) => i)));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("have bounds on their bounds", () => {
    const refusal = expect.objectContaining({ code: "bad-spec" });
    for (const bad of [
      { frames: -1, timeMs: 100 },
      { frames: 1025, timeMs: 100 },
      { frames: 32, timeMs: 0 },
      { frames: 32, timeMs: 10_001 },
      { frames: 1.5, timeMs: 100 },
    ])
      expect(() => limitsOf(bad)).toThrow(refusal);
  });

  it("go on in another's hands as if nothing had happened", () => {
    const first = makeReorder();
    first.reorder.source = 7;
    for (const ns of [0, 1, 4, 3]) first.receive(ns);
    first.reorder.source = 8;
    for (const ns of [0, 2]) first.receive(ns, OTHER);
    const second = makeReorder(first);
    second.reorder.putBack(7, first.reorder.takeOut(7));
    second.receive(2);
    second.receive(5);
    expect(first.out).toEqual(["0", "1", `${OTHER}:0`]);
    expect(second.out).toEqual(["2", "3", "4", "5"]);
    // what came from elsewhere stays, and follows
    first.receive(1, OTHER);
    expect(first.out.slice(-2)).toEqual([`${OTHER}:1`, `${OTHER}:2`]);
    expect(first.reorder.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  it("wait no longer for being moved, and are dropped when their channel is gone or there is no room", () => {
    const first = makeReorder();
    for (const ns of [0, 2]) first.receive(ns);
    first.receive(1, OTHER);
    first.pass(60);
    const messages = first.reorder.takeOut(0);
    first.serial[OTHER] = 2;
    const second = makeReorder(first);
    second.reorder.putBack(0, messages);
    expect(second.stale()).toBe(1);
    second.pass(39);
    expect(second.out).toEqual([]);
    second.pass(1);
    expect(second.out).toEqual(["2"]);
    const full = makeReorder({ ...first, slots: 0 });
    full.reorder.putBack(0, messages);
    expect(full.stale()).toBe(2);
  });

  it("survive any number of moves in the middle of anything", () => {
    const arrival = fc.record({ ns: fc.integer({ min: 0, max: 20 }), moves: fc.boolean() });
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 60 }), (arrivals) => {
        const alone = makeReorder();
        const out: string[] = [];
        let one = makeReorder();
        for (const { ns, moves } of arrivals) {
          alone.receive(ns);
          one.receive(ns);
          if (!moves) continue;
          const next = makeReorder(one);
          next.reorder.putBack(0, one.reorder.takeOut(0));
          out.push(...one.out);
          one = next;
        }
        expect([...out, ...one.out]).toEqual(alone.out);
      }),
    );
  });
});
