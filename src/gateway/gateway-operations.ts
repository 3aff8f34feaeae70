import { setImmediate as otherWork } from "node:timers/promises";
import { Secret } from "../base/secret.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import type { JournalView } from "../journal/journal.ts";
import type { StoryView, Subject } from "../journal/story-view.ts";
import type { CaptureAsker, CaptureRequest, CaptureSink, OpenCapture } from "./capture-request.ts";
import { Captures } from "./captures.ts";
import { endCause } from "./cause.ts";
import { meaningOf } from "./counter-meanings.ts";
import type { EventBus } from "./events.ts";
import type { Gateway } from "./gateway.ts";
import type { GatewayViews } from "./gateway-views.ts";
import { OperationError } from "./operation-error.ts";
import type { Operations, PageRequest, SessionQuery, TunnelFilter, UserQuery } from "./operations.ts";
import { sessionTest } from "./operations-filter.ts";
import { type HealthFacts, problemsOf, reasonsNotReady } from "./operations-health.ts";
import { channelPage, sessionPage, userPage } from "./operations-lists.ts";
import { checkPeerName, checkSessionNames, noSuch } from "./operations-names.ts";
import { Rates } from "./operations-rates.ts";
import { Traffic, type TrafficReading } from "./operations-traffic.ts";
import { testTunnel } from "./operations-tunnel-test.ts";
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
import type { Surroundings } from "./surroundings.ts";
import type { CountersView, LnsView, StatusView, TunnelView } from "./views.ts";

/** Sessions that are told to end before others get their turn. */
const ENDS_AT_ONCE = 200;
/** Tests of tunnels that may be under way. */
const MOST_TESTS = 4;
/** Reasons for drops that the screen of health shows. */
const SHOWN_DROPS = 5;

/** Where the configuration comes from when it is to be read again. */
export interface ConfigReading {
  /** Rejects with a ConfigError when the file is wrong. */
  read(): Promise<Config>;
  /** A reload with this one, which is free of mistakes, begins. */
  applying?(config: Config): void;
  /** The gateway goes on with this one; returns what of it could not be done outside of the gateway. */
  applied(config: Config): Promise<readonly string[]>;
}

interface OperationsParts {
  readonly views: GatewayViews;
  readonly events: EventBus;
  /** Undefined where there is no file. */
  readonly reading?: ConfigReading | undefined;
}

/** What operators do with this gateway. */
export class GatewayOperations implements Operations {
  readonly events: EventBus;
  readonly #traffic: Traffic;
  readonly #gateway: Gateway;
  readonly #around: Surroundings;
  readonly #views: GatewayViews;
  readonly #rates: Rates;
  readonly #reading: ConfigReading | undefined;
  readonly #captures: Captures;
  #tests = 0;
  #reloading: Promise<void> = Promise.resolve();

  constructor(gateway: Gateway, around: Surroundings, { views, events, reading }: OperationsParts) {
    this.#gateway = gateway;
    this.#around = around;
    this.#views = views;
    this.#reading = reading;
    this.events = events;
    this.#traffic = new Traffic(() => gateway.sessions, events);
    this.#rates = new Rates(around, this.#traffic, events);
    this.#captures = new Captures(() => gateway.sessions, around, events);
  }

  status(): StatusView {
    return this.#views.status();
  }

  identity(): IdentityView {
    return this.#views.identity();
  }

  census(): readonly CensusEntry[] {
    const counts: CensusCount[] = [];
    for (const { state, role = null } of this.#gateway.sessions) {
      // there are few kinds: none is looked up by a text that would have to be made
      const known = counts.find((each) => each.state === state && each.role === role);
      if (known === undefined) counts.push({ state, role, count: 1 });
      else known.count += 1;
    }
    return counts;
  }

