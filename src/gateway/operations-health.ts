/** What is wrong with a gateway, the gravest first, and what to do about it. */

import { duration } from "../base/words.ts";
import type { LoneLns } from "./lone-lnses.ts";
import type { InterfaceView, ListenerView, PoolView, ProblemView } from "./operations-views.ts";
import type { LnsView, TunnelView } from "./views.ts";

/** Of a pool: LacewingPoolNearlyFull warns at the same share. */
const NEARLY_FULL = 0.9;
/** Realms and the like that one sentence names. */
const SHOWN_CALLERS = 3;

/** What the judgement rests on. */
export interface HealthFacts {
  readonly isStopping: boolean;
  /** The engine that runs, and the one that is configured. */
  readonly engine: string;
  readonly wantedEngine: string;
  readonly interfaces: readonly InterfaceView[];
  readonly pools: readonly PoolView[];
  /** Local L2TP addresses. */
  readonly listeners: readonly ListenerView[];
  readonly lnses: readonly LnsView[];
  /** Those that are locked out, and that somebody's calls go to alone. */
  readonly loneLockedOut: readonly LoneLns[];
  readonly tunnels: readonly TunnelView[];
  /** While calls by L2TP are refused: the sessions that came so. */
  readonly l2tpDraining: { readonly sessions: number } | undefined;
}

export function problemsOf(facts: HealthFacts): readonly ProblemView[] {
  const problems = [
    ...ofProcess(facts),
    ...ofInterfaces(facts),
    ...ofCalls(facts),
    ...ofListeners(facts),
    ...ofPools(facts),
    ...ofTunnels(facts.tunnels),
    ...ofLoneLnses(facts),
    ...ofLnses(facts.lnses),
  ];
  return problems.sort((a, b) => Number(b.severity === "error") - Number(a.severity === "error"));
}

/** Why calls are not taken; empty when they are. */
export function reasonsNotReady({
  isStopping,
  interfaces,
  listeners,
  l2tpDraining,
}: HealthFacts): readonly string[] {
  return [
    ...(isStopping ? ["the gateway is stopping"] : []),
    ...interfaces
      .filter(({ state }) => state === "waiting")
      .map((each) => `access interface ${each.interface} is not there, or not up`),
    ...(interfaces.length > 0 && interfaces.every(({ state }) => state === "draining")
      ? ["all access interfaces are draining"]
      : []),
    ...(l2tpDraining === undefined ? [] : ["calls by L2TP are refused: the gateway drains"]),
    ...listeners.flatMap(({ listener, address, state }) => {
      if (state === "no-device") return [`L2TP is not spoken on ${listener} yet`];
      return state === "no-address"
        ? [`L2TP is to be spoken on ${address}, which is no address of the host`]
        : [];
    }),
  ];
}

function* ofProcess({ isStopping, engine, wantedEngine }: HealthFacts): Iterable<ProblemView> {
  if (isStopping)
    yield {
      severity: "error",
      code: "stopping",
      text: "The gateway is stopping: sessions are being ended, and no call is taken.",
      hint: "It ends by itself within some seconds.",
    };
  if (wantedEngine === "xdp" && engine !== "xdp")
    yield {
      severity: "warning",
      code: "engine",
      text: `Frames are forwarded by the engine ${engine}, not by xdp as configured.`,
      hint: 'The log says why: "data plane started on another engine than configured".',
    };
}

function* ofInterfaces({ interfaces }: HealthFacts): Iterable<ProblemView> {
  const isNoneOpen = interfaces.every(({ state }) => state === "waiting");
  for (const each of interfaces) {
    if (each.state === "waiting")
      yield {
        severity: isNoneOpen ? "error" : "warning",
        code: "interface-waiting",
        text: `Access interface ${each.interface} is not there, or not up: nobody can call on it.`,
        hint: `ip link show ${each.interface}; it opens by itself when it comes up.`,
      };
    if (each.state === "draining")
      yield {
        severity: "warning",
        code: "interface-draining",
        text: `Access interface ${each.interface} drains: it takes no new calls, and has ${each.sessions} sessions.`,
        hint: `lacewing drain off --interface ${each.interface} takes calls again.`,
      };
  }
}

function* ofCalls({ l2tpDraining }: HealthFacts): Iterable<ProblemView> {
  if (l2tpDraining !== undefined)
    yield {
      severity: "warning",
      code: "l2tp-draining",
      text: `The gateway drains: it takes no new calls by L2TP, and has ${l2tpDraining.sessions === 1 ? "one session" : `${l2tpDraining.sessions} sessions`} that came so.`,
      hint: "lacewing drain off takes calls again.",
    };
}

function* ofListeners({ listeners }: HealthFacts): Iterable<ProblemView> {
  for (const { listener, address, state } of listeners) {
    if (state === "no-device")
      yield {
        severity: "error",
        code: "port-closed",
        text: `L2TP is not spoken on ${listener}: the device that it is bound to is not there.`,
        hint: "It opens by itself when the device comes.",
      };
    if (state === "no-address")
      yield {
        severity: "error",
        code: "address-missing",
        text: `L2TP is to be spoken on ${listener}, but the host does not have the address ${address}: nobody reaches us there.`,
        hint: "ip -br address show has those that are there. Add it, or put another one under l2tp.listen and lacewing reload; when it comes, it is spoken on at once.",
      };
  }
}

