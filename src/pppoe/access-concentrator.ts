import { equalBytes, fromUtf8, toHex } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { takeToken, tokenBucket } from "../base/token-bucket.ts";
import { BROADCAST_MAC, macNumber, macOctets } from "../wire/ethernet.ts";
import { MAX_SESSION_ID, NO_SESSION, PADI, PADR, PADT } from "../wire/pppoe.ts";
import {
  findAccessLine,
  findTag,
  findTextTag,
  TAG_AC_COOKIE,
  TAG_GENERIC_ERROR,
} from "../wire/pppoe-tags.ts";
import {
  type AccessConcentratorConfig,
  type AccessConcentratorCounters,
  type AccessConcentratorLoad,
  type AccessConcentratorOutput,
  type AccessConcentratorState,
  type AcSessionView,
  type DiscardReason,
  type RequestEcho,
  zeroCounters,
} from "./access-concentrator-types.ts";
import { Admission, newAdmission } from "./admission.ts";
import { Answerer, type Station } from "./answerer.ts";
import { readEcho } from "./answers.ts";
import { CallQueue, type Turn } from "./call-queue.ts";
import { CallSessions } from "./call-sessions.ts";
import { COOKIE_KEY_BYTES, checkCookie, cookieNumber, issueCookie } from "./cookie.ts";
import { type DiscoveryFrame, readDiscoveryFrame } from "./discovery-frame.ts";
import { LoginBackoff, noLoginBackoff } from "./login-backoff.ts";
import { servesName } from "./service-policy.ts";
import { newSessionIds } from "./session-ids.ts";
import { keyOf } from "./session-table.ts";
import { type StrayFrame, StrayFrames } from "./stray-frames.ts";
import { emptySubscriberBuckets, SubscriberBuckets } from "./subscriber-buckets.ts";
import { type SubscriberKey, subscriberKey } from "./subscriber-key.ts";
import { packTags, sessionKey, unpackTags, vlanScope } from "./vlan-scope.ts";
import { emptyLine } from "./waiting-line.ts";

type Outputs = readonly AccessConcentratorOutput[];
const NOTHING: Outputs = [];

/** Turns taken at a time, before other events get theirs. */
const TURNS_AT_A_TIME = 256;

/**
 * The access concentrator's side of PPPoE discovery (RFC 2516) on one access port.
 *
 * A session goes: session-requested → confirm() (or refuse(), which forgets it) → heard(), when PPP begins →
 * established(), when all is set up → session-closed or close() → ended(). Its id is not reused before ended(): until
 * then frames of the old session may still be about. What is begun and not heard of, or heard of and not established,
 * holds back those who call: their PADIs and PADRs wait for their turn (call-queue.ts, admission.ts).
 *
 * The owner names a session by the number that session-requested told: ids are unique only within a VLAN scope.
 */
export class AccessConcentrator {
  readonly #config: AccessConcentratorConfig;
  readonly #state: AccessConcentratorState;
  readonly #cookieKey: Uint8Array;
  readonly #answerer: Answerer;
  readonly #admission: Admission;
  readonly #queue: CallQueue;
  readonly #sessions: CallSessions;
  readonly #strays: StrayFrames;
  readonly #padiBuckets: SubscriberBuckets;
  readonly #logins: LoginBackoff;

  constructor(config: AccessConcentratorConfig, random: RandomSource, state?: AccessConcentratorState) {
    const { limits } = config;
    const own = state === undefined ? initialState(config, random) : structuredClone(state);
    this.#config = config;
    this.#state = own;
    this.#cookieKey = config.cookieKey ?? own.cookieKey;
    const answerer = new Answerer(config, own.counters);
    const admission = new Admission(limits.admission, own.admission);
    const queue = new CallQueue(limits.admission, own, admission);
    this.#answerer = answerer;
    this.#admission = admission;
    this.#queue = queue;
    this.#sessions = new CallSessions(limits, own, { answerer, admission, queue });
    this.#strays = new StrayFrames(config, own, this.#sessions.table, answerer);
    this.#padiBuckets = new SubscriberBuckets(own.padiBuckets, limits.padiPerMac, limits.trackedMacs);
    this.#logins = new LoginBackoff(limits.loginBackoff, own.logins, limits.trackedMacs);
  }

