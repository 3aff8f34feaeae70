/**
 * The tunnels that our calls to each LNS may go through, how full they are and how long they have been idle: a
 * machine without I/O. A tunnel that is full is followed by another one, up to the peer's limit.
 */

import { Deadlines } from "../base/deadlines.ts";
import { type Instant, NEVER } from "../base/time.ts";

/** What a peer's policy allows. */
export interface PoolPolicy {
  readonly maxSessionsPerTunnel: number;
  readonly maxTunnels: number;
  readonly maxSessions: number;
  /** Infinity: tunnels stay. */
  readonly idleMs: number;
  /** Tunnels that the peer has opened may carry our calls, too: it is an LNS to us as well. */
  readonly usesTheirs: boolean;
}

/** A silent tunnel gets calls again after this: it is dead by then, or the peer is well. */
const SILENT_MS = 31_000;

interface PooledTunnel {
  readonly id: number;
  readonly peer: string;
  /** It gets no more calls: its peer is to be called in another way by now. */
  retired: boolean;
  /** We opened it. */
  readonly ours: boolean;
  up: boolean;
  /** Sessions in it, whoever called. */
  sessions: number;
  /** Sessions in it that we placed. */
  placed: number;
  /** Since when there has been no session. */
  idleSince: Instant;
  /** When the peer last answered a call, or came up. */
  answeredAt: Instant | null;
  /** When somebody had waited for an answer in it in vain, and there has been none since. */
  silentAt: Instant | null;
}

/** Plain data, by the tunnel's id. */
export interface TunnelPoolState {
  readonly tunnels: Record<number, PooledTunnel>;
}

export class TunnelPool {
  readonly state: TunnelPoolState;
  readonly #policyOf: (peer: string) => PoolPolicy;
  /** In the order in which they came; made anew from a snapshot, as the deadlines are. */
  readonly #byPeer = new Map<string, Set<PooledTunnel>>();
  readonly #idleAt = new Deadlines<number>();

  constructor(policyOf: (peer: string) => PoolPolicy, state?: TunnelPoolState) {
    this.#policyOf = policyOf;
    this.state = state ?? { tunnels: {} };
    for (const tunnel of Object.values(this.state.tunnels)) this.#index(tunnel);
  }

  snapshot(): TunnelPoolState {
    return structuredClone(this.state);
  }

