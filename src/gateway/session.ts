import { type Deferred, deferred } from "../base/deferred.ts";
import type { LogFields } from "../base/logger.ts";
import { type Instant, NEVER } from "../base/time.ts";
import type { ChannelCounters } from "../channel/dataplane.ts";
import type { SessionLimits } from "../config/config.ts";
import type { Credentials } from "../ppp/authenticator.ts";
import type { ProxiedSession } from "../ppp/proxy.ts";
import {
  type AdoptionPolicy,
  type Grant,
  type HeldSession,
  PppServer,
  type PppServerConfig,
  type PppServerOutput,
} from "../ppp/server.ts";
import type { Carrier } from "./carrier.ts";
import { causeOfLinkDown, type EndCause, publicText } from "./cause.ts";
import type { Role } from "./role.ts";
import { SessionClock } from "./session-limits.ts";
import { noteEnd, noteOpen, sessionDown, sessionUp } from "./session-news.ts";
import { AUTHENTICATING, ENDED, JOINING, OPEN, type Stage, stateOf, UNHEARD } from "./session-stage.ts";
import type { Surroundings } from "./surroundings.ts";
import type { ChannelView, L2tpLegView, SessionRole, SessionState, SessionView } from "./views.ts";

/**
 * Our first Configure-Request waits this long for the CPE's: many do not listen yet when PADS arrives, and lose
 * it, which would cost them a whole restart timer.
 */
const LISTEN_MS = 1000;

/** How long the last words (Terminate-Request) may take until the carrier is hung up all the same. */
const LEAVE_MS = 3000;

/** PPP frames of a call that is not connected yet, which are kept for when it is. */
const MAX_EARLY_FRAMES = 8;

const NO_LIMITS: SessionLimits = {};

/** Who decides what a session becomes once its user is known. */
export interface SessionOwner {
  /** Answers with assign(), leave() or reject(), at once or later. */
  authenticate(session: Session, credentials: Credentials, attempt: number): void;
  ended(session: Session, record: LogFields): void;
}

/** One subscriber: a carrier, his PPP as far as we speak it, and the role that his channel is joined in. */
export class Session {
  readonly id: string;
  /** "s12" without the letter: the later it began, the greater. */
  readonly number: number;
  readonly carrier: Carrier;
  readonly #around: Surroundings;
  readonly #owner: SessionOwner;
  readonly #startedAt: number;
  /** Who waits for the end, and is told; made when it is asked for. */
  #ended: Deferred | undefined;
  #ppp: PppServer | undefined;
  #config: PppServerConfig | undefined;
  #stage: Stage = UNHEARD;
  #role: Role | undefined;
  #user: string | undefined;
  /** What the CPE said that it is, when its PPP is no longer ours. */
  #identification: string | undefined;
  #openSince: Instant | undefined;
  /** As of the end: the channel is gone then. */
  #lastCounters: ChannelCounters | undefined;
  /** The data plane's count of received frames when we last looked: echo is not sent while it grows. */
  #heardFrames = 0;
  #early: Uint8Array[] | undefined;
  #limits = NO_LIMITS;
  #isReleased = false;
  /** While it is open. */
  #clock: SessionClock | undefined;

  constructor(
    id: string,
    carrier: Carrier,
    config: PppServerConfig,
    owner: SessionOwner,
    around: Surroundings,
  ) {
    this.id = id;
    this.number = Number(id.slice(1));
    this.carrier = carrier;
    this.#config = config;
    this.#owner = owner;
    this.#around = around;
    this.#startedAt = around.clock.wallClock();
    carrier.introduce(around.journal, this.number);
  }

