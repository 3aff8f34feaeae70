import { equalBytes, fromUtf8, toHex, utf8 } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { BROADCAST_MAC, formatMac, sameVlans } from "../wire/ethernet.ts";
import { MAX_SESSION_ID, NO_SESSION, PADI, PADO, PADR, PADS, PADT } from "../wire/pppoe.ts";
import {
  accessLineTag,
  findMaxPayload,
  findTag,
  findTextTag,
  maxPayloadTag,
  type PppoeTag,
  TAG_AC_COOKIE,
  TAG_AC_NAME,
  TAG_AC_SYSTEM_ERROR,
  TAG_GENERIC_ERROR,
  TAG_HOST_UNIQ,
  TAG_RELAY_SESSION_ID,
  TAG_SERVICE_NAME,
  TAG_SERVICE_NAME_ERROR,
} from "../wire/pppoe-tags.ts";
import { terminatePacket } from "./answers.ts";
import type {
  AcceptedOffer,
  ClientDownCause,
  PppoeClientConfig,
  PppoeClientOutput,
  PppoeClientPhase,
  PppoeClientState,
} from "./client-types.ts";
import { type DiscoveryFrame, emitDiscoveryFrame, readDiscoveryFrame } from "./discovery-frame.ts";

type Outputs = readonly PppoeClientOutput[];
const NOTHING: Outputs = [];

const HOST_UNIQ_BYTES = 8;

const ERROR_TAGS = [
  { type: TAG_SERVICE_NAME_ERROR, name: "Service-Name-Error" },
  { type: TAG_AC_SYSTEM_ERROR, name: "AC-System-Error" },
  { type: TAG_GENERIC_ERROR, name: "Generic-Error" },
] as const;

/**
 * The host's side of PPPoE discovery (RFC 2516): one session, once. start() → up or down; up → down.
 * Whose answers are whose is told by Host-Uniq, so many clients can share an interface and a MAC address.
 */
export class PppoeClient {
  readonly #config: PppoeClientConfig;
  readonly #state: PppoeClientState;

  constructor(config: PppoeClientConfig, random: RandomSource, state?: PppoeClientState) {
    this.#config = config;
    this.#state = state === undefined ? initialState(random) : structuredClone(state);
  }

