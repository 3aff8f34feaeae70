/**
 * Ethernet II with up to two VLAN tags (IEEE 802.3, 802.1Q, 802.1ad).
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                       destination address                     |
 *   +                               +-------------------------------+
 *   |                               |         source address        |
 *   +-------------------------------+                               +
 *   |                                                               |
 *   +-------------------------------+-----+-+-----------------------+
 *   |  TPID 0x8100, 0x88A8, 0x9100  | PCP |D|        VLAN id        |  none, one or two of these
 *   +-------------------------------+-----+-+-----------------------+
 *   |           EtherType           |  payload, perhaps padding     ~
 *   +-------------------------------+-------------------------------+
 */

import { readU16, readU32, writeU16, writeU32 } from "../base/bytes.ts";

/** One VLAN tag as on the wire: TPID 0x8100 or 0x88A8, and priority, DEI and VLAN id in `tci`. */
export interface VlanTag {
  readonly tpid: number;
  readonly tci: number;
}

const ETHERNET_DESTINATION = 0;
const ETHERNET_SOURCE = 6;
/** Offset of the EtherType, or of the outermost tag's TPID. */
const ETHERNET_TYPE = 12;
const ETHERNET_HEADER_BYTES = 14;
export const VLAN_TAG_BYTES = 4;
export const MAC_BYTES = 6;

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;
export const ETHERTYPE_PPPOE_DISCOVERY = 0x8863;
export const ETHERTYPE_PPPOE_SESSION = 0x8864;
export const TPID_8021Q = 0x8100;
const TPID_8021AD = 0x88a8;
/** Never standardised, and still what some access nodes put on the outer tag. */
const TPID_QINQ_LEGACY = 0x9100;

const VLAN_ID_MASK = 0x0fff;
const MAX_TAGS = 2;

export const BROADCAST_MAC: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff);

/** An Ethernet frame without its checksum. */
export interface EthernetFrame {
  /** Six octets. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  /** Outermost first; at most two. */
  readonly tags: readonly VlanTag[];
  readonly etherType: number;
  /** With whatever padding follows it. */
  readonly payload: Uint8Array;
}

function isTpid(type: number): boolean {
  return type === TPID_8021Q || type === TPID_8021AD || type === TPID_QINQ_LEGACY;
}

/**
 * View form: where the EtherType of the frame at `offset` stands, after at most two tags; the payload starts
 * two octets later. −1 when the frame ends before that. Under three tags it is the third one's TPID that is
 * found, an EtherType that nobody serves.
 */
export function etherTypeOffset(bytes: Uint8Array, offset: number, length: number): number {
  const end = offset + length;
  let at = offset + ETHERNET_TYPE;
  for (let tags = 0; tags < MAX_TAGS; tags++) {
    if (at + 2 > end) return -1;
    if (!isTpid(readU16(bytes, at))) return at;
    at += VLAN_TAG_BYTES;
  }
  return at + 2 > end ? -1 : at;
}

/** Value form; undefined when the frame is too short. `payload` is a view, the addresses are copies. */
export function parseEthernet(bytes: Uint8Array): EthernetFrame | undefined {
  const typeAt = etherTypeOffset(bytes, 0, bytes.length);
  if (typeAt < 0) return undefined;
  const tags: VlanTag[] = [];
  for (let at = ETHERNET_TYPE; at < typeAt; at += VLAN_TAG_BYTES)
    tags.push({ tpid: readU16(bytes, at), tci: readU16(bytes, at + 2) });
  return {
    destination: bytes.slice(ETHERNET_DESTINATION, ETHERNET_DESTINATION + MAC_BYTES),
    source: bytes.slice(ETHERNET_SOURCE, ETHERNET_SOURCE + MAC_BYTES),
    tags,
    etherType: readU16(bytes, typeAt),
    payload: bytes.subarray(typeAt + 2),
  };
}

/** Octets of a header with this many tags. */
export function ethernetHeaderBytes(tagCount: number): number {
  return ETHERNET_HEADER_BYTES + tagCount * VLAN_TAG_BYTES;
}

/** Writes the header at `offset`; returns the offset after it. */
export function writeEthernetHeader(
  bytes: Uint8Array,
  offset: number,
  header: Omit<EthernetFrame, "payload">,
): number {
  bytes.set(header.destination, offset + ETHERNET_DESTINATION);
  bytes.set(header.source, offset + ETHERNET_SOURCE);
  let at = offset + ETHERNET_TYPE;
  for (const tag of header.tags) {
    writeU16(bytes, at, tag.tpid);
    writeU16(bytes, at + 2, tag.tci);
    at += VLAN_TAG_BYTES;
  }
  writeU16(bytes, at, header.etherType);
  return at + 2;
}

/** The frame without padding to 60 octets: that is the device's business. */
export function emitEthernet(frame: EthernetFrame): Uint8Array {
  const bytes = new Uint8Array(ethernetHeaderBytes(frame.tags.length) + frame.payload.length);
  bytes.set(frame.payload, writeEthernetHeader(bytes, 0, frame));
  return bytes;
}

/** An address that one station can have: not a group's, and not all zeroes. */
export function isStationMac(mac: Uint8Array): boolean {
  return (mac[0]! & 1) === 0 && mac.some((octet) => octet !== 0);
}

/** Same TPIDs and VLAN ids; priority and DEI may differ from frame to frame of one sender. */
export function sameVlans(a: readonly VlanTag[], b: readonly VlanTag[]): boolean {
  return (
    a.length === b.length && a.every((tag, i) => tag.tpid === b[i]!.tpid && vlanId(tag) === vlanId(b[i]!))
  );
}

/** The VLAN id, 0 to 4095, of a tag. */
export function vlanId(tag: VlanTag): number {
  return tag.tci & VLAN_ID_MASK;
}

/** A MAC address as a number of 48 bits: an array of its six octets takes ten times the memory. */
export function macNumber(mac: Uint8Array): number {
  return readU16(mac, 0) * 2 ** 32 + readU32(mac, 2);
}

export function macOctets(number: number): Uint8Array {
  const mac = new Uint8Array(MAC_BYTES);
  writeU16(mac, 0, Math.floor(number / 2 ** 32));
  writeU32(mac, 2, number % 2 ** 32);
  return mac;
}

/** Every octet's two digits. */
const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, "0"));

/** "02:00:5e:10:00:01". */
export function formatMac(mac: Uint8Array): string {
  let text = "";
  for (const octet of mac) text += text === "" ? HEX[octet] : `:${HEX[octet]}`;
  return text;
}

/** Six octets from six colon-separated pairs of hexadecimal digits, or undefined. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return undefined;
  return Uint8Array.from(text.split(":"), (pair) => Number.parseInt(pair, 16));
}
