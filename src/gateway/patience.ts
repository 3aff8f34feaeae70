import type { Instant } from "../base/time.ts";
import type { Surroundings } from "./surroundings.ts";

/** Something that is waited for, but not for ever. */
export class Patience {
  /** Resolves when it has come, or the time is up. */
  readonly over: Promise<void>;
  readonly #around: Pick<Surroundings, "scheduler" | "clock">;
  readonly #until: Instant;
  #resolve: () => void = () => {};

  constructor(around: Pick<Surroundings, "scheduler" | "clock">, limitMs: number) {
    this.#around = around;
    this.#until = around.clock.now() + limitMs;
    this.over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    around.scheduler.update(this);
  }

  /** It has come. */
  end(): void {
    this.#around.scheduler.remove(this);
    this.#resolve();
  }

  deadline(): Instant {
    return this.#until;
  }

  timeout(): void {
    this.end();
  }
}
