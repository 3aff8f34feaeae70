import type { Instant } from "../base/time.ts";
import type { TokenBucketState } from "../base/token-bucket.ts";
import type { VlanTag } from "../wire/ethernet.ts";
import type { AccessLine } from "../wire/pppoe-tags.ts";
import { type AdmissionLimits, type AdmissionState, DEFAULT_ADMISSION_LIMITS } from "./admission.ts";
import { DEFAULT_LOGIN_BACKOFF, type LoginBackoffLimits, type LoginBackoffState } from "./login-backoff.ts";
import type { ServicePolicy } from "./service-policy.ts";
import type { SessionIdsState } from "./session-ids.ts";
import type { Rate, SubscriberBucketsState } from "./subscriber-buckets.ts";
import type { WaitingLineState } from "./waiting-line.ts";

export interface AccessConcentratorConfig {
  readonly acName: string;
  /** Six octets: the address of the access port, where PADR and PADT must come to. */
  readonly localMac: Uint8Array;
  readonly services: ServicePolicy;
  /** 16 octets, for concentrators that answer in each other's place; a random one when absent. */
  readonly cookieKey?: Uint8Array;
  /** Begin as after drain(). */
  readonly draining?: boolean;
  readonly limits: AccessConcentratorLimits;
}

export interface AccessConcentratorLimits {
  readonly maxSessions: number;
  /** Sessions of one MAC address in one VLAN. */
  readonly maxSessionsPerMac: number;
  /** What a PADR does at that limit: end the oldest session of the address, or be refused. */
  readonly atMacLimit: "replace" | "refuse";
  /** PADIs answered, per MAC address in one VLAN and on the whole port. */
  readonly padiPerMac: Rate;
  readonly padiPerPort: Rate;
  /** PADTs for frames of unknown sessions, per MAC address in one VLAN and on the whole port. */
  readonly strayPerMac: Rate;
  readonly strayPerPort: Rate;
  /** MAC addresses, each in one VLAN, that have buckets of their own at a time. */
  readonly trackedMacs: number;
  readonly cookieLifeMs: number;
  /** How long the owner may take to confirm a requested session. */
  readonly confirmTimeoutMs: number;
  /** Octets of the largest PPP packet that PPP-Max-Payload may agree on (RFC 4638). */
  readonly maxPayloadBytes: number;
  /** MTU of the port: under tags it may carry less than that. */
  readonly portMtuBytes: number;
  /** How much later than at once a PADI is answered at full load, so that the less loaded of two concentrators wins. */
  readonly padoDelayMs: number;
  readonly admission: AdmissionLimits;
  readonly loginBackoff: LoginBackoffLimits;
}

export const DEFAULT_ACCESS_CONCENTRATOR_LIMITS: AccessConcentratorLimits = {
  maxSessions: 32_000,
  maxSessionsPerMac: 1,
  atMacLimit: "replace",
  padiPerMac: { perSecond: 1, burst: 5 },
  padiPerPort: { perSecond: 20_000, burst: 20_000 },
  strayPerMac: { perSecond: 0.5, burst: 2 },
  strayPerPort: { perSecond: 100, burst: 200 },
  trackedMacs: 16_384,
  cookieLifeMs: 60_000,
  confirmTimeoutMs: 5_000,
  maxPayloadBytes: 1492,
  portMtuBytes: 1500,
  padoDelayMs: 0,
  admission: DEFAULT_ADMISSION_LIMITS,
  loginBackoff: DEFAULT_LOGIN_BACKOFF,
};

