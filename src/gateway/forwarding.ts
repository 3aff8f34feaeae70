import { type Instant, NEVER } from "../base/time.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import type { L2tpPeerConfig } from "../config/config.ts";
import type { Credentials } from "../ppp/authenticator.ts";
import type { HeldSession } from "../ppp/server.ts";
import type { ResultCode } from "../wire/l2tp-codes.ts";
import { PPP_CHAP, PPP_PAP, parsePpp } from "../wire/ppp.ts";
import type { CallDetails } from "./call-details.ts";
import type { CallReport } from "./call-reports.ts";
import { type EndCause, endCause } from "./cause.ts";
import { callEnd } from "./disconnect.ts";
import type { LnsGroups } from "./lns-groups.ts";
import type { OnwardCall, OnwardHandler } from "./onward-call.ts";
import type { Joint, Role } from "./role.ts";
import type { Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Tunnels } from "./tunnels.ts";
import type { L2tpLegView } from "./views.ts";

/** Silence of the LNS after which the held authentication frame is replayed, where its policy says so. */
const REPLAY_AFTER_MS = 1000;

/** Where a call goes, and what is said of it. */
export interface Onward {
  /** The group of LNSes, or the peer. */
  readonly lns: string;
  readonly details: CallDetails;
}

/** LAC or tunnel switch: the session's channel is bridged to a call to an LNS. */
export class Forwarding implements Role, OnwardHandler {
  readonly kind: "lac" | "lts";
  readonly unit = null;
  readonly device = null;
  readonly address = null;
  readonly #session: Session;
  readonly #around: Surroundings;
  readonly #to: Onward;
  #onward: OnwardCall | undefined;
  /** The channel of the call that an LNS has taken and not let go of. */
  #accepted: ChannelId | undefined;
  #bridgedTo: ChannelId | undefined;
  #replay: { readonly at: Instant; readonly frame: Uint8Array; readonly channel: ChannelId } | undefined;
  #over = false;

  constructor(session: Session, to: Onward, around: Surroundings) {
    this.#session = session;
    this.kind = to.details.cameFrom === undefined ? "lac" : "lts";
    this.#to = to;
    this.#around = around;
  }

  get onward(): L2tpLegView | null {
    return this.#onward?.call?.view() ?? null;
  }

  get onwardPeer(): string | undefined {
    return this.#onward?.call?.peer.name;
  }

  get joint(): Joint | undefined {
    return this.#bridgedTo === undefined ? undefined : { state: "bridged", with: this.#bridgedTo };
  }

  /** Calls an LNS. `attempt`: of a subscriber whose PPP is ours, to be kept company meanwhile. */
  start(tunnels: Tunnels, lnses: LnsGroups, attempt?: number): void {
    if (attempt !== undefined) this.#session.hold(attempt);
    this.#onward = lnses.call(tunnels, this.#to.lns, this, this.#to.details.cameFrom);
    this.#onward.start();
  }

  get session(): number {
    return this.#session.number;
  }

  get isWanted(): boolean {
    return !this.#over && !this.#session.isOver;
  }

  request(peer: L2tpPeerConfig): ReturnType<CallDetails["request"]> {
    return this.#to.details.request(peer);
  }

  numbers(peer: L2tpPeerConfig): boolean {
    return this.#to.details.numbers(peer);
  }

  changed(): void {
    if (this.isWanted) this.#around.scheduler.update(this.#session);
  }

