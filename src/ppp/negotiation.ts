import { equalBytes } from "../base/bytes.ts";
import { type Instant, NEVER } from "../base/time.ts";
import {
  CODE_REJECT,
  CONFIGURE_ACK,
  CONFIGURE_NAK,
  CONFIGURE_REJECT,
  CONFIGURE_REQUEST,
  CONTROL_HEADER_BYTES,
  type ConfigOption,
  type ControlPacket,
  emitControlPacket,
  emitOptions,
  parseOptions,
  TERMINATE_ACK,
  TERMINATE_REQUEST,
} from "../wire/ppp-control.ts";
import { type AutomatonAction, type AutomatonEvent, type AutomatonState, transition } from "./automaton.ts";
import type { PppTimers } from "./timers.ts";

/** What a protocol says about the peer's Configure-Request. */
export type Judgement =
  | { readonly kind: "ack" }
  | { readonly kind: "nak" | "reject"; readonly options: readonly ConfigOption[] };

/** What LCP, IPCP and IPV6CP differ in: the options that they ask for and put up with. */
export interface OptionPolicy {
  /** Negotiation begins anew: back to what we want most. */
  reset(): void;
  /** The options of our next Configure-Request. */
  request(): readonly ConfigOption[];
  /** `mayNak` is false when too many Naks have not helped: only what can be taken or rejected is left (RFC 1661 §4.6). */
  judge(options: readonly ConfigOption[], mayNak: boolean): Judgement;
  /** We acknowledged the peer's options: they hold from now on. */
  peerAcked(options: readonly ConfigOption[]): void;
  /** The peer wants other values for these. */
  naked(options: readonly ConfigOption[]): void;
  /** The peer does not want to hear of these; each was in our request. */
  rejected(options: readonly ConfigOption[]): void;
}

/** Plain data. */
export interface NegotiationState {
  automaton: AutomatonState;
  /** Transmissions that are left before TO- . */
  restartCount: number;
  restartAt: Instant;
  /** The newest identifier of any packet that we began. */
  identifier: number;
  /** Identifier and options of the newest Configure-Request; whether a valid reply to it is still to come. */
  requestIdentifier: number;
  requestOptions: Uint8Array;
  awaitingReply: boolean;
  /** How often a Configure- or Terminate-Request has been sent since the restart counter was initialised. */
  transmissions: number;
  terminateData: Uint8Array;
  /** Naks that we sent since our last Ack, and the identifier of the request that the newest was for. */
  naksSent: number;
  nakedIdentifier: number;
  /** Naks and Rejects since the last Ack: ours to the peer, the peer's to us. */
  refusalsSent: number;
  refusalsReceived: number;
}

export type NegotiationOutput =
  /** A whole control packet, without the PPP protocol field. */
  | { readonly kind: "send"; readonly packet: Uint8Array }
  | { readonly kind: "up" }
  | { readonly kind: "down" }
  /** The peer ended an open protocol. Comes after its Terminate-Ack was sent. */
  | { readonly kind: "peer-terminated"; readonly data: Uint8Array }
  /** A Code-Reject of a code that nothing works without, or a Protocol-Reject: the protocol is ending. */
  | { readonly kind: "rejected" }
  /** A code that only some protocols know was refused by the peer. */
  | { readonly kind: "code-rejected"; readonly code: number }
  /** Neither side gives way; the protocol is being closed. */
  | { readonly kind: "stuck"; readonly refusals: number; readonly by: "us" | "peer" }
  | { readonly kind: "finished"; readonly reason: FinishReason };

export type FinishReason =
  | {
      readonly kind: "timeout";
      readonly sent: "Configure-Request" | "Terminate-Request";
      readonly times: number;
    }
  | { readonly kind: "terminated" };

/** Never written to; shared, because every open link would have several. */
const NO_OCTETS = new Uint8Array(0);

