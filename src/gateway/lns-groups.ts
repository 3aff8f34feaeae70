import type { Instant } from "../base/time.ts";
import type { L2tpPeerConfig } from "../config/config.ts";
import type { Journal } from "../journal/journal.ts";
import type { Call } from "./call.ts";
import { type LnsGroup, LnsSelection, type Standing } from "./lns-selection.ts";
import { type LoneLns, loneLnses } from "./lone-lnses.ts";
import { OnwardCall, type OnwardHandler } from "./onward-call.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Tunnels } from "./tunnels.ts";
import type { LnsView } from "./views.ts";

/** Of a destination that is a single peer. There is no other to try, so that the lockout decides nothing. */
const LONE_LOCKOUT_MS = 300_000;

/** The LNSes that calls go to, and what has become of those calls. */
export class LnsGroups {
  readonly #around: Surroundings;
  readonly #groups = new Map<string, LnsGroup>();
  readonly #peers = new Map<string, L2tpPeerConfig>();
  readonly #selection = new LnsSelection();
  readonly #counts = new Map<string, number>();
  readonly #waiting = new Map<string, number>();

  constructor(around: Surroundings) {
    this.#around = around;
    this.reconfigure();
  }

  /**
   * Goes on with the configuration as it is now. Calls that are on their way keep the group that they began with; who is
   * locked out stays so, also under another group.
   */
  reconfigure(): void {
    const { lnsGroups, l2tp } = this.#around.config;
    this.#groups.clear();
    for (const [name, group] of lnsGroups) this.#groups.set(name, { name, ...group });
    for (const peer of l2tp.peers) {
      this.#peers.set(peer.name, peer);
      if (peer.role !== "lac") this.#groups.set(peer.name, loneGroup(peer.name));
    }
  }

  /**
   * A call to an LNS of a group, or to the peer of that name; start() begins it. `cameFrom`: the call that is to be
   * sent on, which does not go back to its peer.
   */
  call(tunnels: Tunnels, name: string, handler: OnwardHandler, cameFrom?: Call): OnwardCall {
    const group = this.#group(name);
    const reachable =
      cameFrom === undefined ? group : { ...group, members: this.#elsewhere(group, cameFrom) };
    return new OnwardCall(this, tunnels, reachable, handler);
  }

  /** Whether a call that came in can be sent on to a group at all: not when that is its own peer alone. */
  leadsElsewhere(name: string, cameFrom: Call): boolean {
    return this.#elsewhere(this.#group(name), cameFrom).length > 0;
  }

  /** The members that are not where a call came from, by name or by address. */
  #elsewhere(group: LnsGroup, cameFrom: Call): LnsGroup["members"] {
    const address = cameFrom.remote()?.address;
    return group.members.filter(
      ({ peer }) =>
        peer !== cameFrom.peer.name && (address === undefined || this.peer(peer).address !== address),
    );
  }

