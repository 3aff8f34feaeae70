import { equalBytes, fromUtf8, toHex } from "../base/bytes.ts";
import { Deadlines } from "../base/deadlines.ts";
import { IdPool } from "../base/ids.ts";
import type { RandomSource } from "../base/random.ts";
import type { Instant } from "../base/time.ts";
import { takeToken, tokenBucket } from "../base/token-bucket.ts";
import { BROADCAST_MAC, isStationMac, sameVlans, type VlanTag } from "../wire/ethernet.ts";
import {
  type DiscoveryPacket,
  discoveryBytes,
  MAX_DISCOVERY_BYTES,
  MAX_SESSION_ID,
  NO_SESSION,
  PADI,
  PADR,
  PADT,
} from "../wire/pppoe.ts";
import {
  findAccessLine,
  findTag,
  findTextTag,
  TAG_AC_COOKIE,
  TAG_AC_SYSTEM_ERROR,
  TAG_GENERIC_ERROR,
  TAG_SERVICE_NAME_ERROR,
} from "../wire/pppoe-tags.ts";
import {
  type AccessConcentratorConfig,
  type AccessConcentratorCounters,
  type AccessConcentratorOutput,
  type AccessConcentratorState,
  type AcSession,
  type DiscardReason,
  type RequestEcho,
  type SessionEnd,
  zeroCounters,
} from "./access-concentrator-types.ts";
import { confirmationPacket, offerPacket, readEcho, refusalPacket, terminatePacket } from "./answers.ts";
import { COOKIE_KEY_BYTES, checkCookie, issueCookie } from "./cookie.ts";
import { type DiscoveryFrame, emitDiscoveryFrame, readDiscoveryFrame } from "./discovery-frame.ts";
import { servesName } from "./service-policy.ts";
import { SessionTable } from "./session-table.ts";
import { emptySubscriberBuckets, SubscriberBuckets } from "./subscriber-buckets.ts";
import { subscriberOctets } from "./subscriber-key.ts";

type Outputs = readonly AccessConcentratorOutput[];
const NOTHING: Outputs = [];

/** A PPPoE session frame that no channel has (the data plane's "unknown-session"). */
export interface StrayFrame {
  readonly remoteMac: Uint8Array;
  readonly localMac: Uint8Array;
  readonly tags: readonly VlanTag[];
  readonly sessionId: number;
}

/**
 * The access concentrator's side of PPPoE discovery (RFC 2516) on one access port.
 *
 * A session goes: session-requested → confirm() (or refuse(), which forgets it) → session-closed or close() →
 * ended(). Its id is not reused before ended(): until then frames of the old session may still be about.
 */
export class AccessConcentrator {
  readonly #config: AccessConcentratorConfig;
  readonly #state: AccessConcentratorState;
  readonly #cookieKey: Uint8Array;
  readonly #ids: IdPool;
  readonly #table: SessionTable;
  readonly #padiBuckets: SubscriberBuckets;
  readonly #strayBuckets: SubscriberBuckets;
  readonly #deadlines = new Deadlines<number>();

  constructor(config: AccessConcentratorConfig, random: RandomSource, state?: AccessConcentratorState) {
    const { limits } = config;
    this.#config = config;
    this.#state = state === undefined ? initialState(config, random) : structuredClone(state);
    this.#cookieKey = config.cookieKey ?? this.#state.cookieKey;
    this.#ids = new IdPool(this.#state.ids);
    this.#table = new SessionTable(this.#state.sessions);
    this.#padiBuckets = new SubscriberBuckets(this.#state.padiBuckets, limits.padiPerMac, limits.trackedMacs);
    this.#strayBuckets = new SubscriberBuckets(
      this.#state.strayBuckets,
      limits.strayPerMac,
      limits.trackedMacs,
    );
    for (const { sessionId, phase } of this.#table.all())
      if (phase.kind === "requested") this.#deadlines.set(sessionId, phase.confirmBy);
  }