  health(): HealthView {
    const sessionsByState: Record<string, number> = {};
    const sessionsByRole: Record<string, number> = {};
    for (const { state, role, count } of this.census()) {
      add(sessionsByState, state, count);
      if (role !== null) add(sessionsByRole, role, count);
    }
    const tunnelsByState: Record<string, number> = {};
    for (const { state } of this.tunnels({})) add(tunnelsByState, state, 1);
    return {
      status: this.status(),
      problems: problemsOf(this.#facts()),
      sessionsByState,
      sessionsByRole,
      tunnelsByState,
      interfaces: this.interfaces(),
      pools: this.pools(),
      drops: this.drops()
        .filter(({ frames }) => frames > 0)
        .slice(0, SHOWN_DROPS),
    };
  }

  readiness(): ReadinessView {
    const reasons = reasonsNotReady(this.#facts());
    return { ready: reasons.length === 0, reasons };
  }

  async sessions(query: SessionQuery): Promise<SessionPage> {
    checkSessionNames(query, this.#around.config, this.#gateway.sessions);
    return sessionPage(this.#gateway.sessions, query);
  }

  session(id: string): SessionDetailView | undefined {
    for (const session of this.#gateway.sessions)
      if (session.id === id) return { ...session.view(), channels: this.#views.channelsOf(session) };
    return undefined;
  }

  users(query: UserQuery): Promise<UserPage> {
    return userPage(this.#gateway.sessions, query);
  }

  channels(query: PageRequest): Promise<ChannelPage> {
    return channelPage(this.#gateway.sessions, (session) => this.#views.channelsOf(session), query);
  }

  tunnels({ peer, state }: TunnelFilter): readonly TunnelView[] {
    const all = this.#views.tunnels();
    checkPeerName(peer, this.#around.config, all);
    return all
      .filter((tunnel) => peer === undefined || tunnel.peer === peer)
      .filter((tunnel) => state === undefined || tunnel.state === state);
  }

  lns(): readonly LnsView[] {
    return this.#views.lns();
  }

  peers(): readonly string[] {
    return this.#around.config.l2tp.peers.map(({ name }) => name);
  }

  interfaces(): readonly InterfaceView[] {
    return this.#views.interfaces();
  }

  l2tpDraining(): boolean {
    return this.#gateway.door.draining;
  }

  listeners(): readonly ListenerView[] {
    return this.#gateway.tunnels?.listeners() ?? [];
  }

  counters(): CountersView {
    return this.#views.counters();
  }

  drops(): readonly DropView[] {
    return Object.entries(this.#around.dataplane.drops())
      .map(([reason, frames]) => ({ reason, frames, meaning: meaningOf(`drops.${reason}`) ?? reason }))
      .sort((a, b) => b.frames - a.frames);
  }

  pools(): readonly PoolView[] {
    return this.#gateway.pools();
  }

  async workers(): Promise<readonly WorkerView[]> {
    const figures = (await this.#around.dataplane.workerFigures?.()) ?? [];
    return figures.map((each) => ({ ...each, worker: String(each.worker) }));
  }

  journal(): JournalView {
    return this.#around.journal.view();
  }

  config(): Readonly<Record<string, unknown>> {
    const { users, ...config } = this.#around.config;
    return { ...(plain(config) as Record<string, unknown>), users: users.length };
  }

  rates(): Promise<RatesView> {
    return this.#rates.read();
  }

  flows(): Promise<TrafficReading> {
    return this.#traffic.read();
  }

  why(subject: Subject): Promise<StoryView> {
    return this.#around.journal.explain(subject);
  }

  async end(selector: EndSelector, reason: string): Promise<EndedView> {
    if ("tunnel" in selector) return this.#endTunnel(selector.tunnel, reason);
    const isMeant =
      "session" in selector ? ({ id }: { id: string }) => id === selector.session : sessionTest(selector);
    const meant = [...this.#gateway.sessions].filter((session) => !session.isOver && isMeant(session));
    if (meant.length === 0 && "session" in selector)
      throw new OperationError("no-such", `there is no session ${selector.session}`, "it may have ended");
    const cause = endCause("operator", reason);
    this.#around.logger.info({ ...selector, sessions: meant.length, reason }, "an operator ends sessions");
    for (const [i, session] of meant.entries()) {
      if (i % ENDS_AT_ONCE === ENDS_AT_ONCE - 1) await otherWork();
      session.leave(cause);
    }
    return { sessions: meant.length, tunnels: 0 };
  }

  drain(draining: boolean, accessInterface?: string): DrainedView {
    const names = this.#gateway.lines.map(({ config }) => config.interface);
    if (accessInterface !== undefined && !names.includes(accessInterface))
      throw noSuch("access interface", accessInterface, names);
    this.#gateway.drain(draining, accessInterface);
    return accessInterface === undefined
      ? { draining, interfaces: names, l2tp: this.#gateway.door.hasCallers }
      : { draining, interfaces: [accessInterface], l2tp: false };
  }

  clearLockout(lns?: string): ClearedView {
    const known = this.lns().map(({ peer }) => peer);
    if (lns !== undefined && !known.includes(lns)) throw noSuch("LNS", lns, [...new Set(known)]);
    return { cleared: this.#gateway.lnses.clearLockout(lns) };
  }

  async testTunnel(request: TunnelTestRequest): Promise<TunnelTestView> {
    if (this.#tests >= MOST_TESTS)
      throw new OperationError("busy", `${MOST_TESTS} tests are under way`, "try again in a minute");
    this.#tests += 1;
    try {
      return await testTunnel(request, this.#gateway, this.#around, this.events);
    } finally {
      this.#tests -= 1;
    }
  }

  capture(request: CaptureRequest, sink: CaptureSink, asker: CaptureAsker): OpenCapture {
    return this.#captures.start(request, sink, asker);
  }

  captures(): readonly CaptureView[] {
    return this.#captures.views();
  }

  endCapture(id: string, reason: string): void {
    this.#captures.end(id, reason);
  }

  endCaptures(reason: string): Promise<void> {
    return this.#captures.endAll(reason);
  }

  async reload(planOnly: boolean): Promise<ReloadView> {
    if (planOnly) {
      const preview = this.#gateway.planReload(await this.#readConfig());
      return { applied: false, problems: [], ...preview };
    }
    // one after the other: what was read first must not be what is gone on with in the end
    const done = this.#reloading.then(() => this.#reloadNow());
    // who asked is told
    this.#reloading = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  async #reloadNow(): Promise<ReloadView> {
    const next = await this.#readConfig();
    this.#reading?.applying?.(next);
    const report = await this.#gateway.reload(next);
    const others = (await this.#reading?.applied(this.#around.config)) ?? [];
    return { applied: true, ...report, problems: [...report.problems, ...others] };
  }

  async #readConfig(): Promise<Config> {
    if (this.#reading === undefined)
      throw new OperationError("bad-request", "there is no configuration file");
    try {
      return await this.#reading.read();
    } catch (error) {
      if (error instanceof ConfigError)
        throw new OperationError("bad-config", error.message, "nothing has been changed");
      throw error;
    }
  }

  #endTunnel(tunnel: number, reason: string): EndedView {
    const { tunnels } = this.#gateway;
    const view = this.tunnels({}).find(({ localTunnelId }) => localTunnelId === tunnel);
    this.#around.logger.info({ tunnel, sessions: view?.sessions ?? 0, reason }, "an operator ends a tunnel");
    if (view === undefined || tunnels === undefined || !tunnels.end(tunnel, reason))
      throw new OperationError("no-such", `there is no tunnel ${tunnel}`, "it may have ended");
    return { sessions: view.sessions, tunnels: 1 };
  }

  #facts(): HealthFacts {
    return {
      isStopping: this.#gateway.isStopping,
      engine: this.#around.dataplane.engine,
      wantedEngine: this.#around.config.dataPlane.engine,
      interfaces: this.interfaces(),
      pools: this.pools(),
      listeners: this.listeners(),
      lnses: this.lns(),
      loneLockedOut: this.#gateway.lnses.loneLockedOut(),
      tunnels: this.tunnels({}),
      l2tpDraining: this.l2tpDraining() ? { sessions: this.#callers() } : undefined,
    };
  }

  /** Sessions that came by L2TP. */
  #callers(): number {
    let count = 0;
    for (const { carrier } of this.#gateway.sessions) if (carrier.kind === "l2tp") count += 1;
    return count;
  }
}

type CensusCount = { -readonly [Key in keyof CensusEntry]: CensusEntry[Key] };

function add(tally: Record<string, number>, name: string, count: number): void {
  tally[name] = (tally[name] ?? 0) + count;
}

/** As JSON has it: maps are objects, what never comes is "never", a secret is none. */
function plain(value: unknown): unknown {
  if (value === Number.POSITIVE_INFINITY) return "never";
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Secret) return String(value);
  if (Array.isArray(value)) return value.map(plain);
  const entries = value instanceof Map ? value : Object.entries(value);
  return Object.fromEntries([...entries].map(([key, item]) => [key, plain(item)]));
}