/** The options of our request are acknowledged, and not needed any more: the next request is made anew. */
export function forgetRequest(state: NegotiationState): void {
  if (!state.awaitingReply) state.requestOptions = NO_OCTETS;
}

/** A negotiation that has not begun. `identifier`: where identifiers start, 0 to 255. */
export function newNegotiation(identifier: number): NegotiationState {
  return {
    automaton: "initial",
    restartCount: 0,
    restartAt: NEVER,
    identifier,
    requestIdentifier: identifier,
    requestOptions: NO_OCTETS,
    awaitingReply: false,
    transmissions: 0,
    terminateData: NO_OCTETS,
    naksSent: 0,
    nakedIdentifier: -1,
    refusalsSent: 0,
    refusalsReceived: 0,
  };
}

/** A negotiation that somebody else has brought to Opened with `requestOptions` as our last request. */
export function adoptedNegotiation(
  identifier: number,
  requestOptions: Uint8Array,
  timers: PppTimers,
): NegotiationState {
  return {
    ...newNegotiation(identifier),
    automaton: "opened",
    requestOptions,
    restartCount: timers.maxConfigure,
  };
}

const TIMED: ReadonlySet<AutomatonState> = new Set([
  "closing",
  "stopping",
  "req-sent",
  "ack-rcvd",
  "ack-sent",
]);
const NEGOTIATING: ReadonlySet<AutomatonState> = new Set(["req-sent", "ack-rcvd", "ack-sent"]);
const JUDGING: ReadonlySet<AutomatonState> = new Set([
  "stopped",
  "req-sent",
  "ack-rcvd",
  "ack-sent",
  "opened",
]);

/** Refusals in a row, as a multiple of Max-Failure, after which there is no hope of an agreement. */
const STUCK_FACTOR = 4;

/**
 * The exchange of Configure, Terminate and Code-Reject packets (RFC 1661 §4 and §5.1 to §5.6) that LCP and
 * every NCP run, over the automaton's table. Holds nothing but references: its state is the owner's.
 */
export class Negotiation {
  readonly state: NegotiationState;
  readonly #policy: OptionPolicy;
  readonly #timers: PppTimers;

  constructor(policy: OptionPolicy, timers: PppTimers, state: NegotiationState) {
    this.#policy = policy;
    this.#timers = timers;
    this.state = state;
  }

  lowerUp(now: Instant): readonly NegotiationOutput[] {
    return this.#event(now, "Up");
  }

  open(now: Instant): readonly NegotiationOutput[] {
    return this.#event(now, "Open");
  }

  /** `data` goes into the Terminate-Request. */
  close(now: Instant, data: Uint8Array): readonly NegotiationOutput[] {
    this.state.terminateData = data;
    return this.#event(now, "Close");
  }

