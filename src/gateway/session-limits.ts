import { type Instant, NEVER } from "../base/time.ts";
import type { SessionLimits } from "../config/config.ts";
import { type EndCause, endCause } from "./cause.ts";

/** Traffic is looked at this many times in an idle timeout: a session ends at most an eighth of it late. */
const LOOKS = 8;
const LEAST_INTERVAL_MS = 500;

/** How long an open session may last, and how long it may carry nothing. */
export class SessionClock {
  readonly #limits: SessionLimits;
  readonly #endsAt: Instant;
  readonly #idleMs: number;
  /** User frames of the session until now, and when there were fewer. */
  #frames: number;
  #busyAt: Instant;
  #lookAt: Instant;

  /** The session is open. `frames`: what it has carried for the user. */
  constructor(limits: SessionLimits, now: Instant, frames: number) {
    this.#limits = limits;
    this.#endsAt = now + (limits.sessionTimeoutMs ?? NEVER);
    this.#idleMs = limits.idleTimeoutMs ?? NEVER;
    this.#frames = frames;
    this.#busyAt = now;
    this.#lookAt = this.#nextLook(now);
  }

  deadline(): Instant {
    return Math.min(this.#endsAt, this.#lookAt);
  }

  /** Why the session is over now, or undefined. `frames` is asked only when it matters. */
  timeout(now: Instant, frames: () => number): EndCause | undefined {
    if (now >= this.#endsAt)
      return endCause("session-timeout", `open for ${seconds(this.#limits.sessionTimeoutMs)}, its limit`);
    if (now < this.#lookAt) return undefined;
    const count = frames();
    if (count !== this.#frames) {
      this.#frames = count;
      this.#busyAt = now;
    } else if (now >= this.#busyAt + this.#idleMs)
      return endCause("idle", `no packet for ${seconds(this.#limits.idleTimeoutMs)}`);
    this.#lookAt = this.#nextLook(now);
    return undefined;
  }

  #nextLook(now: Instant): Instant {
    const interval = Math.max(LEAST_INTERVAL_MS, this.#idleMs / LOOKS);
    return Math.min(now + interval, Math.max(now + LEAST_INTERVAL_MS, this.#busyAt + this.#idleMs));
  }
}

function seconds(ms = 0): string {
  return `${ms / 1000} s`;
}
