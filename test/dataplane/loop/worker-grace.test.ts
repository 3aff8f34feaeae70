import { beforeEach, describe, expect, it } from "vitest";
import { Grace } from "../../../src/dataplane/loop/grace.ts";
import { controlOf, PARKED, Tables } from "../../../src/dataplane/loop/tables.ts";
import { WorkerGrace } from "../../../src/dataplane/loop/worker-grace.ts";

const SIZES = { workers: 1, ports: 1, peers: 1, channels: 1, units: 1 };
/** Longer than a busy worker keeps a ring to itself. */
const LONG_MS = 10;

describe("a worker's end of grace periods", () => {
  let grace: Grace;
  let worker: WorkerGrace;
  let now: number;
  let rings: number;
  let done: string[];

  beforeEach(() => {
    const tables = Tables.view(SIZES, Tables.allocate(SIZES));
    grace = new Grace(tables);
    grace.begins(0);
    now = 1000;
    rings = 0;
    worker = new WorkerGrace(
      tables.control,
      0,
      () => rings++,
      () => now,
    );
    worker.wake();
    done = [];
    expect(Atomics.load(tables.control, controlOf(0, PARKED))).toBe(0);
  });

  /** A change, and the end of the control plane's turn. */
  const change = async (name: string) => {
    grace.after(() => done.push(name));
    await Promise.resolve();
  };
  const hear = () => {
    if (rings === 0) return;
    rings = 0;
    grace.check();
  };

  it("rings at the end of the batch in which a change came, once", async () => {
    await change("a");
    worker.boundary();
    worker.boundary();
    expect(rings).toBe(1);
    hear();
    expect(done).toEqual(["a"]);
  });

  it("does not ring when nobody waits", async () => {
    worker.park();
    await change("a");
    expect(done).toEqual(["a"]);
    worker.wake();
    worker.boundary();
    worker.park();
    expect(rings).toBe(0);
  });

  it("rings seldom while it is busy, and for what came meanwhile in the end", async () => {
    await change("a");
    worker.boundary();
    hear();
    await change("b");
    for (let batch = 0; batch < 10; batch++) worker.boundary();
    expect(rings).toBe(0);
    now += LONG_MS;
    worker.boundary();
    expect(rings).toBe(1);
    hear();
    expect(done).toEqual(["a", "b"]);
  });

  it("keeps nobody waiting who finds out by himself", async () => {
    await change("a");
    worker.boundary();
    hear();
    await change("b");
    worker.boundary();
    await change("c");
    expect(done).toEqual(["a", "b"]);
    worker.boundary();
    grace.check();
    expect(done).toEqual(["a", "b", "c"]);
    now += LONG_MS;
    worker.boundary();
    expect(rings).toBe(0);
  });

  it("rings before it blocks for what it has not rung for", async () => {
    await change("a");
    worker.boundary();
    hear();
    await change("b");
    worker.boundary();
    expect(rings).toBe(0);
    worker.park();
    expect(rings).toBe(1);
    hear();
    expect(done).toEqual(["a", "b"]);
  });

  it("rings before it blocks for what came since its last batch", async () => {
    worker.boundary();
    await change("a");
    expect(done).toEqual([]);
    worker.park();
    expect(rings).toBe(1);
    hear();
    expect(done).toEqual(["a"]);
  });

  it("blocks without another ring when it has rung", async () => {
    await change("a");
    worker.boundary();
    worker.park();
    expect(rings).toBe(1);
  });
});
