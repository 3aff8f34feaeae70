import { fromUtf8, utf8 } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { ECHO_REQUEST, emitLcp, parseLcp } from "../wire/lcp.ts";
import {
  emitPpp,
  PPP_CHAP,
  PPP_IPCP,
  PPP_IPV4,
  PPP_IPV6,
  PPP_IPV6CP,
  PPP_LCP,
  PPP_PAP,
  parsePpp,
} from "../wire/ppp.ts";
import {
  CODE_REJECT,
  CONTROL_HEADER_BYTES,
  type ControlPacket,
  parseControlPacket,
  TERMINATE_REQUEST,
} from "../wire/ppp-control.ts";
import { type EchoState, echoHeard, echoStop, echoTimeout, SILENT_ECHO } from "./echo.ts";
import type { IpcpClientState, IpcpServerState } from "./ipcp.ts";
import type { Ipv6cpState } from "./ipv6cp.ts";
import { type LcpConfig, LcpPolicy, type LcpState, MAX_LOOPS, newLcp } from "./lcp.ts";
import type { DownCause, LinkOutput } from "./link-types.ts";
import { type Ncp, ncpFor } from "./ncp.ts";
import { type FinishReason, Negotiation, type NegotiationOutput, newNegotiation } from "./negotiation.ts";
import type { PppTimers } from "./timers.ts";

export type NcpState = IpcpServerState | IpcpClientState | Ipv6cpState;

/** Plain data: all of a link but its authentication. Phases are those of RFC 1661 §3.2. */
export interface LinkState {
  phase: "dead" | "establish" | "authenticate" | "network" | "terminate" | "ended";
  lcp: LcpState;
  echo: EchoState;
  /** The network protocols that were opened, whatever became of them. Empty outside the network phase. */
  ncps: NcpState[];
  /** Why the link is being terminated. */
  cause: DownCause | undefined;
  /** What became of the last network protocol that failed, for the text of "no-network". */
  ncpFailure: string;
}

