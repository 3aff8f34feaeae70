import { type Instant, NEVER } from "../base/time.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import type { CallConnection, SessionCause } from "../l2tp/outputs.ts";
import { CDN_RESULT, GENERAL_ERROR, type ResultCode } from "../wire/l2tp-codes.ts";
import type { Call, CallEnd } from "./call.ts";
import type { LnsGroups, RequestFor } from "./lns-groups.ts";
import type { LnsGroup, LnsLoad, Standing } from "./lns-selection.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Tunnels } from "./tunnels.ts";

/**
 * A CPE waits ten seconds for an answer to its authentication, and a dead LNS costs seven: a call that has waited
 * this long for a tunnel to come up is placed with another LNS meanwhile.
 */
const TUNNEL_PATIENCE_MS = 2500;
/** The same for ICRP, in a tunnel that is up but in which the LNS has said nothing to anybody. */
const REPLY_PATIENCE_MS = 4000;
/** Who waits, and has nowhere else to go, looks again after this. */
const RECHECK_MS = 1000;
/** No other LNS is tried after this: no CPE waits longer. */
const LIMIT_MS = 30_000;
/** Tunnels that were not the LNS's fault to lose (tie breakers, restarts) do not count against it, but have an end. */
const MAX_ATTEMPTS = 32;

export interface OnwardHandler {
  /** ICRP came: the channel is there, and punted. connect() is next, unless lost() comes first. */
  accepted(channel: ChannelId, peer: string): void;
  /** What was accepted is gone before it was connected; another LNS is being called. */
  lost(): void;
  /** No LNS takes the call; `text` says what was tried. `by`: "lns", or "us" when our own resources are to blame. */
  refused(text: string, by: "lns" | "us"): void;
  /** The call had been connected, and the LNS ended it. */
  ended(text: string): void;
}

interface Attempt {
  readonly peer: string;
  readonly standing: Standing;
  readonly at: Instant;
  call: Call | undefined;
  over: boolean;
}

interface Trial {
  readonly peer: string;
  readonly reason: string;
  /** It said no, or was not there; otherwise the call has been taken elsewhere in time. */
  readonly final: boolean;
  readonly at: Instant;
}

interface Circumstances {
  readonly around: Surroundings;
  readonly tunnels: Tunnels;
  readonly lnses: LnsGroups;
  readonly group: LnsGroup;
  readonly load: LnsLoad;
  readonly request: RequestFor;
  readonly handler: OnwardHandler;
}

/** A subscriber's call to an LNS of a group: to one after the other, until one takes it or all have refused. */
export class OnwardCall {
  readonly #c: Circumstances;
  readonly #startedAt: Instant;
  #trials: Trial[] = [];
  #attempts = 0;
  #attempt: Attempt | undefined;
  #stage: "calling" | "accepted" | "connected" | "over" = "calling";
  #checkAt: Instant = NEVER;
  /** Of calls that have ended or were taken elsewhere. */
  #releasing: Promise<void> = Promise.resolve();

  constructor(circumstances: Circumstances) {
    this.#c = circumstances;
    this.#startedAt = circumstances.around.clock.now();
  }

  /** The call as it stands; another one after lost(). */
  get call(): Call | undefined {
    return this.#attempt?.call;
  }

  /** What was tried before this LNS took the call; empty when it was the first. */
  get history(): string {
    return this.#trials.map(({ peer, reason }) => `${peer}: ${reason}`).join("; ");
  }

  start(): void {
    this.#next();
  }