  /** The peer sent a Protocol-Reject for this protocol. */
  protocolRejected(now: Instant): readonly NegotiationOutput[] {
    return [{ kind: "rejected" }, ...this.#event(now, "RXJ-")];
  }

  timeout(now: Instant): readonly NegotiationOutput[] {
    if (now < this.state.restartAt) return [];
    return this.#event(now, this.state.restartCount > 0 ? "TO+" : "TO-");
  }

  /** A new identifier for a packet that we begin. */
  nextIdentifier(): number {
    this.state.identifier = (this.state.identifier + 1) & 0xff;
    return this.state.identifier;
  }

  /** `maxBytes`: the peer's MRU, which a Code-Reject must not exceed. Anything but codes 1 to 7 is an unknown code. */
  receive(now: Instant, packet: ControlPacket, maxBytes: number): readonly NegotiationOutput[] {
    switch (packet.code) {
      case CONFIGURE_REQUEST:
        return this.#configureRequest(now, packet);
      case CONFIGURE_ACK:
      case CONFIGURE_NAK:
      case CONFIGURE_REJECT:
        return this.#configureReply(now, packet);
      case TERMINATE_REQUEST: {
        const wasOpened = this.state.automaton === "opened";
        const outputs = this.#event(now, "RTR", packet);
        return wasOpened ? [...outputs, { kind: "peer-terminated", data: packet.data.slice() }] : outputs;
      }
      case TERMINATE_ACK:
        return this.#event(now, "RTA");
      case CODE_REJECT:
        return this.#codeReject(now, packet.data);
      default: {
        const rejected = emitControlPacket(packet).subarray(0, Math.max(0, maxBytes - CONTROL_HEADER_BYTES));
        const reply = { code: CODE_REJECT, identifier: this.nextIdentifier(), data: rejected };
        return this.#event(now, "RUC", undefined, reply);
      }
    }
  }

  #configureRequest(now: Instant, packet: ControlPacket): readonly NegotiationOutput[] {
    const s = this.state;
    const options = parseOptions(packet.data);
    if (options === undefined) return [];
    // A closed or closing protocol answers, if at all, with a Terminate-Ack, whatever is asked
    if (!JUDGING.has(s.automaton)) return this.#event(now, "RCR+", packet);

    const judgement = this.#policy.judge(options, s.naksSent < this.#timers.maxFailure);
    if (judgement.kind === "ack") {
      s.naksSent = 0;
      s.refusalsSent = 0;
      const reply = { code: CONFIGURE_ACK, identifier: packet.identifier, data: packet.data };
      return this.#event(now, "RCR+", packet, reply, options);
    }
    // A retransmission of what was Nak'ed says nothing about convergence: our Nak may have been lost
    if (judgement.kind === "nak" && packet.identifier !== s.nakedIdentifier) {
      s.naksSent += 1;
      s.nakedIdentifier = packet.identifier;
    }
    s.refusalsSent += 1;
    if (s.refusalsSent > STUCK_FACTOR * this.#timers.maxFailure) return this.#stuck(now, "us");
    const reply = {
      code: judgement.kind === "nak" ? CONFIGURE_NAK : CONFIGURE_REJECT,
      identifier: packet.identifier,
      data: emitOptions(judgement.options),
    };
    return this.#event(now, "RCR-", packet, reply);
  }

  #configureReply(now: Instant, packet: ControlPacket): readonly NegotiationOutput[] {
    const s = this.state;
    if (!JUDGING.has(s.automaton) || s.automaton === "stopped") return this.#event(now, "RCA", packet);
    // Only the first valid reply to the newest request counts; all others are silently discarded (§5.2 to §5.4)
    if (!s.awaitingReply || packet.identifier !== s.requestIdentifier) return [];
    const options = parseOptions(packet.data);
    if (options === undefined) return [];

    if (packet.code === CONFIGURE_ACK) {
      if (!equalBytes(packet.data, s.requestOptions)) return [];
      s.awaitingReply = false;
      s.refusalsReceived = 0;
      return this.#event(now, "RCA", packet);
    }
    if (packet.code === CONFIGURE_REJECT && !this.#wereRequested(options)) return [];
    s.awaitingReply = false;
    s.refusalsReceived += 1;
    if (s.refusalsReceived > STUCK_FACTOR * this.#timers.maxFailure) return this.#stuck(now, "peer");
    if (packet.code === CONFIGURE_NAK) this.#policy.naked(options);
    else this.#policy.rejected(options);
    return this.#event(now, "RCN", packet);
  }

  #wereRequested(options: readonly ConfigOption[]): boolean {
    const requested = parseOptions(this.state.requestOptions) ?? [];
    return options.every((option) =>
      requested.some((ours) => ours.type === option.type && equalBytes(ours.data, option.data)),
    );
  }

  #codeReject(now: Instant, rejectedPacket: Uint8Array): readonly NegotiationOutput[] {
    const code = rejectedPacket[0];
    if (code === undefined) return [];
    if (code >= CONFIGURE_REQUEST && code <= CODE_REJECT) return this.protocolRejected(now);
    return [...this.#event(now, "RXJ+"), { kind: "code-rejected", code }];
  }

  #stuck(now: Instant, by: "us" | "peer"): readonly NegotiationOutput[] {
    const refusals = by === "us" ? this.state.refusalsSent : this.state.refusalsReceived;
    return [{ kind: "stuck", refusals, by }, ...this.close(now, NO_OCTETS)];
  }