/** Why a received packet was not answered. */
const DISCARD_REASONS = [
  "truncated", // shorter than its headers say
  "bad-version",
  "bad-tag", // a tag reaches beyond the packet
  "not-discovery", // another EtherType
  "bad-source", // from a group address, from no address, or from ours
  "bad-destination", // to another station
  "bad-code", // not what a host sends
  "bad-session-id", // a session id where none may be, or none where one must be
  "bad-service-name", // not exactly one Service-Name tag
  "unknown-service", // a PADI for a service that we do not serve
  "padi-rate-of-mac", // the token bucket of this host, for its PADIs, is empty
  "padi-rate-of-port", // that of all hosts
  "stray-rate-of-mac", // the same for PADTs to frames of unknown sessions
  "stray-rate-of-port",
  "draining", // no new calls
  "login-backoff", // a host whose logins failed calls again too early
  "no-room-to-wait", // as many wait for their turn as may
  "waited-too-long", // its turn came when the host had given up
  "no-cookie",
  "forged-cookie",
  "expired-cookie",
  "host-error", // the host says that it failed
  "unknown-session", // PADT for a session that is not
  "wrong-source", // PADT for somebody else's session
  "closing", // PADR of a session that was closed and is not yet gone
  "oversized-answer", // what must be echoed does not fit a packet
] as const;
export type DiscardReason = (typeof DISCARD_REASONS)[number];

