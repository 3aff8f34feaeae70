import { describe, expect, it } from "vitest";
import { Scheduler } from "../../src/base/scheduler.ts";
import { NEVER } from "../../src/base/time.ts";

/** A scheduler and when its alarm was armed for. */
function scheduler(): { readonly it: Scheduler; readonly armed: number[] } {
  const armed: number[] = [];
  return { it: new Scheduler({ arm: (at) => armed.push(at) }), armed };
}

describe("the scheduler", () => {
  it("arms its one alarm for the earliest deadline, and again only for an earlier one", () => {
    const { it: s, armed } = scheduler();
    s.update({ deadline: () => 20, timeout() {} });
    s.update({ deadline: () => 30, timeout() {} });
    const early = { deadline: () => 10, timeout() {} };
    s.update(early);
    s.remove(early);
    expect(armed).toEqual([20, 10]);
  });

  it("arms its alarm again when it was woken too early", () => {
    const { it: s, armed } = scheduler();
    s.update({ deadline: () => 20, timeout() {} });
    const early = { deadline: () => 10, timeout() {} };
    s.update(early);
    s.remove(early);
    s.run(10);
    expect(armed).toEqual([20, 10, 20]);
  });

  it("asks for no wake-up when nothing waits", () => {
    const { it: s, armed } = scheduler();
    const only = { deadline: () => 20, timeout() {} };
    s.update(only);
    s.remove(only);
    s.run(20);
    expect(armed).toEqual([20]);
  });

  it("lets those act whose time has come, once each, and those again that ask for it", () => {
    const { it: s } = scheduler();
    const acted: string[] = [];
    s.update({ deadline: () => 5, timeout: () => acted.push("once") });
    let next = 6;
    const again = {
      deadline: () => next,
      timeout: () => {
        acted.push(`again at ${next}`);
        next += 2;
        s.update(again);
      },
    };
    s.update(again);
    s.run(8);
    expect(acted).toEqual(["once", "again at 6", "again at 8"]);
    expect(s.next()).toBe(10);
  });

  it("does not wake for what was removed by somebody else's timeout", () => {
    const { it: s } = scheduler();
    const acted: string[] = [];
    const victim = { deadline: () => 6, timeout: () => acted.push("victim") };
    s.update(victim);
    s.update({ deadline: () => 5, timeout: () => s.remove(victim) });
    s.run(10);
    expect(acted).toEqual([]);
    expect(s.next()).toBe(NEVER);
  });
});
