/*
 * What an operator reads of the gateway beside its rows (views.ts), and what becomes of his orders: plain values, fit
 * for JSON. What is not known or does not apply is null.
 */

import type { ChannelView, SessionRole, SessionState, SessionView, StatusView } from "./views.ts";

export type IdentityView = Pick<StatusView, "name" | "engine" | "startedAt">;

export interface CensusEntry {
  readonly state: SessionState;
  readonly role: SessionRole | null;
  readonly count: number;
}

/** A part of a list, in the order that was asked for. */
interface Page {
  /** How many there are, and how many of them the filters let through. */
  readonly total: number;
  readonly matched: number;
  /** The cursor of the next part; null at the end. */
  readonly next: string | null;
}

export interface SessionPage extends Page {
  readonly sessions: readonly SessionView[];
}

export interface ChannelPage extends Page {
  readonly channels: readonly ChannelView[];
}

export interface UserPage extends Page {
  readonly users: readonly UserView[];
}

/** All sessions of one user name. */
export interface UserView {
  readonly user: string;
  readonly sessions: number;
  readonly openSessions: number;
  /** Ids of the newest ones, eight at the most. */
  readonly ids: readonly string[];
  readonly lastStartedAt: string;
  /** Of the sessions that are there now. */
  readonly octetsIn: number;
  readonly octetsOut: number;
}

export interface SessionDetailView extends SessionView {
  readonly channels: readonly ChannelView[];
}

/** One access interface of the configuration. */
export interface InterfaceView {
  readonly interface: string;
  /** "waiting": it is not there, or not up. */
  readonly state: "open" | "draining" | "waiting";
  /** What its link runs at, when the system says so. */
  readonly linkBitsPerSecond: number | null;
  readonly sessions: number;
  /** Of them, those that are not complete. */
  readonly settingUp: number;
  /** Calls that wait for their turn. */
  readonly waiting: number;
  /** From 0 to 1: how busy it is with setting up. */
  readonly load: number;
  readonly padiReceived: number;
  readonly padoSent: number;
  readonly padsSent: number;
  readonly padsRefused: number;
}

/** The address pool of one unit group. */
export interface PoolView {
  /** The group's name. */
  readonly pool: string;
  /** Addresses for whoever comes; fixed ones of users are not among them. */
  readonly size: number;
  /** Of them, those that somebody has. */
  readonly used: number;
}

/** One local address of the configuration that L2TP is spoken on. */
export interface ListenerView {
  /** "10.0.0.2:1701", "[2001:db8::2]:1701%vrf-core" */
  readonly listener: string;
  readonly address: string;
  /** "no-device": what it is bound to is not there. "no-address": the host does not have it, so that nothing comes to it. */
  readonly state: "open" | "no-device" | "no-address";
}

/** What one forwarding thread has done since the start, or the engine's program in the kernel. */
export interface WorkerView {
  readonly engine: string;
  /** "0", "1"…; "control": the control plane's thread, which only sends; "program": the one in the kernel. */
  readonly worker: string;
  /** Whether it forwards now. */
  readonly running: boolean;
  /** How often it has ended by itself. */
  readonly deaths: number;
  /** Received, from wires and units, whatever became of them. */
  readonly frames: number;
  /** Of them, those that went to the control plane. */
  readonly punts: number;
  /** Frames dropped, by why. */
  readonly drops: Readonly<Record<string, number>>;
}

/** Frames that were dropped for one reason, since the start. */
export interface DropView {
  readonly reason: string;
  readonly frames: number;
  /** In an operator's words. */
  readonly meaning: string;
}

/** Something that an operator should know; the gravest first. */
export interface ProblemView {
  /** "error": subscribers cannot get in, or get through. "warning": it has an end, or concerns a part. */
  readonly severity: "error" | "warning";
  /** A stable word to match on: "interface-waiting". */
  readonly code: string;
  readonly text: string;
  /** What to do. */
  readonly hint: string;
}

/** One screen. */
export interface HealthView {
  readonly status: StatusView;
  readonly problems: readonly ProblemView[];
  /** Sessions by state, and by role. */
  readonly sessionsByState: Readonly<Record<string, number>>;
  readonly sessionsByRole: Readonly<Record<string, number>>;
  /** Tunnels by state. */
  readonly tunnelsByState: Readonly<Record<string, number>>;
  readonly interfaces: readonly InterfaceView[];
  readonly pools: readonly PoolView[];
  /** Frames dropped since the start, by the five most frequent reasons. */
  readonly drops: readonly DropView[];
}

