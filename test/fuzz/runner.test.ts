/** That the fuzzer finds what it is there for. */

import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { codec } from "./codecs/codec.ts";
import { Dice, mixed } from "./dice.ts";
import { describeFailure } from "./failure.ts";
import { Mutator } from "./mutator.ts";
import { runCodec } from "./run-codec.ts";
import { runMachine } from "./run-machine.ts";
import { samples } from "./sample.ts";
import { ensure, type MachineTarget } from "./target.ts";
import { TimeLimitExceeded, withinTime } from "./time-limit.ts";

const SAMPLES = samples([Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)]);
const BUDGET = { seed: 7, frames: 100_000, seconds: 20 } as const;

describe("a run of a codec", () => {
  it("finds an exception, and gives the least input that shows it, the same each time", async () => {
    const fragile = codec("fragile", [], SAMPLES, (input) => {
      if (input.indexOf(0xfe) > 2) throw new Error("cannot read that");
    });
    const { failure } = await runCodec(fragile, BUDGET);
    expect(failure).toMatchObject({ target: "fragile", seed: 7, message: "cannot read that" });
    expect(failure!.input).toEqual([Uint8Array.of(0, 0, 0, 0xfe)]);
    expect(describeFailure(failure!)).toMatch(
      /seed 7, number \d+\n {2}000000fe\n.*--only '\^fragile\$' --seed 7/,
    );
    expect((await runCodec(fragile, BUDGET)).failure!.frame).toBe(failure!.frame);
  });

  it("finds what grows, and what is slow", async () => {
    const kept: Uint8Array[] = [];
    const hoarder = codec("hoarder", [], SAMPLES, (input) => kept.push(new Uint8Array(100 + input.length)));
    expect((await runCodec(hoarder, BUDGET)).failure?.message).toMatch(/more in use after 100000 frames/);
    // one in some hundred inputs has this length
    const slow = codec("slow", [], SAMPLES, (input) => {
      const end = input.length === 15 ? performance.now() + 100 : 0;
      while (performance.now() < end);
    });
    const { failure } = await runCodec(slow, { ...BUDGET, frames: 4000 });
    expect(failure?.message).toMatch(/^took \d+/);
  });
});

describe("a time limit", () => {
  it("stops work that would never end", () => {
    const endless = (): void => {
      for (;;);
    };
    expect(() => withinTime(20, endless)).toThrow(TimeLimitExceeded);
  });
});

describe("a run of a machine", () => {
  it("finds a failure after several inputs, and leaves out those that it does not need", async () => {
    const counter: MachineTarget = {
      kind: "machine",
      name: "counter",
      longestEpisode: 500,
      opening: [],
      begin: () => {
        let timeouts = 0;
        return {
          whims: [{ end: 0, act: "reset" }],
          stranger: () => ({ end: 0, act: "receive", bytes: Uint8Array.of(1) }),
          apply: ({ act }) => {
            timeouts = act === "reset" ? 0 : act === "timeout" ? timeouts + 1 : timeouts;
            ensure(timeouts < 3, "three timeouts");
            return [];
          },
          deadline: () => Number.POSITIVE_INFINITY,
          checkBounds() {},
          finish() {},
        };
      },
    };
    const { failure } = await runMachine(counter, BUDGET);
    expect(failure?.message).toBe("three timeouts");
    expect(failure!.input).toMatchObject([{ act: "timeout" }, { act: "timeout" }, { act: "timeout" }]);
  });
});

describe("inputs", () => {
  it("are made from the dice alone, and are of every length and kind", () => {
    const mutator = new Mutator(SAMPLES);
    const dice = new Dice();
    const input = (number: number): string => {
      dice.seed(mixed(1, number));
      return toHex(mutator.next(dice));
    };
    const list = Array.from({ length: 2000 }, (_, i) => input(i));
    expect(Array.from({ length: 2000 }, (_, i) => input(i))).toEqual(list);
    const lengths = new Set(list.map((text) => text.length / 2));
    for (let length = 0; length < 16; length++) expect(lengths).toContain(length);
    expect(new Set(list).size).toBeGreaterThan(1000);
    // also as it was
    expect(list).toContain("0102030405060708");
  });
});
