import { type Instant, NEVER } from "../base/time.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import type { L2tpPeerConfig } from "../config/config.ts";
import type { CallConnection, CallRequest, SessionCause } from "../l2tp/outputs.ts";
import { CDN_RESULT, GENERAL_ERROR, type ResultCode } from "../wire/l2tp-codes.ts";
import { type Call, type CallEnd, type CallHandler, cdnOf } from "./call.ts";
import type { CallReport } from "./call-reports.ts";
import { shareMs } from "./call-share.ts";
import { candidatesOf, lockedOut } from "./lns-candidates.ts";
import type { LnsGroups } from "./lns-groups.ts";
import type { LnsGroup, Standing } from "./lns-selection.ts";
import type { Tunnels } from "./tunnels.ts";

/**
 * A CPE waits ten seconds for an answer to its authentication, and a dead LNS costs seven: a call that has waited
 * this long for a tunnel to come up is placed with another LNS meanwhile. An SCCRQ that was lost has just been repeated.
 * Where there are many to try it waits less, its share of the ten seconds.
 */
const TUNNEL_PATIENCE_MS = 1200;
/** The same for ICRP, in a tunnel that is up but in which the LNS has said nothing to anybody. */
const REPLY_PATIENCE_MS = 4000;
/** Who waits, and has nowhere else to go, looks again after this. */
const RECHECK_MS = 1000;
/** No other LNS is tried after this: no CPE waits longer. */
const LIMIT_MS = 30_000;
/** Tunnels that were not the LNS's fault to lose (tie breakers, restarts) do not count against it, but have an end. */
const MAX_ATTEMPTS = 32;

/** Whose call it is. */
export interface OnwardHandler {
  /** Somebody still waits for the call: no other LNS is tried for who has gone. */
  readonly isWanted: boolean;
  /** The number of its session, for the journal; absent when there is none. */
  readonly session?: number;
  /** What ICRQ says. */
  request(peer: L2tpPeerConfig): Omit<CallRequest, "callSerialNumber">;
  /** Whether ICCN will say Sequencing Required. */
  numbers(peer: L2tpPeerConfig): boolean;
  /** deadline() is another one now. */
  changed(): void;
  /** ICRP came: the channel is there, and punted. connect() is next, unless lost() comes first. */
  accepted(channel: ChannelId, peer: L2tpPeerConfig): void;
  /** What was accepted is gone before it was connected; another LNS is being called. */
  lost(): void;
  /**
   * No LNS takes the call; `text` says what was tried. `by`: "lns", or "us" when our own resources are to blame. `cdn`:
   * what the last one said, if it said anything.
   */
  refused(text: string, by: "lns" | "us", cdn?: ResultCode): void;
  /** What the LNS says while the call stands; returns whether it has been passed on. */
  report(report: CallReport): boolean;
  /** The call had been connected, and the LNS ended it, by this CDN if by any. */
  ended(text: string, cdn: ResultCode | undefined): void;
}

/** What has become of the call with an LNS that it is no longer with. */
interface Trial {
  readonly peer: string;
  readonly reason: string;
  /** It said no, or was not there; otherwise the call has been taken elsewhere in time. */
  readonly final: boolean;
  readonly at: Instant;
}

/** The call as placed with one LNS. */
class Attempt implements CallHandler {
  readonly peer: string;
  readonly at: Instant;
  /** How long the LNS may hold the call while another one would take it. */
  readonly shareMs: number;
  call: Call | undefined;
  over = false;
  /** The LNS has not said yet whether it takes the call. */
  waits = true;
  readonly #onward: OnwardCall;

  constructor(onward: OnwardCall, peer: string, at: Instant, shareMs: number) {
    this.#onward = onward;
    this.peer = peer;
    this.at = at;
    this.shareMs = shareMs;
  }

  accepted(channel: ChannelId): void {
    this.#onward.attemptAccepted(this, channel);
  }

  connected(): void {
    // ICCN goes from LAC to LNS; as the LAC we never get one
  }

  report(report: CallReport): boolean {
    return this.#onward.attemptReports(this, report);
  }

