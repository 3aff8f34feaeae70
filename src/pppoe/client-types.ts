import type { Instant } from "../base/time.ts";
import type { VlanTag } from "../wire/ethernet.ts";
import type { LineSubOption } from "../wire/pppoe-tags.ts";

export interface PppoeClientConfig {
  /** Six octets: what the host calls from. Several clients may share one address. */
  readonly localMac: Uint8Array;
  /** VLAN tags to send under, outermost first; answers must come under the same VLANs. */
  readonly tags: readonly VlanTag[];
  /** The service to ask for; empty for any. */
  readonly serviceName: string;
  /** Take only this concentrator's offer. */
  readonly acName?: string;
  /** Ask for a larger PPP payload than 1492 octets (RFC 4638). */
  readonly maxPayloadBytes?: number;
  /** Access line data, as the access node would add it (TR-101). */
  readonly line?: readonly LineSubOption[];
  readonly retry: PppoeClientRetry;
}

/** RFC 2516 §8: waiting doubles with each retransmission; after the last PADR it starts again with PADI. */
export interface PppoeClientRetry {
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
  /** PADIs of one round. */
  readonly padiAttempts: number;
  readonly padrAttempts: number;
  /** How often to go back to PADI after PADRs without an answer, the first time included. */
  readonly rounds: number;
}

export const DEFAULT_PPPOE_CLIENT_RETRY: PppoeClientRetry = {
  firstWaitMs: 1_000,
  maxWaitMs: 16_000,
  padiAttempts: 5,
  padrAttempts: 3,
  rounds: 2,
};

/** Why there is no session, or no more. `text` is a sentence for people: what was sent and what came back. */
export interface ClientDownCause {
  readonly code: "no-offer" | "no-confirmation" | "refused" | "peer-closed" | "closed";
  readonly text: string;
}

export type PppoeClientOutput =
  | { readonly kind: "send"; readonly frame: Uint8Array }
  | {
      readonly kind: "up";
      readonly sessionId: number;
      readonly acMac: Uint8Array;
      readonly acName: string;
      readonly serviceName: string;
      /** Agreed octets of PPP payload (RFC 4638); 1492 holds when absent. */
      readonly maxPayloadBytes?: number;
    }
  /** Told once; the machine is of no further use. */
  | { readonly kind: "down"; readonly cause: ClientDownCause };

/** The offer that was taken. Plain data. */
export interface AcceptedOffer {
  readonly acMac: Uint8Array;
  readonly acName: string;
  readonly serviceName: Uint8Array;
  readonly cookie?: Uint8Array;
  readonly relaySessionId?: Uint8Array;
}

export type PppoeClientPhase =
  | { readonly kind: "idle" }
  | { readonly kind: "soliciting"; readonly sent: number; readonly waitMs: number; readonly at: Instant }
  | {
      readonly kind: "requesting";
      readonly sent: number;
      readonly waitMs: number;
      readonly at: Instant;
      readonly offer: AcceptedOffer;
    }
  | { readonly kind: "up"; readonly sessionId: number; readonly offer: AcceptedOffer }
  | { readonly kind: "down" };

/** Plain data. */
export interface PppoeClientState {
  readonly hostUniq: Uint8Array;
  phase: PppoeClientPhase;
  /** Rounds of PADI begun. */
  round: number;
  padisSent: number;
  padrsSent: number;
  /** Offers that were passed over, and what was wrong with the last. */
  offersRejected: number;
  lastRejection: string | undefined;
  startedAt: Instant;
}
