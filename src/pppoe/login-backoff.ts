import type { Instant } from "../base/time.ts";
import type { SubscriberKey } from "./subscriber-key.ts";

/** How a host whose logins fail one after the other is held back. */
export interface LoginBackoffLimits {
  /** So many failures cost nothing: a slip of the hand, a database that was away for a moment. */
  readonly free: number;
  /** After the next one; each further one doubles it, up to the last. */
  readonly firstMs: number;
  readonly mostMs: number;
  /** A host that has not failed for so long starts again. */
  readonly forgetMs: number;
}

export const DEFAULT_LOGIN_BACKOFF: LoginBackoffLimits = {
  free: 3,
  firstMs: 1000,
  mostMs: 60_000,
  forgetMs: 600_000,
};

interface FailingHost {
  readonly subscriber: SubscriberKey;
  failures: number;
  failedAt: Instant;
}

/** Plain data: a ring of entries, the oldest at `next` once the ring is full. */
export interface LoginBackoffState {
  readonly hosts: FailingHost[];
  next: number;
}

export function noLoginBackoff(): LoginBackoffState {
  return { hosts: [], next: 0 };
}

/** Hosts that fail to log in again and again, the newest `capacity` of them. */
export class LoginBackoff {
  readonly #limits: LoginBackoffLimits;
  readonly #state: LoginBackoffState;
  readonly #capacity: number;
  readonly #positions: Map<SubscriberKey, number>;

  constructor(limits: LoginBackoffLimits, state: LoginBackoffState, capacity: number) {
    this.#limits = limits;
    this.#state = state;
    this.#capacity = capacity;
    this.#positions = new Map(state.hosts.map(({ subscriber }, position) => [subscriber, position]));
  }

  /** Whether it is too early for this host. */
  holdsBack(subscriber: SubscriberKey, now: Instant): boolean {
    const host = this.#host(subscriber);
    const { free, firstMs, mostMs } = this.#limits;
    if (host === undefined || host.failures <= free) return false;
    return now < host.failedAt + Math.min(mostMs, firstMs * 2 ** (host.failures - free - 1));
  }

  failed(subscriber: SubscriberKey, now: Instant): void {
    const host = this.#host(subscriber) ?? this.#add(subscriber, now);
    host.failures = now - host.failedAt > this.#limits.forgetMs ? 1 : Math.min(32, host.failures + 1);
    host.failedAt = now;
  }

  succeeded(subscriber: SubscriberKey): void {
    const host = this.#host(subscriber);
    if (host !== undefined) host.failures = 0;
  }

  #host(subscriber: SubscriberKey): FailingHost | undefined {
    const position = this.#positions.get(subscriber);
    return position === undefined ? undefined : this.#state.hosts[position];
  }

  #add(subscriber: SubscriberKey, now: Instant): FailingHost {
    const position = this.#state.next;
    const evicted = this.#state.hosts[position];
    if (evicted !== undefined) this.#positions.delete(evicted.subscriber);
    const host = { subscriber, failures: 0, failedAt: now };
    this.#state.hosts[position] = host;
    this.#state.next = (position + 1) % this.#capacity;
    this.#positions.set(subscriber, position);
    return host;
  }
}