  /** One that goes on from here under another configuration. It costs a copy of the state, and takes the place of this. */
  reconfigured(config: AccessConcentratorConfig, random: RandomSource): AccessConcentrator {
    return new AccessConcentrator(config, random, this.#state);
  }

  /** Why the last frame that was received got no answer; undefined when it got one, or has to wait for it. */
  get discarded(): DiscardReason | undefined {
    return this.#answerer.discarded;
  }

  /** One Ethernet frame, with its VLAN tags. */
  receive(now: Instant, bytes: Uint8Array): Outputs {
    this.#answerer.discarded = undefined;
    const frame = readDiscoveryFrame(bytes);
    if (typeof frame === "string") return this.#answerer.discard(frame);
    if (equalBytes(frame.source, this.#config.localMac)) return this.#answerer.discard("bad-source");
    const toUs = equalBytes(frame.destination, this.#config.localMac);
    const { code } = frame.packet;
    // a PADI is broadcast; some access nodes know us and turn it into unicast
    if (!toUs && !(code === PADI && equalBytes(frame.destination, BROADCAST_MAC)))
      return this.#answerer.discard("bad-destination");
    if (code === PADI) return this.#receivePadi(now, frame);
    if (code === PADR) return this.#receivePadr(now, frame);
    if (code === PADT) return this.#receivePadt(now, frame);
    return this.#answerer.discard("bad-code");
  }

  /** Somebody sends on a session that is not: a PADT, in moderation, makes it call again. */
  unknownSession(now: Instant, stray: StrayFrame): Outputs {
    return this.#strays.receive(now, stray);
  }

  /** The owner has made the session's channel: from now on frames may come, and the host is told so. */
  confirm(now: Instant, session: number): Outputs {
    return this.#sessions.confirm(now, session);
  }

  /** The owner cannot make the session; it is forgotten at once. */
  refuse(now: Instant, session: number, text: string): Outputs {
    return this.#sessions.refuse(now, session, text);
  }

  /** The host has sent PPP on the session: it has its PADS. */
  heard(now: Instant, session: number): Outputs {
    this.#sessions.heard(now, session);
    return NOTHING;
  }

  /** The session is complete: it takes no place among those that are set up any more. */
  established(now: Instant, session: number): Outputs {
    this.#sessions.established(now, session);
    return NOTHING;
  }

  /** The owner ends a session: a PADT with `text` as Generic-Error, or an error PADS before it was confirmed. */
  close(now: Instant, session: number, text?: string): Outputs {
    return this.#sessions.close(now, session, text);
  }

  /**
   * How the login on a session went, told before ended(): a host that fails again and again has to wait longer from
   * time to time until its calls are answered.
   */
  loginResult(now: Instant, session: number, succeeded: boolean): Outputs {
    const found = this.#sessions.table.get(session);
    if (found === undefined) return NOTHING;
    const subscriber = subscriberKey(macOctets(found.mac), unpackTags(found.vlans));
    if (succeeded) this.#logins.succeeded(subscriber);
    else this.#logins.failed(subscriber, now);
    return NOTHING;
  }

  /** The owner is done with a session: its id may be given to another. */
  ended(now: Instant, session: number): void {
    this.#sessions.ended(now, session);
  }

  /**
   * While draining no PADI is answered, and a PADR only with a cookie that was handed out before; sessions go on. Not
   * draining any more, it answers again.
   */
  drain(now: Instant, draining: boolean): Outputs {
    this.#state.draining = draining;
    if (draining) this.#queue.forgetPadis();
    this.#queue.soon(now);
    return NOTHING;
  }

  deadline(): Instant {
    return Math.min(this.#sessions.deadline(), this.#queue.deadline());
  }

  /** Gives up on requests that the owner has not answered, and serves whose turn it is. */
  timeout(now: Instant): Outputs {
    const ends = this.#sessions.timeout(now);
    return this.#queue.isDue(now) ? [...ends, ...this.#serve(now)] : ends;
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
      sessions: this.#sessions.table.liveCount,
      settingUp: setUps,
      starting,
      startingWindow: Math.floor(window),
      waitingPadis: this.#queue.waitingPadis,
      waitingPadrs: this.#queue.waitingPadrs,
      load: this.#load(),
    };
  }

  /** Every session that has an id, closed ones until ended(); made anew for each call. */
  sessions(): readonly AcSessionView[] {
    return this.#sessions.table.all().map((session) => ({
      session: keyOf(session),
      sessionId: session.sessionId,
      remoteMac: macOctets(session.mac),
      tags: unpackTags(session.vlans),
      phase: session.phase.kind,
    }));
  }

  #receivePadi(now: Instant, { packet, source, vlanTags }: DiscoveryFrame): Outputs {
    const { services, limits } = this.#config;
    const answerer = this.#answerer;
    this.#state.counters.padiReceived += 1;
    if (packet.sessionId !== NO_SESSION) return answerer.discard("bad-session-id");
    // the cheapest judgement first: a flood must cost less than the packets that it drowns
    if (this.#state.draining) return answerer.discard("draining");
    const subscriber = subscriberKey(source, vlanTags);
    if (!this.#padiBuckets.take(subscriber, now)) return answerer.discard("padi-rate-of-mac");
    const { perSecond, burst } = limits.padiPerPort;
    if (!takeToken(this.#state.padiBucket, now, perSecond, burst))
      return answerer.discard("padi-rate-of-port");
    if (this.#logins.holdsBack(subscriber, now)) return answerer.discard("login-backoff");
    const echo = readEcho(packet.tags, vlanTags, limits);
    if (echo === undefined) return answerer.discard("bad-service-name");
    if (!servesName(services, fromUtf8(echo.serviceName))) return answerer.discard("unknown-service");
    const host = { remoteMac: source, tags: vlanTags };
    const notBefore = now + Math.round(limits.padoDelayMs * this.#load());
    if (notBefore === now && this.#queue.mayOffer()) return this.#offer(now, host, subscriber, echo);
    const key = callerKey(subscriber, echo);
    const first = this.#queue.padi(key);
    if (first === undefined) this.#state.counters.padiDelayed += 1;
    const call = { key, echo, cookie: 0, since: now, notBefore: first?.notBefore ?? notBefore, ...host };
    return this.#queue.putPadi(now, call) ? NOTHING : answerer.discard("no-room-to-wait");
  }

  #offer(now: Instant, host: Station, subscriber: SubscriberKey, echo: RequestEcho): Outputs {
    const cookie = issueCookie(this.#cookieKey, now, this.#state.nextCookieSerial++, subscriber);
    return this.#answerer.offer(host, echo, cookie);
  }

  #receivePadr(now: Instant, { packet, source, vlanTags }: DiscoveryFrame): Outputs {
    const { services, limits } = this.#config;
    const answerer = this.#answerer;
    this.#state.counters.padrReceived += 1;
    if (packet.sessionId !== NO_SESSION) return answerer.discard("bad-session-id");
    const cookie = findTag(packet.tags, TAG_AC_COOKIE);
    if (cookie === undefined) return answerer.discard("no-cookie");
    const subscriber = subscriberKey(source, vlanTags);
    const verdict = checkCookie(this.#cookieKey, now, limits.cookieLifeMs, cookie, subscriber);
    if (verdict !== "valid") return answerer.discard(`${verdict}-cookie`);
    if (findTag(packet.tags, TAG_GENERIC_ERROR) !== undefined) return answerer.discard("host-error");
    const echo = readEcho(packet.tags, vlanTags, limits);
    if (echo === undefined) return answerer.discard("bad-service-name");
    if (!answerer.canConfirm(echo)) return answerer.discard("oversized-answer");

    const number = cookieNumber(cookie);
    const own = this.#sessions.table.of(source, vlanTags);
    const repeated = own.find((session) => session.cookie === number);
    if (repeated !== undefined) return this.#sessions.repeat(repeated, echo);
    const key = callerKey(subscriber, echo);
    const line = findAccessLine(packet.tags);
    const first = this.#queue.padr(key);
    const call = {
      key,
      remoteMac: source,
      tags: vlanTags,
      echo,
      cookie: number,
      // who repeats it, perhaps with a newer offer's cookie, still waits, and keeps his place
      since: now,
      notBefore: now,
      ...(line && { line }),
    };
    if (first !== undefined) {
      this.#queue.putPadr(now, call);
      return NOTHING;
    }
    if (this.#logins.holdsBack(subscriber, now)) return answerer.discard("login-backoff");
    if (!servesName(services, fromUtf8(echo.serviceName)))
      return answerer.refusal(call, echo, "service-not-offered", "this service is not offered");
    if (this.#queue.mayBegin()) return this.#sessions.open(now, call);
    if (!this.#queue.putPadr(now, call)) return answerer.discard("no-room-to-wait");
    this.#state.counters.padrDelayed += 1;
    return NOTHING;
  }

  #receivePadt(now: Instant, { packet, source, vlanTags }: DiscoveryFrame): Outputs {
    this.#state.counters.padtReceived += 1;
    if (packet.sessionId === NO_SESSION || packet.sessionId > MAX_SESSION_ID)
      return this.#answerer.discard("bad-session-id");
    const scope = vlanScope(packTags(vlanTags));
    const session = this.#sessions.table.get(sessionKey(scope, packet.sessionId));
    // before its PADS no host knows the session's id
    if (session?.phase.kind !== "confirmed" && session?.phase.kind !== "running")
      return this.#answerer.discard("unknown-session");
    if (session.mac !== macNumber(source)) return this.#answerer.discard("wrong-source");
    return this.#sessions.closedByPeer(now, session, findTextTag(packet.tags, TAG_GENERIC_ERROR));
  }

  #serve(now: Instant): Outputs {
    const outputs: AccessConcentratorOutput[] = [];
    for (let turns = 0; turns < TURNS_AT_A_TIME; turns++) {
      const turn = this.#queue.next(now);
      if (turn === undefined) return outputs;
      outputs.push(...this.#take(now, turn));
    }
    this.#queue.soon(now);
    return outputs;
  }

  #take(now: Instant, { kind, call }: Turn): Outputs {
    if (kind === "late") return this.#answerer.discard("waited-too-long");
    if (kind === "session") return this.#sessions.open(now, call);
    return this.#offer(now, call, subscriberKey(call.remoteMac, call.tags), call.echo);
  }

  #load(): number {
    const ofSessions = this.#sessions.table.liveCount / this.#config.limits.maxSessions;
    return Math.min(1, Math.max(this.#admission.load, ofSessions));
  }
}

/** Who waits: hosts behind one address are told apart by their Host-Uniq. */
function callerKey(subscriber: SubscriberKey, { hostUniq }: RequestEcho): string {
  return `${subscriber}/${hostUniq === undefined ? "" : toHex(hostUniq)}`;
}

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
