import type { VlanTag } from "../wire/ethernet.ts";
import { type DiscoveryPacket, discoveryBytes, MAX_DISCOVERY_BYTES, NO_SESSION } from "../wire/pppoe.ts";
import { TAG_AC_SYSTEM_ERROR, TAG_SERVICE_NAME_ERROR } from "../wire/pppoe-tags.ts";
import type {
  AccessConcentratorConfig,
  AccessConcentratorOutput,
  DiscardReason,
  MutableCounters,
  RefusalReason,
  RequestEcho,
} from "./access-concentrator-types.ts";
import {
  confirmationPacket,
  type OwnTags,
  offerPacket,
  ownTags,
  refusalPacket,
  terminatePacket,
} from "./answers.ts";
import { emitDiscoveryFrame } from "./discovery-frame.ts";

type Outputs = readonly AccessConcentratorOutput[];
const NOTHING: Outputs = [];

/** Where an answer goes. */
export interface Station {
  readonly remoteMac: Uint8Array;
  readonly tags: readonly VlanTag[];
}

/** What an access concentrator says, and what it leaves unanswered: all of it is counted. */
export class Answerer {
  readonly #localMac: Uint8Array;
  readonly #own: OwnTags;
  readonly #counters: MutableCounters;
  /** Why what was received last got no answer, if that is so. */
  discarded: DiscardReason | undefined;

  constructor(config: AccessConcentratorConfig, counters: MutableCounters) {
    this.#localMac = config.localMac;
    this.#own = ownTags(config.acName, config.services.offered);
    this.#counters = counters;
  }

  discard(reason: DiscardReason): Outputs {
    this.#counters.discarded[reason] += 1;
    this.discarded = reason;
    return NOTHING;
  }

  /** Nothing, counted as "oversized-answer", when what must be given back does not fit. */
  offer(to: Station, echo: RequestEcho, cookie: Uint8Array): Outputs {
    const packet = offerPacket(echo, this.#own, cookie);
    if (discoveryBytes(packet) > MAX_DISCOVERY_BYTES) return this.discard("oversized-answer");
    this.#counters.padoSent += 1;
    return this.#send(to, packet);
  }

  /** Whether a PADS can give back what it must. */
  canConfirm(echo: RequestEcho): boolean {
    return discoveryBytes(confirmationPacket(echo, this.#own, NO_SESSION)) <= MAX_DISCOVERY_BYTES;
  }

  confirmation(to: Station, echo: RequestEcho, sessionId: number): Outputs {
    this.#counters.padsSent += 1;
    return this.#send(to, confirmationPacket(echo, this.#own, sessionId));
  }

  refusal(to: Station, echo: RequestEcho, reason: RefusalReason, text: string): Outputs {
    const error = reason === "service-not-offered" ? TAG_SERVICE_NAME_ERROR : TAG_AC_SYSTEM_ERROR;
    const packet = refusalPacket(echo, this.#own, error, text);
    if (discoveryBytes(packet) > MAX_DISCOVERY_BYTES) return this.discard("oversized-answer");
    this.#counters.padsRefused[reason] += 1;
    return this.#send(to, packet);
  }

  termination(to: Station, sessionId: number, text?: string, relaySessionId?: Uint8Array): Outputs {
    this.#counters.padtSent += 1;
    return this.#send(to, terminatePacket(sessionId, text, relaySessionId));
  }

  #send({ remoteMac, tags }: Station, packet: DiscoveryPacket): Outputs {
    const source = this.#localMac;
    const frame = emitDiscoveryFrame({ destination: remoteMac, source, vlanTags: tags, packet });
    return [{ kind: "send", frame }];
  }
}
