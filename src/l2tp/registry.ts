/** The tunnels and sessions of an endpoint, their ids and deadlines, and how they are found. */

import { equalBytes } from "../base/bytes.ts";
import { Deadlines } from "../base/deadlines.ts";
import { IdPool } from "../base/ids.ts";
import type { RandomSource } from "../base/random.ts";
import type { Instant } from "../base/time.ts";
import { type L2tpAddress, type L2tpEndpointConfig, type PeerPolicy, PeerTable } from "./config.ts";
import { createFifo } from "./fifo.ts";
import type { L2tpOutput } from "./outputs.ts";
import {
  isPlacedByPeer,
  L2TP_DISCARD_REASONS,
  type L2tpDiscardReason,
  type L2tpEndpointState,
  type SessionState,
  type TunnelState,
} from "./state.ts";

/** What the handling of one input has at hand. */
export interface Turn {
  readonly now: Instant;
  readonly out: L2tpOutput[];
  readonly registry: Registry;
  readonly random: RandomSource;
}

const LARGEST_ID = 65_535;
const SETUP_TIMEOUT_MS = 60_000;
/** Answers to SCCRQs that we refuse, per second, and at once. */
export const REFUSALS_PER_SECOND = 50;
export const REFUSAL_BURST = 100;

/** When a tunnel or session whose set-up begins now must be up. */
export function setupDeadline({ now, registry }: Turn): Instant {
  return now + (registry.config.setupTimeoutMs ?? SETUP_TIMEOUT_MS);
}

function newState(random: RandomSource): L2tpEndpointState {
  return {
    tunnelIds: IdPool.create(random, 1, LARGEST_ID).state,
    tunnels: {},
    tunnelCount: 0,
    halfOpen: createFifo(),
    refusals: { tokens: REFUSAL_BURST, filledAt: 0 },
    shuttingDown: false,
    counters: { retransmitted: 0, fastRetransmissions: 0, duplicates: 0 },
    discards: Object.fromEntries(L2TP_DISCARD_REASONS.map((reason) => [reason, 0])) as Record<
      L2tpDiscardReason,
      number
    >,
  };
}

function remoteKey(remote: L2tpAddress, remoteTunnelId: number): string {
  return `${remote.address} ${remote.port} ${remoteTunnelId}`;
}

/** Tunnels and sessions share one heap: the session part of a tunnel's own key is 0. */
function deadlineKey(tunnel: number, session: number): number {
  return tunnel * 65_536 + session;
}

type FormerSecret = Pick<PeerPolicy, "secret" | "hideAvps" | "authenticate">;

/** Plain state with indexes beside it, which are made anew from a snapshot. */
export class Registry {
  readonly state: L2tpEndpointState;
  #config: L2tpEndpointConfig;
  #peers: PeerTable;
  readonly deadlines = new Deadlines<number>();
  readonly #random: RandomSource;
  /** Tunnels that the peer opened, by where the SCCRQ came from and the id that it assigned. */
  readonly #byRemote = new Map<string, number>();
  /** Tunnels that we opened, by the peer's name. */
  readonly #openedByUs = new Map<string, Set<number>>();
  /** By tunnel: the peer's session id → ours, for calls that the peer placed. */
  readonly #placedByPeer = new Map<number, Map<number, number>>();
  /** By tunnel: what it was opened under, where its peer has another secret by now. */
  readonly #formerSecrets = new Map<number, FormerSecret>();

  constructor(config: L2tpEndpointConfig, random: RandomSource, state?: L2tpEndpointState) {
    this.#config = config;
    this.#peers = new PeerTable(config);
    this.#random = random;
    this.state = state ?? newState(random);
    // of two tunnels with one remote id the newer one is found
    const byAge = Object.values(this.state.tunnels).sort(
      (a, b) => a.createdAt - b.createdAt || a.replaces - b.replaces,
    );
    for (const tunnel of byAge) {
      this.#index(tunnel);
      this.scheduleTunnel(tunnel, tunnel.wakeAt);
      for (const session of Object.values(tunnel.sessions)) {
        this.#indexRemoteSession(tunnel, session);
        if (session.progress.stage !== "established")
          this.scheduleSession(tunnel, session, session.progress.deadline);
      }
    }
  }