  ended(end: CallEnd): void {
    this.#onward.attemptEnded(this, end);
  }
}

const NO_TRIALS: readonly Trial[] = [];

/** A subscriber's call to an LNS of a group: to one after the other, until one takes it or all have refused. */
export class OnwardCall {
  readonly #lnses: LnsGroups;
  readonly #tunnels: Tunnels;
  readonly #group: LnsGroup;
  readonly #handler: OnwardHandler;
  readonly #startedAt: Instant;
  #trials = NO_TRIALS;
  #attempts = 0;
  #attempt: Attempt | undefined;
  #stage: "calling" | "accepted" | "connected" | "over" = "calling";
  #checkAt: Instant = NEVER;
  /** Of the last LNS that refused the call by a CDN. */
  #refusal: ResultCode | undefined;
  /** Of calls that have ended or were taken elsewhere. */
  #releasing: Promise<void> | undefined;

  constructor(lnses: LnsGroups, tunnels: Tunnels, group: LnsGroup, handler: OnwardHandler) {
    this.#lnses = lnses;
    this.#tunnels = tunnels;
    this.#group = group;
    this.#handler = handler;
    this.#startedAt = lnses.now;
  }

  /** The call as it stands; another one after lost(). */
  get call(): Call | undefined {
    return this.#attempt?.call;
  }

  start(): void {
    this.#next();
  }

