import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { emitPpp, PPP_IPCP, PPP_IPV4, PPP_IPV6, PPP_IPV6CP } from "../wire/ppp.ts";
import type { ControlPacket } from "../wire/ppp-control.ts";
import type { AutomatonState } from "./automaton.ts";
import { stuckText, timeoutText } from "./causes.ts";
import { IpcpClientPolicy, type IpcpClientState, IpcpServerPolicy, type IpcpServerState } from "./ipcp.ts";
import { Ipv6cpPolicy, type Ipv6cpState } from "./ipv6cp.ts";
import type { LinkOutput } from "./link-types.ts";
import { forgetRequest, Negotiation, type NegotiationOutput } from "./negotiation.ts";
import type { PppTimers } from "./timers.ts";

export type NcpState = IpcpServerState | IpcpClientState | Ipv6cpState;

/** Plain data of the Network-Layer Protocol phase (RFC 1661 §3.6). */
export interface NetworkState {
  /** The protocols that were opened, whatever became of them. Empty outside the phase. */
  ncps: NcpState[];
  /** What became of the last one that failed, for people. */
  failure: string;
}

export type NetworkOutput =
  | LinkOutput
  /** Told when a protocol ends and no other is open or on its way. */
  | { readonly kind: "idle"; readonly failure: string };

const ALIVE: ReadonlySet<AutomatonState> = new Set(["req-sent", "ack-rcvd", "ack-sent", "opened"]);
const NO_DATA = new Uint8Array(0);

/** The network control protocols of a link. Holds nothing but references: its state is the link's. */
export class Network {
  readonly #state: NetworkState;
  readonly #random: RandomSource;
  readonly #timers: PppTimers;
  /** What may be sent to the peer in one frame's Information field. */
  readonly #mruBytes: number;

  constructor(state: NetworkState, random: RandomSource, timers: PppTimers, mruBytes: number) {
    this.#state = state;
    this.#random = random;
    this.#timers = timers;
    this.#mruBytes = mruBytes;
  }

  open(now: Instant, ncps: readonly NcpState[]): readonly NetworkOutput[] {
    // Not push(): an array that grows takes room for sixteen more
    this.#state.ncps = [...this.#state.ncps, ...ncps];
    const out: NetworkOutput[] = [];
    for (const ncp of ncps) {
      const negotiation = this.#negotiation(ncp);
      this.#drive(now, ncp, [...negotiation.open(now), ...negotiation.lowerUp(now)], out);
    }
    this.#checkIdle(out);
    return out;
  }

  /** Whether a protocol number belongs to what was opened: a control protocol or what it controls. */
  knows(protocol: number): boolean {
    return this.#state.ncps.some((ncp) => protocolNumber(ncp) === protocol || carries(ncp) === protocol);
  }

  /** A packet of a protocol that knows() knows. Network packets themselves are the data plane's, and passed over. */
  receive(now: Instant, protocol: number, packet: ControlPacket): readonly NetworkOutput[] {
    const out: NetworkOutput[] = [];
    const ncp = this.#state.ncps.find((state) => protocolNumber(state) === protocol);
    if (ncp !== undefined)
      this.#drive(now, ncp, this.#negotiation(ncp).receive(now, packet, this.#mruBytes), out);
    return out;
  }

  /** The peer speaks neither the control protocol nor what it controls. */
  protocolRejected(now: Instant, protocol: number): readonly NetworkOutput[] {
    const out: NetworkOutput[] = [];
    const ncp = this.#state.ncps.find(
      (state) => protocolNumber(state) === protocol || carries(state) === protocol,
    );
    if (ncp !== undefined) this.#drive(now, ncp, this.#negotiation(ncp).protocolRejected(now), out);
    return out;
  }

  timeout(now: Instant): readonly NetworkOutput[] {
    const out: NetworkOutput[] = [];
    for (const ncp of this.#state.ncps) this.#drive(now, ncp, this.#negotiation(ncp).timeout(now), out);
    return out;
  }

  deadline(): Instant {
    let at = NEVER;
    for (const ncp of this.#state.ncps) at = Math.min(at, ncp.negotiation.restartAt);
    return at;
  }

  /** The phase is over: LCP has left Opened. */
  leave(): readonly NetworkOutput[] {
    const out: NetworkOutput[] = [];
    for (const ncp of this.#state.ncps) takeDown(ncp, out);
    this.#state.ncps = [];
    this.#state.failure = "";
    return out;
  }

  #drive(now: Instant, ncp: NcpState, outputs: readonly NegotiationOutput[], out: NetworkOutput[]): void {
    const policy = this.#policy(ncp);
    for (const output of outputs) {
      switch (output.kind) {
        case "send":
          out.push({ kind: "send", frame: emitPpp(protocolNumber(ncp), output.packet) });
          break;
        case "up":
          this.#up(now, ncp, out);
          break;
        case "down":
          takeDown(ncp, out);
          break;
        case "peer-terminated":
          this.#state.failure = `${policy.name}: ended by the peer`;
          this.#checkIdle(out);
          break;
        case "rejected":
          this.#state.failure = `${policy.name}: rejected by the peer`;
          break;
        case "stuck":
          this.#state.failure = stuckText(policy.name, output.refusals, output.by);
          break;
        case "code-rejected":
          break;
        case "finished": {
          const { reason } = output;
          if (reason.kind === "timeout" && reason.sent === "Configure-Request")
            this.#state.failure = timeoutText(policy.name, reason.sent, reason.times);
          this.#checkIdle(out);
        }
      }
    }
  }

  #up(now: Instant, ncp: NcpState, out: NetworkOutput[]): void {
    const policy = this.#policy(ncp);
    const up = policy.up(this.#mruBytes);
    if (up !== undefined) {
      ncp.up = true;
      forgetRequest(ncp.negotiation);
      out.push(up);
      return;
    }
    this.#state.failure = `${policy.name}: the peer gave us no address`;
    this.#drive(now, ncp, this.#negotiation(ncp).close(now, NO_DATA), out);
  }

  /** RFC 1661 §3.5: a link without a network protocol has nothing to stay up for. */
  #checkIdle(out: NetworkOutput[]): void {
    const { ncps, failure } = this.#state;
    if (!ncps.some((ncp) => ALIVE.has(ncp.negotiation.automaton))) out.push({ kind: "idle", failure });
  }

  #negotiation(ncp: NcpState): Negotiation {
    return new Negotiation(this.#policy(ncp), this.#timers, ncp.negotiation);
  }

  #policy(ncp: NcpState): IpcpServerPolicy | IpcpClientPolicy | Ipv6cpPolicy {
    if (ncp.protocol === "ipv6") return new Ipv6cpPolicy(this.#random, ncp);
    return ncp.role === "server" ? new IpcpServerPolicy(ncp) : new IpcpClientPolicy(ncp);
  }
}

function takeDown(ncp: NcpState, out: NetworkOutput[]): void {
  if (!ncp.up) return;
  ncp.up = false;
  out.push({ kind: "network-down", protocol: ncp.protocol });
}

function protocolNumber(ncp: NcpState): number {
  return ncp.protocol === "ipv4" ? PPP_IPCP : PPP_IPV6CP;
}

function carries(ncp: NcpState): number {
  return ncp.protocol === "ipv4" ? PPP_IPV4 : PPP_IPV6;
}