  /** Resolves when nothing of the session is left. */
  get ended(): Promise<void> {
    this.#ended ??= deferred();
    if (this.#isReleased) this.#ended.resolve();
    return this.#ended.promise;
  }

  get user(): string | undefined {
    return this.#user;
  }

  get isOpen(): boolean {
    return this.#stage.kind === "open";
  }

  get wasOpen(): boolean {
    return this.#openSince !== undefined;
  }

  get isOver(): boolean {
    return this.#stage.kind === "ended" || this.#stage.kind === "leaving";
  }

  /** It is being taken apart, and nothing more becomes of it. */
  get hasEnded(): boolean {
    return this.#stage.kind === "ended";
  }

  /** Where it stands, as SessionView has it. */
  get state(): SessionState {
    return stateOf(this.#stage, this.role);
  }

  get role(): SessionRole | undefined {
    return this.#role?.kind;
  }

  /** The call to its LNS. */
  get onward(): L2tpLegView | null {
    return this.#role?.onward ?? null;
  }

  /** Of that call, the L2TP peer's name. */
  get onwardPeer(): string | undefined {
    return this.#role?.onwardPeer;
  }

  /** Milliseconds since 1970. */
  get startedAt(): number {
    return this.#startedAt;
  }

  /** PPP frames and octets, also of one that has ended. */
  get traffic(): ChannelCounters {
    return this.#counters();
  }

  /** The largest IP packet that may be sent to the subscriber, once LCP has opened. */
  get mruBytes(): number {
    return this.#ppp?.sendableBytes() ?? this.carrier.mruBytes;
  }

  // --- the beginning -----------------------------------------------------------------------------------------

  /** PPPoE: PADS is out. LCP begins with the CPE's first frame, or after a second. */
  listen(): void {
    if (this.#config === undefined) return;
    this.#ppp = new PppServer(this.#config, this.#around.random);
    this.#config = undefined;
    this.#enter({ kind: "waiting", until: this.#around.clock.now() + LISTEN_MS });
  }

  /**
   * LNS: ICCN is there, perhaps with what the LAC has negotiated already. `mru`: what fits, where ICCN has made it
   * another size than it was.
   */
  connected(
    proxied: ProxiedSession,
    policy: AdoptionPolicy,
    mru?: Pick<PppServerConfig, "mruBytes" | "maxMruBytes">,
  ): void {
    if (this.#stage.kind !== "waiting" || this.#config === undefined) return;
    const now = this.#around.clock.now();
    this.#enter(AUTHENTICATING);
    const config = { ...this.#config, ...mru };
    this.#config = undefined;
    const { server, outputs } = PppServer.adopt(config, this.#around.random, now, proxied, policy);
    this.#ppp = server;
    this.#input(outputs);
    for (const frame of this.takeEarly()) this.frame(frame);
  }

  /** Tunnel switch: ICCN is there, and perhaps his name in it. He goes on to an LNS; his PPP is never ours. */
  identify(user: string | undefined): void {
    this.#user = user;
    if (user !== undefined) this.#around.journal.note("user", { session: this.number }, user);
  }

  /** What he has sent since, with nobody there to take it; each frame once. */
  takeEarly(): readonly Uint8Array[] {
    const early = this.#early ?? [];
    this.#early = undefined;
    return early;
  }

  // --- what comes in -----------------------------------------------------------------------------------------

  /** A PPP frame that the data plane punted. */
  frame(frame: Uint8Array): void {
    const now = this.#around.clock.now();
    this.#around.journal.ppp(this.number, false, frame);
    if (this.#ppp === undefined) {
      const { kind } = this.#stage;
      if (kind !== "waiting" && kind !== "joining") return;
      this.#early ??= [];
      if (this.#early.length < MAX_EARLY_FRAMES) this.#early.push(frame);
      return;
    }
    if (this.#stage.kind === "waiting") {
      this.carrier.heard();
      this.#start(now);
    }
    // what it says is PPP's to judge: as mere traffic, an Echo-Reply would keep us from asking again for an interval
    this.#heardFrames += 1;
    this.#input(this.#ppp?.receive(now, frame) ?? []);
  }

  deadline(): Instant {
    const stage = this.#stage;
    if (stage.kind === "ended") return NEVER;
    const own = stage.kind === "waiting" || stage.kind === "leaving" ? stage.until : NEVER;
    return Math.min(
      own,
      this.#ppp?.deadline() ?? NEVER,
      this.#role?.deadline() ?? NEVER,
      this.#clock?.deadline() ?? NEVER,
    );
  }

  timeout(now: Instant): void {
    const stage = this.#stage;
    if (stage.kind === "waiting" && stage.until <= now) this.#start(now);
    if (stage.kind === "leaving" && stage.until <= now) this.end(stage.cause);
    if (this.hasEnded) return;
    if (this.#ppp !== undefined) {
      this.#noticeTraffic(now, this.#ppp);
      this.#input(this.#ppp.timeout(now));
    }
    this.#role?.timeout(now);
    const expired = this.#clock?.timeout(now, () => this.#userFrames());
    if (expired !== undefined) this.leave(expired);
    // whatever acted may have ended it
    if (!this.hasEnded) this.#around.scheduler.update(this);
  }

  // --- what the owner and the role decide --------------------------------------------------------------------

  assign(role: Role, limits: SessionLimits = NO_LIMITS): void {
    this.#role = role;
    this.#limits = limits;
    this.#enter(JOINING);
  }

  /**
   * Termination: the user of that attempt is who he says he is. IPCP begins. Void attempts are passed over.
   * `authenticatorResponse`: what verifying MS-CHAPv2 gave.
   */
  accept(attempt: number, grant: Grant, authenticatorResponse: string | undefined): void {
    this.#do((ppp, now) => ppp.accept(now, attempt, grant, authenticatorResponse));
  }

  /** The user is told so, once, and is gone. */
  reject(attempt: number, message: string): void {
    this.#do((ppp, now) => ppp.reject(now, attempt, message));
  }

  /** LAC: we keep the subscriber company until the bridge stands. */
  hold(attempt: number): void {
    this.#do((ppp, now) => ppp.hold(now, attempt));
  }

  /** LAC: what ICCN tells of our negotiation, and the frame that a minimal LNS may want to see again. */
  proxy(): HeldSession | undefined {
    return this.#ppp?.proxy();
  }

  /** The role is complete: frames flow. */
  opened(): void {
    if (this.#stage.kind !== "joining") return;
    const now = this.#around.clock.now();
    if (this.#openSince === undefined) {
      this.#openSince = now;
      noteOpen(this.#around.journal, this.number, this.#role);
      this.#around.events.publish(sessionUp(this, this.#role, this.#around.clock.wallClock()));
    }
    if (this.#limits.sessionTimeoutMs !== undefined || this.#limits.idleTimeoutMs !== undefined)
      this.#clock ??= new SessionClock(this.#limits, now, this.#userFrames());
    this.#enter(OPEN);
    this.carrier.opened();
    this.#around.logger.info(
      this.#logFields({ device: this.#role?.device, address: this.#role?.address }),
      this.#role?.onward ? "session up: bridged to its LNS" : "session up: on its device",
    );
  }

  /** LAC: the bridge stands; PPP is the LNS's business now, and what we know of it is let go. */
  dropPpp(): void {
    this.#identification = this.#ppp?.peerIdentification;
    this.#ppp = undefined;
    this.#around.scheduler.update(this);
  }

  /** Ends politely: Terminate-Request first, where we speak PPP with him. */
  leave(cause: EndCause, patienceMs = LEAVE_MS): void {
    const stage = this.#stage;
    const until = this.#around.clock.now() + patienceMs;
    if (stage.kind === "ended") return;
    if (stage.kind === "leaving") {
      this.#enter({ ...stage, until: Math.min(stage.until, until) });
      return;
    }
    this.#clock = undefined;
    if (this.#ppp === undefined || stage.kind === "waiting") {
      this.end(cause);
      return;
    }
    this.#enter({ kind: "leaving", cause, until });
    this.#do((ppp, now) => ppp.terminate(now, publicText(cause)));
  }

  /**
   * Ends at once. Everyone is told once; `ended` resolves when all is taken apart. One that is leaving ends for what
   * made it leave, whatever its subscriber answers.
   */
  end(why: EndCause): void {
    const stage = this.#stage;
    if (stage.kind === "ended") return;
    const cause = stage.kind === "leaving" ? stage.cause : why;
    this.#lastCounters = this.#counters();
    this.#stage = ENDED;
    this.#around.scheduler.remove(this);
    const record = this.#record(cause, this.#lastCounters);
    this.#around.events.publish(sessionDown(this, this.#role, cause, this.#openForMs()));
    noteEnd(this.#around.journal, this.number, cause, this.#openForMs());
    this.#role?.hangUp(cause);
    this.carrier.hangUp(cause);
    void this.#release()
      .catch((error: Error) => {
        this.#around.logger.error(
          { session: this.id, error: error.message },
          "a session could not be taken apart; what it held may be lost until a restart",
        );
      })
      .then(() => {
        this.#owner.ended(this, record);
        this.#isReleased = true;
        this.#ended?.resolve();
      });
  }

  // --- what an operator sees ---------------------------------------------------------------------------------

  view(): SessionView {
    const openFor = this.#openForMs();
    const role = this.#role;
    return {
      id: this.id,
      role: role?.kind ?? null,
      state: this.state,
      user: this.#user ?? null,
      origin: this.carrier.view(),
      onward: role?.onward ?? null,
      unit: role?.unit ?? null,
      device: role?.device ?? null,
      address: role?.address ?? null,
      startedAt: new Date(this.#startedAt).toISOString(),
      openForSeconds: openFor === undefined ? null : Math.floor(openFor / 1000),
      ...this.#counters(),
    };
  }

  /** The session's channel, and that of the LNS which it is bridged to. */
  channels(): readonly Omit<ChannelView, "session" | keyof ChannelCounters>[] {
    const { channel, kind } = this.carrier;
    const joint = this.#role?.joint;
    if (this.#stage.kind === "ended") return [];
    if (joint === undefined) return [{ channel, kind, state: "punted", bridgedTo: null, device: null }];
    if (joint.state === "attached")
      return [{ channel, kind, state: "attached", bridgedTo: null, device: joint.device }];
    return [
      { channel, kind, state: "bridged", bridgedTo: joint.with, device: null },
      { channel: joint.with, kind: "l2tp", state: "bridged", bridgedTo: channel, device: null },
    ];
  }

  // --- inside ------------------------------------------------------------------------------------------------

  #start(now: Instant): void {
    this.#enter(AUTHENTICATING);
    this.#input(this.#ppp?.start(now) ?? []);
  }

  #enter(stage: Stage): void {
    this.#stage = stage;
    this.#around.scheduler.update(this);
  }

  #do(act: (ppp: PppServer, now: Instant) => readonly PppServerOutput[]): void {
    if (this.#ppp === undefined || this.#stage.kind === "ended") return;
    this.#input(act(this.#ppp, this.#around.clock.now()));
  }

  #input(outputs: readonly PppServerOutput[]): void {
    for (const output of outputs) {
      if (this.#stage.kind === "ended") return;
      this.#act(output);
    }
    if (this.#stage.kind !== "ended") this.#around.scheduler.update(this);
  }

  #act(output: PppServerOutput): void {
    switch (output.kind) {
      case "send":
        this.#around.journal.ppp(this.number, true, output.frame);
        this.#around.dataplane.inject(this.carrier.channel, output.frame);
        return;
      case "authenticate":
        this.#authenticate(output.credentials, output.attempt);
        return;
      case "authenticate-void":
        return; // another one follows, or the end
      case "network-up":
        this.#role?.networkUp(output);
        return;
      case "network-down":
        this.#role?.networkDown(output.protocol);
        return;
      case "down":
        this.end(causeOfLinkDown(output.cause));
        return;
    }
  }

  #authenticate(credentials: Credentials, attempt: number): void {
    const name = credentials.method === "none" ? "" : credentials.name;
    if (this.#ppp !== undefined) this.carrier.lcpOpened(this.#ppp.peerAccm);
    const again = this.#role;
    if (again === undefined) {
      this.#user = name;
      this.#around.journal.note("user", { session: this.number }, name);
      this.#owner.authenticate(this, credentials, attempt);
    } else if (name === this.#user) {
      again.reauthenticated(credentials, attempt);
    } else {
      this.reject(attempt, "another user name in the same session");
    }
  }

  /** Frames that went past us are as good as echo replies. */
  #noticeTraffic(now: Instant, ppp: PppServer): void {
    const framesIn = this.#around.dataplane.framesIn(this.carrier.channel);
    if (framesIn === this.#heardFrames) return;
    this.#heardFrames = framesIn;
    ppp.onTraffic(now);
  }

  async #release(): Promise<void> {
    await this.#role?.release();
    await this.#around.dataplane.closeChannel(this.carrier.channel);
    await this.carrier.released();
  }

  #counters(): ChannelCounters {
    return this.#lastCounters ?? this.#around.dataplane.counters(this.carrier.channel);
  }

  #userFrames(): number {
    return this.#around.dataplane.userFrames(this.carrier.channel);
  }

  #openForMs(): number | undefined {
    return this.#openSince === undefined ? undefined : this.#around.clock.now() - this.#openSince;
  }

  #logFields(more: LogFields): LogFields {
    const identification = this.#ppp?.peerIdentification ?? this.#identification;
    return {
      session: this.id,
      user: this.#user,
      role: this.#role?.kind,
      ...this.carrier.logFields,
      ...(identification !== undefined && { identification }),
      ...more,
    };
  }

  /** The session's last line (accounting): who, where, how long, how much, why it ended. */
  #record(cause: EndCause, counters: ChannelCounters): LogFields {
    return this.#logFields({
      address: this.#role?.address,
      startedAt: new Date(this.#startedAt).toISOString(),
      endedAt: new Date(this.#around.clock.wallClock()).toISOString(),
      openSeconds: Math.round((this.#openForMs() ?? 0) / 1000),
      cause: cause.code,
      reason: cause.text,
      ...counters,
    });
  }
}