  /** Sends ICCN. Returns what had been tried before this LNS took the call; nothing when it was the first. */
  connect(connection: CallConnection): string | undefined {
    const attempt = this.#attempt;
    if (attempt === undefined || this.#stage !== "accepted") return undefined;
    this.#stage = "connected";
    this.#lnses.count(attempt.peer, "connected");
    attempt.call?.connect(connection);
    this.#refusal = undefined;
    const tried = this.#trials.map(({ peer, reason }) => `${peer}: ${reason}`).join("; ");
    this.#trials = NO_TRIALS;
    return tried === "" ? undefined : tried;
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
    const silentAt = this.#silentAt(attempt);
    const dueAt = Math.min(silentAt, attempt.at + attempt.shareMs);
    this.#checkAt = now < dueAt ? dueAt : now + RECHECK_MS;
    if (now < dueAt) return;
    const isSilent = now >= silentAt;
    const { selection } = this.#lnses;
    const stale = this.#trials.filter((trial) => this.#outcome(trial).final || !this.#heardSince(trial));
    const standing = selection.standing(now, this.#group, attempt.peer);
    const slower = isSilent ? [] : this.#notIdlerThan(now, attempt.peer);
    const other = this.#choose(now, [attempt.peer, ...stale.map(({ peer }) => peer), ...slower]);
    if (isSilent) selection.slow(now, attempt.peer);
    const elsewhere = isSilent && attempt.call !== undefined && this.#tunnels.silent(attempt.call);
    const again = elsewhere && !this.#hasHadEnough(now);
    const isBetter = other !== undefined && (other.standing !== "locked" || standing === "locked");
    if (!isBetter && !again) return;
    const reason = `no answer in ${((now - attempt.at) / 1000).toFixed(1)} s`;
    this.#lnses.count(attempt.peer, "unanswered");
    this.#abandon(attempt, { peer: attempt.peer, reason, final: false, at: now });
    this.#place(isBetter ? other.peer : attempt.peer);
  }

  /** For Attempt. */
  attemptAccepted(attempt: Attempt, channel: ChannelId): void {
    this.#settle(attempt);
    if (attempt !== this.#attempt || this.#stage !== "calling") return;
    this.#stage = "accepted";
    this.#checkAt = NEVER;
    this.#handler.accepted(channel, this.#lnses.peer(attempt.peer));
  }

  /** For Attempt. */
  attemptReports(attempt: Attempt, report: CallReport): boolean {
    return attempt === this.#attempt && this.#stage === "connected" && this.#handler.report(report);
  }

  /** For Attempt. */
  attemptEnded(attempt: Attempt, end: CallEnd): void {
    attempt.over = true;
    this.#settle(attempt);
    if (attempt !== this.#attempt || this.#stage === "over") return;
    if (end.stage === "connected") {
      this.forsake();
      this.#handler.ended(`${attempt.peer}: ${end.text}`, cdnOf(end));
      return;
    }
    if (this.#stage === "accepted") this.#handler.lost();
    if (end.why.kind === "local") {
      this.forsake();
      this.#handler.refused(end.text, "us");
      return;
    }
    const { cause } = end.why;
    // what we ended ourselves, or a tie, is nothing that the LNS has done
    if (cause.by === "timeout") this.#lnses.count(attempt.peer, "unanswered");
    if (cause.by === "peer") this.#lnses.count(attempt.peer, "refused");
    if (end.why.kind === "session" && this.#group.lockoutOnCdn && isNotHereNotNow(end.why.cause))
      this.#lnses.refused(this.#group, attempt.peer, end.text);
    this.#refusal = cdnOf(end) ?? this.#refusal;
    this.#fail(attempt, end.text, !this.#mayTakeItYet(attempt, end));
  }

  /** Whether a tunnel's end says nothing of what the LNS would do with the call in another one. */
  #mayTakeItYet({ peer }: Attempt, { why, text }: CallEnd): boolean {
    if (why.kind !== "tunnel") return false;
    const { cause } = why;
    if (!why.isFault && cause.by === "peer" && this.#trials.some((trial) => trial.peer === peer)) {
      // it did not know of the call, perhaps; but it does so again and again
      this.#lnses.unreachable(peer, text, this.#tunnels.reach(peer) === "up");
      return false;
    }
    if (!why.isFault) return true;
    // it may have been killed and started again: only an SCCRQ without an answer says that it is not there
    return cause.by === "timeout" && (cause.sent !== "SCCRQ" || this.#tunnels.reach(peer) === "up");
  }

  /** When an LNS that has said nothing meanwhile, to anybody, is not to be waited for any longer. */
  #silentAt({ call, at, shareMs }: Attempt): Instant {
    const silentSince = call && this.#tunnels.silentSince(call);
    return silentSince === undefined
      ? at + Math.min(TUNNEL_PATIENCE_MS, shareMs)
      : Math.max(at, silentSince) + Math.min(REPLY_PATIENCE_MS, shareMs);
  }

  /**
   * Those that it makes no sense to go to from an LNS that answers others: with half as many callers waiting as there,
   * a call at the end of the line would gain little, and whole lines would move to and fro.
   */
  #notIdlerThan(now: Instant, peer: string): readonly string[] {
    const { selection } = this.#lnses;
    const waiting = this.#lnses.waiting(peer);
    return this.#group.members
      .map((member) => member.peer)
      .filter(
        (other) =>
          2 * this.#lnses.waiting(other) >= waiting || selection.standing(now, this.#group, other) !== "good",
      );
  }

  /** LNSes that have not been tried and would be before `peer` is tried again. */
  #untried(now: Instant, peer: string): number {
    const { selection } = this.#lnses;
    const isLocked = (name: string) => selection.standing(now, this.#group, name) === "locked";
    const isLastHope = isLocked(peer);
    const others = this.#group.members.filter(
      (member) =>
        member.peer !== peer &&
        !this.#trials.some((trial) => trial.peer === member.peer) &&
        (isLastHope || !isLocked(member.peer)) &&
        this.#tunnels.hasRoom(member.peer),
    );
    return others.length;
  }

  #settle(attempt: Attempt): void {
    if (attempt.waits) this.#lnses.waits(attempt.peer, -1);
    attempt.waits = false;
  }

  /** An LNS that the call was taken from has shown itself since: it may be asked again. */
  #heardSince({ peer, at }: Trial): boolean {
    return (this.#tunnels.heardOf(peer) ?? at) > at;
  }

  /** An LNS that has been locked out since the call was taken from it has failed the call, too. */
  #outcome(trial: Trial): Trial {
    const lock = this.#lnses.selection.lockOf(trial.peer);
    if (trial.final || lock === undefined || lock.since <= trial.at) return trial;
    return { ...trial, final: true, reason: lock.reason };
  }

  #choose(now: Instant, passed: readonly string[]): { peer: string; standing: Standing } | undefined {
    return this.#hasHadEnough(now)
      ? undefined
      : this.#lnses.selection.choose(now, this.#group, passed, this.#tunnels);
  }

