import type { IdPoolState } from "../base/ids.ts";
import type { Instant } from "../base/time.ts";
import type { TokenBucketState } from "../base/token-bucket.ts";
import type { VlanTag } from "../wire/ethernet.ts";
import type { AccessLine } from "../wire/pppoe-tags.ts";
import type { ServicePolicy } from "./service-policy.ts";
import type { Rate, SubscriberBucketsState } from "./subscriber-buckets.ts";

export interface AccessConcentratorConfig {
  readonly acName: string;
  /** Six octets: the address of the access port, where PADR and PADT must come to. */
  readonly localMac: Uint8Array;
  readonly services: ServicePolicy;
  /** At least 32 octets, for concentrators that answer in each other's place; a random one when absent. */
  readonly cookieKey?: Uint8Array;
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
  /** Octets of PPP payload that the port carries (its MTU less 8): the most that PPP-Max-Payload can agree on. */
  readonly maxPayloadBytes: number;
}

export const DEFAULT_ACCESS_CONCENTRATOR_LIMITS: AccessConcentratorLimits = {
  maxSessions: 32_000,
  maxSessionsPerMac: 1,
  atMacLimit: "replace",
  padiPerMac: { perSecond: 1, burst: 5 },
  padiPerPort: { perSecond: 2_000, burst: 4_000 },
  strayPerMac: { perSecond: 0.5, burst: 2 },
  strayPerPort: { perSecond: 100, burst: 200 },
  trackedMacs: 8_192,
  cookieLifeMs: 60_000,
  confirmTimeoutMs: 5_000,
  maxPayloadBytes: 1492,
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
  "rate-limited",
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

/** Cumulative. */
export interface AccessConcentratorCounters {
  readonly padiReceived: number;
  readonly padrReceived: number;
  readonly padtReceived: number;
  readonly padoSent: number;
  readonly padsSent: number;
  /** PADS with session id 0 and an error tag. */
  readonly padsErrorsSent: number;
  readonly padtSent: number;
  readonly strayFrames: number;
  readonly sessionsReplaced: number;
  readonly requestsUnconfirmed: number;
  readonly discarded: Readonly<Record<DiscardReason, number>>;
}

/** Who ended a session: the host by PADT, a newer session of the same MAC, or the owner's silence. */
export type SessionEnd = "peer" | "replaced" | "unconfirmed";

export type AccessConcentratorOutput =
  | { readonly kind: "send"; readonly frame: Uint8Array }
  /** A host wants a session. The owner answers with confirm() or refuse(), at once or later. */
  | {
      readonly kind: "session-requested";
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

/** Requested: the owner has not answered yet. Closed: it is over, and the owner is not done with it yet. */
type AcSessionPhase =
  | { readonly kind: "requested"; readonly confirmBy: Instant }
  | { readonly kind: "confirmed" }
  | { readonly kind: "closed" };

/** Plain data. */
export interface AcSession {
  readonly sessionId: number;
  readonly remoteMac: Uint8Array;
  readonly tags: readonly VlanTag[];
  /** Grows with every session: the lowest is the oldest. */
  readonly serial: number;
  /** The cookie that opened it, in hexadecimal: a PADR that shows it again is the same one repeated. */
  readonly cookie: string;
  echo: RequestEcho;
  phase: AcSessionPhase;
}

/** Plain data. */
export interface AccessConcentratorState {
  readonly ids: IdPoolState;
  readonly cookieKey: Uint8Array;
  nextCookieSerial: number;
  nextSessionSerial: number;
  /** By session id. */
  readonly sessions: Record<number, AcSession>;
  readonly padiBuckets: SubscriberBucketsState;
  readonly padiBucket: TokenBucketState;
  readonly strayBuckets: SubscriberBucketsState;
  readonly strayBucket: TokenBucketState;
  readonly counters: MutableCounters;
}

export type MutableCounters = {
  -readonly [K in Exclude<keyof AccessConcentratorCounters, "discarded">]: number;
} & { discarded: Record<DiscardReason, number> };

export function zeroCounters(): MutableCounters {
  return {
    padiReceived: 0,
    padrReceived: 0,
    padtReceived: 0,
    padoSent: 0,
    padsSent: 0,
    padsErrorsSent: 0,
    padtSent: 0,
    strayFrames: 0,
    sessionsReplaced: 0,
    requestsUnconfirmed: 0,
    discarded: Object.fromEntries(DISCARD_REASONS.map((reason) => [reason, 0])) as Record<
      DiscardReason,
      number
    >,
  };
}
