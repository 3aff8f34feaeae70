/** Everything that an operator can do with a running gateway, as one object with plain arguments and results. */

import type { JournalView } from "../journal/journal.ts";
import type { StoryView, Subject } from "../journal/story-view.ts";
import type { CaptureAsker, CaptureRequest, CaptureSink, OpenCapture } from "./capture-request.ts";
import type { EventBus } from "./events.ts";
import type { TrafficReading } from "./operations-traffic.ts";
import type {
  CaptureView,
  CensusEntry,
  ChannelPage,
  ClearedView,
  DrainedView,
  DropView,
  EndedView,
  EndSelector,
  HealthView,
  IdentityView,
  InterfaceView,
  ListenerView,
  PoolView,
  RatesView,
  ReadinessView,
  ReloadView,
  SessionDetailView,
  SessionPage,
  TunnelTestRequest,
  TunnelTestView,
  UserPage,
  WorkerView,
} from "./operations-views.ts";
import type { CountersView, LnsView, SessionRole, StatusView, TunnelView } from "./views.ts";

/** Which sessions; everything that is given must hold. */
export interface SessionFilter {
  /** A user name, or a pattern with * and ?; in any case. */
  readonly user?: string | undefined;
  /** What follows the last @ of the user name, in any case. */
  readonly realm?: string | undefined;
  /** The L2TP peer that it is bridged to. */
  readonly lns?: string | undefined;
  readonly state?: string | undefined;
  readonly role?: SessionRole | undefined;
  /** The access interface, or the L2TP peer that brought it. */
  readonly interface?: string | undefined;
  /** In any case. */
  readonly mac?: string | undefined;
  /** Our id of a tunnel that it came by or went to. */
  readonly tunnel?: number | undefined;
  /** Begun at this time or later, milliseconds since 1970. */
  readonly since?: number | undefined;
}

export const SESSION_SORT_KEYS = ["id", "user", "state", "started", "in", "out"] as const;
export type SessionSortKey = (typeof SESSION_SORT_KEYS)[number];

/** Which part of a list. */
export interface PageRequest {
  readonly limit: number;
  /** The `next` of the part before; it goes with the same order. */
  readonly cursor?: string | undefined;
}

export interface SessionQuery extends SessionFilter, PageRequest {
  readonly sort?: SessionSortKey | undefined;
  readonly descending?: boolean | undefined;
}

export interface TunnelFilter {
  readonly peer?: string | undefined;
  readonly state?: string | undefined;
}

export interface UserQuery extends PageRequest {
  readonly user?: string | undefined;
  readonly realm?: string | undefined;
}

/** Reads are answered at once, but for those that take long with many sessions: they yield to others. */
export interface Operations {
  readonly events: EventBus;
  status(): StatusView;
  /** Of the status, what does not depend on how much there is. */
  identity(): IdentityView;
  /** How many sessions there are of each kind. */
  census(): readonly CensusEntry[];
  health(): HealthView;
  readiness(): ReadinessView;
  /** Rejects with an OperationError when nothing is called as `lns` or `interface` say. */
  sessions(query: SessionQuery): Promise<SessionPage>;
  session(id: string): SessionDetailView | undefined;
  users(query: UserQuery): Promise<UserPage>;
  channels(query: PageRequest): Promise<ChannelPage>;
  /** Throws an OperationError when nothing is called as `peer` says. */
  tunnels(filter: TunnelFilter): readonly TunnelView[];
  lns(): readonly LnsView[];
  /** The names of the configured L2TP peers. */
  peers(): readonly string[];
  interfaces(): readonly InterfaceView[];
  /** Whether calls that would come by L2TP are refused, until somebody says otherwise. */
  l2tpDraining(): boolean;
  /** The local addresses that L2TP is spoken on. */
  listeners(): readonly ListenerView[];
  counters(): CountersView;
  drops(): readonly DropView[];
  /** How full the address pools are. */
  pools(): readonly PoolView[];
  /** What forwards, each with what it has done since the start. */
  workers(): Promise<readonly WorkerView[]>;
  /** How much the journal has, and what it had no room for. */
  journal(): JournalView;
  /** The configuration that it runs with, defaults filled in, without secrets and users. */
  config(): Readonly<Record<string, unknown>>;
  /** What has flowed since the start. */
  flows(): Promise<TrafficReading>;
  /** Two readings, a second apart; while somebody goes on asking, there is always a fresh one. */
  rates(): Promise<RatesView>;
  /** What became of a session, a user, a host or a tunnel, and why. */
  why(subject: Subject): Promise<StoryView>;

  end(selector: EndSelector, reason: string): Promise<EndedView>;
  /** Of one access interface, or of all that takes calls. Throws an OperationError when there is no such interface. */
  drain(draining: boolean, accessInterface?: string): DrainedView;
  /** Throws an OperationError when there is no such LNS. */
  clearLockout(lns?: string): ClearedView;
  /**
   * Reads the configuration file again: tells what is different, and, unless `planOnly`, goes on with it. Rejects with an
   * OperationError when the file is wrong, and nothing has changed then.
   */
  reload(planOnly: boolean): Promise<ReloadView>;
  /** Calls as for a subscriber, and hangs up before ICCN. */
  testTunnel(request: TunnelTestRequest): Promise<TunnelTestView>;

  /**
   * Writes a session's frames to `sink` from now on, until a limit is reached, the session ends, or somebody ends the
   * capture. Throws an OperationError when it cannot be.
   */
  capture(request: CaptureRequest, sink: CaptureSink, asker: CaptureAsker): OpenCapture;
  captures(): readonly CaptureView[];
  /** Ends a capture; what was kept is written. Throws an OperationError when there is none of this id. */
  endCapture(id: string, reason: string): void;
  /** Ends all of them, and waits until all is written. */
  endCaptures(reason: string): Promise<void>;
}
