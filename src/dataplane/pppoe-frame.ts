/** PPPoE session frames in place, under at most two VLAN tags, and what goes before the PPP frames that we send. */

import { readU16 } from "../base/bytes.ts";
import type { EthernetPeerSpec } from "../channel/dataplane.ts";
import {
  ETHERTYPE_PPPOE_SESSION,
  ethernetHeaderBytes,
  etherTypeOffset,
  MAC_BYTES,
  VLAN_TAG_BYTES,
  type VlanTag,
  writeEthernetHeader,
} from "../wire/ethernet.ts";
import {
  PPPOE_BAD_VERSION,
  PPPOE_CODE,
  PPPOE_HEADER_BYTES,
  PPPOE_SESSION_DATA,
  PPPOE_SESSION_ID,
  pppoePayloadLength,
  writePppoeHeader,
} from "../wire/pppoe.ts";
import { ACCEPT, BAD_LENGTH, BAD_VERSION, type DropCode, TRUNCATED } from "./drop-codes.ts";

export { largestPppFrame } from "../wire/pppoe.ts";

/** The longest header before a PPP frame: MAC addresses, two tags, EtherType, PPPoE. */
export const PPPOE_HEADERS_MAX = ethernetHeaderBytes(2) + PPPOE_HEADER_BYTES;

/** Where things are in one frame. A reader has one of these and fills it again for every frame. */
export class PppoeFrame {
  /** Octets of MAC addresses, tags and EtherType. */
  ethernetBytes = 0;
  sessionId = 0;
  /** Where the PPP protocol field is, from the start of `bytes`; padding of a short frame is not counted. */
  pppOffset = 0;
  pppBytes = 0;
}

/** Reads the frame of `length` octets at `offset`; ACCEPT, or why it is dropped. */
export function readPppoeFrame(
  frame: PppoeFrame,
  bytes: Uint8Array,
  offset: number,
  length: number,
): DropCode {
  const typeAt = etherTypeOffset(bytes, offset, length);
  if (typeAt < 0) return TRUNCATED;
  if (readU16(bytes, typeAt) !== ETHERTYPE_PPPOE_SESSION) return BAD_VERSION;
  const header = typeAt + 2;
  const available = offset + length - header;
  const pppBytes = pppoePayloadLength(bytes, header, available);
  if (pppBytes <= 0) {
    if (pppBytes === PPPOE_BAD_VERSION) return BAD_VERSION;
    return pppBytes === 0 || available < PPPOE_HEADER_BYTES ? TRUNCATED : BAD_LENGTH;
  }
  if (bytes[header + PPPOE_CODE] !== PPPOE_SESSION_DATA) return BAD_VERSION;
  frame.ethernetBytes = header - offset;
  frame.sessionId = readU16(bytes, header + PPPOE_SESSION_ID);
  frame.pppOffset = header + PPPOE_HEADER_BYTES;
  frame.pppBytes = pppBytes;
  return ACCEPT;
}

/** MAC addresses, tags and EtherType of what we send to a peer: 14, 18 or 22 octets. */
export function ethernetHeader(peer: EthernetPeerSpec): Uint8Array {
  const header = new Uint8Array(ethernetHeaderBytes(peer.tags.length));
  writeEthernetHeader(header, 0, {
    destination: peer.remoteMac,
    source: peer.localMac,
    tags: peer.tags,
    etherType: ETHERTYPE_PPPOE_SESSION,
  });
  return header;
}

/**
 * Whether a received Ethernet header is the mirror of `header`, which we send to that peer and which starts at
 * `headerOffset` of `headers`. Priority and DEI of tags may differ: switches set them.
 */
export function isFromPeer(
  bytes: Uint8Array,
  offset: number,
  ethernetBytes: number,
  headers: Uint8Array,
  headerOffset: number,
  headerBytes: number,
): boolean {
  if (ethernetBytes !== headerBytes) return false;
  for (let i = 0; i < MAC_BYTES; i++) {
    if (bytes[offset + i] !== headers[headerOffset + MAC_BYTES + i]) return false;
    if (bytes[offset + MAC_BYTES + i] !== headers[headerOffset + i]) return false;
  }
  for (let i = 12; i + 2 < ethernetBytes; i += VLAN_TAG_BYTES) {
    if (readU16(bytes, offset + i) !== readU16(headers, headerOffset + i)) return false;
    const difference = readU16(bytes, offset + i + 2) ^ readU16(headers, headerOffset + i + 2);
    if ((difference & 0x0fff) !== 0) return false;
  }
  return true;
}

/** Writes a whole header so that it ends before `end`, where the PPP frame starts; returns where it starts. */
export function writePppoeHeaders(
  bytes: Uint8Array,
  end: number,
  headers: Uint8Array,
  headerOffset: number,
  headerBytes: number,
  sessionId: number,
  pppBytes: number,
): number {
  const pppoe = end - PPPOE_HEADER_BYTES;
  writePppoeHeader(bytes, pppoe, PPPOE_SESSION_DATA, sessionId, pppBytes);
  const start = pppoe - headerBytes;
  for (let i = 0; i < headerBytes; i++) bytes[start + i] = headers[headerOffset + i]!;
  return start;
}

/** One frame to a peer, as a new array. */
export function emitPppoeFrame(peer: EthernetPeerSpec, sessionId: number, ppp: Uint8Array): Uint8Array {
  const header = ethernetHeader(peer);
  const end = header.length + PPPOE_HEADER_BYTES;
  const frame = new Uint8Array(end + ppp.length);
  writePppoeHeaders(frame, end, header, 0, header.length, sessionId, ppp.length);
  frame.set(ppp, end);
  return frame;
}

/** The tags of a frame whose Ethernet header has `ethernetBytes` octets, outermost first. */
export function readTags(bytes: Uint8Array, offset: number, ethernetBytes: number): VlanTag[] {
  const tags: VlanTag[] = [];
  for (let i = 12; i + 2 < ethernetBytes; i += VLAN_TAG_BYTES)
    tags.push({ tpid: readU16(bytes, offset + i), tci: readU16(bytes, offset + i + 2) });
  return tags;
}
