import { LocalUsers, type LoginVerdict } from "../aaa/local-users.ts";
import type { LogFields } from "../base/logger.ts";
import type { ChannelId, Punt } from "../channel/dataplane.ts";
import type { Config, Destination } from "../config/config.ts";
import type { CallRequest } from "../l2tp/outputs.ts";
import type { Credentials } from "../ppp/authenticator.ts";
import type { AuthenticationMethod } from "../ppp/lcp.ts";
import type { PppServerConfig } from "../ppp/server.ts";
import { DEFAULT_TIMERS } from "../ppp/timers.ts";
import { CDN_RESULT } from "../wire/l2tp-codes.ts";
import type { AccessLine, SessionMaker } from "./access-line.ts";
import { AccessLines } from "./access-lines.ts";
import { authenticationMethods } from "./authentication-methods.ts";
import type { Call } from "./call.ts";
import { type CallDetails, LineDetails } from "./call-details.ts";
import { CallDoor } from "./call-door.ts";
import { CallRounds } from "./call-rounds.ts";
import type { Carrier } from "./carrier.ts";
import { endCause } from "./cause.ts";
import { Destinations } from "./destination.ts";
import { Forwarding } from "./forwarding.ts";
import { type CallSwitch, type IncomingCall, L2tpCarrier, mruThrough } from "./l2tp-carrier.ts";
import { LnsGroups } from "./lns-groups.ts";
import type { PoolView } from "./operations-views.ts";
import { Patience } from "./patience.ts";
import { previewReload, type Reloadable, type ReloadPreview, type ReloadReport, reload } from "./reload.ts";
import { Session, type SessionOwner } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";
import { hasProxyLcp, proxiedUser, SwitchedCall } from "./switched-call.ts";
import { Termination } from "./termination.ts";
import { tellTooBig } from "./too-big.ts";
import { Tunnels } from "./tunnels.ts";
import { UnitGroups } from "./unit-groups.ts";
import type { LnsView } from "./views.ts";

type LnsDestination = Extract<Destination, { kind: "lns" }>;

/** How long a stopping gateway waits for Terminate-Acks, and then for the acknowledgements of its StopCCNs. */
const TERMINATE_PATIENCE_MS = 1000;
const STOP_PATIENCE_MS = 1500;
/** Who stops a gateway waits 3 s; what has not been taken apart by then ends with the process. */
const STOP_LIMIT_MS = 2800;