  get config(): L2tpEndpointConfig {
    return this.#config;
  }

  get peers(): PeerTable {
    return this.#peers;
  }

  /** Goes on with other peers and policies. Throws a LacewingError (L2TP_CONFIG), and nothing has changed then. */
  reconfigure(config: L2tpEndpointConfig): void {
    const peers = new PeerTable(config);
    for (const tunnel of Object.values(this.state.tunnels)) {
      const { secret, hideAvps, authenticate } = this.policyFor(tunnel);
      if (isSame(secret, peers.policyOf(tunnel.peerName).secret)) this.#formerSecrets.delete(tunnel.id);
      else this.#formerSecrets.set(tunnel.id, { secret, hideAvps, authenticate });
    }
    this.#config = config;
    this.#peers = peers;
  }

  /** How a tunnel that is there is treated: as its peer, but that it keeps the secret that it was opened with. */
  policyFor({ id, peerName }: Pick<TunnelState, "id" | "peerName">): PeerPolicy {
    const policy = this.#peers.policyOf(peerName);
    const former = this.#formerSecrets.get(id);
    return former === undefined ? policy : { ...policy, ...former };
  }

  discard(reason: L2tpDiscardReason, count = 1): void {
    this.state.discards[reason] += count;
  }

  /** Makes a tunnel with an id of ours; undefined when there are too many. */
  addTunnel(make: (id: number) => TunnelState): TunnelState | undefined {
    if (this.state.tunnelCount >= (this.config.maxTunnels ?? 4096)) return undefined;
    const id = new IdPool(this.state.tunnelIds).take();
    if (id === undefined) return undefined;
    const tunnel = make(id);
    this.state.tunnels[id] = tunnel;
    this.state.tunnelCount += 1;
    this.#index(tunnel);
    return tunnel;
  }

  tunnel(id: number): TunnelState | undefined {
    return this.state.tunnels[id];
  }

  /** The tunnel that an SCCRQ from there with that Assigned Tunnel ID has opened last. */
  tunnelOpenedBy(remote: L2tpAddress, remoteTunnelId: number): TunnelState | undefined {
    const id = this.#byRemote.get(remoteKey(remote, remoteTunnelId));
    return id === undefined ? undefined : this.state.tunnels[id];
  }

