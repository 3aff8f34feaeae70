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
    await tick();
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

  it("is one for all that is changed in one go, and begins after the last of it", async () => {
    park(1, true);
    const before = Atomics.load(tables.control, EPOCH);
    for (const name of ["a", "b", "c"]) grace.after(() => done.push(name));
    // what a worker has seen by now is not the last change
    passBatch(0);
    await tick();
    expect(done).toEqual([]);
    expect(Atomics.load(tables.control, EPOCH)).toBe(before + 1);
    passBatch(0);
    grace.check();
    expect(done).toEqual(["a", "b", "c"]);
  });

  it("is another one for what is changed when it has begun", async () => {
    park(1, true);
    const first = grace.settled().then(() => done.push("a"));
    // a continuation of the same turn, behind the one in which the period begins
    await Promise.resolve();
    passBatch(0);
    const second = grace.settled().then(() => done.push("b"));
    await tick();
    grace.check();
    await first;
    expect(done).toEqual(["a"]);
    passBatch(0);
    grace.check();
    await second;
    expect(done).toEqual(["a", "b"]);
  });

  it("is said to be over once, before what waited for it", async () => {
    const told = new Grace(tables, () => done.push("over"));
    told.begins(0);
    told.after(() => done.push("a"));
    told.after(() => done.push("b"));
    await tick();
    told.check();
    expect(done).toEqual(["over", "a", "b"]);
  });

  it("survives the wrap-around of the epoch", async () => {
    Atomics.store(tables.control, EPOCH, 0x7fff_ffff);
    passBatch(0);
    passBatch(1);
    grace.after(() => done.push("a"));
    await tick();
    expect(Atomics.load(tables.control, EPOCH)).toBe(-0x8000_0000);
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
