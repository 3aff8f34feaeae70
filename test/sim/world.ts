import { type Instant, NEVER } from "../../src/base/time.ts";
import type { Config } from "../../src/config/config.ts";
import { Chance } from "./chance.ts";
import type { Cpe } from "./cpe.ts";
import { FirstIds } from "./first-ids.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import { Referee } from "./invariants.ts";
import { Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";

export type SimConfig = Config;

export interface WorldOptions {
  readonly seed: number;
  /** Put machines made from snapshots in the place of others, and set wall clocks: both without effect. */
  readonly disturb: boolean;
  readonly print?: (line: string) => void;
}

/** What a seed never comes near, unless somebody is busy for ever. */
const MAX_STEPS = 200_000;

const SAMPLE_MS = 1_000;

/** Virtual time, and everyone who lives in it. One thing happens at a time, and all that follows from it at once. */
export class World {
  readonly timeline = new Timeline();
  readonly referee = new Referee();
  readonly firstIds = new FirstIds();
  readonly trace: Trace;
  readonly chance: Chance;
  /** Its draws are no part of the story: with and without them it must be the same. */
  readonly replacements: Chance | undefined;
  readonly gateways: GatewayProcess[] = [];
  readonly cpes: Cpe[] = [];
  #steps = 0;
  readonly replaced = new Map<string, number>();

  constructor({ seed, disturb, print }: WorldOptions) {
    this.trace = new Trace(this.timeline, print);
    this.chance = new Chance(seed);
    this.replacements = disturb ? new Chance(~seed) : undefined;
  }

  get steps(): number {
    return this.#steps;
  }

  /** Reports what a promise of a gateway's rejects with. */
  expect(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => this.#failed(error));
  }

  /**
   * Goes on until `done`, asked after every step, or for `limitMs`; returns whether it came true. Stops as soon as
   * there is a violation.
   */
  async until(done: () => boolean, limitMs: number): Promise<boolean> {
    const end = this.timeline.now + limitMs;
    await settle();
    while (this.referee.first === undefined) {
      if (done()) return true;
      const gateway = earliest(this.gateways);
      const cpe = earliest(this.cpes);
      const next = Math.min(this.timeline.next(), gateway.at, cpe.at);
      if (next > end) {
        this.timeline.now = end;
        return done();
      }
      // a clock that has jumped makes deadlines that have passed in the world's time
      this.timeline.now = Math.max(this.timeline.now, next);
      this.#steps += 1;
      if (this.#steps > MAX_STEPS) this.referee.report("time goes on", `${MAX_STEPS} steps`);
      try {
        if (this.timeline.runOne()) await settle();
        else if (gateway.at <= this.timeline.now) {
          gateway.actor?.run();
          await settle();
        } else cpe.actor?.run();
      } catch (error) {
        this.#failed(error);
      }
    }
    return false;
  }

  /** The same for what costs too much to be asked after every step. */
  async untilSampled(done: () => boolean, limitMs: number): Promise<boolean> {
    const end = this.timeline.now + limitMs;
    for (;;) {
      if (done()) return true;
      if (this.timeline.now >= end || this.referee.first !== undefined) return false;
      await this.pass(Math.min(SAMPLE_MS, end - this.timeline.now));
    }
  }

  async pass(ms: number): Promise<void> {
    await this.until(() => false, ms);
  }

  #failed(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.referee.report("nothing throws", text);
  }
}

/** Lets promises resolve: they depend on nothing but each other. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function earliest<T extends { wakeAt(): Instant }>(
  actors: readonly T[],
): { readonly actor: T | undefined; readonly at: Instant } {
  let first: T | undefined;
  let at: Instant = NEVER;
  for (const actor of actors) {
    const wakeAt = actor.wakeAt();
    if (wakeAt >= at) continue;
    at = wakeAt;
    first = actor;
  }
  return { actor: first, at };
}
