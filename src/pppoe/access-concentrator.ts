import { equalBytes, fromUtf8, toHex } from "../base/bytes.ts";
import { Deadlines } from "../base/deadlines.ts";
import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { takeToken, tokenBucket } from "../base/token-bucket.ts";
import { BROADCAST_MAC, isStationMac, type VlanTag } from "../wire/ethernet.ts";
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
  type AccessConcentratorLoad,
  type AccessConcentratorOutput,
  type AccessConcentratorState,
  type AcSession,
  type AcSessionView,
  type DiscardReason,
  type RefusalReason,
  type RequestEcho,
  type SessionEnd,
  type WaitingCall,
  zeroCounters,
} from "./access-concentrator-types.ts";
import { Admission, newAdmission } from "./admission.ts";
import { confirmationPacket, offerPacket, readEcho, refusalPacket, terminatePacket } from "./answers.ts";
import { COOKIE_KEY_BYTES, checkCookie, cookieAgeMs, cookieNumber, issueCookie } from "./cookie.ts";
import { type DiscoveryFrame, emitDiscoveryFrame, readDiscoveryFrame } from "./discovery-frame.ts";
import { LoginBackoff, noLoginBackoff } from "./login-backoff.ts";
import { servesName } from "./service-policy.ts";
import { newSessionIds, SessionIds } from "./session-ids.ts";
import { keyOf, SessionTable } from "./session-table.ts";
import { emptySubscriberBuckets, SubscriberBuckets } from "./subscriber-buckets.ts";
import { macNumber, macOctets, subscriberKey, subscriberOctets } from "./subscriber-key.ts";
import { packTags, sessionKey, unpackTags, vlanScope } from "./vlan-scope.ts";
import { emptyLine, WaitingLine } from "./waiting-line.ts";

type Outputs = readonly AccessConcentratorOutput[];
const NOTHING: Outputs = [];

/** A host that has waited so long for the answer to a PADI has asked again, or has given up. */
const PADI_PATIENCE_MS = 30_000;

/** PADIs answered at a time, before other events get their turn. */
const TURNS_AT_A_TIME = 256;

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
 * A session goes: session-requested → confirm() (or refuse(), which forgets it) → heard(), when PPP begins →
 * established(), when all is set up → session-closed or close() → ended(). Its id is not reused before ended(): until
 * then frames of the old session may still be about. What is begun and not heard of, or heard of and not established,
 * holds back those who call: their PADIs and PADRs wait for their turn (admission.ts).
 *
 * The owner names a session by the number that session-requested told: ids are unique only within a VLAN scope.
 */
export class AccessConcentrator {
  readonly #config: AccessConcentratorConfig;
  readonly #state: AccessConcentratorState;
  readonly #cookieKey: Uint8Array;
  readonly #ids: SessionIds;
  readonly #table: SessionTable;
  readonly #padiBuckets: SubscriberBuckets;
  readonly #strayBuckets: SubscriberBuckets;
  readonly #admission: Admission;
  readonly #padis: WaitingLine<WaitingCall>;
  readonly #padrs: WaitingLine<WaitingCall>;
  readonly #logins: LoginBackoff;
  readonly #deadlines = new Deadlines<number>();

  constructor(config: AccessConcentratorConfig, random: RandomSource, state?: AccessConcentratorState) {
    const { limits } = config;
    const own = state === undefined ? initialState(config, random) : structuredClone(state);
    this.#config = config;
    this.#state = own;
    this.#cookieKey = config.cookieKey ?? own.cookieKey;
    this.#table = new SessionTable(own.sessions);
    const sessions = this.#table.all();
    const scopes = sessions.map(({ vlans, sessionId }) => ({ scope: vlanScope(vlans), sessionId }));
    this.#ids = new SessionIds(own.ids, scopes, (key) => this.#table.has(key));
    this.#padiBuckets = new SubscriberBuckets(own.padiBuckets, limits.padiPerMac, limits.trackedMacs);
    this.#strayBuckets = new SubscriberBuckets(own.strayBuckets, limits.strayPerMac, limits.trackedMacs);
    this.#admission = new Admission(limits.admission, own.admission);
    this.#padis = new WaitingLine(own.padis, limits.admission.waitingPadis);
    this.#padrs = new WaitingLine(own.padrs, limits.admission.waitingPadrs);
    this.#logins = new LoginBackoff(limits.loginBackoff, own.logins, limits.trackedMacs);
    for (const session of sessions) {
      const { phase } = session;
      if (phase.kind === "requested") this.#deadlines.set(keyOf(session), phase.confirmBy);
      if (phase.kind === "confirmed") this.#deadlines.set(keyOf(session), phase.startBy);
    }
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
    if (code === PADT) return this.#receivePadt(now, frame);
    return this.#discard("bad-code");
  }

