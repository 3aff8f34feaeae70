import type { RandomSource } from "../../src/base/random.ts";
import { type Machine, type MachineCall, watchMachinesOf } from "./replaceable.ts";
import type { World } from "./world.ts";

/** Chance that a call finds a machine that has just been made from a snapshot. */
const REPLACEMENT = 0.03;

/** The machines of one gateway process, which is told what they do. */
export class Machines {
  readonly #world: Pick<World, "replacements" | "replaced">;
  readonly #called: (call: MachineCall) => void;
  readonly #byKind = new Map<string, Set<Machine>>();

  constructor(world: Pick<World, "replacements" | "replaced">, called: (call: MachineCall) => void) {
    this.#world = world;
    this.#called = called;
  }

  watch(random: RandomSource): void {
    const { replaced } = this.#world;
    watchMachinesOf(random, {
      replaceNow: (kind) => {
        const replace = this.#world.replacements?.is(REPLACEMENT) ?? false;
        if (replace) replaced.set(kind, (replaced.get(kind) ?? 0) + 1);
        return replace;
      },
      called: (call) => {
        const machines = this.#byKind.get(call.kind) ?? new Set();
        this.#byKind.set(call.kind, machines.add(call.machine));
        this.#called(call);
      },
    });
  }

  /** All that have been called so far. */
  of(kind: string): Iterable<Machine> {
    return this.#byKind.get(kind) ?? [];
  }
}
