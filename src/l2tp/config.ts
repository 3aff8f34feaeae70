/** How an endpoint and its peers are configured. All durations are in milliseconds. */

import { utf8 } from "../base/bytes.ts";
import { LacewingError } from "../base/errors.ts";
import { fitsAvp } from "../wire/l2tp-messages.ts";
import { retransmissionCycleMs } from "./transport.ts";

/** Where datagrams of a tunnel go to and come from. Addresses are canonical text. */
export interface L2tpAddress {
  readonly address: string;
  readonly port: number;
  /** Our end; the system chooses when it is absent. */
  readonly localAddress?: string;
  /** The owner's name of the socket. */
  readonly portKey: number;
}

/** Another LAC or LNS, and how we treat it. */
export interface L2tpPeerConfig {
  /** Ours, for outputs; unique. */
  readonly name: string;
  /** Where openTunnel() calls. Absent: this peer only calls us. */
  readonly remote?: L2tpAddress;
  /** Take tunnels that this peer opens. Default: false. */
  readonly accept?: boolean;
  /** The Host Name that the peer must present, as initiator and as responder. Absent: any. */
  readonly hostName?: string;
  /** Take its tunnels from these addresses only. Absent: any. */
  readonly acceptFrom?: readonly string[];
  /** The Host Name that we present to it. Default: the endpoint's. */
  readonly localHostName?: string;
  /** For tunnel authentication and hidden AVPs. */
  readonly secret?: string;
  /** Challenge the peer. Default: when there is a secret. A peer's challenge is answered in any case. */
  readonly authenticate?: boolean;
  /** Hide what may be hidden in messages about calls; needs the secret. Default: false. What the peer hides is read anyway. */
  readonly hideAvps?: boolean;
  /** Receive window that we offer, in messages. Default: 128. */
  readonly receiveWindow?: number;
  /** Silence before a HELLO. Default: 60,000. */
  readonly helloIntervalMs?: number;
  /** Of any message. Default: 5, which with 1 s doubling to 8 s is 31 s in all. */
  readonly retransmissions?: number;
  /** Of SCCRQ. Default: 2, so that a dead LNS costs 7 s. */
  readonly sccrqRetransmissions?: number;
  /** Sessions in one tunnel. Default: 65,535. */
  readonly maxSessions?: number;
  /** As initiator, take the answer from another address too; from another port it is always taken. Default: false. */
  readonly followAddress?: boolean;
  /**
   * Send a Tie Breaker in SCCRQ: of two SCCRQs that cross, one tunnel stays (§4.4.3). It says that there is to
   * be a single tunnel with this peer, so it forbids several. Default: false. The peer's is honoured in any case.
   */
  readonly tieBreaker?: boolean;
  /**
   * What to do about an unknown AVP with the M bit: end its session or tunnel, as §4.1 asks, or "ignore" it and
   * count it, for peers that set the bit where they should not. Default: "refuse".
   */
  readonly unknownMandatoryAvp?: "refuse" | "ignore";
  /** Offer the peer's outgoing calls (OCRQ) to the owner. Default: false, they are refused. */
  readonly outgoingCalls?: boolean;
  /** How long the peer repeats a message, if that is longer than 31 s: a closed tunnel is kept for so long (§5.7). */
  readonly peerRetransmissionCycleMs?: number;
}

export interface L2tpEndpointConfig {
  /** The Host Name that we present. */
  readonly hostName: string;
  readonly vendorName?: string;
  /** Default: 0x0100. */
  readonly firmwareRevision?: number;
  /**
   * Told apart by the Host Name that they present. An entry with `accept` and without `hostName` takes every
   * name that no other entry has: that is the policy for peers that are not known.
   */
  readonly peers: readonly L2tpPeerConfig[];
  /** Limit for the set-up of a tunnel, and of a session from its ICRQ on. Default: 60,000. */
  readonly setupTimeoutMs?: number;
  /** How long a call may wait for its tunnel to come up and have room. Default: 20,000. */
  readonly queueTimeoutMs?: number;
  /** Tunnels at one time, closing ones included. Default: 4,096. */
  readonly maxTunnels?: number;
  /** Tunnels that others have begun to open; beyond it the oldest gives way. Default: 512. */
  readonly maxHalfOpenTunnels?: number;
}

/** A peer's configuration with defaults filled in. */
export interface PeerPolicy {
  readonly name: string;
  readonly remote: L2tpAddress | undefined;
  readonly hostName: string | undefined;
  readonly acceptFrom: readonly string[] | undefined;
  readonly localHostName: string;
  readonly secret: Uint8Array | undefined;
  readonly authenticate: boolean;
  readonly hideAvps: boolean;
  readonly receiveWindow: number;
  readonly helloIntervalMs: number;
  readonly retransmissions: number;
  readonly sccrqRetransmissions: number;
  readonly maxSessions: number;
  readonly followAddress: boolean;
  readonly tieBreaker: boolean;
  readonly ignoreUnknownAvps: boolean;
  readonly outgoingCalls: boolean;
  /** How long a closed tunnel is kept. */
  readonly closedTunnelMs: number;
}

