/**
 * The PPPoE header (RFC 2516 §4) and discovery packets (§5).
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   | version 1 |type 1 |      code     |          session id       |
 *   +-------------------------------+-------------------------------+
 *   |    length of the payload      |  payload                      ~
 *   +-------------------------------+-------------------------------+
 */

import { readU16, writeU16 } from "../base/bytes.ts";
import { TPID_8021Q, VLAN_TAG_BYTES, type VlanTag } from "./ethernet.ts";
import { emitTags, type PppoeTag, parseTags, tagsBytes } from "./pppoe-tags.ts";

/** Offsets from the start of the header. */
const PPPOE_VERSION_TYPE = 0;
export const PPPOE_CODE = 1;
export const PPPOE_SESSION_ID = 2;
const PPPOE_LENGTH = 4;
export const PPPOE_HEADER_BYTES = 6;

/** Version 1 and type 1, the only ones there are. */
const PPPOE_VERSION_1_TYPE_1 = 0x11;

/** The code of session frames; the others are discovery's. */
export const PPPOE_SESSION_DATA = 0x00;
export const PADO = 0x07;
export const PADI = 0x09;
export const PADR = 0x19;
export const PADS = 0x65;
export const PADT = 0xa7;

/** Session id of everything before there is a session; 0xFFFF is reserved (RFC 2516 §4). */
export const NO_SESSION = 0;
export const MAX_SESSION_ID = 0xfffe;

/** A discovery packet is at most an Ethernet payload: tags have what the header leaves of 1500 octets. */
export const MAX_DISCOVERY_BYTES = 1500;

/**
 * Octets of the largest PPP frame, its protocol field included, that goes to a subscriber under `tags` through an
 * interface with an MTU of `mtuBytes`. The kernel takes an Ethernet header and MTU octets from a packet socket, and
 * four more when the outermost tag is 802.1Q's own; every other tag is payload to it.
 */
export function largestPppFrame(mtuBytes: number, tags: readonly VlanTag[]): number {
  const free = tags[0]?.tpid === TPID_8021Q ? 1 : 0;
  return mtuBytes - PPPOE_HEADER_BYTES - VLAN_TAG_BYTES * (tags.length - free);
}

/** What pppoePayloadLength says of a frame that is not one. */
export const PPPOE_TRUNCATED = -1;
export const PPPOE_BAD_VERSION = -2;

/**
 * View form, one check for all: the octets of payload of the packet whose header is at `offset`, of which
 * `available` octets are there (padding included); PPPOE_TRUNCATED or PPPOE_BAD_VERSION when it is none.
 */
export function pppoePayloadLength(bytes: Uint8Array, offset: number, available: number): number {
  if (available < PPPOE_HEADER_BYTES) return PPPOE_TRUNCATED;
  if (bytes[offset + PPPOE_VERSION_TYPE] !== PPPOE_VERSION_1_TYPE_1) return PPPOE_BAD_VERSION;
  const length = readU16(bytes, offset + PPPOE_LENGTH);
  return PPPOE_HEADER_BYTES + length > available ? PPPOE_TRUNCATED : length;
}

/** Writes a header at `offset`. */
export function writePppoeHeader(
  bytes: Uint8Array,
  offset: number,
  code: number,
  sessionId: number,
  length: number,
): void {
  bytes[offset + PPPOE_VERSION_TYPE] = PPPOE_VERSION_1_TYPE_1;
  bytes[offset + PPPOE_CODE] = code;
  writeU16(bytes, offset + PPPOE_SESSION_ID, sessionId);
  writeU16(bytes, offset + PPPOE_LENGTH, length);
}

/** A discovery packet: the payload of an Ethernet frame of type 0x8863. */
export interface DiscoveryPacket {
  /** PADI, PADO, PADR, PADS or PADT; parsing takes any. */
  readonly code: number;
  readonly sessionId: number;
  readonly tags: readonly PppoeTag[];
}

export type DiscoveryMalformed = "truncated" | "bad-version" | "bad-tag";

/** Reads an Ethernet payload; padding after the packet is passed over. A string says why it is no packet. */
export function parseDiscovery(payload: Uint8Array): DiscoveryPacket | DiscoveryMalformed {
  const length = pppoePayloadLength(payload, 0, payload.length);
  if (length === PPPOE_TRUNCATED) return "truncated";
  if (length === PPPOE_BAD_VERSION) return "bad-version";
  const tags = parseTags(payload.subarray(PPPOE_HEADER_BYTES, PPPOE_HEADER_BYTES + length));
  if (tags === undefined) return "bad-tag";
  return { code: payload[PPPOE_CODE]!, sessionId: readU16(payload, PPPOE_SESSION_ID), tags };
}

/** Octets that emitDiscovery makes of a packet; one longer than MAX_DISCOVERY_BYTES cannot be sent. */
export function discoveryBytes(packet: DiscoveryPacket): number {
  return PPPOE_HEADER_BYTES + tagsBytes(packet.tags);
}

/** The packet after `headroom` octets of zeroes, which are for the Ethernet header. */
export function emitDiscovery(packet: DiscoveryPacket, headroom = 0): Uint8Array {
  const payload = headroom + PPPOE_HEADER_BYTES;
  const bytes = emitTags(packet.tags, payload);
  writePppoeHeader(bytes, headroom, packet.code, packet.sessionId, bytes.length - payload);
  return bytes;
}