  /** Sends ICCN. */
  connect(connection: CallConnection): void {
    const attempt = this.#attempt;
    if (attempt === undefined || this.#stage !== "accepted") return;
    this.#stage = "connected";
    this.#c.lnses.count(attempt.peer, "connected");
    attempt.call?.connect(connection);
  }

  /** Ends it, wherever it stands; does nothing when the LNS has ended it. */
  hangUp(code: ResultCode): void {
    this.forsake();
    this.#attempt?.call?.hangUp(code);
  }

  /** Nothing more will come of it: its tunnel ends in this moment, and says so for all. */
  forsake(): void {
    this.#stage = "over";
    this.#checkAt = NEVER;
  }

  /** Resolves when the channels of all its calls but the one that stands are closed. */
  get settled(): Promise<void> {
    return this.#releasing;
  }

  async release(): Promise<void> {
    this.#letGo();
    await this.#releasing;
  }

  deadline(): Instant {
    return this.#checkAt;
  }

  /** Looks whether the call had better be placed elsewhere. */
  timeout(now: Instant): void {
    const attempt = this.#attempt;
    if (attempt === undefined || now < this.#checkAt || this.#stage !== "calling") return;
    const waited = this.#waitedInVain(now, attempt);
    if (waited !== undefined) {
      this.#checkAt = now + waited;
      return;
    }
    this.#checkAt = now + RECHECK_MS;
    const { lnses, group, load } = this.#c;
    const left = this.#trials.filter(({ final, peer, at }) => final || !this.#heardSince(peer, at));
    const passed = [attempt.peer, ...left.map(({ peer }) => peer)];
    const standing = lnses.selection.standing(now, group, attempt.peer);
    const other = now < this.#startedAt + LIMIT_MS && lnses.selection.choose(now, group, passed, load);
    lnses.selection.slow(now, attempt.peer);
    if (!other || (other.standing === "locked" && standing !== "locked")) return;
    const seconds = ((now - attempt.at) / 1000).toFixed(1);
    this.#c.lnses.count(attempt.peer, "unanswered");
    this.#abandon(attempt, {
      peer: attempt.peer,
      reason: `no answer in ${seconds} s`,
      final: false,
      at: now,
    });
    this.#place(other.peer, other.standing);
  }

