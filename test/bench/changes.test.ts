import { describe, expect, it } from "vitest";
import { Changes } from "../../bench/changes.ts";
import { alternate } from "../../bench/slices.ts";
import { eventually } from "../support/eventually.ts";

/** Bridges complete when they are told to. */
class Bridges {
  readonly standing = new Set<number>();
  most = 0;
  #waiting: (() => void)[] = [];
  held = false;

  bridge(a: number): Promise<void> {
    this.standing.add(a);
    this.most = Math.max(this.most, this.standing.size);
    return this.#completed();
  }

  unbridge(a: number): Promise<void> {
    this.standing.delete(a);
    return this.#completed();
  }

  complete(): void {
    this.held = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #completed(): Promise<void> {
    return this.held ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve();
  }
}

const PAIRS = [
  [1, 2],
  [3, 4],
] as const;

describe("bridges that are made and undone while traffic runs", () => {
  it("are no more at one time than there are channels for, and none are left at the end", async () => {
    const bridges = new Bridges();
    const changes = new Changes(bridges, PAIRS);
    bridges.held = true;
    changes.begin(100_000);
    await eventually("both pairs are bridged", async () => bridges.standing.size === PAIRS.length);
    const ended = changes.end();
    bridges.complete();
    expect(await ended).toBe(PAIRS.length);
    expect(bridges.standing.size).toBe(0);
    expect(bridges.most).toBe(PAIRS.length);
  });

  it("are counted anew each time", async () => {
    const changes = new Changes(new Bridges(), PAIRS);
    changes.begin(0);
    expect(await changes.end()).toBe(0);
  });
});

describe("slices of traffic with changes and without", () => {
  it("begin when frames come, take turns, and count what came in each", async () => {
    const order: number[] = [];
    let changing = 0;
    let looks = 0;
    let frames = 0;
    const changes = {
      begin(rate: number): void {
        order.push(rate);
        changing = rate;
      },
      end: (): Promise<number> => Promise.resolve(changing),
    };
    const alternated = await alternate({ rate: 7, slices: 3, sliceMs: 1 }, changes, () => {
      looks += 1;
      // none come at first; then ten between two looks without changes, and one with them
      if (looks > 3) frames += changing === 0 ? 10 : 1;
      return frames;
    });
    expect(order).toEqual([7, 0, 7, 0, 7, 0]);
    expect(alternated.made).toBe(21);
    expect(alternated.changing.frames).toBe(3);
    expect(alternated.resting.frames).toBe(30);
    expect(alternated.changing.seconds).toBeGreaterThan(0);
  });
});