  /** We call a peer: its tunnel is coming up. */
  opening(now: Instant, id: number, peer: string): void {
    this.#add({
      id,
      peer,
      retired: false,
      ours: true,
      up: false,
      sessions: 0,
      placed: 0,
      idleSince: now,
      answeredAt: null,
      silentAt: null,
    });
  }

  /** A tunnel is up, ours or one that the peer opened. */
  up(now: Instant, id: number, peer: string): void {
    const known = this.state.tunnels[id];
    if (known !== undefined) {
      known.up = true;
      known.idleSince = now;
      known.answeredAt = now;
      this.#schedule(known);
      return;
    }
    this.#add({
      id,
      peer,
      retired: false,
      ours: false,
      up: true,
      sessions: 0,
      placed: 0,
      idleSince: now,
      answeredAt: now,
      silentAt: null,
    });
  }

  down(id: number): void {
    const tunnel = this.state.tunnels[id];
    if (tunnel === undefined) return;
    delete this.state.tunnels[id];
    const mine = this.#byPeer.get(tunnel.peer);
    mine?.delete(tunnel);
    if (mine?.size === 0) this.#byPeer.delete(tunnel.peer);
    this.#idleAt.clear(id);
  }

  /** A tunnel of ours gets no more calls, and is idle as soon as it is empty. */
  retire(id: number): void {
    const tunnel = this.state.tunnels[id];
    if (tunnel === undefined) return;
    tunnel.retired = true;
    this.#schedule(tunnel);
  }

  isRetired(id: number): boolean {
    return this.state.tunnels[id]?.retired ?? false;
  }

  /** Policies have changed: tunnels may be idle for another time than before. */
  reschedule(): void {
    for (const tunnel of Object.values(this.state.tunnels)) this.#schedule(tunnel);
  }

  /** A session begins in a tunnel; `placed` by us. */
  begin(id: number, placed: boolean): void {
    const tunnel = this.state.tunnels[id];
    if (tunnel === undefined) return;
    tunnel.sessions += 1;
    if (placed) tunnel.placed += 1;
    if (tunnel.sessions === 1) this.#schedule(tunnel);
  }

  end(now: Instant, id: number, placed: boolean): void {
    const tunnel = this.state.tunnels[id];
    if (tunnel === undefined) return;
    tunnel.sessions -= 1;
    if (placed) tunnel.placed -= 1;
    tunnel.idleSince = now;
    if (tunnel.sessions === 0) this.#schedule(tunnel);
  }

  /** The peer has said something to a call in this tunnel. */
  answered(now: Instant, id: number): void {
    const tunnel = this.state.tunnels[id];
    if (tunnel === undefined) return;
    tunnel.answeredAt = now;
    tunnel.silentAt = null;
  }

  /** The peer acknowledges again what it is sent in this tunnel. */
  speaks(id: number): void {
    const tunnel = this.state.tunnels[id];
    if (tunnel !== undefined) tunnel.silentAt = null;
  }

  /** Whether a peer has a tunnel that is up and not silent. */
  isAnySpeaking(now: Instant, peer: string): boolean {
    for (const tunnel of this.#of(peer)) if (tunnel.up && !isSilent(now, tunnel)) return true;
    return false;
  }

  /** Somebody has waited in this tunnel for an answer in vain, for a while. */
  silent(now: Instant, id: number): void {
    const tunnel = this.state.tunnels[id];
    if (tunnel !== undefined) tunnel.silentAt ??= now;
  }

  /**
   * The tunnel for the next call to a peer: one that is up before one that is coming up; "open" a new one; or none. One
   * that is silent only if there is no other and may be no more: an LNS that has started again knows nothing of it, but
   * would take a new one.
   */
  pick(now: Instant, peer: string): number | "open" | undefined {
    const { maxSessions, maxSessionsPerTunnel, maxTunnels, usesTheirs } = this.#policyOf(peer);
    let free: PooledTunnel | undefined;
    let opened = 0;
    let placed = 0;
    // asked several times a call: nothing is allocated
    for (const tunnel of this.#of(peer)) {
      placed += tunnel.placed;
      if (tunnel.retired) continue;
      if (tunnel.ours) opened += 1;
      else if (!usesTheirs) continue;
      if (tunnel.sessions >= maxSessionsPerTunnel) continue;
      if (free === undefined || promise(now, tunnel) > promise(now, free)) free = tunnel;
    }
    if (placed >= maxSessions) return undefined;
    if (opened < maxTunnels && (free === undefined || isSilent(now, free))) return "open";
    return free?.id;
  }

  /** Sessions that we have placed with a peer. */
  sessions(peer: string): number {
    let count = 0;
    for (const { placed } of this.#of(peer)) count += placed;
    return count;
  }

  /** Tunnels with a peer, those that are coming up included. */
  tunnels(peer: string): { readonly up: number; readonly opening: number } {
    const mine = [...this.#of(peer)];
    const up = mine.filter((tunnel) => tunnel.up).length;
    return { up, opening: mine.length - up };
  }

  /** Whether we opened it. */
  isOurs(id: number): boolean {
    return this.state.tunnels[id]?.ours ?? false;
  }

  /** When a tunnel's peer last answered a call in it, or brought it up; undefined while it is coming up. */
  answeredAt(id: number): Instant | undefined {
    return this.state.tunnels[id]?.answeredAt ?? undefined;
  }

  /** When a peer last answered in any of its tunnels that stand; undefined when there is none. */
  heardOf(peer: string): Instant | undefined {
    let last: Instant | undefined;
    for (const { answeredAt } of this.#of(peer))
      if (answeredAt !== null) last = Math.max(last ?? answeredAt, answeredAt);
    return last;
  }

  /** When idle() is to be asked next. */
  deadline(): Instant {
    return this.#idleAt.next();
  }

  /** Tunnels of ours that have been without a session for too long; each is told once. */
  idle(now: Instant): readonly number[] {
    const due: number[] = [];
    for (let id = this.#idleAt.popDue(now); id !== undefined; id = this.#idleAt.popDue(now)) due.push(id);
    return due;
  }

  #of(peer: string): Iterable<PooledTunnel> {
    return this.#byPeer.get(peer) ?? [];
  }

  #add(tunnel: PooledTunnel): void {
    this.state.tunnels[tunnel.id] = tunnel;
    this.#index(tunnel);
  }

  #index(tunnel: PooledTunnel): void {
    const mine = this.#byPeer.get(tunnel.peer) ?? new Set();
    this.#byPeer.set(tunnel.peer, mine.add(tunnel));
    this.#schedule(tunnel);
  }

  #schedule({ id, ours, up, sessions, idleSince, peer, retired }: PooledTunnel): void {
    const idle = ours && up && sessions === 0;
    const idleMs = retired ? 0 : this.#policyOf(peer).idleMs;
    this.#idleAt.set(id, idle ? idleSince + idleMs : NEVER);
  }
}

function isSilent(now: Instant, { silentAt }: PooledTunnel): boolean {
  return silentAt !== null && now < silentAt + SILENT_MS;
}

/** The more, the sooner a call in it will be answered. */
function promise(now: Instant, tunnel: PooledTunnel): number {
  if (isSilent(now, tunnel)) return 0;
  return tunnel.up ? 2 : 1;
}