  /** Looks the event up and does what the table says. `request` and `reply`: what came, and what sca, scn or scj send. */
  #event(
    now: Instant,
    event: AutomatonEvent,
    request?: ControlPacket,
    reply?: ControlPacket,
    ackedOptions?: readonly ConfigOption[],
  ): readonly NegotiationOutput[] {
    const s = this.state;
    const step = transition(s.automaton, event);
    if (step === undefined) return [];
    const outputs: NegotiationOutput[] = [];
    for (const action of step.actions) {
      switch (action) {
        case "tlu":
          outputs.push({ kind: "up" });
          break;
        case "tld":
          outputs.push({ kind: "down" });
          break;
        case "tls":
        case "ser":
          // The lower layer is the owner's to start, and Echo is LCP's own: nothing to do here
          break;
        case "tlf":
          outputs.push({ kind: "finished", reason: this.#finishReason(event) });
          break;
        case "irc":
          s.restartCount = step.actions.includes("str")
            ? this.#timers.maxTerminate
            : this.#timers.maxConfigure;
          s.transmissions = 0;
          break;
        case "zrc":
          s.restartCount = 0;
          s.transmissions = 0;
          s.restartAt = now + this.#timers.restartMs;
          break;
        default:
          outputs.push({ kind: "send", packet: this.#packet(now, action, request, reply) });
          if (action === "sca" && ackedOptions !== undefined) this.#policy.peerAcked(ackedOptions);
      }
    }
    s.automaton = step.next;
    if (!TIMED.has(step.next)) s.restartAt = NEVER;
    return outputs;
  }

  #packet(
    now: Instant,
    action: Extract<AutomatonAction, "scr" | "sca" | "scn" | "str" | "sta" | "scj">,
    request: ControlPacket | undefined,
    reply: ControlPacket | undefined,
  ): Uint8Array {
    switch (action) {
      case "scr":
        return this.#configureRequestPacket(now);
      case "str":
        this.#countTransmission(now);
        return emitControlPacket({
          code: TERMINATE_REQUEST,
          identifier: this.nextIdentifier(),
          data: this.state.terminateData,
        });
      case "sta":
        return emitControlPacket({
          code: TERMINATE_ACK,
          identifier: request?.identifier ?? this.nextIdentifier(),
          data: NO_OCTETS,
        });
      default:
        // The table has sca, scn and scj only in rows whose caller brings the reply
        return emitControlPacket(reply!);
    }
  }

  #configureRequestPacket(now: Instant): Uint8Array {
    const s = this.state;
    if (!NEGOTIATING.has(s.automaton)) {
      this.#policy.reset();
      s.awaitingReply = false;
      s.refusalsReceived = 0;
    }
    this.#countTransmission(now);
    // §5.1: a retransmission may keep its identifier, a request after a valid reply must not
    if (!s.awaitingReply) {
      s.requestIdentifier = this.nextIdentifier();
      s.requestOptions = emitOptions(this.#policy.request());
      s.awaitingReply = true;
    }
    return emitControlPacket({
      code: CONFIGURE_REQUEST,
      identifier: s.requestIdentifier,
      data: s.requestOptions,
    });
  }

  #countTransmission(now: Instant): void {
    this.state.restartCount -= 1;
    this.state.transmissions += 1;
    this.state.restartAt = now + this.#timers.restartMs;
  }

  #finishReason(event: AutomatonEvent): FinishReason {
    const { automaton, transmissions } = this.state;
    if (event !== "TO-" || automaton === "stopping") return { kind: "terminated" };
    const sent = automaton === "closing" ? "Terminate-Request" : "Configure-Request";
    return { kind: "timeout", sent, times: transmissions };
  }
}