  #group(name: string): LnsGroup {
    const group = this.#groups.get(name);
    if (group === undefined) throw new RangeError(`no LNS group or peer ${name}`);
    return group;
  }

  get now(): Instant {
    return this.#around.clock.now();
  }

  /** The configuration of a member, also of one that has been taken out of it: a call may still be on its way. */
  peer(name: string): L2tpPeerConfig {
    const peer = this.#peers.get(name);
    if (peer === undefined) throw new RangeError(`no L2TP peer ${name}`);
    return peer;
  }

  /** Where its calls are written down. */
  get journal(): Journal {
    return this.#around.journal;
  }

  get selection(): LnsSelection {
    return this.#selection;
  }

  /** For Tunnels: an LNS is there. */
  reachable(peer: string): void {
    if (this.#selection.lockOf(peer)?.refusal === false) {
      this.#around.logger.info({ peer }, "LNS answers again, and is locked out no more");
      this.#around.events.publish({ kind: "lns-back", peer });
    }
    this.#selection.answered(peer);
  }

  /** For Tunnels: an LNS does not acknowledge what it is sent; what will become of it is not known yet. */
  silent(peer: string): void {
    this.#selection.slow(this.now, peer);
  }

  /** For Tunnels: an LNS is not there, or takes no tunnel; while it has another that stands, it only gets no preference. */
  unreachable(peer: string, reason: string, elsewhere: boolean): void {
    if (elsewhere) {
      this.#selection.slow(this.now, peer);
      return;
    }
    this.#selection.lockOut(this.now, peer, reason);
    this.#tellLocked(peer, reason);
  }

  /** An LNS has refused a call of a group whose policy is to leave it alone for a while then. */
  refused(group: LnsGroup, peer: string, reason: string): void {
    // calls that were on their way when the first was refused make it no longer
    if (this.#selection.lockedForMs(this.now, group, peer) > 0) return;
    this.#selection.lockOut(this.now, peer, reason, true);
    this.#tellLocked(peer, reason);
  }

  /** An operator lets calls go to LNSes again, to this one or to all; returns those that were locked out. */
  clearLockout(only?: string): readonly string[] {
    const cleared: string[] = [];
    for (const { members } of this.#groups.values())
      for (const { peer } of members)
        if ((only === undefined || peer === only) && this.#selection.unlock(peer)) cleared.push(peer);
    for (const peer of cleared) {
      this.#around.logger.info({ peer }, "LNS is locked out no more: an operator says so");
      this.#around.events.publish({ kind: "lns-back", peer });
    }
    return cleared;
  }

  /** Whether there is a peer of that name that calls may go to, or a group. */
  has(name: string): boolean {
    return this.#groups.has(name);
  }

  /** Those that are locked out, of the peers that somebody's calls go to and to no other. */
  loneLockedOut(): readonly LoneLns[] {
    if (this.#selection.state.locked.length === 0) return [];
    return loneLnses(this.#around.config).filter(
      ({ peer }) => this.#selection.standing(this.now, loneGroup(peer), peer) === "locked",
    );
  }

  /** Of groups, and of peers that calls may go to. */
  names(): readonly string[] {
    return [...this.#groups.keys()];
  }

  /** Counted under "lns.PEER.WHAT". */
  count(peer: string, what: "calls" | "connected" | "refused" | "unanswered" | "lockouts"): void {
    const name = `lns.${peer}.${what}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** A call begins (1) or ceases (-1) to wait for what an LNS says to it. */
  waits(peer: string, change: 1 | -1): void {
    this.#waiting.set(peer, this.waiting(peer) + change);
  }

  /** Calls that wait for what an LNS says to them. */
  waiting(peer: string): number {
    return this.#waiting.get(peer) ?? 0;
  }

  counters(): Iterable<readonly [string, number]> {
    return this.#counts;
  }

  #tellLocked(peer: string, reason: string): void {
    this.count(peer, "lockouts");
    const group = [...this.#groups.values()].find(
      ({ members }) => members.length > 1 && members.some((member) => member.peer === peer),
    );
    if (group === undefined) return; // nobody could be called in its stead
    const lockoutSeconds = group.lockoutMs / 1000;
    this.#around.events.publish({ kind: "lns-locked-out", peer, reason, seconds: lockoutSeconds });
    this.#around.logger.warn(
      { peer, reason, lockoutSeconds },
      "LNS locked out: calls go to others meanwhile",
    );
  }

  /** Every group of the configuration with its members, then the peers that are in none. */
  views(tunnels: Tunnels): readonly LnsView[] {
    const configured = this.#around.config.lnsGroups;
    const grouped = new Set(
      [...configured.values()].flatMap(({ members }) => members.map(({ peer }) => peer)),
    );
    const shown = [...this.#groups.values()].filter(({ name }) => configured.has(name) || !grouped.has(name));
    const now = this.now;
    const notAnswering = tunnels.silence.peers();
    return shown.flatMap((group) =>
      group.members.map(({ peer, preference, weight }): LnsView => {
        const standing = this.#selection.standing(now, group, peer);
        const lockedMs = this.#selection.lockedForMs(now, group, peer);
        const { up, opening } = tunnels.tunnelsWith(peer);
        const silentMs = notAnswering.get(peer);
        return {
          group: configured.has(group.name) ? group.name : null,
          peer,
          preference,
          weight,
          state:
            standing !== "locked" && silentMs !== undefined
              ? "not-answering"
              : stateOf(standing, up, opening),
          notAnsweringForSeconds: silentMs === undefined ? null : Math.floor(silentMs / 1000),
          lockedForSeconds: lockedMs > 0 ? Math.ceil(lockedMs / 1000) : null,
          reason: lockedMs > 0 ? (this.#selection.lockOf(peer)?.reason ?? null) : null,
          tunnels: up,
          sessions: tunnels.sessions(peer),
        };
      }),
    );
  }
}

function loneGroup(peer: string): LnsGroup {
  const members = [{ peer, preference: 0, weight: 1 }];
  return { name: peer, members, strategy: "weight", lockoutMs: LONE_LOCKOUT_MS, lockoutOnCdn: false };
}

function stateOf(standing: Standing, up: number, opening: number): LnsView["state"] {
  if (standing === "locked") return "locked-out";
  if (standing === "slow") return "slow";
  if (up > 0) return "up";
  return opening > 0 ? "calling" : "idle";
}
