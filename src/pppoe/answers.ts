import { equalBytes, utf8Within } from "../base/bytes.ts";
import type { VlanTag } from "../wire/ethernet.ts";
import { type DiscoveryPacket, largestPppFrame, NO_SESSION, PADO, PADS, PADT } from "../wire/pppoe.ts";
import {
  findMaxPayload,
  findTag,
  maxPayloadTag,
  type PppoeTag,
  TAG_AC_COOKIE,
  TAG_AC_NAME,
  type TAG_AC_SYSTEM_ERROR,
  TAG_GENERIC_ERROR,
  TAG_HOST_UNIQ,
  TAG_RELAY_SESSION_ID,
  TAG_SERVICE_NAME,
  type TAG_SERVICE_NAME_ERROR,
  textTag,
} from "../wire/pppoe-tags.ts";
import type { RequestEcho } from "./access-concentrator-types.ts";

/** Octets of the PPP protocol field, which PPPoE's payload begins with (RFC 1661 §2). */
const PPP_PROTOCOL_BYTES = 2;

/** PPP payload of every PPPoE session unless PPP-Max-Payload says more: 1500 less 6 and 2 (RFC 2516 §7). */
const STANDARD_PAYLOAD_BYTES = 1492;

/** Octets of an error text: it is for people, and what it quotes may be of any length. */
const MAX_ERROR_TEXT_BYTES = 200;

/**
 * What the answer to a PADI or PADR must give back; undefined when it has not exactly one Service-Name
 * (RFC 2516 §5.1, §5.3). PPP-Max-Payload is what both sides and the port, under its VLAN tags, can
 * do, and only told when it is more than any PPPoE session can (RFC 4638 §3).
 */
export function readEcho(
  tags: readonly PppoeTag[],
  vlanTags: readonly VlanTag[],
  { maxPayloadBytes, portMtuBytes }: { readonly maxPayloadBytes: number; readonly portMtuBytes: number },
): RequestEcho | undefined {
  const name = tags.find(({ type }) => type === TAG_SERVICE_NAME);
  if (name === undefined) return undefined;
  if (tags.some((tag) => tag.type === TAG_SERVICE_NAME && tag !== name)) return undefined;
  const hostUniq = findTag(tags, TAG_HOST_UNIQ);
  const relaySessionId = findTag(tags, TAG_RELAY_SESSION_ID);
  const carried = largestPppFrame(portMtuBytes, vlanTags) - PPP_PROTOCOL_BYTES;
  const agreed = Math.min(findMaxPayload(tags) ?? 0, maxPayloadBytes, carried);
  return {
    serviceName: name.value,
    ...(hostUniq && { hostUniq }),
    ...(relaySessionId && { relaySessionId }),
    ...(agreed > STANDARD_PAYLOAD_BYTES && { maxPayloadBytes: agreed }),
  };
}

function addEchoedTags(tags: PppoeTag[], echo: RequestEcho): void {
  if (echo.hostUniq) tags.push({ type: TAG_HOST_UNIQ, value: echo.hostUniq });
  if (echo.relaySessionId) tags.push({ type: TAG_RELAY_SESSION_ID, value: echo.relaySessionId });
  if (echo.maxPayloadBytes !== undefined) tags.push(maxPayloadTag(echo.maxPayloadBytes));
}

/** The tags that are the same in every answer: AC-Name, and a Service-Name for each that every PADO offers. */
export interface OwnTags {
  readonly acName: PppoeTag;
  readonly offered: readonly PppoeTag[];
}

export function ownTags(acName: string, offered: readonly string[]): OwnTags {
  return {
    acName: textTag(TAG_AC_NAME, acName),
    offered: offered.map((name) => textTag(TAG_SERVICE_NAME, name)),
  };
}

/** RFC 2516 §5.2: the name that was asked for, ours, and what else we offer. */
export function offerPacket(echo: RequestEcho, own: OwnTags, cookie: Uint8Array): DiscoveryPacket {
  const tags = [{ type: TAG_SERVICE_NAME, value: echo.serviceName }, own.acName];
  for (const name of own.offered) if (!equalBytes(name.value, echo.serviceName)) tags.push(name);
  tags.push({ type: TAG_AC_COOKIE, value: cookie });
  addEchoedTags(tags, echo);
  return { code: PADO, sessionId: NO_SESSION, tags };
}

/** RFC 2516 §5.4. */
export function confirmationPacket(echo: RequestEcho, own: OwnTags, sessionId: number): DiscoveryPacket {
  const tags = [{ type: TAG_SERVICE_NAME, value: echo.serviceName }, own.acName];
  addEchoedTags(tags, echo);
  return { code: PADS, sessionId, tags };
}

/** A text of any length, cut to what we tell. */
function errorTag(type: number, text: string): PppoeTag {
  return { type, value: utf8Within(text, MAX_ERROR_TEXT_BYTES) };
}

/** A PADS that says no: session id 0 and an error tag (RFC 2516 §5.4 and appendix A). */
export function refusalPacket(
  echo: RequestEcho,
  own: OwnTags,
  error: typeof TAG_SERVICE_NAME_ERROR | typeof TAG_AC_SYSTEM_ERROR,
  text: string,
): DiscoveryPacket {
  const confirmation = confirmationPacket(echo, own, NO_SESSION);
  return { ...confirmation, tags: [...confirmation.tags, errorTag(error, text)] };
}

/** RFC 2516 §5.5; `text` says why, if anything is to be said. */
export function terminatePacket(
  sessionId: number,
  text: string | undefined,
  relaySessionId: Uint8Array | undefined,
): DiscoveryPacket {
  const tags: PppoeTag[] = [];
  if (text !== undefined) tags.push(errorTag(TAG_GENERIC_ERROR, text));
  if (relaySessionId !== undefined) tags.push({ type: TAG_RELAY_SESSION_ID, value: relaySessionId });
  return { code: PADT, sessionId, tags };
}