  /** What our packets carry as Host-Uniq, as discoveryAddress() gives it. */
  get hostUniq(): string {
    return toHex(this.#state.hostUniq);
  }

  start(now: Instant): Outputs {
    if (this.#state.phase.kind !== "idle") return NOTHING;
    this.#state.startedAt = now;
    return this.#solicit(now);
  }

  /** One Ethernet frame, with its VLAN tags. What is not for this client is passed over. */
  receive(now: Instant, bytes: Uint8Array): Outputs {
    const frame = readDiscoveryFrame(bytes);
    if (typeof frame === "string") return NOTHING;
    if (!equalBytes(frame.destination, this.#config.localMac)) return NOTHING;
    if (!sameVlans(frame.vlanTags, this.#config.tags)) return NOTHING;
    const { phase } = this.#state;
    const { code } = frame.packet;
    if (code === PADO && phase.kind === "soliciting") return this.#receivePado(now, frame);
    if (code === PADS && phase.kind === "requesting") return this.#receivePads(frame, phase.offer);
    if (code === PADT && phase.kind === "up") return this.#receivePadt(frame, phase);
    return NOTHING;
  }

  /** Ends the session, or the attempt, with a PADT where there is something to end. */
  close(_now: Instant, reason?: string): Outputs {
    const { phase } = this.#state;
    if (phase.kind === "down") return NOTHING;
    const cause: ClientDownCause = { code: "closed", text: reason ?? "closed by us" };
    if (phase.kind !== "up") return this.#down(cause);
    const { acMac, relaySessionId } = phase.offer;
    const packet = terminatePacket(phase.sessionId, reason, relaySessionId);
    return [this.#send(acMac, packet.code, packet.sessionId, packet.tags), ...this.#down(cause)];
  }

  deadline(): Instant {
    const { phase } = this.#state;
    return phase.kind === "soliciting" || phase.kind === "requesting" ? phase.at : NEVER;
  }

  timeout(now: Instant): Outputs {
    const { retry } = this.#config;
    const { phase } = this.#state;
    if (now < this.deadline()) return NOTHING;
    if (phase.kind === "soliciting") {
      if (phase.sent < retry.padiAttempts)
        return this.#sendPadi(now, phase.sent + 1, this.#longer(phase.waitMs));
      return this.#down({ code: "no-offer", text: this.#noOfferText(now) });
    }
    if (phase.kind === "requesting") {
      if (phase.sent < retry.padrAttempts)
        return this.#sendPadr(now, phase.offer, phase.sent + 1, this.#longer(phase.waitMs));
      if (this.#state.round < retry.rounds) return this.#solicit(now);
      return this.#down({ code: "no-confirmation", text: this.#noConfirmationText(now, phase.offer) });
    }
    return NOTHING;
  }

  snapshot(): PppoeClientState {
    return structuredClone(this.#state);
  }

  #solicit(now: Instant): Outputs {
    this.#state.round += 1;
    return this.#sendPadi(now, 1, this.#config.retry.firstWaitMs);
  }

  #sendPadi(now: Instant, sent: number, waitMs: number): Outputs {
    this.#state.phase = { kind: "soliciting", sent, waitMs, at: now + waitMs };
    this.#state.padisSent += 1;
    return [this.#send(BROADCAST_MAC, PADI, NO_SESSION, this.#askingTags(utf8(this.#config.serviceName)))];
  }

  #sendPadr(now: Instant, offer: AcceptedOffer, sent: number, waitMs: number): Outputs {
    this.#state.phase = { kind: "requesting", sent, waitMs, at: now + waitMs, offer };
    this.#state.padrsSent += 1;
    const tags = [...this.#askingTags(offer.serviceName)];
    if (offer.cookie) tags.push({ type: TAG_AC_COOKIE, value: offer.cookie });
    if (offer.relaySessionId) tags.push({ type: TAG_RELAY_SESSION_ID, value: offer.relaySessionId });
    return [this.#send(offer.acMac, PADR, NO_SESSION, tags)];
  }

  #askingTags(serviceName: Uint8Array): readonly PppoeTag[] {
    const { maxPayloadBytes, line } = this.#config;
    const tags: PppoeTag[] = [
      { type: TAG_SERVICE_NAME, value: serviceName },
      { type: TAG_HOST_UNIQ, value: this.#state.hostUniq },
    ];
    if (maxPayloadBytes !== undefined) tags.push(maxPayloadTag(maxPayloadBytes));
    if (line !== undefined) tags.push(accessLineTag(line));
    return tags;
  }

  #receivePado(now: Instant, { packet, source }: DiscoveryFrame): Outputs {
    const { tags } = packet;
    if (!this.#isOurs(tags) || packet.sessionId !== NO_SESSION) return NOTHING;
    const wrong = this.#offerDefect(tags);
    if (wrong !== undefined) {
      this.#state.offersRejected += 1;
      this.#state.lastRejection = `${formatMac(source)} ${wrong}`;
      return NOTHING;
    }
    const cookie = findTag(tags, TAG_AC_COOKIE);
    const relaySessionId = findTag(tags, TAG_RELAY_SESSION_ID);
    const offer: AcceptedOffer = {
      acMac: source,
      acName: findTextTag(tags, TAG_AC_NAME)!,
      serviceName: utf8(this.#config.serviceName),
      ...(cookie && { cookie }),
      ...(relaySessionId && { relaySessionId }),
    };
    return this.#sendPadr(now, offer, 1, this.#config.retry.firstWaitMs);
  }

  /** What keeps us from taking an offer. */
  #offerDefect(tags: readonly PppoeTag[]): string | undefined {
    const { acName, serviceName } = this.#config;
    const error = errorIn(tags);
    if (error !== undefined) return `answered ${error}`;
    const name = findTextTag(tags, TAG_AC_NAME);
    if (name === undefined) return "offers without an AC-Name";
    if (acName !== undefined && name !== acName) return `is "${name}", not "${acName}"`;
    const services = tags.filter(({ type }) => type === TAG_SERVICE_NAME).map(({ value }) => fromUtf8(value));
    // who asks for any service takes what there is, even where the empty name is not given back
    if (serviceName !== "" && !services.includes(serviceName))
      return `does not offer the service "${serviceName}"`;
    return undefined;
  }

  #receivePads({ packet, source }: DiscoveryFrame, offer: AcceptedOffer): Outputs {
    const { tags, sessionId } = packet;
    if (!this.#isOurs(tags) || !equalBytes(source, offer.acMac) || sessionId > MAX_SESSION_ID) return NOTHING;
    const error = errorIn(tags);
    if (error !== undefined || sessionId === NO_SESSION) {
      const said = error ?? "a PADS without a session id or an error";
      return this.#down({ code: "refused", text: `${describe(offer)} answered ${said}` });
    }
    this.#state.phase = { kind: "up", sessionId, offer };
    const asked = this.#config.maxPayloadBytes;
    const agreed = findMaxPayload(tags);
    return [
      {
        kind: "up",
        sessionId,
        acMac: offer.acMac,
        acName: offer.acName,
        serviceName: findTextTag(tags, TAG_SERVICE_NAME) ?? this.#config.serviceName,
        ...(asked !== undefined && agreed !== undefined && { maxPayloadBytes: Math.min(asked, agreed) }),
      },
    ];
  }

  #receivePadt({ packet, source }: DiscoveryFrame, up: PppoeClientPhase & { kind: "up" }): Outputs {
    if (packet.sessionId !== up.sessionId || !equalBytes(source, up.offer.acMac)) return NOTHING;
    const said = findTextTag(packet.tags, TAG_GENERIC_ERROR);
    const text = `${describe(up.offer)} sent PADT${said === undefined ? "" : `: ${said}`}`;
    return this.#down({ code: "peer-closed", text });
  }

  #isOurs(tags: readonly PppoeTag[]): boolean {
    const hostUniq = findTag(tags, TAG_HOST_UNIQ);
    return hostUniq !== undefined && equalBytes(hostUniq, this.#state.hostUniq);
  }

  #longer(waitMs: number): number {
    return Math.min(waitMs * 2, this.#config.retry.maxWaitMs);
  }

  #noOfferText(now: Instant): string {
    const { padisSent, offersRejected, lastRejection } = this.#state;
    const sent = `${padisSent} PADI in ${this.#elapsed(now)}`;
    if (lastRejection === undefined) return `${sent}, no PADO came back`;
    return `${sent}, ${offersRejected} PADO not taken, the last because ${lastRejection}`;
  }

  #noConfirmationText(now: Instant, offer: AcceptedOffer): string {
    const { padisSent, padrsSent } = this.#state;
    return `${padisSent} PADI and ${padrsSent} PADR in ${this.#elapsed(now)}, no PADS came back from ${describe(offer)}`;
  }

  #elapsed(now: Instant): string {
    return `${((now - this.#state.startedAt) / 1000).toFixed(1)} s`;
  }

  #down(cause: ClientDownCause): Outputs {
    this.#state.phase = { kind: "down" };
    return [{ kind: "down", cause }];
  }

  #send(
    destination: Uint8Array,
    code: number,
    sessionId: number,
    tags: readonly PppoeTag[],
  ): PppoeClientOutput {
    const { localMac, tags: vlanTags } = this.#config;
    const packet = { code, sessionId, tags };
    return { kind: "send", frame: emitDiscoveryFrame({ destination, source: localMac, vlanTags, packet }) };
  }
}

/** How the owner of many clients finds the one that a frame is for. */
export interface DiscoveryAddress {
  /** PADO and PADS carry the client's own Host-Uniq (hexadecimal); a PADT has only the session id. */
  readonly hostUniq?: string;
  readonly sessionId: number;
  readonly source: Uint8Array;
}

/** Undefined when the frame is no discovery packet. */
export function discoveryAddress(bytes: Uint8Array): DiscoveryAddress | undefined {
  const frame = readDiscoveryFrame(bytes);
  if (typeof frame === "string") return undefined;
  const hostUniq = findTag(frame.packet.tags, TAG_HOST_UNIQ);
  return {
    sessionId: frame.packet.sessionId,
    source: frame.source,
    ...(hostUniq && { hostUniq: toHex(hostUniq) }),
  };
}

function initialState(random: RandomSource): PppoeClientState {
  return {
    hostUniq: random.bytes(HOST_UNIQ_BYTES),
    phase: { kind: "idle" },
    round: 0,
    padisSent: 0,
    padrsSent: 0,
    offersRejected: 0,
    lastRejection: undefined,
    startedAt: 0,
  };
}

function describe(offer: AcceptedOffer): string {
  return `"${offer.acName}" (${formatMac(offer.acMac)})`;
}

/** The first error tag, as text. */
function errorIn(tags: readonly PppoeTag[]): string | undefined {
  for (const { type, name } of ERROR_TAGS) {
    const text = findTextTag(tags, type);
    if (text !== undefined) return text === "" ? name : `${name}: ${text}`;
  }
  return undefined;
}
