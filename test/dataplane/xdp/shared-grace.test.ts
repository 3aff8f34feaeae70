import { describe, expect, it } from "vitest";
import { deferred } from "../../../src/base/deferred.ts";
import { SharedGrace } from "../../../src/dataplane/xdp/shared-grace.ts";

/** A kernel whose grace periods end when it is told. */
function kernel() {
  const running: { resolve: () => void; reject: (error: Error) => void }[] = [];
  let begun = 0;
  const failures: unknown[] = [];
  const grace = new SharedGrace(
    () => {
      begun += 1;
      return new Promise<void>((resolve, reject) => running.push({ resolve, reject }));
    },
    (error) => failures.push(error),
  );
  return { grace, running, failures, begun: () => begun };
}

/** Everything that waits for nothing but its turn has had it. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("grace periods of the program", () => {
  it("are shared by all changes of one turn", async () => {
    const { grace, running, begun } = kernel();
    const passed: number[] = [];
    for (let change = 0; change < 1000; change++) grace.after(grace.ticket(), () => passed.push(change));
    await turn();
    expect(begun()).toBe(1);
    expect(passed).toEqual([]);
    running[0]!.resolve();
    await turn();
    expect(passed).toEqual(Array.from({ length: 1000 }, (_, change) => change));
    expect(begun()).toBe(1);
  });

  it("do not count for what changed after they began", async () => {
    const { grace, running, begun } = kernel();
    const first = grace.ticket();
    await turn();
    const during = [grace.ticket(), grace.ticket()];
    running[0]!.resolve();
    await turn();
    expect(grace.isOver(first)).toBe(true);
    expect(during.map((ticket) => grace.isOver(ticket))).toEqual([false, false]);
    expect(begun()).toBe(2);
    running[1]!.resolve();
    await turn();
    expect(during.map((ticket) => grace.isOver(ticket))).toEqual([true, true]);
    expect(begun()).toBe(2);
  });

  it("begin again after a while without changes", async () => {
    const { grace, running, begun } = kernel();
    for (const number of [1, 2]) {
      const passed = deferred();
      grace.after(grace.ticket(), passed.resolve);
      await turn();
      expect(begun()).toBe(number);
      running[number - 1]!.resolve();
      await passed.promise;
      await turn();
    }
  });

  it("that fail are told once, and who waits is let go when the program is taken away", async () => {
    const { grace, running, failures } = kernel();
    let passed = false;
    grace.after(grace.ticket(), () => {
      passed = true;
    });
    await turn();
    running[0]!.reject(new Error("no memory"));
    await turn();
    expect(failures).toEqual([new Error("no memory")]);
    expect(passed).toBe(false);
    grace.end();
    expect(passed).toBe(true);
    expect(grace.isOver(grace.ticket())).toBe(true);
  });
});
