import { fromUtf8, utf8 } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { type TokenBucketState, takeToken, tokenBucket } from "../base/token-bucket.ts";
import { ECHO_REQUEST, emitLcp, IDENTIFICATION, type LcpPacket, parseLcp } from "../wire/lcp.ts";
import { emitPpp, PPP_CHAP, PPP_LCP, PPP_PAP, PPP_PROTOCOL_BYTES, parsePpp } from "../wire/ppp.ts";
import {
  CODE_REJECT,
  CONTROL_HEADER_BYTES,
  type ControlPacket,
  parseControlPacket,
  TERMINATE_REQUEST,
} from "../wire/ppp-control.ts";
import { lcpFinishCause, stuckText } from "./causes.ts";
import { type EchoState, echoHeard, echoStop, echoTimeout, SILENT_ECHO } from "./echo.ts";
import { type LcpConfig, LcpPolicy, type LcpState, MAX_LOOPS, newLcp } from "./lcp.ts";
import type { DownCause, LinkOutput } from "./link-types.ts";
import { Negotiation, type NegotiationOutput, newNegotiation } from "./negotiation.ts";
import { type NcpState, Network, type NetworkOutput, type NetworkState } from "./network.ts";
import type { PppTimers } from "./timers.ts";

/** Plain data: all of a link but its authentication. Phases are those of RFC 1661 §3.2. */
export interface LinkState {
  phase: "dead" | "establish" | "authenticate" | "network" | "terminate" | "ended";
  lcp: LcpState;
  echo: EchoState;
  network: NetworkState;
  /** Why the link is being terminated. */
  cause: DownCause | undefined;
  /** What the peer last said that it is (RFC 1570 §2.1), for people. */
  peerIdentification: string | undefined;
  /** Protocol-Rejects that may still be sent; undefined until the first. */
  rejects: TokenBucketState | undefined;
}

/** Octets of an Identification that are kept. */
const MAX_IDENTIFICATION_BYTES = 128;

/** A peer that goes on sending what we have rejected is told again once a second, after so many. */
const REJECTS_BURST = 10;
const REJECTS_PER_SECOND = 1;

/** A link in phase Dead, before start(). */
export function newLinkState(random: RandomSource): LinkState {
  return {
    phase: "dead",
    lcp: newLcp(newNegotiation(random.uint32() & 0xff)),
    echo: { ...SILENT_ECHO },
    network: { ncps: [], failure: "" },
    cause: undefined,
    peerIdentification: undefined,
    rejects: undefined,
  };
}

/**
 * What both roles of a PPP link have in common: LCP with its echo, the phases, and the network protocols over
 * it. The roles add authentication. Outputs are in the order in which they are to be acted on.
 */
export abstract class Link<State extends LinkState, Output> {
  protected readonly state: State;
  protected readonly random: RandomSource;
  readonly #lcpConfig: LcpConfig;
  readonly #timers: PppTimers;

  protected constructor(lcp: LcpConfig, timers: PppTimers, random: RandomSource, state: State) {
    this.#lcpConfig = lcp;
    this.#timers = timers;
    this.random = random;
    this.state = state;
  }

  /** LCP has opened: authentication, if any, begins. */
  protected abstract authenticate(now: Instant, out: (Output | LinkOutput)[]): void;
  /** LCP has left Opened: what was authenticated no longer is. */
  protected abstract forgetAuthentication(out: (Output | LinkOutput)[]): void;
  /** A PAP or CHAP packet, with LCP opened. */
  protected abstract receiveAuthentication(
    now: Instant,
    protocol: number,
    packet: Uint8Array,
    out: (Output | LinkOutput)[],
  ): void;
  /** A packet of a network protocol, or of one that controls it, came: the peer is in the network phase, too. */
  protected abstract networkHeard(): void;
  protected abstract authenticationTimeout(now: Instant, out: (Output | LinkOutput)[]): void;
  protected abstract authenticationDeadline(): Instant;
  /** Asked of an LCP packet while it is Opened: true when the role has dealt with it. */
  protected abstract intercept(now: Instant, packet: ControlPacket, out: (Output | LinkOutput)[]): boolean;

  /** A deep copy of the whole state, which a new machine of the same configuration goes on from. */
  snapshot(): State {
    return structuredClone(this.state);
  }

  /** The lower layer is up: LCP begins. */
  start(now: Instant): readonly (Output | LinkOutput)[] {
    const out: (Output | LinkOutput)[] = [];
    if (this.state.phase !== "dead") return out;
    this.state.phase = "establish";
    const lcp = this.lcp();
    this.#driveLcp(now, [...lcp.open(now), ...lcp.lowerUp(now)], out);
    return out;
  }

