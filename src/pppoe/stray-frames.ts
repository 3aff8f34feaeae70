import { equalBytes } from "../base/bytes.ts";
import type { Instant } from "../base/time.ts";
import { takeToken } from "../base/token-bucket.ts";
import { isStationMac, macNumber, type VlanTag } from "../wire/ethernet.ts";
import { MAX_SESSION_ID, NO_SESSION } from "../wire/pppoe.ts";
import type {
  AccessConcentratorConfig,
  AccessConcentratorOutput,
  AccessConcentratorState,
} from "./access-concentrator-types.ts";
import type { Answerer } from "./answerer.ts";
import type { SessionTable } from "./session-table.ts";
import { SubscriberBuckets } from "./subscriber-buckets.ts";
import { subscriberKey } from "./subscriber-key.ts";
import { packTags, sessionKey, vlanScope } from "./vlan-scope.ts";

/** A PPPoE session frame that no channel has (the data plane's "unknown-session"). */
export interface StrayFrame {
  readonly remoteMac: Uint8Array;
  readonly localMac: Uint8Array;
  readonly tags: readonly VlanTag[];
  readonly sessionId: number;
}

/** Tells hosts that outlived us, in moderation, that their sessions are no more. */
export class StrayFrames {
  readonly #config: AccessConcentratorConfig;
  readonly #state: AccessConcentratorState;
  readonly #table: SessionTable;
  readonly #answerer: Answerer;
  readonly #buckets: SubscriberBuckets;

  constructor(
    config: AccessConcentratorConfig,
    state: AccessConcentratorState,
    table: SessionTable,
    answerer: Answerer,
  ) {
    const { strayPerMac, trackedMacs } = config.limits;
    this.#config = config;
    this.#state = state;
    this.#table = table;
    this.#answerer = answerer;
    this.#buckets = new SubscriberBuckets(state.strayBuckets, strayPerMac, trackedMacs);
  }

  receive(now: Instant, stray: StrayFrame): readonly AccessConcentratorOutput[] {
    const { limits, localMac } = this.#config;
    const { remoteMac, tags, sessionId } = stray;
    const answerer = this.#answerer;
    this.#state.counters.strayFrames += 1;
    if (!equalBytes(stray.localMac, localMac)) return answerer.discard("bad-destination");
    if (!isStationMac(remoteMac) || equalBytes(remoteMac, localMac)) return answerer.discard("bad-source");
    if (sessionId === NO_SESSION || sessionId > MAX_SESSION_ID) return answerer.discard("bad-session-id");
    const session = this.#table.get(sessionKey(vlanScope(packTags(tags)), sessionId));
    // the frame was on its way while the session came up: its channel will take the next one
    if (session && session.phase.kind !== "closed" && session.mac === macNumber(remoteMac)) return [];
    if (!this.#buckets.take(subscriberKey(remoteMac, tags), now))
      return answerer.discard("stray-rate-of-mac");
    const { perSecond, burst } = limits.strayPerPort;
    if (!takeToken(this.#state.strayBucket, now, perSecond, burst))
      return answerer.discard("stray-rate-of-port");
    return answerer.termination(stray, sessionId, "no such session");
  }
}
