import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KIND, Ring } from "../../src/journal/ring.ts";

const RING_BYTES = 65_536;

function fill(ring: Ring, number: number, body: Uint8Array): void {
  const at = ring.begin(KIND.note, 0, number, 1000 + number, body.length);
  ring.octets.set(body, at);
  ring.setSession(at, number);
}

function read(ring: Ring, from = 0, limit = Number.POSITIVE_INFINITY) {
  const found: { number: number; body: Uint8Array }[] = [];
  const next = ring.scan(from, limit, (at) => {
    found.push({ number: ring.number(at), body: ring.octets.slice(at, at + ring.bodyBytes(at)) });
  });
  return { found, next };
}

describe("a ring of records", () => {
  it("gives back what was written last, whole and in order, whatever the sizes", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3000), { minLength: 1, maxLength: 300 }), (sizes) => {
        const ring = new Ring(RING_BYTES);
        const bodies = sizes.map((size, i) => new Uint8Array(size).fill(i));
        for (const [i, body] of bodies.entries()) fill(ring, i, body);
        const { found } = read(ring);
        expect(found.length).toBe(ring.records);
        expect(found).toEqual(
          bodies.slice(-found.length).map((body, i) => ({ number: bodies.length - found.length + i, body })),
        );
        const total = sizes.reduce((sum, size) => sum + size + 40, 0);
        if (total < RING_BYTES) expect(found.length).toBe(sizes.length);
        // what is lost for the sake of the largest record is no more than one of it, twice
        else expect(ring.usedBytes).toBeGreaterThan(RING_BYTES - 2 * 3072);
      }),
      { numRuns: 30 },
    );
  });

  it("keeps every field of a record apart", () => {
    const ring = new Ring(RING_BYTES);
    const at = ring.begin(KIND.ppp, 3, 0xffffffff, 1_700_000_000_000.25, 5);
    ring.setSession(at, 0xfffffffe);
    ring.setTunnel(at, 0xffff, 0xfffe);
    ring.setMac(at, 0xfdfcfbfa, 0xf9f8);
    ring.begin(KIND.note, 0, 1, 2, 0);
    const fields = [ring.kind(at), ring.flags(at), ring.number(at), ring.time(at), ring.bodyBytes(at)];
    expect(fields).toEqual([KIND.ppp, 3, 0xffffffff, 1_700_000_000_000.25, 5]);
    expect([ring.session(at), ring.tunnel(at), ring.within(at)]).toEqual([0xfffffffe, 0xffff, 0xfffe]);
    expect([ring.macHigh(at), ring.macLow(at)]).toEqual([0xfdfcfbfa, 0xf9f8]);
  });

  it("is read in parts, and goes on with the oldest when what was next is gone", () => {
    const ring = new Ring(RING_BYTES);
    for (let i = 0; i < 100; i++) fill(ring, i, new Uint8Array(20));
    const first = read(ring, ring.oldest, 10);
    expect(first.found.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(read(ring, first.next).found[0]?.number).toBe(10);
    for (let i = 100; i < 3000; i++) fill(ring, i, new Uint8Array(20));
    const later = read(ring, first.next).found;
    expect(later[0]?.number).toBe(3000 - ring.records);
    expect(later.at(-1)?.number).toBe(2999);
  });

  it("is empty at first", () => {
    const ring = new Ring(0);
    expect([ring.records, ring.usedBytes, ring.sizeBytes]).toEqual([0, 0, RING_BYTES]);
    expect(read(ring)).toEqual({ found: [], next: undefined });
  });
});
