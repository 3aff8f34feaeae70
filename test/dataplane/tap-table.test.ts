import { expect, it } from "vitest";
import { TAPPED_FRAME_COST_BYTES as COST } from "../../src/channel/dataplane.ts";
import { TapTable } from "../../src/dataplane/tap-table.ts";

const CHANNEL = 5;
const SLOT = 3;

/** Two threads that count for themselves, and what a second is worth. */
function openTable(octetsPerSecond: number, nowMs: number): readonly [TapTable, TapTable] {
  const shared = TapTable.allocate(2);
  const threads = [new TapTable(shared, 0), new TapTable(shared, 1)] as const;
  threads[1].open(SLOT, CHANNEL, { snapBytes: 100, octetsPerSecond }, nowMs, 0);
  return threads;
}

it("one bucket of a second's worth is all threads', and the last frame overdraws it", () => {
  const rate = 10 * (COST + 99) + 10;
  const [a, b] = openTable(rate, 0);
  expect(a.slotOf(CHANNEL)).toBe(SLOT);
  const kept = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? a : b).keep(SLOT, 99, 0));
  expect(kept).toEqual([...Array.from({ length: 11 }, () => 99), 0]);
  expect(a.totals(SLOT)).toEqual({ frames: 11, passedOver: 1 });
  // what the eleventh was beyond the rate has to come in, and one octet more for a frame
  const short = (1000 * (COST + 99 - 10)) / rate;
  expect(b.keep(SLOT, 50, Math.floor(short))).toBe(0);
  expect(a.keep(SLOT, 50, Math.ceil(short) + 64)).toBe(50);
});

it("the bucket holds no more than a second's worth however long nothing comes, over the end of the clock, too", () => {
  const wrap = 2 ** 31 - 500;
  const [a] = openTable(10 * (COST + 100), wrap);
  for (let i = 0; i < 11; i++) a.keep(SLOT, 100, wrap);
  const later = wrap + 60_000;
  let kept = 0;
  while (a.keep(SLOT, 100, later) > 0) kept += 100;
  expect(kept).toBe(1000);
});

it("of what comes in slowly hardly anything is lost", () => {
  const [a] = openTable(10 * (COST + 10), 0);
  let kept = 0;
  const seconds = 100;
  for (let now = 0; now < 1000 * seconds; now += 7) kept += a.keep(SLOT, 10, now);
  expect(kept).toBeGreaterThan(97 * seconds);
  expect(kept).toBeLessThan(102 * seconds);
});

it("what had no room in the end was passed over", () => {
  const [a] = openTable(1000, 0);
  a.keep(SLOT, 10, 0);
  a.missed(SLOT);
  expect(a.totals(SLOT)).toEqual({ frames: 0, passedOver: 1 });
});

it("times are the clock's, since 1970", () => {
  const shared = TapTable.allocate(1);
  const table = new TapTable(shared, 0);
  table.open(SLOT, CHANNEL, { snapBytes: 100, octetsPerSecond: 1000 }, 12.25, 1_700_000_000_000_000.5);
  expect(table.timeUs(SLOT, 12.25)).toBe(1_700_000_000_012_250);
});
