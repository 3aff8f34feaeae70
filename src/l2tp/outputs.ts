/** What an L2TP endpoint tells its owner. */

import type { AccessLineAvps } from "../wire/l2tp-access-line.ts";
import { describeResult, type ResultCode } from "../wire/l2tp-codes.ts";
import type { RelayedAvp } from "../wire/l2tp-messages.ts";
import type { L2tpAddress } from "./config.ts";

/** A peer that did not answer: what was sent, how often, and when anything last came back. */
export interface Unanswered {
  readonly by: "timeout";
  /** The message that was not answered: "SCCRQ", "HELLO", "ICRQ"; "nothing" if we had sent none. */
  readonly sent: string;
  /** How often, the first time included; 0 with "nothing". */
  readonly times: number;
  /** The answer that did not come: "SCCRP", "acknowledgement". */
  readonly waitedFor: string;
  /** Since the peer's last control message; null when there never was one. */
  readonly silentMs: number | null;
}

/** What else is known of a peer that did not answer. */
export interface PeerNotReached {
  /** Why our own host has not sent what was meant for it. */
  readonly unsent?: string;
  /** What the network says. */
  readonly reported?: string;
}

export type TunnelCause =
  /** StopCCN from the peer or from us; `by: "us"` also for what we found wrong with the peer. */
  | ({ readonly by: "peer" | "us" } & ResultCode)
  | Unanswered
  /** The peer has given the id of this tunnel to a new one: it has restarted. */
  | { readonly by: "replaced" }
  /**
   * Both ends called each other and the peer's tie breaker won (RFC 2661 §4.4.3); its tunnel is up, or with equal
   * tie breakers none is: calls that waited for this one are to be placed again.
   */
  | { readonly by: "tie-breaker" };

export type SessionCause =
  /** CDN from the peer or from us. */
  | ({ readonly by: "peer" | "us" } & ResultCode)
  /** We have given up a call whose ICRQ was not sent yet: nobody was told. */
  | ({ readonly by: "unplaced" } & ResultCode)
  | Unanswered;

/** Whether ICCN had been sent or received: before it, another LNS may be tried. */
export type SessionStage = "set-up" | "connected";

/** The LCP CONFREQs of a LAC that negotiated for the LNS (§4.4.5): options only, no header. */
export interface ProxyLcp {
  readonly initialReceived?: Uint8Array;
  readonly lastSent?: Uint8Array;
  readonly lastReceived?: Uint8Array;
}

/** Values of Proxy Authen Type (§4.4.5). There is none for MS-CHAPv2. */
export const PROXY_AUTH_TYPE = { text: 1, chap: 2, pap: 3, none: 4, msChapV1: 5 } as const;

export interface ProxyAuth {
  readonly type: number;
  readonly name?: Uint8Array;
  readonly challenge?: Uint8Array;
  readonly id?: number;
  /** The CHAP response, or the password: never for a log. */
  readonly response?: Uint8Array;
}

/** What ICRQ says about a call, or OCRQ. */
export interface CallRequest {
  readonly callSerialNumber: number;
  readonly bearerType?: number;
  readonly physicalChannelId?: number;
  readonly callingNumber?: string;
  readonly calledNumber?: string;
  readonly subAddress?: string;
  /** The subscriber's line (RFC 5515 §5). */
  readonly accessLine?: AccessLineAvps;
  /** The LAC will tell changes of the connect speeds (RFC 5515 §6.2). */
  readonly connectSpeedUpdate?: boolean;
  /** Of an outgoing call only: what the LNS wants, speeds in bit/s. */
  readonly outgoing?: {
    readonly minimumBps: number;
    readonly maximumBps: number;
    readonly framingType: number;
  };
  /** See RelayedAvp. */
  readonly avps?: readonly RelayedAvp[];
  /** Hide what may be hidden, whatever the peer's policy is, if we have a secret with it. */
  readonly hide?: boolean;
}

/** What ICCN says about a call; speeds in bit/s. */
export interface CallConnection {
  readonly txConnectSpeed: number;
  readonly rxConnectSpeed?: number;
  readonly framingType: number;
  readonly proxyLcp?: ProxyLcp;
  readonly proxyAuth?: ProxyAuth;
  readonly privateGroupId?: string;
  readonly sequencingRequired?: boolean;
  /** See RelayedAvp. */
  readonly avps?: readonly RelayedAvp[];
  /** As in CallRequest. */
  readonly hide?: boolean;
}

/** The speeds that a session has now, in bit/s (RFC 5515 §6.1). */
export interface ConnectSpeeds {
  readonly session: number;
  readonly txConnectSpeed: number;
  readonly rxConnectSpeed: number;
}

/** The characters that PPP is to escape, for a LAC with an asynchronous line (§4.4.6, SLI). */
export interface LinkInfo {
  readonly sendAccm: number;
  readonly receiveAccm: number;
}

/** Counters of an asynchronous line, from the call's beginning on (§4.4.6, WEN). */
export interface CallErrors {
  readonly crcErrors: number;
  readonly framingErrors: number;
  readonly hardwareOverruns: number;
  readonly bufferOverruns: number;
  readonly timeoutErrors: number;
  readonly alignmentErrors: number;
}

