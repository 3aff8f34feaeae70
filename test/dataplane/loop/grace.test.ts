import { beforeEach, describe, expect, it } from "vitest";
import { Grace } from "../../../src/dataplane/loop/grace.ts";
import { controlOf, EPOCH, GRACE_WANTED, PARKED, SEEN, Tables } from "../../../src/dataplane/loop/tables.ts";

const SIZES = { workers: 2, ports: 1, peers: 1, channels: 1, units: 1 };

describe("a grace period", () => {
  let tables: Tables;
  let grace: Grace;
  let done: string[];

  beforeEach(() => {
    tables = Tables.view(SIZES, Tables.allocate(SIZES));
    grace = new Grace(tables);
    for (const worker of [0, 1]) {
      grace.begins(worker);
      park(worker, false);
    }
    done = [];
  });

  const park = (worker: number, parked: boolean) =>
    Atomics.store(tables.control, controlOf(worker, PARKED), parked ? 1 : 0);
  const passBatch = (worker: number) =>
    Atomics.store(tables.control, controlOf(worker, SEEN), Atomics.load(tables.control, EPOCH));
  const tick = () => new Promise((resolve) => setImmediate(resolve));

  it("lasts until every worker has passed the end of a batch", async () => {
    grace.after(() => done.push("a"));
    await tick();
    passBatch(0);
    grace.check();
    expect(done).toEqual([]);
    passBatch(1);
    grace.check();
    expect(done).toEqual(["a"]);
  });

  it("needs a batch that ended after the change, not one that ended before", async () => {
    passBatch(0);
    passBatch(1);
    grace.after(() => done.push("a"));
    await tick();
    expect(done).toEqual([]);
  });

  it("counts a blocked worker as having passed, without a doorbell", async () => {
    park(0, true);
    park(1, true);
    grace.after(() => done.push("a"));
    expect(done).toEqual([]);
    await tick();
    expect(done).toEqual(["a"]);
    expect(Atomics.load(tables.control, GRACE_WANTED)).toBe(0);
  });

  it("waits for a worker that is awake again", async () => {
    park(0, true);
    park(1, true);
    park(1, false);
    grace.after(() => done.push("a"));
    await tick();
    expect(done).toEqual([]);
    expect(Atomics.load(tables.control, GRACE_WANTED)).toBe(1);
  });

  it("ends in the order of the changes, each with its own batch", async () => {
    park(1, true);
    grace.after(() => done.push("a"));
    const first = Atomics.load(tables.control, EPOCH);
    grace.after(() => done.push("b"));
    await tick();
    Atomics.store(tables.control, controlOf(0, SEEN), first);
    grace.check();
    expect(done).toEqual(["a"]);
    passBatch(0);
    grace.check();
    expect(done).toEqual(["a", "b"]);
  });

  it("survives the wrap-around of the epoch", async () => {
    Atomics.store(tables.control, EPOCH, 0x7fff_ffff);
    passBatch(0);
    passBatch(1);
    grace.after(() => done.push("a"));
    await tick();
    expect(done).toEqual([]);
    passBatch(0);
    passBatch(1);
    grace.check();
    expect(done).toEqual(["a"]);
  });

  it("does not wait for a worker that has not blocked yet: it has read no table", async () => {
    park(0, true);
    grace.ended(1);
    grace.begins(1);
    grace.after(() => done.push("a"));
    await tick();
    expect(done).toEqual(["a"]);
    park(1, false);
    grace.after(() => done.push("b"));
    await tick();
    expect(done).toEqual(["a"]);
  });

  it("does not wait for a worker that has ended", async () => {
    park(0, true);
    grace.after(() => done.push("a"));
    await tick();
    grace.ended(1);
    expect(done).toEqual(["a"]);
  });
});
