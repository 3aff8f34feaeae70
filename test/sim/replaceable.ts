import type { RandomSource } from "../../src/base/random.ts";

/** What the simulation does to machines and hears of them. */
export interface MachineWatcher {
  /** Whether a machine made from a snapshot shall take this one's place now, before the next call. */
  replaceNow(kind: string): boolean;
  /** A machine has been called; `method` is the one of its class, `machine` tells machines apart. */
  called(call: MachineCall): void;
}

export interface MachineCall {
  readonly kind: string;
  readonly machine: Machine;
  readonly method: string;
  readonly args: readonly unknown[];
  readonly returned: unknown;
}

/** What all machines have. */
export interface Machine {
  snapshot(): unknown;
  deadline(): number;
}

// biome-ignore lint/suspicious/noExplicitAny: mixins need it (TypeScript handbook, "Mixins")
type MachineClass = new (...args: any[]) => Machine;
type Method = (...args: unknown[]) => unknown;

/** What is asked all the time and changes nothing: not worth a snapshot, and nothing to watch. */
const QUESTIONS = new Set(["deadline", "snapshot", "counters", "load", "sessions", "tunnels", "discards"]);

/** Who is told of a machine: whoever watches the randomness that it was given. */
const watchers = new WeakMap<RandomSource, MachineWatcher>();

/** From now on machines that get this randomness are watched. */
export function watchMachinesOf(random: RandomSource, watcher: MachineWatcher): void {
  watchers.set(random, watcher);
}

/**
 * A class that stands for `Machine`: an instance hands every call to a machine of that class, in whose place its
 * watcher may put another one, made from the first one's snapshot, at any time. Nobody must be able to tell.
 */
export function replaceable<Class extends MachineClass>(Original: Class): Class {
  const StandIn = class {
    readonly config: unknown;
    readonly random: RandomSource;
    machine: Machine;

    constructor(config: unknown, random: RandomSource, state?: unknown) {
      this.config = config;
      this.random = random;
      this.machine = new Original(config, random, state);
    }

    /** A call that may change the machine. */
    input(method: string, run: Method, args: readonly unknown[]): unknown {
      const watcher = watchers.get(this.random);
      if (watcher?.replaceNow(Original.name))
        this.machine = new Original(this.config, this.random, this.machine.snapshot());
      const returned = Reflect.apply(run, this.machine, args);
      watcher?.called({ kind: Original.name, machine: this as unknown as Machine, method, args, returned });
      return returned;
    }

    /** PppServer.adopt(), the other way to make one. */
    static adopt(config: unknown, random: RandomSource, ...rest: unknown[]): unknown {
      const adopt = (Original as unknown as { adopt: Method }).adopt;
      const { server, ...others } = adopt.call(Original, config, random, ...rest) as { server: Machine };
      return { server: new StandIn(config, random, server.snapshot()), ...others };
    }
  };
  for (const [name, descriptor] of membersOf(Original.prototype))
    Object.defineProperty(StandIn.prototype, name, {
      configurable: true,
      ...forwarder(name, descriptor),
    });
  return StandIn as unknown as Class;
}

interface StandInOf {
  readonly machine: Machine;
  input(method: string, run: Method, args: readonly unknown[]): unknown;
}

function forwarder(name: string, { get, value }: PropertyDescriptor): PropertyDescriptor {
  if (get !== undefined)
    return {
      get(this: StandInOf): unknown {
        return get.call(this.machine);
      },
    };
  const run = value as Method;
  if (QUESTIONS.has(name))
    return {
      value(this: StandInOf, ...args: unknown[]): unknown {
        return Reflect.apply(run, this.machine, args);
      },
    };
  return {
    value(this: StandInOf, ...args: unknown[]): unknown {
      return this.input(name, run, args);
    },
  };
}

/** Methods and accessors of a class, its base classes' included; the nearest first. */
function membersOf(prototype: object): ReadonlyMap<string, PropertyDescriptor> {
  const members = new Map<string, PropertyDescriptor>();
  for (let at = prototype; at !== Object.prototype; at = Object.getPrototypeOf(at) as object)
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(at)))
      if (name !== "constructor" && !members.has(name)) members.set(name, descriptor);
  return members;
}