  /** The tunnels that we opened to a peer, in the order of their ids. */
  tunnelsOpenedTo(peerName: string): readonly TunnelState[] {
    const ids = [...(this.#openedByUs.get(peerName) ?? [])].sort((a, b) => a - b);
    return ids.map((id) => this.state.tunnels[id]!);
  }

  /** Forgets a tunnel; its sessions have been removed. */
  removeTunnel(tunnel: TunnelState): void {
    delete this.state.tunnels[tunnel.id];
    this.state.tunnelCount -= 1;
    new IdPool(this.state.tunnelIds).release(tunnel.id);
    this.deadlines.clear(deadlineKey(tunnel.id, 0));
    this.#placedByPeer.delete(tunnel.id);
    this.#formerSecrets.delete(tunnel.id);
    this.#openedByUs.get(tunnel.peerName)?.delete(tunnel.id);
    const key = remoteKey(tunnel.remote, tunnel.remoteId);
    if (this.#byRemote.get(key) !== tunnel.id) return;
    this.#byRemote.delete(key);
    // it never came up, and what it was to replace goes on
    const standing = this.standingBehind(tunnel);
    if (standing !== undefined) this.#index(standing);
  }

  /**
   * The older tunnel from there with the same remote id. It is looked at again, for its id may have become somebody
   * else's meanwhile.
   */
  standingBehind(tunnel: TunnelState): TunnelState | undefined {
    const standing = this.state.tunnels[tunnel.replaces];
    if (standing === undefined || standing.initiator) return undefined;
    const key = remoteKey(tunnel.remote, tunnel.remoteId);
    return remoteKey(standing.remote, standing.remoteId) === key ? standing : undefined;
  }

  scheduleTunnel(tunnel: TunnelState, at: Instant): void {
    tunnel.wakeAt = at;
    this.deadlines.set(deadlineKey(tunnel.id, 0), at);
  }

  /** An id that is nobody's, for an answer about something that we do not keep. */
  passingTunnelId(): number {
    return passing(new IdPool(this.state.tunnelIds));
  }

  passingSessionId(tunnel: TunnelState): number {
    return passing(new IdPool(tunnel.sessionIds));
  }

  newSessionIds(): TunnelState["sessionIds"] {
    return IdPool.create(this.#random, 1, LARGEST_ID).state;
  }

  /** Makes a session with an id of ours; undefined when the tunnel has as many as it may. */
  addSession(
    tunnel: TunnelState,
    maxSessions: number,
    make: (id: number) => SessionState,
  ): SessionState | undefined {
    if (tunnel.sessionCount >= maxSessions) return undefined;
    const id = new IdPool(tunnel.sessionIds).take();
    if (id === undefined) return undefined;
    const session = make(id);
    tunnel.sessions[id] = session;
    tunnel.sessionCount += 1;
    this.#indexRemoteSession(tunnel, session);
    return session;
  }

  removeSession(tunnel: TunnelState, session: SessionState): void {
    delete tunnel.sessions[session.id];
    tunnel.sessionCount -= 1;
    new IdPool(tunnel.sessionIds).release(session.id);
    this.unscheduleSession(tunnel, session);
    if (isPlacedByPeer(session)) this.#placedByPeer.get(tunnel.id)?.delete(session.remoteId);
  }

  /** The call that the peer placed under this id of its own. */
  sessionPlacedByPeer(tunnel: TunnelState, remoteSessionId: number): SessionState | undefined {
    const id = this.#placedByPeer.get(tunnel.id)?.get(remoteSessionId);
    return id === undefined ? undefined : tunnel.sessions[id];
  }

  scheduleSession(tunnel: TunnelState, session: SessionState, at: Instant): void {
    this.deadlines.set(deadlineKey(tunnel.id, session.id), at);
  }

  unscheduleSession(tunnel: TunnelState, session: SessionState): void {
    this.deadlines.clear(deadlineKey(tunnel.id, session.id));
  }

  /**
   * The keys of everything that is due, to be resolved one by one: what comes first may end what comes later. In
   * the order of ids, so that an endpoint that goes on from a snapshot does the same in the same order.
   */
  takeDue(now: Instant): readonly number[] {
    const keys: number[] = [];
    for (let key = this.deadlines.popDue(now); key !== undefined; key = this.deadlines.popDue(now))
      keys.push(key);
    return keys.length < 2 ? keys : keys.sort((a, b) => a - b);
  }

  /** A tunnel, or a session of it; its session part is 0 when it is about the tunnel itself. */
  resolve(key: number): { readonly tunnel: TunnelState | undefined; readonly session: number } {
    return { tunnel: this.state.tunnels[Math.floor(key / 65_536)], session: key % 65_536 };
  }

  #indexRemoteSession(tunnel: TunnelState, session: SessionState): void {
    if (!isPlacedByPeer(session)) return;
    let sessions = this.#placedByPeer.get(tunnel.id);
    if (sessions === undefined) {
      sessions = new Map();
      this.#placedByPeer.set(tunnel.id, sessions);
    }
    sessions.set(session.remoteId, session.id);
  }

  #index(tunnel: TunnelState): void {
    if (!tunnel.initiator) {
      this.#byRemote.set(remoteKey(tunnel.remote, tunnel.remoteId), tunnel.id);
      return;
    }
    const ours = this.#openedByUs.get(tunnel.peerName);
    if (ours === undefined) this.#openedByUs.set(tunnel.peerName, new Set([tunnel.id]));
    else ours.add(tunnel.id);
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

function passing(pool: IdPool): number {
  const id = pool.take();
  if (id === undefined) return 0;
  pool.release(id);
  return id;
}
