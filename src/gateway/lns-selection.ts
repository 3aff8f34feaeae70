/**
 * Which LNS of a group gets a call: a machine without I/O. A locked-out LNS is one that could not be reached; a slow
 * one owes somebody an answer and may yet be locked out. Both are passed over while another one will do.
 */

import type { Instant } from "../base/time.ts";

export interface LnsMember {
  readonly peer: string;
  /** The lower is tried first. */
  readonly preference: number;
  readonly weight: number;
}

/** LNSes that can stand in for each other. */
export interface LnsGroup {
  readonly name: string;
  readonly members: readonly LnsMember[];
  readonly strategy: "weight" | "sessions";
  readonly lockoutMs: number;
  readonly lockoutOnCdn: boolean;
}

/** What the LNSes have to carry at the moment. */
export interface LnsLoad {
  sessions(peer: string): number;
  /** Another session may be placed with it. */
  hasRoom(peer: string): boolean;
  /** "coming-up": it has been called and no tunnel with it is up yet; nobody knows whether one ever will be. */
  reach(peer: string): "up" | "coming-up" | "idle";
}

export interface Lockout {
  readonly peer: string;
  readonly since: Instant;
  readonly reason: string;
  /** It refused a call, and may well be there: what else it answers does not end the lockout. */
  readonly refusal: boolean;
}

/** Plain data; few entries, looked through in order. */
export interface LnsSelectionState {
  locked: Lockout[];
  slow: { readonly peer: string; readonly since: Instant }[];
  /** What a member has in store until its next turn (smooth weighted round robin). */
  credits: { readonly group: string; readonly peer: string; credit: number }[];
}

export type Standing = "good" | "slow" | "locked";

export interface Choice {
  readonly peer: string;
  /** As what it was chosen: a locked one only when there was no other. */
  readonly standing: Standing;
}

/** A slow LNS gets calls again after this: it may have become well, and nobody else would find out. */
const SLOW_MS = 30_000;

export class LnsSelection {
  readonly state: LnsSelectionState;

  constructor(state?: LnsSelectionState) {
    this.state = state ?? { locked: [], slow: [], credits: [] };
  }

  snapshot(): LnsSelectionState {
    return structuredClone(this.state);
  }

  /**
   * The member that gets the next call, or undefined when none is left. `passed`: those that have failed it already.
   * Good ones first, within them the lowest preference, within that by strategy; then slow ones in the same way; in
   * the end whoever has been locked out the longest. Of those that are alike, one that is being called gets no more
   * callers while another one is up: in a storm a dead one would hold half of them.
   */
  choose(now: Instant, group: LnsGroup, passed: readonly string[], load: LnsLoad): Choice | undefined {
    let longest: Lockout | undefined;
    let best: Rank | undefined;
    let alike: LnsMember[] = [];
    for (const member of group.members) {
      const { peer, preference } = member;
      if (passed.includes(peer) || !load.hasRoom(peer)) continue;
      const standing = this.standing(now, group, peer);
      if (standing === "locked") {
        const lock = this.lockOf(peer);
        if (longest === undefined || (lock !== undefined && lock.since < longest.since)) longest = lock;
      } else if (best?.standing === standing && best.preference === preference) {
        alike.push(member);
      } else if (best === undefined || comesBefore({ standing, preference }, best)) {
        best = { standing, preference };
        alike = [member];
      }
    }
    if (best === undefined) return longest && { peer: longest.peer, standing: "locked" };
    const isAnyUp = alike.some((member) => load.reach(member.peer) === "up");
    const members = isAnyUp ? alike.filter((member) => load.reach(member.peer) !== "coming-up") : alike;
    const peer =
      group.strategy === "weight" ? this.#byWeight(group, members) : leastLoaded(members, load)?.peer;
    return peer === undefined ? undefined : { peer, standing: best.standing };
  }

  standing(now: Instant, group: LnsGroup, peer: string): Standing {
    if (this.lockedForMs(now, group, peer) > 0) return "locked";
    const slow = this.state.slow.find((each) => each.peer === peer);
    return slow !== undefined && now < slow.since + SLOW_MS ? "slow" : "good";
  }

  /** How long a member still is locked out; 0 when it is not. A lockout is the LNS's, its length the group's. */
  lockedForMs(now: Instant, group: LnsGroup, peer: string): number {
    const lock = this.lockOf(peer);
    return lock === undefined ? 0 : Math.max(0, lock.since + group.lockoutMs - now);
  }

  /** Since when and why an LNS is locked out, or was the last time; undefined once it has answered again. */
  lockOf(peer: string): Lockout | undefined {
    return this.state.locked.find((each) => each.peer === peer);
  }

  /** The LNS could not be reached, or as a `refusal` said that it takes nobody. */
  lockOut(now: Instant, peer: string, reason: string, refusal = false): void {
    const { locked, slow } = this.state;
    this.state.slow = slow.filter((each) => each.peer !== peer);
    const lock = { peer, since: now, reason, refusal };
    this.state.locked = [...locked.filter((each) => each.peer !== peer), lock];
  }

  /** Somebody has waited for it in vain, for a while; what will become of it is not known yet. */
  slow(now: Instant, peer: string): void {
    if (this.state.slow.some((each) => each.peer === peer && now < each.since + SLOW_MS)) return;
    this.state.slow = [...this.state.slow.filter((each) => each.peer !== peer), { peer, since: now }];
  }

  /** An operator lets calls go to it again. Returns whether it was locked out. */
  unlock(peer: string): boolean {
    const { locked } = this.state;
    this.state.locked = locked.filter((each) => each.peer !== peer);
    return this.state.locked.length < locked.length;
  }

  /** It is there: that it was not is forgotten. */
  answered(peer: string): void {
    const { locked, slow } = this.state;
    if (slow.some((each) => each.peer === peer)) this.state.slow = slow.filter((each) => each.peer !== peer);
    if (this.lockOf(peer)?.refusal === false) this.state.locked = locked.filter((each) => each.peer !== peer);
  }

  /** Each gets its weight in store at every turn; who has the most is served and pays for all. */
  #byWeight(group: LnsGroup, members: readonly LnsMember[]): string | undefined {
    let best: LnsSelectionState["credits"][number] | undefined;
    let total = 0;
    for (const { peer, weight } of members) {
      const entry = this.#credit(group.name, peer);
      entry.credit += weight;
      total += weight;
      if (best === undefined || entry.credit > best.credit) best = entry;
    }
    if (best === undefined) return undefined;
    best.credit -= total;
    return best.peer;
  }

  #credit(group: string, peer: string): LnsSelectionState["credits"][number] {
    const known = this.state.credits.find((each) => each.group === group && each.peer === peer);
    if (known !== undefined) return known;
    const entry = { group, peer, credit: 0 };
    this.state.credits.push(entry);
    return entry;
  }
}

type Rank = { readonly standing: "good" | "slow"; readonly preference: number };

function comesBefore(a: Rank, b: Rank): boolean {
  return a.standing === b.standing ? a.preference < b.preference : a.standing === "good";
}

/** The one with the fewest sessions for its weight; the first of equals. */
function leastLoaded(members: readonly LnsMember[], load: LnsLoad): LnsMember | undefined {
  let least: LnsMember | undefined;
  let leastShare = Number.POSITIVE_INFINITY;
  for (const member of members) {
    const share = load.sessions(member.peer) / member.weight;
    if (share >= leastShare) continue;
    least = member;
    leastShare = share;
  }
  return least;
}
