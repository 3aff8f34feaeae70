import { IdPool, type IdPoolState } from "../base/ids.ts";
import type { RandomSource } from "../base/random.ts";
import { MAX_SESSION_ID, NO_SESSION } from "../wire/pppoe.ts";
import { sessionKey } from "./vlan-scope.ts";

/** Plain data. */
export interface SessionIdsState {
  readonly pool: IdPoolState;
  /** Where the search for an id that other VLANs have too goes on. */
  next: number;
}

export function newSessionIds(
  random: RandomSource,
  min = NO_SESSION + 1,
  max = MAX_SESSION_ID,
): SessionIdsState {
  const pool = IdPool.create(random, min, max).state;
  return { pool, next: pool.nextFresh };
}

/**
 * Session ids of one port, unique within a VLAN scope. As long as the port has unused ids, none is used in two scopes:
 * the one free for longest is next, and a frame is found by its id alone. After that a scope gets ids that only other
 * scopes have, until it has them all.
 */
export class SessionIds {
  readonly #state: SessionIdsState;
  readonly #pool: IdPool;
  /** Sessions beyond the first that have an id. */
  readonly #sharers = new Map<number, number>();
  readonly #sizeOfScope = new Map<number, number>();
  readonly #isTaken: (key: number) => boolean;

  /** `sessions`: those that have ids already. `isTaken`: whether a key (vlan-scope.ts) is a session's. */
  constructor(
    state: SessionIdsState,
    sessions: Iterable<{ readonly scope: number; readonly sessionId: number }>,
    isTaken: (key: number) => boolean,
  ) {
    this.#state = state;
    this.#pool = new IdPool(state.pool);
    this.#isTaken = isTaken;
    const used = new Set<number>();
    for (const { scope, sessionId } of sessions) {
      add(this.#sizeOfScope, scope, 1);
      if (used.has(sessionId)) add(this.#sharers, sessionId, 1);
      used.add(sessionId);
    }
  }

  /** Undefined when the scope has no id left. */
  take(scope: number): number | undefined {
    let sessionId = this.#pool.take();
    if (sessionId === undefined) {
      sessionId = this.#share(scope);
      if (sessionId === undefined) return undefined;
      add(this.#sharers, sessionId, 1);
    }
    add(this.#sizeOfScope, scope, 1);
    return sessionId;
  }

  release(scope: number, sessionId: number): void {
    add(this.#sizeOfScope, scope, -1);
    if (this.#sharers.has(sessionId)) add(this.#sharers, sessionId, -1);
    else this.#pool.release(sessionId);
  }

  /** The pool is empty: every id is somebody's. */
  #share(scope: number): number | undefined {
    const { min, max } = this.#state.pool;
    const ids = max - min + 1;
    if ((this.#sizeOfScope.get(scope) ?? 0) >= ids) return undefined;
    for (let tries = 0; tries < ids; tries++) {
      const id = this.#state.next;
      this.#state.next = id >= max ? min : id + 1;
      if (!this.#isTaken(sessionKey(scope, id))) return id;
    }
    return undefined;
  }
}

function add(counts: Map<number, number>, key: number, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
