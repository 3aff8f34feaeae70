import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes } from "../../../src/base/bytes.ts";
import {
  allocateRecordRing,
  RecordConsumer,
  RecordProducer,
} from "../../../src/dataplane/loop/record-ring.ts";

const RING_BYTES = 1024;

function makeRing() {
  let rings = 0;
  const buffer = allocateRecordRing(RING_BYTES);
  const producer = new RecordProducer(buffer, { signal: () => (rings += 1) }, 1);
  const consumer = new RecordConsumer(buffer);
  return {
    consumer,
    producer,
    rung: () => rings,
    put(kind: number, payload: Uint8Array): boolean {
      if (!producer.begin(kind, 1, 2, 3, payload.length)) return false;
      producer.payload.set(payload, producer.payloadOffset);
      producer.end();
      return true;
    },
  };
}

describe("the record ring", () => {
  it("gives records out in order and whole, whatever their sizes, and takes no more than fits", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat({ max: RING_BYTES / 2 - 40 }), fc.constant("take" as const)), {
          maxLength: 300,
        }),
        (steps) => {
          const ring = makeRing();
          const expected: { kind: number; length: number }[] = [];
          const take = () => {
            const record = ring.consumer.take();
            const next = expected.shift();
            expect(record?.kind).toBe(next?.kind);
            if (record === undefined || next === undefined) return;
            expect(record.payload).toEqual(new Uint8Array(next.length).fill(next.kind));
            expect([record.a, record.b, record.c]).toEqual([1, 2, 3]);
          };
          for (const [i, step] of steps.entries()) {
            if (step === "take") take();
            else if (ring.put(i & 0xff, new Uint8Array(step).fill(i)))
              expected.push({ kind: i & 0xff, length: step });
            else expect(expected.length).toBeGreaterThan(0);
          }
          while (expected.length > 0) take();
          expect(ring.consumer.take()).toBeUndefined();
        },
      ),
    );
  });

  it("refuses what does not fit and goes on when there is room again", () => {
    const ring = makeRing();
    let count = 0;
    while (ring.put(count, new Uint8Array(100))) count += 1;
    expect(count).toBe(Math.floor(RING_BYTES / 128));
    ring.consumer.take();
    expect(ring.put(99, new Uint8Array(100))).toBe(true);
  });

  it("hands out copies", () => {
    const ring = makeRing();
    ring.put(1, Uint8Array.of(1, 2, 3));
    const first = ring.consumer.take()!;
    for (let i = 0; i < 20; i++) {
      ring.put(2, new Uint8Array(90));
      ring.consumer.take();
    }
    expect(concatBytes(first.payload)).toEqual(Uint8Array.of(1, 2, 3));
    expect(first.payload.buffer).toBeInstanceOf(ArrayBuffer);
  });

  it("rings once until the consumer sleeps again", () => {
    const ring = makeRing();
    ring.put(1, new Uint8Array(1));
    expect(ring.rung()).toBe(0);
    ring.producer.announce();
    ring.put(2, new Uint8Array(1));
    ring.producer.announce();
    expect(ring.rung()).toBe(1);
    expect(ring.consumer.sleep()).toBe(false);
    while (ring.consumer.take() !== undefined);
    expect(ring.consumer.sleep()).toBe(true);
    ring.producer.announce();
    expect(ring.rung()).toBe(1);
    ring.put(3, new Uint8Array(1));
    ring.producer.announce();
    expect(ring.rung()).toBe(2);
  });
});