/** One for each peer, however many tunnels with it do not answer. */
function* ofTunnels(tunnels: readonly TunnelView[]): Iterable<ProblemView> {
  const silent = tunnels.filter(({ notAnsweringForSeconds }) => notAnsweringForSeconds !== null);
  for (const peer of new Set(silent.map((tunnel) => tunnel.peer))) {
    const mine = silent.filter((tunnel) => tunnel.peer === peer);
    const ids = mine.map(({ localTunnelId }) => localTunnelId);
    const sessions = mine.reduce((sum, tunnel) => sum + tunnel.sessions, 0);
    const seconds = Math.max(...mine.map(({ notAnsweringForSeconds }) => notAnsweringForSeconds ?? 0));
    const which = ids.length === 1 ? `tunnel ${ids[0]}` : `${ids.length} tunnels`;
    const end = ids.length === 1 ? "it ends" : "they end";
    const carried = sessions === 0 ? "" : `, with ${sessions === 1 ? "one session" : `${sessions} sessions`}`;
    yield {
      severity: sessions > 0 ? "error" : "warning",
      code: "tunnel-not-answering",
      text: `${peer ?? "A peer"} has not answered in ${which} for ${seconds} s: if that goes on, ${end} within half a minute${carried}.`,
      hint: `lacewing why ${ids[0]} has what was sent; ping ${mine[0]?.remoteAddress} shows whether the host is there.`,
    };
  }
}

function* ofPools({ pools }: HealthFacts): Iterable<ProblemView> {
  for (const { pool, size, used } of pools) {
    const hint = `A larger pool under units.${pool}.pool, then lacewing reload: nobody loses his address.`;
    if (used >= size)
      yield {
        severity: "error",
        code: "pool-full",
        text: `Address pool ${pool} is full: all ${size} addresses are given out, and whoever calls now is refused.`,
        hint,
      };
    else if (used >= NEARLY_FULL * size)
      yield {
        severity: "warning",
        code: "pool-nearly-full",
        text: `Address pool ${pool} is nearly full: ${used} of ${size} addresses are given out.`,
        hint,
      };
  }
}

/** Of those that groups have, too: what is in no group is one of its own among the others. */
function* ofLoneLnses({ loneLockedOut, lnses }: HealthFacts): Iterable<ProblemView> {
  const grouped = new Set(lnses.filter(({ group }) => group !== null).map(({ peer }) => peer));
  for (const { peer, callers } of loneLockedOut)
    if (grouped.has(peer))
      yield {
        severity: "error",
        code: "no-lns",
        text: `LNS ${peer} takes no calls, and there is no other for ${someOf(callers)}: these subscribers cannot get in.`,
        hint: `lacewing test tunnel --lns ${peer} tries it; where the configuration names a group in its stead, others of the group stand in.`,
      };
}

/** "realm a, realm b and 3 more". */
function someOf(names: readonly string[]): string {
  const more = names.length - SHOWN_CALLERS;
  return more > 0 ? `${names.slice(0, SHOWN_CALLERS).join(", ")} and ${more} more` : names.join(", ");
}

function* ofLnses(lnses: readonly LnsView[]): Iterable<ProblemView> {
  for (const [group, members] of byGroup(lnses))
    if (members.every(({ state }) => state === "locked-out"))
      yield {
        severity: "error",
        code: "no-lns",
        text: `No LNS of ${group} takes calls: its subscribers cannot get in.`,
        hint: "lacewing show lns says why; lacewing test tunnel --lns NAME tries one.",
      };
  const told = new Set<string>();
  for (const { peer, state, lockedForSeconds, reason } of lnses) {
    if (told.has(peer)) continue;
    told.add(peer);
    if (state === "locked-out")
      yield {
        severity: "warning",
        code: "lns-locked-out",
        text: `LNS ${peer} is locked out for ${duration(lockedForSeconds ?? 0)} more: ${reason ?? "nobody knows why"}.`,
        hint: `lacewing test tunnel --lns ${peer} tries it; lacewing lockout clear ${peer} ends the lockout.`,
      };
    if (state === "slow")
      yield {
        severity: "warning",
        code: "lns-slow",
        text: `LNS ${peer} owes somebody an answer; calls go to others meanwhile.`,
        hint: `lacewing test tunnel --lns ${peer} shows how long it takes.`,
      };
  }
}

/** "the group wholesale" and "lns1" with their members. */
function byGroup(lnses: readonly LnsView[]): ReadonlyMap<string, readonly LnsView[]> {
  const groups = new Map<string, LnsView[]>();
  for (const lns of lnses) {
    const name = lns.group === null ? lns.peer : `the group ${lns.group}`;
    groups.set(name, [...(groups.get(name) ?? []), lns]);
  }
  return groups;
}
