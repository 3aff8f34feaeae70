import type { L2tpPeerConfig } from "../config/config.ts";
import type { CallConnection, CallRequest, ProxyAuth } from "../l2tp/outputs.ts";
import { PROXY_AUTH_TYPE } from "../l2tp/outputs.ts";
import type { ProxyAuthentication } from "../ppp/proxy.ts";
import type { HeldSession } from "../ppp/server.ts";
import { accessLineFromPppoe } from "../wire/l2tp-access-line.ts";
import type { Call } from "./call.ts";
import type { CallReport } from "./call-reports.ts";
import type { Carrier } from "./carrier.ts";

/** Framing Type of ICCN: synchronous (RFC 2661 §4.4.3); Ethernet knows no other. */
const FRAMING_SYNCHRONOUS = 1;
/** Bearer Type of ICRQ: digital (§4.4.4). */
const BEARER_DIGITAL = 1;

/** What a line is said to run at, bit/s, while nobody tells us better. */
const UNKNOWN_SPEED = 1_000_000_000;
/** Tx and Rx Connect Speed have 32 bits (§4.4.4), and saturate. */
const LARGEST_SPEED = 0xffff_ffff;

/** What an LNS is told of a call, and who is told what the LNS says of it. */
export interface CallDetails {
  /** The call that is sent on, when it came by L2TP. */
  readonly cameFrom: Call | undefined;
  /** What a LAC before us has negotiated with the subscriber, and we have not touched; undefined once connected. */
  readonly proxied: HeldSession | undefined;
  /** Whether ICCN says Sequencing Required. */
  numbers(peer: L2tpPeerConfig): boolean;
  request(peer: L2tpPeerConfig): Omit<CallRequest, "callSerialNumber">;
  /** `held`: what we negotiated with the subscriber, if we did. */
  connection(peer: L2tpPeerConfig, held: HeldSession | undefined): CallConnection;
  /** ICCN is out: the call stands. */
  connected(call: Call, connection: CallConnection): void;
  /** What the LNS says of the call; returns whether it has been passed on. */
  report(report: CallReport): boolean;
  /** The session is over. */
  ended(): void;
}

/** A subscriber's own line: where he calls from, as his carrier knows it. */
export class LineDetails implements CallDetails {
  readonly #carrier: Carrier;
  readonly #ourName: string;

  /** `ourName`: the gateway's. */
  constructor(carrier: Carrier, ourName: string) {
    this.#carrier = carrier;
    this.#ourName = ourName;
  }

  get cameFrom(): undefined {
    return undefined;
  }

  get proxied(): undefined {
    return undefined;
  }

  request(peer: L2tpPeerConfig): Omit<CallRequest, "callSerialNumber"> {
    const { serviceName, accessLine } = this.#carrier;
    const caller = callingNumber(this.#carrier, peer, this.#ourName);
    return {
      bearerType: BEARER_DIGITAL,
      ...(caller !== "" && { callingNumber: caller }),
      ...physicalChannel(this.#carrier, peer),
      ...(serviceName !== undefined && serviceName !== "" && { calledNumber: serviceName }),
      ...(peer.accessLineAvps &&
        accessLine !== undefined && { accessLine: accessLineFromPppoe(accessLine.subOptions) }),
      ...(peer.connectSpeedUpdate && { connectSpeedUpdate: true }),
    };
  }

  numbers({ sequencing }: L2tpPeerConfig): boolean {
    return sequencing === "required";
  }

  connection(peer: L2tpPeerConfig, held: HeldSession | undefined): CallConnection {
    const { down, up } = connectSpeeds(this.#carrier, peer);
    return {
      txConnectSpeed: down,
      rxConnectSpeed: up,
      framingType: FRAMING_SYNCHRONOUS,
      ...(this.numbers(peer) && { sequencingRequired: true }),
      ...proxied(held),
    };
  }

  connected(): void {
    // Ethernet has nothing to tell an LNS but its frames
  }

  report(): boolean {
    return false;
  }

  ended(): void {
    // nobody else knows of it
  }
}

/** What we negotiated for the LNS (RFC 2661 §4.4.5). */
function proxied(held: HeldSession | undefined): Pick<CallConnection, "proxyLcp" | "proxyAuth"> {
  if (held === undefined) return {};
  return {
    proxyLcp: {
      lastSent: held.lcp.lastSentConfReq,
      lastReceived: held.lcp.lastReceivedConfReq,
      ...(held.lcp.initialReceivedConfReq !== undefined && {
        initialReceived: held.lcp.initialReceivedConfReq,
      }),
    },
    ...(held.authentication !== undefined && { proxyAuth: proxyAuthOf(held.authentication) }),
  };
}

function proxyAuthOf(authentication: ProxyAuthentication): ProxyAuth {
  const { name, identifier: id, response } = authentication;
  return authentication.type === "pap"
    ? { type: PROXY_AUTH_TYPE.pap, name, id, response }
    : { type: PROXY_AUTH_TYPE.chap, name, id, challenge: authentication.challenge, response };
}

/** By the peer's template; what is not known of the line leaves nothing in its place: "" if that is all. */
function callingNumber(
  carrier: Carrier,
  { callingNumber: template }: L2tpPeerConfig,
  ourName: string,
): string {
  if (template === undefined) return carrier.callingNumber;
  const { accessLine, vlanIds } = carrier;
  const fields = {
    mac: carrier.mac,
    interface: carrier.portName,
    vlan: vlanIds.at(-1),
    "outer-vlan": vlanIds.length > 1 ? vlanIds[0] : undefined,
    "circuit-id": accessLine?.circuitId,
    "remote-id": accessLine?.remoteId,
    name: ourName,
  };
  return template.map((part) => (typeof part === "string" ? part : (fields[part.field] ?? ""))).join("");
}

function physicalChannel(
  carrier: Carrier,
  { physicalChannelId: policy }: L2tpPeerConfig,
): Pick<CallRequest, "physicalChannelId"> {
  const view = carrier.view();
  if (policy === "pppoe-session" && view.kind === "pppoe") return { physicalChannelId: view.pppoeSessionId };
  const { vlanIds } = carrier;
  if (policy !== "vlan" || vlanIds.length === 0) return {};
  const outer = vlanIds.length > 1 ? vlanIds[0]! : 0;
  return { physicalChannelId: outer * 0x10000 + vlanIds.at(-1)! };
}

/** bit/s; "down" is towards the subscriber: Tx as the LAC sees it. */
function connectSpeeds(
  { accessLine, linkSpeed }: Carrier,
  { connectSpeed: policy }: L2tpPeerConfig,
): { readonly down: number; readonly up: number } {
  const line =
    policy.from === "line" && accessLine !== undefined ? accessLineFromPppoe(accessLine.subOptions) : {};
  const otherwise = policy.from === "static" ? policy.bps : (linkSpeed ?? UNKNOWN_SPEED);
  return {
    down: Math.min(line.actualDataRateDownstream ?? otherwise, LARGEST_SPEED),
    up: Math.min(line.actualDataRateUpstream ?? otherwise, LARGEST_SPEED),
  };
}