  /** A frame from the peer, beginning with the PPP protocol field. */
  receive(now: Instant, frame: Uint8Array): readonly (Output | LinkOutput)[] {
    const out: (Output | LinkOutput)[] = [];
    const parsed = parsePpp(frame);
    if (parsed === undefined || this.state.phase === "dead") return out;
    const { protocol, information } = parsed;
    if (protocol === PPP_LCP) {
      this.#receiveLcp(now, information, out);
      return out;
    }
    // RFC 1661 §3.4 to §3.7: only LCP counts until it has opened, and once it closes
    if (!this.#lcpOpened()) return out;
    if (protocol === PPP_PAP || protocol === PPP_CHAP)
      this.receiveAuthentication(now, protocol, information, out);
    else if (this.state.phase === "network") {
      this.networkHeard();
      this.#receiveNetwork(now, protocol, information, out);
    }
    return out;
  }

  /** When timeout() is to be called next. */
  deadline(): Instant {
    const s = this.state;
    if (s.phase === "ended") return NEVER;
    return Math.min(
      s.lcp.negotiation.restartAt,
      s.echo.nextAt,
      this.authenticationDeadline(),
      this.#network().deadline(),
    );
  }

  timeout(now: Instant): readonly (Output | LinkOutput)[] {
    const out: (Output | LinkOutput)[] = [];
    if (this.state.phase === "ended") return out;
    this.#driveLcp(now, this.lcp().timeout(now), out);
    if (this.#lcpOpened()) this.authenticationTimeout(now, out);
    // The end of one may have ended the link, and with it all others
    this.#driveNetwork(now, this.#network().timeout(now), out);
    if (this.#lcpOpened()) this.#echo(now, out);
    return out;
  }

  /** Frames of the peer went through the data plane: it is alive and needs no echo. */
  onTraffic(now: Instant): void {
    if (this.#lcpOpened()) echoHeard(this.state.echo, now, this.#timers);
  }

  /** Ends the link politely; `text` goes into our Terminate-Request. The end is told by a `down`. */
  terminate(now: Instant, text: string): readonly (Output | LinkOutput)[] {
    const out: (Output | LinkOutput)[] = [];
    this.close(now, { kind: "terminated", text }, text, out);
    return out;
  }

  /** The lower layer is gone: nothing more can be sent. */
  linkDown(now: Instant, text: string): readonly (Output | LinkOutput)[] {
    const out: (Output | LinkOutput)[] = [];
    this.end(now, this.state.cause ?? { kind: "lower-layer-down", text }, out);
    return out;
  }

  /** Authentication is over: the network protocols begin. */
  protected openNetwork(now: Instant, ncps: readonly NcpState[], out: (Output | LinkOutput)[]): void {
    this.state.phase = "network";
    this.#driveNetwork(now, this.#network().open(now, ncps), out);
  }

  /** A first identifier for a protocol that is about to begin. */
  protected firstIdentifier(): number {
    return this.random.uint32() & 0xff;
  }

  /** Terminate-Request, then the end with `cause`. Without effect on a link that is ending already. */
  protected close(now: Instant, cause: DownCause, message: string, out: (Output | LinkOutput)[]): void {
    const s = this.state;
    if (s.phase === "ended" || s.phase === "terminate") return;
    if (s.phase === "dead") {
      this.end(now, cause, out);
      return;
    }
    s.cause = cause;
    s.phase = "terminate";
    this.#driveLcp(now, this.lcp().close(now, this.#withinMru(utf8(message))), out);
  }

  /** Over at once; told once. */
  protected end(now: Instant, cause: DownCause, out: (Output | LinkOutput)[]): void {
    if (this.state.phase === "ended") return;
    this.#leaveNetwork(now, out);
    this.forgetAuthentication(out);
    this.state.phase = "ended";
    echoStop(this.state.echo);
    out.push({ kind: "down", cause });
  }

  protected send(protocol: number, packet: Uint8Array, out: (Output | LinkOutput)[]): void {
    out.push({ kind: "send", frame: emitPpp(protocol, packet) });
  }

  protected lcp(): Negotiation {
    const { lcp } = this.state;
    return new Negotiation(new LcpPolicy(this.#lcpConfig, this.random, lcp), this.#timers, lcp.negotiation);
  }

  /** What may be sent to the peer in the Information field, in octets; known once LCP has opened. */
  sendableBytes(): number {
    return Math.min(this.state.lcp.peerMruBytes, this.#lcpConfig.maxMruBytes);
  }

  /** What the peer wants escaped on an asynchronous line; as agreed once LCP has opened. */
  get peerAccm(): number {
    return this.state.lcp.peerAccm;
  }

  /** What the peer says that it is and runs, if it says so: at most 128 characters without control characters. */
  get peerIdentification(): string | undefined {
    return this.state.peerIdentification;
  }

  /** LCP came to Opened otherwise than by its own exchange. */
  protected enterOpened(now: Instant, out: (Output | LinkOutput)[]): void {
    this.#driveLcp(now, [{ kind: "up" }], out);
  }

  #lcpOpened(): boolean {
    const { phase } = this.state;
    return phase === "authenticate" || phase === "network";
  }

  #receiveLcp(now: Instant, information: Uint8Array, out: (Output | LinkOutput)[]): void {
    const s = this.state;
    const packet = parseControlPacket(information);
    if (packet === undefined) return;
    if (s.phase === "ended") {
      // The peer did not get our Terminate-Ack, or does not know yet: it shall not have to time out
      if (packet.code === TERMINATE_REQUEST)
        this.send(
          PPP_LCP,
          emitLcp({ kind: "terminate-ack", identifier: packet.identifier, data: new Uint8Array(0) }),
          out,
        );
      return;
    }
    if (packet.code === IDENTIFICATION) {
      this.#identified(information);
      return;
    }
    if (this.#lcpOpened() && this.intercept(now, packet, out)) return;
    if (packet.code > CODE_REJECT) this.#receiveLcpOnly(now, packet, information, out);
    else this.#driveLcp(now, this.lcp().receive(now, packet, this.sendableBytes()), out);
    this.#checkLcp(now, out);
  }

  #identified(information: Uint8Array): void {
    const packet = parseLcp(information);
    if (packet?.kind !== "identification") return;
    const text = fromUtf8(packet.message.subarray(0, MAX_IDENTIFICATION_BYTES));
    this.state.peerIdentification = text.replaceAll(/\p{Cc}/gu, " ").trim();
  }

  /** What the options that came in mean for the link. */
  #checkLcp(now: Instant, out: (Output | LinkOutput)[]): void {
    const { lcp } = this.state;
    if (lcp.loops > MAX_LOOPS)
      this.end(
        now,
        {
          kind: "loop-detected",
          text: `the line is looped back: ${lcp.loops} Configure-Requests came with our own magic number`,
        },
        out,
      );
    else if (lcp.askRejected)
      this.close(
        now,
        { kind: "authentication-refused", text: "the peer agrees to no authentication method that we offer" },
        "authentication is required",
        out,
      );
  }

  /** Codes 8 to 13 and those that nobody knows. */
  #receiveLcpOnly(
    now: Instant,
    packet: ControlPacket,
    information: Uint8Array,
    out: (Output | LinkOutput)[],
  ): void {
    const s = this.state;
    const message = parseLcp(information);
    switch (message?.kind) {
      case "protocol-reject":
        if (this.#lcpOpened()) this.#protocolRejected(now, message.rejectedProtocol, out);
        return;
      case "echo-request":
        if (this.#lcpOpened() && !this.#isOurs(message.magic)) {
          echoHeard(s.echo, now, this.#timers);
          const data = message.data.subarray(0, Math.max(0, this.sendableBytes() - CONTROL_HEADER_BYTES - 4));
          this.send(PPP_LCP, emitLcp({ ...message, kind: "echo-reply", magic: s.lcp.magic, data }), out);
        }
        return;
      case "echo-reply":
        if (this.#lcpOpened() && !this.#isOurs(message.magic)) echoHeard(s.echo, now, this.#timers);
        return;
      case "unknown":
        this.#driveLcp(now, this.lcp().receive(now, packet, this.sendableBytes()), out);
        return;
      default:
      // Discard-Request and Time-Remaining want no answer; malformed ones get none
    }
  }

  /** A packet with our own magic number is our own, come back (RFC 1661 §5.8): no sign of life of a peer. */
  #isOurs(magic: number): boolean {
    return magic !== 0 && magic === this.state.lcp.magic;
  }

  #driveLcp(now: Instant, outputs: readonly NegotiationOutput[], out: (Output | LinkOutput)[]): void {
    const s = this.state;
    for (const output of outputs) {
      switch (output.kind) {
        case "send":
          this.send(PPP_LCP, output.packet, out);
          break;
        case "up":
          s.phase = "authenticate";
          echoHeard(s.echo, now, this.#timers);
          this.authenticate(now, out);
          break;
        case "down":
          echoStop(s.echo);
          this.#leaveNetwork(now, out);
          this.forgetAuthentication(out);
          if (s.phase !== "terminate") s.phase = "establish";
          break;
        case "peer-terminated": {
          const message = fromUtf8(output.data);
          const text = message === "" ? "the peer ended the link" : `the peer ended the link: ${message}`;
          this.end(now, s.cause ?? { kind: "peer-terminated", message, text }, out);
          break;
        }
        case "rejected":
          s.cause ??= {
            kind: "rejected",
            text: "the peer rejects LCP, or a code that LCP cannot do without",
          };
          s.phase = "terminate";
          break;
        case "code-rejected":
          if (output.code === ECHO_REQUEST) {
            s.echo.refused = true;
            echoStop(s.echo);
          }
          break;
        case "stuck":
          s.cause ??= {
            kind: "not-converging",
            refusals: output.refusals,
            text: stuckText("LCP", output.refusals, output.by),
          };
          s.phase = "terminate";
          break;
        case "finished":
          this.end(now, s.cause ?? lcpFinishCause(output.reason), out);
      }
    }
  }

  #receiveNetwork(
    now: Instant,
    protocol: number,
    information: Uint8Array,
    out: (Output | LinkOutput)[],
  ): void {
    if (this.#network().knows(protocol)) {
      const packet = parseControlPacket(information);
      if (packet !== undefined) this.#driveNetwork(now, this.#network().receive(now, protocol, packet), out);
      return;
    }
    const s = this.state;
    s.rejects ??= tokenBucket(REJECTS_BURST, now);
    if (!takeToken(s.rejects, now, REJECTS_PER_SECOND, REJECTS_BURST)) return;
    const room = Math.max(0, this.sendableBytes() - CONTROL_HEADER_BYTES - PPP_PROTOCOL_BYTES);
    const reject: LcpPacket = {
      kind: "protocol-reject",
      identifier: this.lcp().nextIdentifier(),
      rejectedProtocol: protocol,
      rejectedInformation: information.subarray(0, room),
    };
    this.send(PPP_LCP, emitLcp(reject), out);
  }

  #driveNetwork(now: Instant, outputs: readonly NetworkOutput[], out: (Output | LinkOutput)[]): void {
    for (const output of outputs) {
      if (output.kind !== "idle") {
        out.push(output);
        continue;
      }
      const text = `no network protocol is open: ${output.failure}`;
      this.close(now, { kind: "no-network", text }, "no network protocol", out);
    }
  }

  #protocolRejected(now: Instant, protocol: number, out: (Output | LinkOutput)[]): void {
    if (protocol === PPP_LCP) this.#driveLcp(now, this.lcp().protocolRejected(now), out);
    else if (protocol !== PPP_PAP && protocol !== PPP_CHAP)
      this.#driveNetwork(now, this.#network().protocolRejected(now, protocol), out);
    else if (this.state.phase === "authenticate")
      this.close(
        now,
        { kind: "authentication-refused", text: "the peer rejects the authentication protocol" },
        "authentication is required",
        out,
      );
  }

  #leaveNetwork(now: Instant, out: (Output | LinkOutput)[]): void {
    this.#driveNetwork(now, this.#network().leave(), out);
  }

  #echo(now: Instant, out: (Output | LinkOutput)[]): void {
    const s = this.state;
    const due = echoTimeout(s.echo, now, this.#timers);
    if (due === "nothing") return;
    if (due === "send") {
      const identifier = this.lcp().nextIdentifier();
      this.send(
        PPP_LCP,
        emitLcp({ kind: "echo-request", identifier, magic: s.lcp.magic, data: new Uint8Array(0) }),
        out,
      );
      return;
    }
    const { misses } = s.echo;
    // One Terminate-Request for a peer that only we can't hear; then nothing is waited for
    const identifier = this.lcp().nextIdentifier();
    this.send(
      PPP_LCP,
      emitLcp({ kind: "terminate-request", identifier, data: utf8("no answer to Echo-Requests") }),
      out,
    );
    this.end(now, { kind: "echo-timeout", misses, text: `${misses} LCP Echo-Requests went unanswered` }, out);
  }

  #network(): Network {
    return new Network(this.state.network, this.random, this.#timers, this.sendableBytes());
  }

  #withinMru(data: Uint8Array): Uint8Array {
    return data.subarray(0, Math.max(0, this.sendableBytes() - CONTROL_HEADER_BYTES));
  }
}