  /** One Ethernet frame, with its VLAN tags. */
  receive(now: Instant, bytes: Uint8Array): Outputs {
    const frame = readDiscoveryFrame(bytes);
    if (typeof frame === "string") return this.#discard(frame);
    if (equalBytes(frame.source, this.#config.localMac)) return this.#discard("bad-source");
    const toUs = equalBytes(frame.destination, this.#config.localMac);
    const { code } = frame.packet;
    // a PADI is broadcast; some access nodes know us and turn it into unicast
    if (!toUs && !(code === PADI && equalBytes(frame.destination, BROADCAST_MAC)))
      return this.#discard("bad-destination");
    if (code === PADI) return this.#receivePadi(now, frame);
    if (code === PADR) return this.#receivePadr(now, frame);
    if (code === PADT) return this.#receivePadt(frame);
    return this.#discard("bad-code");
  }

  /** Somebody sends on a session that is not: a PADT, in moderation, makes it call again. */
  unknownSession(now: Instant, stray: StrayFrame): Outputs {
    const { limits, localMac } = this.#config;
    const { remoteMac, sessionId } = stray;
    this.#state.counters.strayFrames += 1;
    if (!equalBytes(stray.localMac, localMac)) return this.#discard("bad-destination");
    if (!isStationMac(remoteMac) || equalBytes(remoteMac, localMac)) return this.#discard("bad-source");
    if (sessionId === NO_SESSION || sessionId > MAX_SESSION_ID) return this.#discard("bad-session-id");
    const session = this.#table.get(sessionId);
    // the frame was on its way while the session came up: its channel will take the next one
    if (session && session.phase.kind !== "closed" && isOf(session, remoteMac, stray.tags)) return NOTHING;
    if (!this.#strayBuckets.take(remoteMac, stray.tags, now)) return this.#discard("rate-limited");
    const { perSecond, burst } = limits.strayPerPort;
    if (!takeToken(this.#state.strayBucket, now, perSecond, burst)) return this.#discard("rate-limited");
    this.#state.counters.padtSent += 1;
    return this.#send(remoteMac, stray.tags, terminatePacket(sessionId, "no such session", undefined));
  }

  /** The owner has made the session's channel: from now on frames may come, and the host is told so. */
  confirm(_now: Instant, sessionId: number): Outputs {
    const session = this.#table.get(sessionId);
    if (session?.phase.kind !== "requested") return NOTHING;
    session.phase = { kind: "confirmed" };
    this.#deadlines.clear(sessionId);
    return this.#sendPads(session);
  }

  /** The owner cannot make the session; it is forgotten at once. */
  refuse(now: Instant, sessionId: number, text: string): Outputs {
    const session = this.#table.get(sessionId);
    if (session?.phase.kind !== "requested") return NOTHING;
    const outputs = this.close(now, sessionId, text);
    this.ended(now, sessionId);
    return outputs;
  }

  /** The owner ends a session: a PADT with `text` as Generic-Error, or an error PADS before it was confirmed. */
  close(_now: Instant, sessionId: number, text?: string): Outputs {
    const session = this.#table.get(sessionId);
    if (session === undefined || session.phase.kind === "closed") return NOTHING;
    return this.#tellEnd(session, text);
  }

  /** The owner is done with a session: its id may be given to another. */
  ended(_now: Instant, sessionId: number): void {
    const session = this.#table.get(sessionId);
    if (session === undefined) return;
    this.#deadlines.clear(sessionId);
    this.#table.remove(session);
    this.#ids.release(sessionId);
  }

  deadline(): Instant {
    return this.#deadlines.next();
  }

  /** Gives up on requests that the owner has not answered. */
  timeout(now: Instant): Outputs {
    const outputs: AccessConcentratorOutput[] = [];
    for (let id = this.#deadlines.popDue(now); id !== undefined; id = this.#deadlines.popDue(now)) {
      const session = this.#table.get(id)!;
      this.#state.counters.requestsUnconfirmed += 1;
      outputs.push(...this.#tellEnd(session, "the session could not be set up in time"));
      outputs.push(closed(session, "unconfirmed"));
    }
    return outputs;
  }

  snapshot(): AccessConcentratorState {
    return structuredClone(this.#state);
  }

  counters(): AccessConcentratorCounters {
    return structuredClone(this.#state.counters);
  }

  /** Every session that has an id, closed ones until ended(). A view: copy what you keep. */
  sessions(): readonly Readonly<AcSession>[] {
    return this.#table.all();
  }

  #receivePadi(now: Instant, frame: DiscoveryFrame): Outputs {
    const { acName, services, limits } = this.#config;
    const { packet, source, vlanTags } = frame;
    this.#state.counters.padiReceived += 1;
    if (packet.sessionId !== NO_SESSION) return this.#discard("bad-session-id");
    // the cheapest judgement first: a flood must cost less than the packets that it drowns
    if (!this.#padiBuckets.take(source, vlanTags, now)) return this.#discard("rate-limited");
    const { perSecond, burst } = limits.padiPerPort;
    if (!takeToken(this.#state.padiBucket, now, perSecond, burst)) return this.#discard("rate-limited");
    const echo = readEcho(packet.tags, limits.maxPayloadBytes);
    if (echo === undefined) return this.#discard("bad-service-name");
    if (!servesName(services, fromUtf8(echo.serviceName))) return this.#discard("unknown-service");
    const serial = this.#state.nextCookieSerial++;
    const cookie = issueCookie(this.#cookieKey, now, serial, subscriberOctets(source, vlanTags));
    const offer = offerPacket(echo, acName, services.offered, cookie);
    if (discoveryBytes(offer) > MAX_DISCOVERY_BYTES) return this.#discard("oversized-answer");
    this.#state.counters.padoSent += 1;
    return this.#send(source, vlanTags, offer);
  }

  #receivePadr(now: Instant, frame: DiscoveryFrame): Outputs {
    const { acName, services, limits } = this.#config;
    const { packet, source, vlanTags } = frame;
    this.#state.counters.padrReceived += 1;
    if (packet.sessionId !== NO_SESSION) return this.#discard("bad-session-id");
    const cookie = findTag(packet.tags, TAG_AC_COOKIE);
    if (cookie === undefined) return this.#discard("no-cookie");
    const subscriber = subscriberOctets(source, vlanTags);
    const verdict = checkCookie(this.#cookieKey, now, limits.cookieLifeMs, cookie, subscriber);
    if (verdict !== "valid") return this.#discard(`${verdict}-cookie`);
    if (findTag(packet.tags, TAG_GENERIC_ERROR) !== undefined) return this.#discard("host-error");
    const echo = readEcho(packet.tags, limits.maxPayloadBytes);
    if (echo === undefined) return this.#discard("bad-service-name");
    if (discoveryBytes(confirmationPacket(echo, acName, NO_SESSION)) > MAX_DISCOVERY_BYTES)
      return this.#discard("oversized-answer");

    const repeated = this.#table.openedBy(toHex(cookie));
    if (repeated !== undefined) return this.#repeatPadr(repeated, echo);
    if (!servesName(services, fromUtf8(echo.serviceName)))
      return this.#sendRefusal(source, vlanTags, echo, TAG_SERVICE_NAME_ERROR, "this service is not offered");
    return this.#openSession(now, frame, toHex(cookie), echo);
  }

  /** The same session again: its PADS was lost, or is not yet due. */
  #repeatPadr(session: AcSession, echo: RequestEcho): Outputs {
    if (session.phase.kind === "closed") return this.#discard("closing");
    session.echo = echo;
    return session.phase.kind === "confirmed" ? this.#sendPads(session) : NOTHING;
  }

  #openSession(
    now: Instant,
    { packet, source, vlanTags }: DiscoveryFrame,
    cookie: string,
    echo: RequestEcho,
  ) {
    const { limits } = this.#config;
    const refuse = (text: string): Outputs =>
      this.#sendRefusal(source, vlanTags, echo, TAG_AC_SYSTEM_ERROR, text);
    const surplus = Math.max(0, this.#table.liveOf(source, vlanTags) - limits.maxSessionsPerMac + 1);
    if (surplus > 0 && limits.atMacLimit === "refuse") return refuse("too many sessions from this address");
    if (this.#table.liveCount - surplus >= limits.maxSessions) return refuse("session limit reached");
    const sessionId = this.#ids.take();
    if (sessionId === undefined) return refuse("no session id is free");

    const outputs: AccessConcentratorOutput[] = [];
    for (let i = 0; i < surplus; i++) outputs.push(...this.#replaceOldest(source, vlanTags));
    const confirmBy = now + limits.confirmTimeoutMs;
    this.#table.add({
      sessionId,
      remoteMac: source,
      tags: vlanTags,
      serial: this.#state.nextSessionSerial++,
      cookie,
      echo,
      phase: { kind: "requested", confirmBy },
    });
    this.#deadlines.set(sessionId, confirmBy);
    const line = findAccessLine(packet.tags);
    outputs.push({
      kind: "session-requested",
      sessionId,
      remoteMac: source,
      tags: vlanTags,
      serviceName: fromUtf8(echo.serviceName),
      ...(echo.hostUniq && { hostUniq: echo.hostUniq }),
      ...(line && { line }),
      ...(echo.maxPayloadBytes !== undefined && { maxPayloadBytes: echo.maxPayloadBytes }),
    });
    return outputs;
  }

  #replaceOldest(remoteMac: Uint8Array, tags: readonly VlanTag[]): Outputs {
    const oldest = this.#table.oldestLiveOf(remoteMac, tags)!;
    this.#state.counters.sessionsReplaced += 1;
    // the host of an unconfirmed request has moved on: a refusal could hit its new one
    const told =
      oldest.phase.kind === "confirmed" ? this.#tellEnd(oldest, "replaced by a new session") : NOTHING;
    this.#deadlines.clear(oldest.sessionId);
    this.#table.close(oldest);
    return [...told, closed(oldest, "replaced")];
  }

  #receivePadt({ packet, source, vlanTags }: DiscoveryFrame): Outputs {
    this.#state.counters.padtReceived += 1;
    if (packet.sessionId === NO_SESSION || packet.sessionId > MAX_SESSION_ID)
      return this.#discard("bad-session-id");
    const session = this.#table.get(packet.sessionId);
    // before its PADS no host knows the session's id
    if (session?.phase.kind !== "confirmed") return this.#discard("unknown-session");
    if (!isOf(session, source, vlanTags)) return this.#discard("wrong-source");
    this.#table.close(session);
    return [closed(session, "peer", findTextTag(packet.tags, TAG_GENERIC_ERROR))];
  }

  /** Closes a live session and tells its host, as far as the host knows of it. */
  #tellEnd(session: AcSession, text: string | undefined): Outputs {
    const { remoteMac, tags, echo, sessionId } = session;
    const confirmed = session.phase.kind === "confirmed";
    this.#deadlines.clear(sessionId);
    this.#table.close(session);
    if (!confirmed)
      return this.#sendRefusal(remoteMac, tags, echo, TAG_AC_SYSTEM_ERROR, text ?? "the session was ended");
    this.#state.counters.padtSent += 1;
    return this.#send(remoteMac, tags, terminatePacket(sessionId, text, echo.relaySessionId));
  }

  #sendPads(session: AcSession): Outputs {
    this.#state.counters.padsSent += 1;
    const packet = confirmationPacket(session.echo, this.#config.acName, session.sessionId);
    return this.#send(session.remoteMac, session.tags, packet);
  }

  #sendRefusal(
    remoteMac: Uint8Array,
    tags: readonly VlanTag[],
    echo: RequestEcho,
    error: typeof TAG_SERVICE_NAME_ERROR | typeof TAG_AC_SYSTEM_ERROR,
    text: string,
  ): Outputs {
    const packet = refusalPacket(echo, this.#config.acName, error, text);
    if (discoveryBytes(packet) > MAX_DISCOVERY_BYTES) return this.#discard("oversized-answer");
    this.#state.counters.padsErrorsSent += 1;
    return this.#send(remoteMac, tags, packet);
  }

  #send(destination: Uint8Array, vlanTags: readonly VlanTag[], packet: DiscoveryPacket): Outputs {
    const frame = emitDiscoveryFrame({ destination, source: this.#config.localMac, vlanTags, packet });
    return [{ kind: "send", frame }];
  }

  #discard(reason: DiscardReason): Outputs {
    this.#state.counters.discarded[reason] += 1;
    return NOTHING;
  }
}

function initialState(config: AccessConcentratorConfig, random: RandomSource): AccessConcentratorState {
  const { padiPerPort, strayPerPort } = config.limits;
  return {
    ids: IdPool.create(random, NO_SESSION + 1, MAX_SESSION_ID).state,
    cookieKey: random.bytes(COOKIE_KEY_BYTES),
    nextCookieSerial: random.uint32(),
    nextSessionSerial: 0,
    sessions: {},
    padiBuckets: emptySubscriberBuckets(),
    padiBucket: tokenBucket(padiPerPort.burst, 0),
    strayBuckets: emptySubscriberBuckets(),
    strayBucket: tokenBucket(strayPerPort.burst, 0),
    counters: zeroCounters(),
  };
}

function isOf(session: AcSession, remoteMac: Uint8Array, tags: readonly VlanTag[]): boolean {
  return equalBytes(session.remoteMac, remoteMac) && sameVlans(session.tags, tags);
}

function closed(session: AcSession, by: SessionEnd, text?: string): AccessConcentratorOutput {
  return {
    kind: "session-closed",
    sessionId: session.sessionId,
    by,
    ...(text !== undefined && { text }),
  };
}
