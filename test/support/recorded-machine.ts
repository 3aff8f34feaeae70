import type { RandomSource } from "../../src/base/random.ts";

/** One call of a machine's input method, and what came of it. */
interface RecordedInput {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly outputs: unknown;
  /** The machine as it was before this input. */
  readonly before: unknown;
  /** Random numbers that were drawn during it. */
  readonly draws: readonly (number | Uint8Array)[];
}

/** Everything that went into one machine. Plain data, fit for another process. */
export interface RecordedMachine {
  readonly kind: string;
  readonly config: unknown;
  readonly inputs: RecordedInput[];
}

/** What all recorded machines have. */
interface Snapshotting {
  snapshot(): unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: mixins need it (TypeScript handbook, "Mixins")
type MachineClass = new (...args: any[]) => Snapshotting;

/**
 * A class like `Machine` whose instances record their inputs in `into`. `methods` are the input methods; calls
 * that the machine makes of itself are not inputs.
 */
export function recording<Class extends MachineClass>(
  kind: string,
  Machine: Class,
  methods: readonly string[],
  into: RecordedMachine[],
): Class {
  let draws: (number | Uint8Array)[] = [];
  const watched = (random: RandomSource): RandomSource => ({
    uint32() {
      const drawn = random.uint32();
      draws.push(drawn);
      return drawn;
    },
    bytes(length) {
      const drawn = random.bytes(length);
      draws.push(drawn.slice());
      return drawn;
    },
  });
  const records = new WeakMap<Snapshotting, RecordedMachine>();
  let depth = 0;
  const Recording = class extends Machine {
    // biome-ignore lint/suspicious/noExplicitAny: as above
    constructor(...args: any[]) {
      const [config, random, ...rest] = args;
      super(config, watched(random), ...rest);
      const record: RecordedMachine = { kind, config, inputs: [] };
      records.set(this, record);
      into.push(record);
    }
  };
  for (const method of methods) {
    const original = Machine.prototype[method] as (...args: unknown[]) => unknown;
    const recorded = function (this: Snapshotting, ...args: unknown[]): unknown {
      const outermost = depth === 0;
      const before = outermost ? this.snapshot() : undefined;
      if (outermost) draws = [];
      depth += 1;
      try {
        const outputs = original.apply(this, args);
        if (outermost)
          records.get(this)?.inputs.push(structuredClone({ method, args, outputs, before, draws }));
        return outputs;
      } finally {
        depth -= 1;
      }
    };
    Object.defineProperty(Recording.prototype, method, { value: recorded });
  }
  return Recording;
}
