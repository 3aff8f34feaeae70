import type { CallRequest } from "../l2tp/outputs.ts";
import type { LnsGroup, LnsLoad, Standing } from "./lns-selection.ts";
import { LnsSelection } from "./lns-selection.ts";
import { OnwardCall, type OnwardHandler } from "./onward-call.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Tunnels } from "./tunnels.ts";
import type { LnsView } from "./views.ts";

/** Of a destination that is a single peer. There is no other to try, so that the lockout decides nothing. */
const LONE_LOCKOUT_MS = 300_000;

/** What ICRQ says to a peer. */
export type RequestFor = (peerName: string) => Omit<CallRequest, "callSerialNumber">;

/** The LNSes that calls go to, and what has become of those calls. */
export class LnsGroups {
  readonly #around: Surroundings;
  readonly #groups = new Map<string, LnsGroup>();
  readonly #selection = new LnsSelection();
  readonly #counts = new Map<string, number>();

  constructor(around: Surroundings) {
    this.#around = around;
    const { lnsGroups, l2tp } = around.config;
    for (const [name, group] of lnsGroups) this.#groups.set(name, { name, ...group });
    for (const { name, role } of l2tp.peers) if (role !== "lac") this.#groups.set(name, loneGroup(name));
  }

  /** Begins to call an LNS of a group, or the peer of that name. */
  call(tunnels: Tunnels, name: string, request: RequestFor, handler: OnwardHandler): OnwardCall {
    const group = this.#groups.get(name) ?? loneGroup(name);
    const load: LnsLoad = {
      sessions: (peer) => tunnels.sessionsWith(peer),
      hasRoom: (peer) => tunnels.hasRoom(peer),
    };
    return new OnwardCall({ around: this.#around, tunnels, lnses: this, group, load, request, handler });
  }

  get selection(): LnsSelection {
    return this.#selection;
  }

  /** For Tunnels: an LNS is there. */
  reachable(peer: string): void {
    if (this.#selection.lockOf(peer) !== undefined)
      this.#around.logger.info({ peer }, "LNS answers again, and is locked out no more");
    this.#selection.answered(peer);
  }

  /** For Tunnels: an LNS is not there, or takes no tunnel; while it has another that stands, it only gets no preference. */
  unreachable(peer: string, reason: string, elsewhere: boolean): void {
    if (elsewhere) this.#selection.slow(this.#around.clock.now(), peer);
    else this.lockOut(peer, reason);
  }

  lockOut(peer: string, reason: string): void {
    this.#selection.lockOut(this.#around.clock.now(), peer, reason);
    this.count(peer, "lockouts");
    const group = [...this.#groups.values()].find(
      ({ members }) => members.length > 1 && members.some((member) => member.peer === peer),
    );
    if (group === undefined) return; // nobody could be called in its stead
    const lockoutSeconds = group.lockoutMs / 1000;
    this.#around.logger.warn(
      { peer, reason, lockoutSeconds },
      "LNS locked out: calls go to others meanwhile",
    );
  }

  /** Counted under "lns.PEER.WHAT". */
  count(peer: string, what: "calls" | "connected" | "refused" | "unanswered" | "lockouts"): void {
    const name = `lns.${peer}.${what}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  counters(): Iterable<readonly [string, number]> {
    return this.#counts;
  }

  /** Every group of the configuration with its members, then the peers that are in none. */
  views(tunnels: Tunnels): readonly LnsView[] {
    const configured = this.#around.config.lnsGroups;
    const grouped = new Set(
      [...configured.values()].flatMap(({ members }) => members.map(({ peer }) => peer)),
    );
    const shown = [...this.#groups.values()].filter(({ name }) => configured.has(name) || !grouped.has(name));
    const now = this.#around.clock.now();
    return shown.flatMap((group) =>
      group.members.map(({ peer, preference, weight }): LnsView => {
        const standing = this.#selection.standing(now, group, peer);
        const lockedMs = this.#selection.lockedForMs(now, group, peer);
        const { up, opening } = tunnels.tunnelsWith(peer);
        return {
          group: configured.has(group.name) ? group.name : null,
          peer,
          preference,
          weight,
          state: stateOf(standing, up, opening),
          lockedForSeconds: lockedMs > 0 ? Math.ceil(lockedMs / 1000) : null,
          reason: lockedMs > 0 ? (this.#selection.lockOf(peer)?.reason ?? null) : null,
          tunnels: up,
          sessions: tunnels.sessionsWith(peer),
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