  /** How long to wait on; undefined when it has been long enough. */
  #waitedInVain(now: Instant, { call, at }: Attempt): number | undefined {
    if (call === undefined) return undefined;
    const silentSince = this.#c.tunnels.silentSince(call);
    const until =
      silentSince === undefined ? at + TUNNEL_PATIENCE_MS : Math.max(at, silentSince) + REPLY_PATIENCE_MS;
    return until > now ? until - now : undefined;
  }

  #heardSince(peer: string, at: Instant): boolean {
    return (this.#c.tunnels.heardOf(peer) ?? at) > at;
  }

  #next(): void {
    const { around, lnses, group, load } = this.#c;
    const now = around.clock.now();
    const failed = this.#trials.map((trial) => this.#outcome(trial)).filter(({ final }) => final);
    const inTime = now < this.#startedAt + LIMIT_MS && this.#attempts < MAX_ATTEMPTS;
    const choice = inTime
      ? lnses.selection.choose(
          now,
          group,
          failed.map(({ peer }) => peer),
          load,
        )
      : undefined;
    if (choice === undefined) this.#refuse(now);
    else this.#place(choice.peer, choice.standing);
  }

  /** An LNS that has been locked out since a call was taken from it has failed that call, too. */
  #outcome(trial: Trial): Trial {
    const lock = this.#c.lnses.selection.lockOf(trial.peer);
    if (trial.final || lock === undefined || lock.since < trial.at) return trial;
    return { ...trial, final: true, reason: lock.reason };
  }

  #place(peer: string, standing: Standing): void {
    const { around, tunnels, lnses, request } = this.#c;
    const now = around.clock.now();
    this.#attempts += 1;
    this.#stage = "calling";
    const attempt: Attempt = { peer, standing, at: now, call: undefined, over: false };
    this.#attempt = attempt;
    this.#checkAt = now + TUNNEL_PATIENCE_MS;
    lnses.count(peer, "calls");
    const call = tunnels.place(peer, request(peer), {
      accepted: (channel) => this.#accepted(attempt, channel),
      connected: () => {
        // ICCN goes from LAC to LNS; as the LAC we never get one
      },
      ended: (end) => this.#ended(attempt, end),
    });
    if (call === undefined) {
      if (!attempt.over) this.#fail(attempt, "cannot be called: no L2TP port for its address, or no free id");
    } else if (attempt.over) this.#giveBack(call);
    else attempt.call = call;
  }

  #accepted(attempt: Attempt, channel: ChannelId): void {
    if (attempt !== this.#attempt || this.#stage !== "calling") return;
    this.#stage = "accepted";
    this.#checkAt = NEVER;
    this.#c.handler.accepted(channel, attempt.peer);
  }

  #ended(attempt: Attempt, end: CallEnd): void {
    attempt.over = true;
    if (attempt !== this.#attempt || this.#stage === "over") return;
    if (end.stage === "connected") {
      this.#stage = "over";
      this.#c.handler.ended(`${attempt.peer}: ${end.text}`);
      return;
    }
    if (this.#stage === "accepted") this.#c.handler.lost();
    if (end.why.kind === "local") {
      this.forsake();
      this.#c.handler.refused(end.text, "us");
      return;
    }
    const { cause } = end.why;
    this.#c.lnses.count(attempt.peer, cause.by === "timeout" ? "unanswered" : "refused");
    if (end.why.kind === "session" && this.#c.group.lockoutOnCdn && isNotHereNotNow(end.why.cause))
      this.#c.lnses.lockOut(attempt.peer, end.text);
    const blameless = cause.by === "replaced" || cause.by === "tie-breaker";
    this.#fail(attempt, end.text, !blameless);
  }

  #fail(attempt: Attempt, reason: string, final = true): void {
    const { around } = this.#c;
    this.#abandon(attempt, { peer: attempt.peer, reason, final, at: around.clock.now() });
    this.#next();
  }

  /** The call is taken from an LNS; what it held there is given back. */
  #abandon(attempt: Attempt, trial: Trial): void {
    this.#trials = [...this.#trials.filter(({ peer }) => peer !== trial.peer), trial];
    if (!attempt.over)
      attempt.call?.hangUp({ result: CDN_RESULT.notEstablishedInTime, message: "placed with another LNS" });
    attempt.over = true;
    this.#letGo();
  }

  #letGo(): void {
    const call = this.#attempt?.call;
    this.#attempt = undefined;
    if (call !== undefined) this.#giveBack(call);
  }

  #giveBack(call: Call): void {
    const before = this.#releasing;
    const released = call.release();
    this.#releasing = before.then(() => released);
  }

  #refuse(now: Instant): void {
    this.forsake();
    this.#c.handler.refused(this.#describe(now), "lns");
  }

  /** "tried a: …; tried b: …; c locked out for 212 s more". */
  #describe(now: Instant): string {
    const { lnses, group, load } = this.#c;
    const tried = this.#trials.map((trial) => `${trial.peer}: ${this.#outcome(trial).reason}`);
    const others = group.members
      .filter(({ peer }) => !this.#trials.some((trial) => trial.peer === peer))
      .map(({ peer }) => {
        const lockedMs = lnses.selection.lockedForMs(now, group, peer);
        if (!load.hasRoom(peer)) return `${peer}: no room for another session, or no port to call it from`;
        return lockedMs > 0
          ? `${peer}: locked out for ${Math.ceil(lockedMs / 1000)} s more`
          : `${peer}: not tried`;
      });
    return [...tried, ...others].join("; ");
  }
}

/** A refusal, before ICCN, that is about the LNS and not about the caller (RFC 2661 §4.4.2). */
function isNotHereNotNow(cause: SessionCause): boolean {
  if (cause.by === "timeout") return true;
  if (cause.by !== "peer") return false;
  switch (cause.result) {
    case CDN_RESULT.error:
      return cause.error === GENERAL_ERROR.resources || cause.error === GENERAL_ERROR.tryAnother;
    case CDN_RESULT.noFacilitiesNow:
    case CDN_RESULT.noFacilities:
    case CDN_RESULT.invalidDestination:
      return true;
    default:
      return false;
  }
}