  #hasHadEnough(now: Instant): boolean {
    return now >= this.#startedAt + LIMIT_MS || this.#attempts >= MAX_ATTEMPTS;
  }

  #next(): void {
    const { now } = this.#lnses;
    const failed = this.#trials.filter((trial) => this.#outcome(trial).final).map(({ peer }) => peer);
    const choice = this.#handler.isWanted ? this.#choose(now, failed) : undefined;
    if (choice === undefined) this.#refuse(now);
    else this.#place(choice.peer);
  }

  #place(peer: string): void {
    const { now } = this.#lnses;
    this.#attempts += 1;
    this.#stage = "calling";
    const share = shareMs(this.#startedAt, now, this.#untried(now, peer));
    const attempt = new Attempt(this, peer, now, share);
    this.#attempt = attempt;
    this.#checkAt = now + Math.min(TUNNEL_PATIENCE_MS, share);
    this.#lnses.waits(peer, 1);
    this.#lnses.count(peer, "calls");
    // it may end before place() returns, and then the call has been placed elsewhere already
    const config = this.#lnses.peer(peer);
    const candidates = candidatesOf(now, this.#group, this.#lnses.selection, this.#tunnels);
    const about = { session: this.#handler.session ?? 0 };
    if (candidates.length > 0)
      this.#lnses.journal.note("lns-chosen", about, this.#group.name, peer, ...candidates);
    const numbered = this.#handler.numbers(config);
    const call = this.#tunnels.place(peer, this.#handler.request(config), attempt, numbered);
    if (call !== undefined && attempt.over) this.#giveBack(call);
    attempt.call = call;
    if (call !== undefined)
      this.#lnses.journal.note(
        "call-placed",
        { ...about, tunnel: call.tunnel, l2tpSession: call.session },
        peer,
      );
    if (call === undefined && !attempt.over) this.#fail(attempt, "cannot be called: no free id");
    this.#handler.changed();
  }

  #fail(attempt: Attempt, reason: string, final = true): void {
    this.#abandon(attempt, { peer: attempt.peer, reason, final, at: this.#lnses.now });
    this.#next();
  }

  /** The call is taken from an LNS; what it held there is given back. */
  #abandon(attempt: Attempt, trial: Trial): void {
    this.#trials = [...this.#trials.filter(({ peer }) => peer !== trial.peer), trial];
    this.#lnses.journal.note(
      "call-failed",
      { session: this.#handler.session ?? 0 },
      trial.peer,
      trial.reason,
    );
    if (!attempt.over)
      attempt.call?.hangUp({
        result: CDN_RESULT.notEstablishedInTime,
        message: "no answer in time, placed again",
      });
    attempt.over = true;
    this.#letGo();
  }

  #letGo(): void {
    const attempt = this.#attempt;
    if (attempt !== undefined) this.#settle(attempt);
    const call = attempt?.call;
    this.#attempt = undefined;
    if (call !== undefined) this.#giveBack(call);
  }

  #giveBack(call: Call): void {
    const released = call.release();
    this.#releasing = this.#releasing?.then(() => released) ?? released;
  }

  #refuse(now: Instant): void {
    this.forsake();
    this.#handler.refused(this.#describe(now), "lns", this.#refusal);
  }

  /** "a: no SCCRP …; b: CDN …; c: locked out for 3m32s more". */
  #describe(now: Instant): string {
    const tried = this.#trials.map((trial) => `${trial.peer}: ${this.#outcome(trial).reason}`);
    const others = this.#group.members
      .filter(({ peer }) => !this.#trials.some((trial) => trial.peer === peer))
      .map(({ peer }) => {
        const lockedMs = this.#lnses.selection.lockedForMs(now, this.#group, peer);
        if (!this.#tunnels.hasRoom(peer))
          return `${peer}: no room for another session, or no port to call it from`;
        return `${peer}: ${lockedMs > 0 ? lockedOut(lockedMs) : "not tried"}`;
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