  /** ICRP: the bridge first, ICCN second; the LNS's first frame may come before ICCN is acknowledged. */
  accepted(channel: ChannelId, peer: L2tpPeerConfig): void {
    if (!this.isWanted) return; // hanging up takes the call with it
    this.#bridge(channel, peer).catch((error: Error) => {
      // an LNS that is lost meanwhile takes its channel with it, and the next one is being called
      if (this.#isCurrent(channel)) this.#session.end(endCause("failed", `bridge: ${error.message}`));
    });
  }

  lost(): void {
    this.#accepted = undefined;
  }

  refused(text: string, by: "lns" | "us", cdn?: ResultCode): void {
    this.#session.leave(endCause(by === "us" ? "failed" : "no-lns", text, cdn));
  }

  report(report: CallReport): boolean {
    return this.#to.details.report(report);
  }

  ended(text: string, cdn: ResultCode | undefined): void {
    this.#session.leave(endCause("lns-ended", text, cdn));
  }

  /** He renegotiated while we call: what he says now is what the LNS gets to see. */
  reauthenticated(_credentials: Credentials, attempt: number): void {
    this.#session.hold(attempt);
  }

  networkUp(): void {
    // the LNS's business: held links never open a network protocol
  }

  networkDown(): void {
    // as above
  }

  deadline(): Instant {
    // a session that is leaving lets its call be: what nobody acts on must not be waited for
    const onward = this.isWanted ? this.#onward?.deadline() : undefined;
    return Math.min(this.#replay?.at ?? NEVER, onward ?? NEVER);
  }

  timeout(now: Instant): void {
    if (this.isWanted) this.#onward?.timeout(now);
    const replay = this.#replay;
    if (replay === undefined || replay.at > now) return;
    this.#replay = undefined;
    const { dataplane } = this.#around;
    if (dataplane.framesIn(replay.channel) === 0) dataplane.inject(replay.channel, replay.frame);
  }

  hangUp(cause: EndCause): void {
    this.#over = true;
    this.#to.details.ended();
    // a gateway that stops tells its LNSes by one StopCCN a tunnel
    if (cause.code === "shutdown") this.#onward?.forsake();
    else this.#onward?.hangUp(callEnd(cause));
  }

  async release(): Promise<void> {
    this.#bridgedTo = undefined;
    await this.#onward?.release();
  }

  #isCurrent(channel: ChannelId): boolean {
    return this.isWanted && this.#accepted === channel;
  }

  async #bridge(channel: ChannelId, peer: L2tpPeerConfig): Promise<void> {
    this.#accepted = channel;
    // a bridge to an LNS that was lost is gone: that its channel is closed was asked for before this
    await this.#around.dataplane.bridge(this.#session.carrier.channel, channel);
    if (!this.#isCurrent(channel)) return;
    this.#bridgedTo = channel;
    // as of now: he may have begun LCP anew while the bridge was made
    const { details } = this.#to;
    const held = this.#session.proxy();
    const connection = details.connection(peer, held);
    const tried = this.#onward?.connect(connection);
    this.#session.dropPpp();
    this.#planReplay(peer, held ?? details.proxied, channel);
    if (this.#onward?.call !== undefined) details.connected(this.#onward.call, connection);
    this.#sendEarly(channel, connection.proxyAuth?.response !== undefined);
    this.#session.opened();
    if (tried !== undefined)
      this.#around.logger.info(
        { session: this.#session.id, peer: peer.name, tried },
        "an LNS took the call after others had not",
      );
  }

  /** What came while we called, of a subscriber whose PPP was never ours. `told`: ICCN has his authentication. */
  #sendEarly(channel: ChannelId, told: boolean): void {
    for (const frame of this.#session.takeEarly()) {
      const protocol = parsePpp(frame)?.protocol;
      // said again while he waited: to an LNS that asks him anew, it would be the answer to another question
      if (told && (protocol === PPP_PAP || protocol === PPP_CHAP)) continue;
      this.#around.dataplane.inject(channel, frame);
    }
  }

  #planReplay(peer: L2tpPeerConfig, held: HeldSession | undefined, channel: ChannelId): void {
    const policy = peer.replayAuthentication;
    const frame = held?.frame;
    if (frame === undefined || policy === "never") return;
    if (policy === "pap" && held?.authentication?.type !== "pap") return;
    this.#replay = { at: this.#around.clock.now() + REPLAY_AFTER_MS, frame, channel };
    this.#around.scheduler.update(this.#session);
  }
}