/** Why a PADS with session id 0 was sent. */
const REFUSAL_REASONS = [
  "service-not-offered",
  "sessions-of-mac", // as many as one address may have
  "sessions-of-port",
  "no-session-id",
  "no-resources", // the owner could not make the session
  "not-set-up-in-time", // the owner did not answer
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** Cumulative. */
export interface AccessConcentratorCounters {
  readonly padiReceived: number;
  readonly padrReceived: number;
  readonly padtReceived: number;
  readonly padoSent: number;
  readonly padsSent: number;
  /** PADS with session id 0 and an error tag, by its reason. */
  readonly padsRefused: Readonly<Record<RefusalReason, number>>;
  /** PADIs and PADRs that had to wait for their turn. */
  readonly padiDelayed: number;
  readonly padrDelayed: number;
  readonly padtSent: number;
  readonly strayFrames: number;
  readonly sessionsReplaced: number;
  readonly requestsUnconfirmed: number;
  readonly discarded: Readonly<Record<DiscardReason, number>>;
}

/** Who ended a session: the host by PADT, a newer session of the same MAC, or the owner's silence. */
export type SessionEnd = "peer" | "replaced" | "unconfirmed";

/** How much there is to do at this moment. */
export interface AccessConcentratorLoad {
  /** Sessions that are not closed, those that are not complete, and those whose PPP has not begun. */
  readonly sessions: number;
  readonly settingUp: number;
  readonly starting: number;
  /** How many may be starting. */
  readonly startingWindow: number;
  readonly waitingPadis: number;
  readonly waitingPadrs: number;
  /** From 0 to 1: what the delay of PADO grows with. */
  readonly load: number;
}

export type AccessConcentratorOutput =
  | { readonly kind: "send"; readonly frame: Uint8Array }
  /** A host wants a session. The owner answers with confirm() or refuse(), at once or later. */
  | {
      readonly kind: "session-requested";
      /** What the owner calls it: its id and its VLANs as one number. Without tags it is the id. */
      readonly session: number;
      readonly sessionId: number;
      readonly remoteMac: Uint8Array;
      /** VLAN tags as the PADR had them. */
      readonly tags: readonly VlanTag[];
      readonly serviceName: string;
      readonly hostUniq?: Uint8Array;
      readonly line?: AccessLine;
      /** Octets of PPP payload agreed by PPP-Max-Payload (RFC 4638); 1492 holds when absent. */
      readonly maxPayloadBytes?: number;
    }
  /** Told once for each session that the owner did not close itself. The owner calls ended() when it is done. */
  | {
      readonly kind: "session-closed";
      readonly session: number;
      readonly sessionId: number;
      readonly by: SessionEnd;
      /** What the host said of it (Generic-Error). */
      readonly text?: string;
    };

/** What a PADS carries of its PADR. Plain data. */
export interface RequestEcho {
  readonly serviceName: Uint8Array;
  readonly hostUniq?: Uint8Array;
  readonly relaySessionId?: Uint8Array;
  readonly maxPayloadBytes?: number;
}

/**
 * Requested: the owner has not answered yet. Confirmed: PADS is sent, and may have to be sent again. Running: the host
 * has sent PPP, so that it has its PADS. Closed: it is over, and the owner is not done with it yet.
 */
type AcSessionPhase =
  | { readonly kind: "requested"; readonly echo: RequestEcho; readonly confirmBy: Instant }
  | {
      readonly kind: "confirmed";
      readonly echo: RequestEcho;
      readonly padsAt: Instant;
      /** Until then it is one of those that start; NEVER when it is not any more. */
      readonly startBy: Instant;
    }
  | { readonly kind: "running"; readonly relaySessionId?: Uint8Array }
  | { readonly kind: "closed" };

/** Plain data, and little of it. */
export interface AcSession {
  readonly sessionId: number;
  /** The host's MAC address and VLAN tags as numbers (subscriber-key.ts, vlan-scope.ts). */
  readonly mac: number;
  readonly vlans: number;
  /** Grows with every session: the lowest is the oldest. */
  readonly serial: number;
  /** The cookie that opened it, as a number: a PADR that shows it again is the same one repeated. */
  readonly cookie: number;
  settingUp: boolean;
  phase: AcSessionPhase;
}

/** A session as others see it. */
export interface AcSessionView {
  readonly session: number;
  readonly sessionId: number;
  readonly remoteMac: Uint8Array;
  readonly tags: readonly VlanTag[];
  readonly phase: AcSessionPhase["kind"];
}

/** A PADI, or a PADR, that waits for its turn. Plain data. */
export interface WaitingCall {
  /** Who it is. */
  readonly key: string;
  readonly remoteMac: Uint8Array;
  readonly tags: readonly VlanTag[];
  readonly echo: RequestEcho;
  /** The number of a PADR's; 0 for a PADI. */
  readonly cookie: number;
  /** When it was last heard. */
  readonly since: Instant;
  /** Not before then; PADO's delay. */
  readonly notBefore: Instant;
  readonly line?: AccessLine;
}

/** Plain data. */
export interface AccessConcentratorState {
  readonly ids: SessionIdsState;
  readonly cookieKey: Uint8Array;
  nextCookieSerial: number;
  nextSessionSerial: number;
  /** By what the owner calls them. */
  readonly sessions: Record<number, AcSession>;
  readonly padiBuckets: SubscriberBucketsState;
  readonly padiBucket: TokenBucketState;
  readonly strayBuckets: SubscriberBucketsState;
  readonly strayBucket: TokenBucketState;
  readonly admission: AdmissionState;
  readonly padis: WaitingLineState<WaitingCall>;
  readonly padrs: WaitingLineState<WaitingCall>;
  /** When somebody who waits can be served; NEVER while that depends on others. */
  serveAt: Instant;
  readonly logins: LoginBackoffState;
  draining: boolean;
  readonly counters: MutableCounters;
}

export type MutableCounters = {
  -readonly [K in Exclude<keyof AccessConcentratorCounters, "discarded" | "padsRefused">]: number;
} & { padsRefused: Record<RefusalReason, number>; discarded: Record<DiscardReason, number> };

function zeroes<Reason extends string>(reasons: readonly Reason[]): Record<Reason, number> {
  return Object.fromEntries(reasons.map((reason) => [reason, 0])) as Record<Reason, number>;
}

export function zeroCounters(): MutableCounters {
  return {
    padiReceived: 0,
    padiDelayed: 0,
    padrReceived: 0,
    padrDelayed: 0,
    padtReceived: 0,
    padoSent: 0,
    padsSent: 0,
    padsRefused: zeroes(REFUSAL_REASONS),
    padtSent: 0,
    strayFrames: 0,
    sessionsReplaced: 0,
    requestsUnconfirmed: 0,
    discarded: zeroes(DISCARD_REASONS),
  };
}