/** A link in phase Dead, before start(). */
export function newLinkState(random: RandomSource): LinkState {
  return {
    phase: "dead",
    lcp: newLcp(newNegotiation(random.uint32() & 0xff)),
    echo: { ...SILENT_ECHO },
    ncps: [],
    cause: undefined,
    ncpFailure: "",
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
    this.restartLcp(now, out);
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
    else if (this.state.phase === "network") this.#receiveNetwork(now, protocol, information, out);
    return out;
  }

  /** When timeout() is to be called next. */
  deadline(): Instant {
    const s = this.state;
    if (s.phase === "ended") return NEVER;
    let at = Math.min(s.lcp.negotiation.restartAt, s.echo.nextAt, this.authenticationDeadline());
    for (const ncp of s.ncps) at = Math.min(at, ncp.negotiation.restartAt);
    return at;
  }

  timeout(now: Instant): readonly (Output | LinkOutput)[] {
    const out: (Output | LinkOutput)[] = [];
    if (this.state.phase === "ended") return out;
    this.#driveLcp(now, this.lcp().timeout(now), out);
    if (this.#lcpOpened()) this.authenticationTimeout(now, out);
    // The end of one may have ended the link, and with it all others
    for (const ncp of [...this.state.ncps])
      if (this.state.ncps.includes(ncp))
        this.#driveNcp(now, ncp, this.#ncp(ncp).negotiation.timeout(now), out);
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
  linkDown(_now: Instant, text: string): readonly (Output | LinkOutput)[] {
    const out: (Output | LinkOutput)[] = [];
    this.end(this.state.cause ?? { kind: "lower-layer-down", text }, out);
    return out;
  }

  /** LCP from the beginning, whatever it was before. */
  protected restartLcp(now: Instant, out: (Output | LinkOutput)[]): void {
    const s = this.state;
    s.phase = "establish";
    s.lcp = newLcp(newNegotiation(s.lcp.negotiation.identifier));
    this.#driveLcp(now, [...this.lcp().open(now), ...this.lcp().lowerUp(now)], out);
  }

  /** Authentication is over: the network protocols begin. */
  protected openNetwork(now: Instant, ncps: readonly NcpState[], out: (Output | LinkOutput)[]): void {
    this.state.phase = "network";
    this.state.ncps.push(...ncps);
    for (const state of ncps) {
      const { negotiation } = this.#ncp(state);
      this.#driveNcp(now, state, [...negotiation.open(now), ...negotiation.lowerUp(now)], out);
    }
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
      this.end(cause, out);
      return;
    }
    s.cause = cause;
    s.phase = "terminate";
    this.#driveLcp(now, this.lcp().close(now, this.#withinMru(utf8(message))), out);
  }

  /** Over at once; told once. */
  protected end(cause: DownCause, out: (Output | LinkOutput)[]): void {
    if (this.state.phase === "ended") return;
    this.#leaveNetwork(out);
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

  /** What may be sent to the peer in the Information field, in octets. */
  protected sendableBytes(): number {
    return Math.min(this.state.lcp.peerMruBytes, this.#lcpConfig.maxMruBytes);
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
    if (this.#lcpOpened() && this.intercept(now, packet, out)) return;
    if (packet.code > CODE_REJECT) this.#receiveLcpOnly(now, packet, information, out);
    else this.#driveLcp(now, this.lcp().receive(now, packet, this.sendableBytes()), out);
    this.#checkLcp(now, out);
  }

  /** What the options that came in mean for the link. */
  #checkLcp(now: Instant, out: (Output | LinkOutput)[]): void {
    const { lcp } = this.state;
    if (lcp.loops > MAX_LOOPS)
      this.end(
        {
          kind: "loop-detected",
          text: `the line is looped back: ${lcp.loops} Configure-Requests came with our own magic number`,
        },
        out,
      );
    else if (lcp.askRejected)
      this.close(
        now,
        { kind: "authentication-refused", text: "the peer rejects the Authentication-Protocol option" },
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
      // Discard-Request, Identification, Time-Remaining want no answer; malformed ones get none
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
          this.#leaveNetwork(out);
          this.forgetAuthentication(out);
          if (s.phase !== "terminate") s.phase = "establish";
          break;
        case "peer-terminated": {
          const message = fromUtf8(output.data);
          const text = message === "" ? "the peer ended the link" : `the peer ended the link: ${message}`;
          this.end(s.cause ?? { kind: "peer-terminated", message, text }, out);
          break;
        }
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
          this.end(s.cause ?? lcpFinishCause(output.reason), out);
      }
    }
  }

  #receiveNetwork(
    now: Instant,
    protocol: number,
    information: Uint8Array,
    out: (Output | LinkOutput)[],
  ): void {
    const state = this.state.ncps.find((ncp) => this.#ncp(ncp).protocolNumber === protocol);
    if (state !== undefined) {
      const packet = parseControlPacket(information);
      if (packet === undefined) return;
      const { negotiation } = this.#ncp(state);
      this.#driveNcp(now, state, negotiation.receive(now, packet, this.sendableBytes()), out);
      return;
    }
    // IP packets of a protocol that is closing or not yet open are the data plane's to drop, not to reject
    const carried = protocol === PPP_IPV4 ? "ipv4" : protocol === PPP_IPV6 ? "ipv6" : undefined;
    if (carried !== undefined && this.state.ncps.some((ncp) => ncp.protocol === carried)) return;
    const rejectedInformation = information.subarray(
      0,
      Math.max(0, this.sendableBytes() - CONTROL_HEADER_BYTES - 2),
    );
    const identifier = this.lcp().nextIdentifier();
    this.send(
      PPP_LCP,
      emitLcp({ kind: "protocol-reject", identifier, rejectedProtocol: protocol, rejectedInformation }),
      out,
    );
  }

  #driveNcp(
    now: Instant,
    state: NcpState,
    outputs: readonly NegotiationOutput[],
    out: (Output | LinkOutput)[],
  ): void {
    const ncp = this.#ncp(state);
    for (const output of outputs) {
      switch (output.kind) {
        case "send":
          this.send(ncp.protocolNumber, output.packet, out);
          break;
        case "up": {
          const up = ncp.policy.up(this.sendableBytes());
          if (up !== undefined) {
            state.up = true;
            out.push(up);
          } else {
            this.state.ncpFailure = `${ncp.policy.name}: the peer gave us no address`;
            this.#driveNcp(now, state, ncp.negotiation.close(now, new Uint8Array(0)), out);
          }
          break;
        }
        case "down":
          takeDown(state, out);
          break;
        case "peer-terminated":
          this.state.ncpFailure = `${ncp.policy.name}: ended by the peer`;
          this.#closeIfIdle(now, out);
          break;
        case "code-rejected":
          break;
        case "stuck":
          this.state.ncpFailure = stuckText(ncp.policy.name, output.refusals, output.by);
          break;
        case "finished":
          if (output.reason.kind === "timeout" && output.reason.sent === "Configure-Request")
            this.state.ncpFailure = `${ncp.policy.name}: ${timeoutText(output.reason.sent, output.reason.times)}`;
          else if (output.reason.kind === "rejected")
            this.state.ncpFailure = `${ncp.policy.name}: rejected by the peer`;
          this.#closeIfIdle(now, out);
      }
    }
  }

  /** RFC 1661 §3.5: a link without a network protocol has nothing to stay up for. */
  #closeIfIdle(now: Instant, out: (Output | LinkOutput)[]): void {
    const alive = this.state.ncps.some((ncp) =>
      ["req-sent", "ack-rcvd", "ack-sent", "opened"].includes(ncp.negotiation.automaton),
    );
    if (alive || this.state.phase !== "network") return;
    const text = `no network protocol is open; ${this.state.ncpFailure}`;
    this.close(now, { kind: "no-network", text }, "no network protocol", out);
  }

  #protocolRejected(now: Instant, protocol: number, out: (Output | LinkOutput)[]): void {
    if (protocol === PPP_LCP) this.#driveLcp(now, this.lcp().protocolRejected(now), out);
    else if (protocol === PPP_PAP || protocol === PPP_CHAP) {
      if (this.state.phase === "authenticate")
        this.close(
          now,
          { kind: "authentication-refused", text: "the peer rejects the authentication protocol" },
          "authentication is required",
          out,
        );
    } else {
      const ncpProtocol = protocol === PPP_IPV4 ? PPP_IPCP : protocol === PPP_IPV6 ? PPP_IPV6CP : protocol;
      const state = this.state.ncps.find((ncp) => this.#ncp(ncp).protocolNumber === ncpProtocol);
      if (state !== undefined)
        this.#driveNcp(now, state, this.#ncp(state).negotiation.protocolRejected(now), out);
    }
  }

  #leaveNetwork(out: (Output | LinkOutput)[]): void {
    for (const ncp of this.state.ncps) takeDown(ncp, out);
    this.state.ncps = [];
    this.state.ncpFailure = "";
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
    this.end({ kind: "echo-timeout", misses, text: `${misses} LCP Echo-Requests went unanswered` }, out);
  }

  #ncp(state: NcpState): Ncp {
    return ncpFor(state, this.random, this.#timers);
  }

  #withinMru(data: Uint8Array): Uint8Array {
    return data.subarray(0, Math.max(0, this.sendableBytes() - CONTROL_HEADER_BYTES));
  }
}

function takeDown(state: NcpState, out: unknown[]): void {
  if (!state.up) return;
  state.up = false;
  const output: LinkOutput = { kind: "network-down", protocol: state.protocol };
  out.push(output);
}

function lcpFinishCause(reason: FinishReason): DownCause {
  switch (reason.kind) {
    case "timeout":
      return {
        kind: "configure-timeout",
        lastSent: `LCP ${reason.sent}`,
        times: reason.times,
        text: `LCP: ${timeoutText(reason.sent, reason.times)}`,
      };
    case "rejected":
      return { kind: "rejected", text: "the peer rejects LCP, or a code that LCP cannot do without" };
    case "terminated":
      return { kind: "peer-terminated", message: "", text: "the peer ended the link" };
  }
}

function timeoutText(sent: string, times: number): string {
  return `${sent} sent ${times} times without an acceptable answer`;
}

function stuckText(name: string, refusals: number, by: "us" | "peer"): string {
  return by === "us"
    ? `${name}: the peer insists on options that we refused ${refusals} times`
    : `${name}: the peer refused our options ${refusals} times`;
}