  /** Somebody sends on a session that is not: a PADT, in moderation, makes it call again. */
  unknownSession(now: Instant, stray: StrayFrame): Outputs {
    const { limits, localMac } = this.#config;
    const { remoteMac, tags, sessionId } = stray;
    this.#state.counters.strayFrames += 1;
    if (!equalBytes(stray.localMac, localMac)) return this.#discard("bad-destination");
    if (!isStationMac(remoteMac) || equalBytes(remoteMac, localMac)) return this.#discard("bad-source");
    if (sessionId === NO_SESSION || sessionId > MAX_SESSION_ID) return this.#discard("bad-session-id");
    const session = this.#table.get(sessionKey(vlanScope(packTags(tags)), sessionId));
    // the frame was on its way while the session came up: its channel will take the next one
    if (session && session.phase.kind !== "closed" && session.mac === macNumber(remoteMac)) return NOTHING;
    if (!this.#strayBuckets.take(remoteMac, tags, now)) return this.#discard("stray-rate-of-mac");
    const { perSecond, burst } = limits.strayPerPort;
    if (!takeToken(this.#state.strayBucket, now, perSecond, burst))
      return this.#discard("stray-rate-of-port");
    this.#state.counters.padtSent += 1;
    return this.#send(remoteMac, tags, terminatePacket(sessionId, "no such session", undefined));
  }

  /** The owner has made the session's channel: from now on frames may come, and the host is told so. */
  confirm(now: Instant, session: number): Outputs {
    const found = this.#table.get(session);
    if (found?.phase.kind !== "requested") return NOTHING;
    const { echo } = found.phase;
    const startBy = now + this.#config.limits.admission.startTimeoutMs;
    found.phase = { kind: "confirmed", echo, padsAt: now, startBy };
    this.#deadlines.set(session, startBy);
    return this.#sendPads(found, echo);
  }

  /** The owner cannot make the session; it is forgotten at once. */
  refuse(now: Instant, session: number, text: string): Outputs {
    const found = this.#table.get(session);
    if (found?.phase.kind !== "requested") return NOTHING;
    const outputs = this.close(now, session, text);
    this.ended(now, session);
    return outputs;
  }

  /** The host has sent PPP on the session: it has its PADS. */
  heard(now: Instant, session: number): Outputs {
    const found = this.#table.get(session);
    if (found?.phase.kind !== "confirmed") return NOTHING;
    const { startBy, padsAt, echo } = found.phase;
    if (startBy !== NEVER) this.#admission.started(now - padsAt);
    this.#deadlines.clear(session);
    const { relaySessionId } = echo;
    found.phase = relaySessionId === undefined ? RUNNING : { kind: "running", relaySessionId };
    this.#serveSoon(now);
    return NOTHING;
  }

  /** The session is complete: it takes no place among those that are set up any more. */
  established(now: Instant, session: number): Outputs {
    const found = this.#table.get(session);
    if (found === undefined || !found.settingUp) return NOTHING;
    found.settingUp = false;
    this.#admission.finished();
    this.#serveSoon(now);
    return NOTHING;
  }

  /** The owner ends a session: a PADT with `text` as Generic-Error, or an error PADS before it was confirmed. */
  close(now: Instant, session: number, text?: string): Outputs {
    const found = this.#table.get(session);
    if (found === undefined || found.phase.kind === "closed") return NOTHING;
    return this.#tellEnd(now, found, text, "no-resources");
  }

  /**
   * How the login on a session went, told before ended(): a host that fails again and again has to wait longer from
   * time to time until its calls are answered.
   */
  loginResult(now: Instant, session: number, succeeded: boolean): Outputs {
    const found = this.#table.get(session);
    if (found === undefined) return NOTHING;
    const subscriber = subscriberKey(macOctets(found.mac), unpackTags(found.vlans));
    if (succeeded) this.#logins.succeeded(subscriber);
    else this.#logins.failed(subscriber, now);
    return NOTHING;
  }

  /** The owner is done with a session: its id may be given to another. */
  ended(now: Instant, session: number): void {
    const found = this.#table.get(session);
    if (found === undefined) return;
    this.#leave(now, found);
    this.#table.remove(found);
    this.#ids.release(vlanScope(found.vlans), found.sessionId);
  }

  /**
   * While draining no PADI is answered, and a PADR only with a cookie that was handed out before; sessions go on. Not
   * draining any more, it answers again.
   */
  drain(now: Instant, draining: boolean): Outputs {
    this.#state.draining = draining;
    if (draining) this.#padis.clear();
    this.#serveSoon(now);
    return NOTHING;
  }

  deadline(): Instant {
    return Math.min(this.#deadlines.next(), this.#admission.deadline(), this.#state.serveAt);
  }

  /** Gives up on requests that the owner has not answered, and serves whose turn it is. */
  timeout(now: Instant): Outputs {
    const outputs: AccessConcentratorOutput[] = [];
    for (let key = this.#deadlines.popDue(now); key !== undefined; key = this.#deadlines.popDue(now)) {
      const session = this.#table.get(key)!;
      const { phase } = session;
      if (phase.kind === "confirmed") {
        session.phase = { ...phase, startBy: NEVER };
        this.#admission.started();
        this.#serveSoon(now);
        continue;
      }
      this.#state.counters.requestsUnconfirmed += 1;
      const text = "the session could not be set up in time";
      outputs.push(...this.#tellEnd(now, session, text, "not-set-up-in-time"));
      outputs.push(closed(session, "unconfirmed"));
    }
    const ticked = this.#admission.deadline() <= now;
    if (ticked) this.#admission.tick(now, this.#someWait());
    if (ticked || this.#state.serveAt <= now) outputs.push(...this.#serve(now));
    return outputs;
  }

  snapshot(): AccessConcentratorState {
    return structuredClone(this.#state);
  }

  counters(): AccessConcentratorCounters {
    return structuredClone(this.#state.counters);
  }

  load(): AccessConcentratorLoad {
    const { setUps, starting, window } = this.#state.admission;
    return {
      sessions: this.#table.liveCount,
      settingUp: setUps,
      starting,
      startingWindow: Math.floor(window),
      waitingPadis: this.#padis.length,
      waitingPadrs: this.#padrs.length,
      load: this.#load(),
    };
  }

  /** Every session that has an id, closed ones until ended(); made anew for each call. */
  sessions(): readonly AcSessionView[] {
    return this.#table.all().map((session) => ({
      session: keyOf(session),
      sessionId: session.sessionId,
      remoteMac: macOctets(session.mac),
      tags: unpackTags(session.vlans),
      phase: session.phase.kind,
    }));
  }

  #receivePadi(now: Instant, { packet, source, vlanTags }: DiscoveryFrame): Outputs {
    const { services, limits } = this.#config;
    this.#state.counters.padiReceived += 1;
    if (packet.sessionId !== NO_SESSION) return this.#discard("bad-session-id");
    // the cheapest judgement first: a flood must cost less than the packets that it drowns
    if (this.#state.draining) return this.#discard("draining");
    if (!this.#padiBuckets.take(source, vlanTags, now)) return this.#discard("padi-rate-of-mac");
    const { perSecond, burst } = limits.padiPerPort;
    if (!takeToken(this.#state.padiBucket, now, perSecond, burst)) return this.#discard("padi-rate-of-port");
    const subscriber = subscriberKey(source, vlanTags);
    if (this.#logins.holdsBack(subscriber, now)) return this.#discard("login-backoff");
    const echo = readEcho(packet.tags, vlanTags, limits);
    if (echo === undefined) return this.#discard("bad-service-name");
    if (!servesName(services, fromUtf8(echo.serviceName))) return this.#discard("unknown-service");
    const notBefore = now + Math.round(limits.padoDelayMs * this.#load());
    const mayOffer = notBefore === now && this.#padis.length === 0;
    if (mayOffer && this.#admission.mayOffer(now, this.#padrs.length))
      return this.#offer(now, source, vlanTags, echo);
    // hosts behind one address are told apart by their Host-Uniq
    const key = `${subscriber}/${echo.hostUniq === undefined ? "" : toHex(echo.hostUniq)}`;
    const first = this.#padis.get(key);
    if (first === undefined) this.#state.counters.padiDelayed += 1;
    const waiting = { key, remoteMac: source, tags: vlanTags, echo, since: now };
    if (!this.#padis.put({ ...waiting, notBefore: first?.notBefore ?? notBefore }))
      return this.#discard("no-room-to-wait");
    this.#await(now);
    return NOTHING;
  }

  #offer(now: Instant, mac: Uint8Array, vlanTags: readonly VlanTag[], echo: RequestEcho): Outputs {
    const { acName, services } = this.#config;
    const serial = this.#state.nextCookieSerial++;
    const cookie = issueCookie(this.#cookieKey, now, serial, subscriberOctets(mac, vlanTags));
    const offer = offerPacket(echo, acName, services.offered, cookie);
    if (discoveryBytes(offer) > MAX_DISCOVERY_BYTES) return this.#discard("oversized-answer");
    this.#state.counters.padoSent += 1;
    this.#admission.offered(now);
    return this.#send(mac, vlanTags, offer);
  }

  #receivePadr(now: Instant, { packet, source, vlanTags }: DiscoveryFrame): Outputs {
    const { acName, services, limits } = this.#config;
    this.#state.counters.padrReceived += 1;
    if (packet.sessionId !== NO_SESSION) return this.#discard("bad-session-id");
    const cookie = findTag(packet.tags, TAG_AC_COOKIE);
    if (cookie === undefined) return this.#discard("no-cookie");
    const subscriber = subscriberOctets(source, vlanTags);
    const verdict = checkCookie(this.#cookieKey, now, limits.cookieLifeMs, cookie, subscriber);
    if (verdict !== "valid") return this.#discard(`${verdict}-cookie`);
    if (findTag(packet.tags, TAG_GENERIC_ERROR) !== undefined) return this.#discard("host-error");
    const echo = readEcho(packet.tags, vlanTags, limits);
    if (echo === undefined) return this.#discard("bad-service-name");
    if (discoveryBytes(confirmationPacket(echo, acName, NO_SESSION)) > MAX_DISCOVERY_BYTES)
      return this.#discard("oversized-answer");

    const number = cookieNumber(cookie);
    const repeated = this.#table.of(source, vlanTags).find((session) => session.cookie === number);
    if (repeated !== undefined) return this.#repeatPadr(repeated, echo);
    const key = `${number}`;
    const line = findAccessLine(packet.tags);
    const first = this.#padrs.get(key);
    const call = { key, remoteMac: source, tags: vlanTags, echo, notBefore: now, ...(line && { line }) };
    if (first !== undefined) {
      this.#padrs.put({ ...call, since: first.since });
      return NOTHING;
    }
    this.#admission.taken(now, cookieAgeMs(now, cookie));
    if (this.#logins.holdsBack(subscriberKey(source, vlanTags), now)) return this.#discard("login-backoff");
    if (!servesName(services, fromUtf8(echo.serviceName)))
      return this.#sendRefusal(source, vlanTags, echo, "service-not-offered", "this service is not offered");
    if (this.#padrs.length === 0 && this.#admission.mayBegin()) return this.#openSession(now, call);
    if (!this.#padrs.put({ ...call, since: now })) return this.#discard("no-room-to-wait");
    this.#state.counters.padrDelayed += 1;
    this.#await(now);
    return NOTHING;
  }

  /** The same session again: its PADS was lost, or is not yet due. */
  #repeatPadr(session: AcSession, echo: RequestEcho): Outputs {
    switch (session.phase.kind) {
      case "requested":
        session.phase = { ...session.phase, echo };
        return NOTHING;
      case "confirmed":
        session.phase = { ...session.phase, echo };
        return this.#sendPads(session, echo);
      case "running":
        return NOTHING; // a copy that comes late: the host has its PADS
      case "closed":
        return this.#discard("closing");
    }
  }

  #openSession(now: Instant, { key, remoteMac, tags, echo, line }: Omit<WaitingCall, "since">): Outputs {
    const { limits } = this.#config;
    const refuse = (reason: RefusalReason, text: string): Outputs =>
      this.#sendRefusal(remoteMac, tags, echo, reason, text);
    const live = this.#table.of(remoteMac, tags).filter(({ phase }) => phase.kind !== "closed");
    const surplus = Math.max(0, live.length - limits.maxSessionsPerMac + 1);
    if (surplus > 0 && limits.atMacLimit === "refuse")
      return refuse("sessions-of-mac", "too many sessions from this address");
    if (this.#table.liveCount - surplus >= limits.maxSessions)
      return refuse("sessions-of-port", "session limit reached");
    const vlans = packTags(tags);
    const scope = vlanScope(vlans);
    const sessionId = this.#ids.take(scope);
    if (sessionId === undefined) return refuse("no-session-id", "no session id is free");

    const outputs = live.slice(0, surplus).flatMap((oldest) => this.#replace(now, oldest));
    const confirmBy = now + limits.confirmTimeoutMs;
    const session: AcSession = {
      sessionId,
      mac: macNumber(remoteMac),
      vlans,
      serial: this.#state.nextSessionSerial++,
      cookie: Number(key),
      settingUp: true,
      phase: { kind: "requested", echo, confirmBy },
    };
    this.#table.add(session);
    this.#admission.begin();
    this.#admission.watch(now);
    this.#deadlines.set(keyOf(session), confirmBy);
    outputs.push({
      kind: "session-requested",
      session: keyOf(session),
      sessionId,
      remoteMac,
      tags,
      serviceName: fromUtf8(echo.serviceName),
      ...(echo.hostUniq && { hostUniq: echo.hostUniq }),
      ...(line && { line }),
      ...(echo.maxPayloadBytes !== undefined && { maxPayloadBytes: echo.maxPayloadBytes }),
    });
    return outputs;
  }

  #replace(now: Instant, oldest: AcSession): Outputs {
    this.#state.counters.sessionsReplaced += 1;
    // the host of an unconfirmed request has moved on: a refusal could hit its new one
    if (oldest.phase.kind === "requested") this.#leave(now, oldest);
    const told = this.#tellEnd(now, oldest, "replaced by a new session", "no-resources");
    return [...told, closed(oldest, "replaced")];
  }

  #receivePadt(now: Instant, { packet, source, vlanTags }: DiscoveryFrame): Outputs {
    this.#state.counters.padtReceived += 1;
    if (packet.sessionId === NO_SESSION || packet.sessionId > MAX_SESSION_ID)
      return this.#discard("bad-session-id");
    const session = this.#table.get(sessionKey(vlanScope(packTags(vlanTags)), packet.sessionId));
    // before its PADS no host knows the session's id
    if (session?.phase.kind !== "confirmed" && session?.phase.kind !== "running")
      return this.#discard("unknown-session");
    if (session.mac !== macNumber(source)) return this.#discard("wrong-source");
    this.#leave(now, session);
    return [closed(session, "peer", findTextTag(packet.tags, TAG_GENERIC_ERROR))];
  }

  /** Closes a session and tells its host, as far as the host knows of it; nothing when it is closed. */
  #tellEnd(now: Instant, session: AcSession, text: string | undefined, reason: RefusalReason): Outputs {
    const { phase, sessionId } = session;
    const remoteMac = macOctets(session.mac);
    const tags = unpackTags(session.vlans);
    this.#leave(now, session);
    if (phase.kind === "closed") return NOTHING;
    if (phase.kind === "requested")
      return this.#sendRefusal(remoteMac, tags, phase.echo, reason, text ?? "the session was ended");
    const relaySessionId = phase.kind === "running" ? phase.relaySessionId : phase.echo.relaySessionId;
    this.#state.counters.padtSent += 1;
    return this.#send(remoteMac, tags, terminatePacket(sessionId, text, relaySessionId));
  }

  /** Closes a session, and gives back its place among those that are set up. */
  #leave(now: Instant, session: AcSession): void {
    const { phase } = session;
    if (phase.kind === "requested" || (phase.kind === "confirmed" && phase.startBy !== NEVER))
      this.#admission.started();
    if (session.settingUp) this.#admission.finished();
    session.settingUp = false;
    this.#deadlines.clear(keyOf(session));
    this.#table.close(session);
    this.#serveSoon(now);
  }

  /** PADRs first: who has an offer is nearer to a session than who has none. */
  #serve(now: Instant): Outputs {
    const outputs: AccessConcentratorOutput[] = [];
    let turns = TURNS_AT_A_TIME;
    this.#state.serveAt = NEVER;
    for (let call = this.#padrs.first(); call !== undefined; call = this.#padrs.first()) {
      const late = now - call.since > this.#config.limits.admission.padrPatienceMs;
      if (!late && !this.#admission.mayBegin()) break;
      this.#padrs.shift();
      outputs.push(...(late ? this.#discard("waited-too-long") : this.#openSession(now, call)));
    }
    for (let call = this.#padis.first(); call !== undefined; call = this.#padis.first()) {
      const late = now - call.since > PADI_PATIENCE_MS;
      if (!late && call.notBefore > now) break;
      if (!late && !this.#admission.mayOffer(now, this.#padrs.length)) break;
      if (--turns < 0) {
        this.#state.serveAt = now;
        break;
      }
      this.#padis.shift();
      const { remoteMac, tags, echo } = call;
      outputs.push(...(late ? this.#discard("waited-too-long") : this.#offer(now, remoteMac, tags, echo)));
    }
    this.#await(now);
    return outputs;
  }

  /** Whoever waits is served when something becomes free, when his time has come, and looked after by ticks. */
  #await(now: Instant): void {
    if (!this.#someWait()) return;
    this.#admission.watch(now);
    const notBefore = this.#padis.first()?.notBefore ?? now;
    if (notBefore > now) this.#state.serveAt = Math.min(this.#state.serveAt, notBefore);
  }

  /** Something has become free. */
  #serveSoon(now: Instant): void {
    if (this.#someWait()) this.#state.serveAt = Math.min(this.#state.serveAt, now);
    else this.#admission.rest();
  }

  #someWait(): boolean {
    return this.#padis.length > 0 || this.#padrs.length > 0;
  }

  #load(): number {
    return Math.min(
      1,
      Math.max(this.#admission.load, this.#table.liveCount / this.#config.limits.maxSessions),
    );
  }

  #sendPads(session: AcSession, echo: RequestEcho): Outputs {
    this.#state.counters.padsSent += 1;
    const packet = confirmationPacket(echo, this.#config.acName, session.sessionId);
    return this.#send(macOctets(session.mac), unpackTags(session.vlans), packet);
  }

  #sendRefusal(
    remoteMac: Uint8Array,
    tags: readonly VlanTag[],
    echo: RequestEcho,
    reason: RefusalReason,
    text: string,
  ): Outputs {
    const error = reason === "service-not-offered" ? TAG_SERVICE_NAME_ERROR : TAG_AC_SYSTEM_ERROR;
    const packet = refusalPacket(echo, this.#config.acName, error, text);
    if (discoveryBytes(packet) > MAX_DISCOVERY_BYTES) return this.#discard("oversized-answer");
    this.#state.counters.padsRefused[reason] += 1;
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

/** One for all sessions without anything to say. */
const RUNNING = { kind: "running" } as const;

function initialState(config: AccessConcentratorConfig, random: RandomSource): AccessConcentratorState {
  const { padiPerPort, strayPerPort, admission } = config.limits;
  return {
    ids: newSessionIds(random),
    cookieKey: random.bytes(COOKIE_KEY_BYTES),
    nextCookieSerial: random.uint32(),
    nextSessionSerial: 0,
    sessions: {},
    padiBuckets: emptySubscriberBuckets(),
    padiBucket: tokenBucket(padiPerPort.burst, 0),
    strayBuckets: emptySubscriberBuckets(),
    strayBucket: tokenBucket(strayPerPort.burst, 0),
    admission: newAdmission(admission),
    padis: emptyLine(),
    padrs: emptyLine(),
    serveAt: NEVER,
    logins: noLoginBackoff(),
    draining: config.draining ?? false,
    counters: zeroCounters(),
  };
}

function closed(session: AcSession, by: SessionEnd, text?: string): AccessConcentratorOutput {
  return {
    kind: "session-closed",
    session: keyOf(session),
    sessionId: session.sessionId,
    by,
    ...(text !== undefined && { text }),
  };
}