/** The composition: sessions between access lines, tunnels, users and units. */
export class Gateway implements SessionOwner, SessionMaker, CallSwitch {
  readonly #around: Surroundings;
  #users: LocalUsers;
  #destinations: Destinations;
  readonly #lnses: LnsGroups;
  readonly #rounds: CallRounds;
  readonly #lines: AccessLines;
  readonly #door: CallDoor;
  readonly #groups: UnitGroups;
  readonly #sessions = new Map<ChannelId, Session>();
  readonly #ends = new Map<string, number>();
  #tunnels: Tunnels | undefined;
  #sessionCount = 0;
  #stopping = false;
  /** All that sessions need is there: before, no call is answered, whatever comes up; it may be that we cannot start. */
  #isReady = false;
  /** One after the other. */
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(around: Surroundings) {
    this.#around = around;
    this.#users = new LocalUsers(around.config.users);
    this.#destinations = new Destinations(around.config);
    this.#lnses = new LnsGroups(around);
    this.#rounds = new CallRounds(around.config);
    this.#lines = new AccessLines(around, this);
    this.#door = new CallDoor(around);
    this.#groups = new UnitGroups(around);
    around.dataplane.onPunt((punt) => this.#punted(punt));
    around.host.onLinkEvent((event) => {
      if (event.kind === "gone") this.#interfaceGone(event.ifindex);
      else if (!this.#stopping) void this.#tunnels?.linkChanged(event.link.name);
      if (this.#isReady && !this.#stopping) this.#lines.linksChanged();
    });
  }

  /** Opens everything that is there; what is not yet there opens when it comes. */
  async start(): Promise<void> {
    await this.#groups.start();
    this.#tunnels = await Tunnels.open(this.#around, {
      door: this.#door,
      takeCall: (call, channel, request) => this.#takeCall(call, channel, request),
      reachable: (peer) => this.#lnses.reachable(peer),
      silent: (peer) => this.#lnses.silent(peer),
      unreachable: (peer, reason, elsewhere) => this.#lnses.unreachable(peer, reason, elsewhere),
    });
    this.#isReady = true;
    await this.#lines.start();
  }

  /** What reload() would do with another configuration. */
  planReload(next: Config): ReloadPreview {
    return previewReload(this.#reloadable(), next);
  }

  /**
   * Goes on with another configuration, as far as that can be done without a restart. Sessions end that go through what
   * is not there any more, and no others.
   */
  reload(next: Config): Promise<ReloadReport> {
    const report = this.#reloading.then(() => reload(this.#reloadable(), next));
    this.#reloading = report.catch(() => undefined);
    return report;
  }

  #reloadable(): Reloadable {
    return {
      around: this.#around,
      lines: this.#lines,
      door: this.#door,
      groups: this.#groups,
      tunnels: this.#tunnels,
      sessions: () => this.sessions,
      isStopping: () => this.#stopping,
      decideAnew: () => {
        const { config } = this.#around;
        this.#users = new LocalUsers(config.users);
        this.#destinations = new Destinations(config);
        this.#lnses.reconfigure();
        this.#rounds.reconfigure(config);
      },
    };
  }

  /**
   * Ends every session politely: Terminate-Request, PADT and CDN; one StopCCN a tunnel. Within 3 s, or as soon after
   * them as everybody has been told; nothing of the gateway's own is open any more then. False when the time was up
   * before everything was ended: what is left of sessions goes with the data plane.
   */
  async stop(reason: string): Promise<boolean> {
    this.#stopping = true;
    this.#lines.stopAnswering();
    const limit = new Patience(this.#around, STOP_LIMIT_MS);
    const late = limit.over.then(() => "late");
    let isDone = false;
    try {
      isDone = (await Promise.race([this.#endAll(reason), late])) !== "late";
      if (!isDone)
        this.#around.logger.warn(
          { sessions: this.#sessions.size },
          "not everything could be ended in time; ending all the same",
        );
    } finally {
      limit.end();
      if (!isDone) this.#abandon();
    }
    return isDone;
  }

  async #endAll(reason: string): Promise<void> {
    const cause = endCause("shutdown", reason);
    // who has a tunnel to an LNS is told by PADT, and his LNS by the one StopCCN: no CDN for each
    // those included that were on their way when we stopped
    while (this.#sessions.size > 0) {
      const last = [...this.#sessions.values()];
      for (const session of last) session.leave(cause, TERMINATE_PATIENCE_MS);
      await Promise.all(last.map(({ ended }) => ended));
    }
    await this.#tunnels?.shutdown(STOP_PATIENCE_MS);
    await this.#lines.close();
    await this.#tunnels?.close();
    await this.#groups.close();
  }

  /** Whatever is still under way is waited for no more: a socket of ours that stayed open would keep the process. */
  #abandon(): void {
    this.#tunnels?.abandon();
    this.#lines.abandon();
  }

  /**
   * Takes no new calls on the access interface of this name, or at all (by L2TP neither), while the sessions go on; or
   * takes calls again. False when no such interface is configured.
   */
  drain(draining: boolean, accessInterface?: string): boolean {
    if (accessInterface === undefined) this.#door.drain(draining);
    return this.#lines.drain(draining, accessInterface);
  }

  get sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  get tunnels(): Tunnels | undefined {
    return this.#tunnels;
  }

  /** The access interfaces of the configuration. */
  get lines(): readonly AccessLine[] {
    return this.#lines.all;
  }

  /** Where calls come in by L2TP. */
  get door(): CallDoor {
    return this.#door;
  }

  get lnses(): LnsGroups {
    return this.#lnses;
  }

  get destinations(): Destinations {
    return this.#destinations;
  }

  get isStopping(): boolean {
    return this.#stopping;
  }

  pools(): readonly PoolView[] {
    return this.#groups.pools();
  }

  lnsViews(): readonly LnsView[] {
    return this.#tunnels === undefined ? [] : this.#lnses.views(this.#tunnels);
  }

  /** What was counted above the data plane. */
  counters(): Record<string, number> {
    const counters: Record<string, number> = { "sessions.opened": this.#sessionCount };
    for (const [code, count] of this.#ends) counters[`sessions.ended.${code}`] = count;
    for (const line of this.#lines.all)
      for (const [name, count] of Object.entries(line.counters()))
        counters[`pppoe.${line.config.interface}.${name}`] = count;
    for (const [name, count] of Object.entries(this.#tunnels?.counters() ?? {}))
      counters[`l2tp.${name}`] = count;
    for (const [reason, count] of Object.entries(this.#door.counters()))
      counters[`l2tp.refused.${reason}`] = count;
    for (const [name, count] of this.#lnses.counters()) counters[name] = count;
    return counters;
  }

  /** For access lines and tunnels: a new subscriber, whose channel is there. */
  newSession(
    carrier: Carrier,
    authentication: readonly AuthenticationMethod[],
    maxMruBytes: number,
  ): Session {
    this.#sessionCount += 1;
    const config: PppServerConfig = {
      link: carrier.kind,
      mruBytes: carrier.mruBytes,
      maxMruBytes,
      authentication,
      name: this.#around.config.name,
      timers: DEFAULT_TIMERS,
    };
    const session = new Session(`s${this.#sessionCount}`, carrier, config, this, this.#around);
    this.#sessions.set(carrier.channel, session);
    return session;
  }

  authenticate(session: Session, credentials: Credentials, attempt: number): void {
    const name = session.user ?? "";
    const destination = this.#destinations.choose(name, session.carrier);
    switch (destination.kind) {
      case "lns":
        this.#forward(session, destination, attempt);
        return;
      case "terminate":
        this.#terminate(session, credentials, destination, attempt);
        return;
      case "refuse":
        this.#around.logger.warn(
          { session: session.id, user: name, ...session.carrier.logFields },
          "login refused: no service for this realm and Service-Name",
        );
        this.#noteRefused(session, "no service");
        session.reject(attempt, "no service for this user name");
        return;
    }
  }

  #noteRefused({ number }: Session, reason: string): void {
    this.#around.journal.note("login-refused", { session: number }, reason);
  }

  ended(session: Session, record: LogFields): void {
    // the channel's id was free before we heard of it, and may be another session's by now
    const { channel } = session.carrier;
    if (this.#sessions.get(channel) === session) this.#sessions.delete(channel);
    const code = String(record.cause);
    this.#ends.set(code, (this.#ends.get(code) ?? 0) + 1);
    this.#around.logger.info(record, "session ended");
  }

  /** For calls from LACs. What to do with one is known where its peer's policy says it, or with the name that ICCN tells. */
  switched(carrier: L2tpCarrier, { connection }: IncomingCall): boolean {
    const { session } = carrier;
    const user = proxiedUser(connection);
    const isKnown = user !== undefined && hasProxyLcp(connection);
    if (session === undefined || (carrier.destination === undefined && !isKnown)) return false;
    const destination = this.#destinations.choose(user ?? "", carrier);
    if (destination.kind !== "lns") return false;
    session.identify(user);
    this.#forward(session, destination);
    return true;
  }

  /** `attempt`: of a subscriber whose PPP is ours. */
  #forward(session: Session, to: LnsDestination, attempt?: number): void {
    const { carrier } = session;
    const incoming = carrier instanceof L2tpCarrier ? carrier.incoming : undefined;
    const details = this.#details(carrier, incoming);
    const forwarding = new Forwarding(session, { lns: to.lns, details }, this.#around);
    session.assign(forwarding, to);
    if (!this.#lnses.has(to.lns)) {
      // said by the policy of a peer, at the time when the call came in
      session.leave(endCause("no-lns", `${to.lns} is not in the configuration any more`));
      return;
    }
    const round = incoming && this.#rounds.refusal(incoming, to.lns, this.#lnses);
    if (round !== undefined) {
      this.#around.logger.warn(
        { session: session.id, user: session.user, lns: to.lns },
        `call refused: ${round}`,
      );
      const cdn = { result: CDN_RESULT.invalidDestination, message: round };
      session.leave(endCause("no-lns", round, cdn));
    } else if (this.#tunnels !== undefined) forwarding.start(this.#tunnels, this.#lnses, attempt);
    else session.leave(endCause("no-lns", "L2TP is not up yet"));
  }

  #details(carrier: Carrier, incoming: IncomingCall | undefined): CallDetails {
    const { name } = this.#around.config;
    if (!(carrier instanceof L2tpCarrier) || incoming === undefined) return new LineDetails(carrier, name);
    const details = new SwitchedCall(carrier, incoming, name, this.#rounds);
    carrier.reports = details;
    return details;
  }

  #terminate(
    session: Session,
    credentials: Credentials,
    to: Extract<Destination, { kind: "terminate" }>,
    attempt: number,
  ): void {
    const verdict = this.#users.verify(credentials);
    if (!verdict.ok) {
      this.#around.logger.warn(
        { session: session.id, user: session.user, reason: verdict.reason, ...session.carrier.logFields },
        "login refused",
      );
      this.#noteRefused(session, verdict.reason);
      session.reject(attempt, "wrong user name or password");
      return;
    }
    const group = this.#groups.get(verdict.user.unit ?? to.unit);
    if (group === undefined) {
      this.#noteRefused(session, "no service");
      session.reject(attempt, "no service for this user name");
      return;
    }
    const verify = (again: Credentials): LoginVerdict => this.#users.verify(again);
    const termination = new Termination(session, verdict.user, group, verify, this.#around);
    session.assign(termination, to);
    termination.start(attempt, verdict.authenticatorResponse);
  }

  #takeCall(call: Call, channel: ChannelId, request: CallRequest): L2tpCarrier {
    const { peer } = call;
    const { mruBytes, maxMruBytes } = mruThrough(call, peer.sequencing === "always");
    const carrier = new L2tpCarrier(call, channel, request, mruBytes, this);
    carrier.session = this.newSession(carrier, authenticationMethods(peer.authentication), maxMruBytes);
    return carrier;
  }

  #punted(punt: Punt): void {
    switch (punt.kind) {
      case "frame":
        this.#sessions.get(punt.channel)?.frame(punt.frame);
        return;
      case "control":
        this.#tunnels?.control(punt);
        return;
      case "unknown-session":
        this.#lines.withPort(punt.port)?.strayFrame(punt);
        return;
      case "port-down":
        void this.#lines.withPort(punt.port)?.lost(punt.reason);
        void this.#tunnels?.portDown(punt.port, punt.reason);
        return;
      case "too-big":
        this.#tooBig(punt);
        return;
      case "unreachable":
        this.#tunnels?.unreachable(punt);
        return;
      case "unit-down":
        this.#groups.unitDown(punt.unit, punt.reason);
        return;
      case "worker-restarted":
        this.#around.logger.error(
          { reason: punt.reason },
          "a forwarding thread has ended, which is a bug of Lacewing's; another one has taken its place",
        );
        return;
      case "engine-down":
        this.#around.logger.error(
          { reason: punt.reason, sessions: this.#sessions.size },
          "forwarding has failed, which is a bug of Lacewing's; the gateway ends, to be started again",
        );
        this.#around.onFailure(punt.reason);
        return;
    }
  }

  #tooBig(punt: Extract<Punt, { kind: "too-big" }>): void {
    const group = this.#groups.sharing(punt.unit);
    if (group !== undefined)
      tellTooBig(punt, group.config.netns !== undefined, this.#around.icmp, this.#around);
  }

  #interfaceGone(ifindex: number): void {
    this.#lines.interfaceGone(ifindex);
    void this.#tunnels?.deviceGone(ifindex);
  }
}