export interface EndedSession {
  readonly session: number;
  readonly stage: SessionStage;
  /** A call of ours of which the peer had said nothing until then: it may not even know of it. */
  readonly unanswered: boolean;
}

export type L2tpOutput =
  /** `tunnel`: ours that it goes in; 0 for the refusal of one. */
  | {
      readonly kind: "send";
      readonly tunnel: number;
      readonly to: L2tpAddress;
      readonly datagram: Uint8Array;
    }
  | {
      readonly kind: "tunnel-up";
      readonly tunnel: number;
      readonly remoteTunnelId: number;
      readonly peerName: string;
      readonly peerHostName: string;
      readonly peerVendorName: string | undefined;
      /** We opened it. */
      readonly initiator: boolean;
      /** Where the peer turned out to be; it stays there for the life of the tunnel (§8.1). */
      readonly remote: L2tpAddress;
    }
  /**
   * Told once for every tunnel that we opened or that came up; its sessions are not told one by one. Also for
   * one that a peer began to open, unless it had to give way to newer ones: those are counted as "half-open".
   */
  | {
      readonly kind: "tunnel-down";
      readonly tunnel: number;
      readonly peerName: string;
      /** It was up. */
      readonly wasUp: boolean;
      readonly cause: TunnelCause;
      readonly sessions: readonly EndedSession[];
    }
  /** A message has been repeated twice and not been acknowledged: the tunnel will end, unless the peer answers yet. */
  | {
      readonly kind: "tunnel-unanswered";
      readonly tunnel: number;
      readonly peerName: string;
      readonly cause: Unanswered;
    }
  /** The peer answers again. */
  | {
      readonly kind: "tunnel-answered";
      readonly tunnel: number;
      readonly peerName: string;
      /** Since the message that it had not acknowledged. */
      readonly afterMs: number;
    }
  /** Somebody whom we do not take, or not so, wanted a tunnel. Rate-limited, as our answers are. */
  | {
      readonly kind: "tunnel-refused";
      readonly from: L2tpAddress;
      readonly peerHostName: string | undefined;
      readonly cause: ResultCode;
    }
  /**
   * LNS: an ICRQ came; answer with acceptCall() or closeSession(). When it is `outgoing`, we are the LAC and an
   * OCRQ came: after acceptCall(), connectCall() says that the call stands.
   */
  | {
      readonly kind: "call-offered";
      readonly outgoing: boolean;
      readonly tunnel: number;
      readonly session: number;
      readonly remoteTunnelId: number;
      readonly remoteSessionId: number;
      readonly call: CallRequest;
    }
  /** LAC: the ICRP came; answer with connectCall() or closeSession(). */
  | {
      readonly kind: "call-accepted";
      readonly tunnel: number;
      readonly session: number;
      readonly remoteTunnelId: number;
      readonly remoteSessionId: number;
    }
  /** LNS: the ICCN came. */
  | {
      readonly kind: "call-connected";
      readonly tunnel: number;
      readonly session: number;
      readonly connection: CallConnection;
    }
  /** LAC: an SLI came. */
  | {
      readonly kind: "link-info";
      readonly tunnel: number;
      readonly session: number;
      readonly info: LinkInfo;
    }
  /** LNS: a WEN came. */
  | {
      readonly kind: "wan-error";
      readonly tunnel: number;
      readonly session: number;
      readonly errors: CallErrors;
    }
  /** LNS: a CSUN came, of sessions that stand and whose ICRQ announced it. */
  | {
      readonly kind: "speeds-updated";
      readonly tunnel: number;
      readonly speeds: readonly ConnectSpeeds[];
    }
  /** LAC: a CSURQ came; answer with updateSpeeds(). */
  | {
      readonly kind: "speeds-requested";
      readonly tunnel: number;
      readonly sessions: readonly number[];
    }
  | ({
      readonly kind: "session-down";
      readonly tunnel: number;
      readonly cause: SessionCause;
    } & EndedSession);

/** One line for people. `notReached`: of a peer that did not answer, if anything is known. */
export function describeCause(
  message: "StopCCN" | "CDN",
  cause: TunnelCause | SessionCause,
  notReached: PeerNotReached = {},
): string {
  switch (cause.by) {
    case "peer":
      return `${message} from the peer, ${describeResult(message, cause)}`;
    case "us":
      return `${message} from us, ${describeResult(message, cause)}`;
    case "unplaced":
      return `given up before it was placed, ${describeResult(message, cause)}`;
    case "timeout":
      return describeSilence(cause, notReached);
    case "replaced":
      return "the peer has given the tunnel's id to a new one";
    case "tie-breaker":
      return "both ends called each other, and this tunnel lost the tie";
  }
}

function describeSilence(
  { sent, times, waitedFor, silentMs }: Unanswered,
  { unsent, reported }: PeerNotReached,
): string {
  const asked = times === 0 ? [] : [times === 1 ? `${sent} sent once` : `${sent} sent ${times} times`];
  const isExplained = unsent !== undefined || reported !== undefined;
  const never = isExplained ? [] : ["nothing ever came back"];
  const heard = silentMs === null ? never : [`last heard ${(silentMs / 1000).toFixed(1)} s ago`];
  const silence = [...(unsent === undefined ? asked : [unsent]), `no ${waitedFor}`, ...heard].join(", ");
  return reported === undefined ? silence : `${silence}; ${reported}`;
}
