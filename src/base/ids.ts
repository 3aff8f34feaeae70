import type { RandomSource } from "./random.ts";
import { randomBetween } from "./random.ts";

/** The state of an id pool: plain data, so that it can be snapshotted. */
export interface IdPoolState {
  readonly min: number;
  readonly max: number;
  /** The next id that was never given out, and how many of those are left. */
  nextFresh: number;
  freshLeft: number;
  /** Ids that came back, oldest first, from `releasedHead` on. */
  released: number[];
  releasedHead: number;
}

/**
 * Gives out ids from `min` to `max`, below 2³¹. The first is random (after a crash, a peer that still sends on an old
 * id must not reach somebody else's session), and what came back is reused oldest-free first.
 */
export class IdPool {
  readonly state: IdPoolState;

  constructor(state: IdPoolState) {
    this.state = state;
  }

  static create(random: RandomSource, min: number, max: number): IdPool {
    return new IdPool({
      min,
      max,
      // "| 0": counted on from a number that the engine has as a fraction, every id would take 16 octets more
      nextFresh: randomBetween(random, min, max) | 0,
      freshLeft: max - min + 1,
      released: [],
      releasedHead: 0,
    });
  }

  /** The id that has been free for longest, or undefined when all are taken. */
  take(): number | undefined {
    const s = this.state;
    if (s.freshLeft > 0) {
      const id = s.nextFresh;
      s.nextFresh = id === s.max ? s.min : id + 1;
      s.freshLeft -= 1;
      return id;
    }
    const id = s.released[s.releasedHead];
    if (id === undefined) return undefined;
    s.releasedHead += 1;
    if (s.releasedHead > 1024 && s.releasedHead * 2 > s.released.length) {
      s.released = s.released.slice(s.releasedHead);
      s.releasedHead = 0;
    }
    return id;
  }

  /** Gives an id back; the caller has made sure that it is out and that nobody uses it any more. */
  release(id: number): void {
    this.state.released.push(id);
  }
}