/** One full retransmission cycle of a message with RFC 2661's defaults (§5.7, §5.8). */
const USUAL_CYCLE_MS = 31_000;
const DEFAULT_RECEIVE_WINDOW = 128;
/** What an out-of-order queue of ours may have to hold. */
const LARGEST_RECEIVE_WINDOW = 1024;

function fail(message: string): never {
  throw new LacewingError("L2TP_CONFIG", message);
}

function checkHostName(name: string): void {
  if (name === "" || !fitsAvp(name))
    fail(`L2TP Host Name must have 1 to 1015 octets: "${name.slice(0, 40)}"`);
}

/** Throws a LacewingError (L2TP_CONFIG) when the peer's configuration contradicts itself. */
function peerPolicy(endpoint: L2tpEndpointConfig, peer: L2tpPeerConfig): PeerPolicy {
  const localHostName = peer.localHostName ?? endpoint.hostName;
  checkHostName(localHostName);
  const secret = peer.secret === undefined || peer.secret === "" ? undefined : utf8(peer.secret);
  const authenticate = peer.authenticate ?? secret !== undefined;
  const hideAvps = peer.hideAvps ?? false;
  if (secret === undefined && (authenticate || hideAvps))
    fail(`L2TP peer ${peer.name}: authentication and hidden AVPs need a secret`);
  const receiveWindow = peer.receiveWindow ?? DEFAULT_RECEIVE_WINDOW;
  if (receiveWindow < 1 || receiveWindow > LARGEST_RECEIVE_WINDOW)
    fail(`L2TP peer ${peer.name}: the receive window must be from 1 to ${LARGEST_RECEIVE_WINDOW}`);
  const retransmissions = peer.retransmissions ?? 5;
  return {
    name: peer.name,
    remote: peer.remote,
    hostName: peer.hostName,
    acceptFrom: peer.acceptFrom,
    localHostName,
    secret,
    authenticate,
    hideAvps,
    receiveWindow,
    helloIntervalMs: peer.helloIntervalMs ?? 60_000,
    retransmissions,
    sccrqRetransmissions: peer.sccrqRetransmissions ?? 2,
    maxSessions: peer.maxSessions ?? 65_535,
    followAddress: peer.followAddress ?? false,
    tieBreaker: peer.tieBreaker ?? false,
    ignoreUnknownAvps: peer.unknownMandatoryAvp === "ignore",
    outgoingCalls: peer.outgoingCalls ?? false,
    // our own StopCCN is to be repeated to its end, too
    closedTunnelMs: Math.max(
      USUAL_CYCLE_MS,
      retransmissionCycleMs(retransmissions),
      peer.peerRetransmissionCycleMs ?? 0,
    ),
  };
}

/** The peers of an endpoint, by name and by what an SCCRQ says. */
export class PeerTable {
  readonly #byName = new Map<string, PeerPolicy>();
  readonly #acceptedByHostName = new Map<string, PeerPolicy[]>();
  readonly #acceptedWithAnyName: PeerPolicy[] = [];
  /** For tunnels of a restored snapshot whose peer is no longer configured: nothing is asked of it. */
  readonly #removed: PeerPolicy;

  constructor(config: L2tpEndpointConfig) {
    checkHostName(config.hostName);
    if (config.vendorName !== undefined && !fitsAvp(config.vendorName)) fail("L2TP Vendor Name is too long");
    this.#removed = peerPolicy(config, { name: "" });
    for (const peer of config.peers) {
      if (this.#byName.has(peer.name)) fail(`two L2TP peers are called ${peer.name}`);
      const policy = peerPolicy(config, peer);
      this.#byName.set(peer.name, policy);
      if (peer.accept !== true) continue;
      if (peer.hostName === undefined) this.#acceptedWithAnyName.push(policy);
      else this.#acceptedByHostName.set(peer.hostName, [...this.#named(peer.hostName), policy]);
    }
  }

  get(name: string): PeerPolicy | undefined {
    return this.#byName.get(name);
  }

  /** For a tunnel that stands. */
  policyOf(name: string): PeerPolicy {
    return this.#byName.get(name) ?? this.#removed;
  }

  /** Who may open a tunnel to us with this Host Name from this address: exact names before the others. */
  accepting(hostName: string, address: string): PeerPolicy | undefined {
    return [...this.#named(hostName), ...this.#acceptedWithAnyName].find(
      (policy) => policy.acceptFrom === undefined || policy.acceptFrom.includes(address),
    );
  }

  #named(hostName: string): readonly PeerPolicy[] {
    return this.#acceptedByHostName.get(hostName) ?? [];
  }
}