/** Whether calls are taken: every port of the configuration open, the engine up, not stopping. */
export interface ReadinessView {
  readonly ready: boolean;
  /** Why not. */
  readonly reasons: readonly string[];
}

/** What flows, over a second or so. "In" is from the subscriber, or from the port's wire. */
export interface RateView {
  readonly octetsInPerSecond: number;
  readonly octetsOutPerSecond: number;
  readonly framesInPerSecond: number;
  readonly framesOutPerSecond: number;
}

export interface NamedRateView extends RateView {
  readonly name: string;
  readonly sessions: number;
}

export interface RatesView {
  /** When the second of the two readings was taken. */
  readonly at: string;
  /** Between the readings. */
  readonly seconds: number;
  /** All subscribers: "in" from them, "out" to them. */
  readonly total: RateView;
  /** By access interface and by L2TP peer that brings subscribers. */
  readonly ports: readonly NamedRateView[];
  /** By the LNS that they are bridged to; "in" is still from the subscriber. */
  readonly lnses: readonly NamedRateView[];
  /** Sessions that came up in that time. */
  readonly setupsPerSecond: number;
}

/** Whom to end; exactly one is given. */
export type EndSelector =
  | { readonly session: string }
  /** A user name, or a pattern with * and ?. */
  | { readonly user: string }
  | { readonly realm: string }
  /** Our tunnel id: the tunnel, and with it its sessions. */
  | { readonly tunnel: number };

export interface EndedView {
  /** How many are being ended; each says its own end as an event. */
  readonly sessions: number;
  readonly tunnels: number;
}

export interface DrainedView {
  readonly draining: boolean;
  /** The access interfaces that it holds for. */
  readonly interfaces: readonly string[];
  /** It holds for calls by L2TP, too. False where no peer may call us. */
  readonly l2tp: boolean;
}

export interface ClearedView {
  /** The LNSes that were locked out. */
  readonly cleared: readonly string[];
}

/** One difference between two configurations. */
interface ReloadChangeView {
  /** "l2tp.peers[lns1].dscp". */
  readonly path: string;
  readonly change: "added" | "changed" | "removed";
  /** What the change does: at once, for new sessions, with the end of sessions, or not before a restart. */
  readonly effect: "live" | "new-sessions" | "ends-sessions" | "restart";
  /** The whole of it. */
  readonly text: string;
}

export interface ReloadView {
  /** False of a plan. */
  readonly applied: boolean;
  readonly changes: readonly ReloadChangeView[];
  /** Sessions that it ends, or would. */
  readonly endingSessions: number;
  /** What the system has refused; the rest has been done. */
  readonly problems: readonly string[];
}

/** One step of a test of a tunnel. */
export interface TestStepView {
  /** "destination", "candidates", "tunnel", "call", "end". */
  readonly step: string;
  readonly ok: boolean;
  readonly text: string;
  readonly milliseconds: number | null;
}

export interface TunnelTestView {
  /** Whether a subscriber's call would have got through to ICCN. */
  readonly ok: boolean;
  readonly steps: readonly TestStepView[];
}

/** Of whom a test is: a user, all of a realm, or an LNS or group; exactly one. `interface`: where he would call. */
export interface TunnelTestRequest {
  readonly user?: string | undefined;
  readonly realm?: string | undefined;
  readonly lns?: string | undefined;
  readonly interface?: string | undefined;
}

/** A capture that runs. */
export interface CaptureView {
  /** "c3". */
  readonly id: string;
  readonly session: string;
  readonly user: string | null;
  /** What is captured now: a call that comes up may get another leg. */
  readonly legs: readonly ("access" | "tunnel")[];
  /** Who captures, as far as it is known. */
  readonly by: string;
  readonly startedAt: string;
  /** At the latest. */
  readonly endsAt: string;
  /** Frames that have been written, and their octets. */
  readonly frames: number;
  readonly octets: number;
  /** Frames that there were too many of for its rate, or for its reader. */
  readonly passedOver: number;
}
