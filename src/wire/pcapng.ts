/**
 * The pcapng capture file format (draft-ietf-opsawg-pcapng), as far as we write it: one section, in little-endian byte
 * order, whose interfaces have time stamps in microseconds since 1970.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +---------------------------------------------------------------+
 *  0 |                          Block Type                           |
 *    +---------------------------------------------------------------+
 *  4 |                      Block Total Length                       |
 *    +---------------------------------------------------------------+
 *  8 /                          Block Body                           /
 *    /              variable length, padded to 32 bits               /
 *    +---------------------------------------------------------------+
 *    |                      Block Total Length                       |
 *    +---------------------------------------------------------------+
 *
 * An option is its code and its length, 16 bits each, and its value, padded to 32 bits; opt_endofopt ends them.
 */

import { concatBytes } from "../base/bytes.ts";

/** Frames from the Ethernet destination on. */
export const LINKTYPE_ETHERNET = 1;
/** Packets from the IPv4 or IPv6 header on. */
export const LINKTYPE_RAW = 101;

const BLOCK_INTERFACE = 1;
export const BLOCK_NAMES = 4;
export const BLOCK_STATISTICS = 5;
export const BLOCK_PACKET = 6;
export const BLOCK_SECTION = 0x0a0d0d0a;

/** In the section header: tells the byte order. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

const OPT_END = 0;
export const OPT_COMMENT = 1;
const SHB_OS = 3;
const SHB_USERAPPL = 4;
const IF_NAME = 2;
const IF_DESCRIPTION = 3;
const IF_TSRESOL = 9;
const IF_FILTER = 11;
const EPB_FLAGS = 2;
const ISB_STARTTIME = 2;
const ISB_ENDTIME = 3;
const ISB_IFRECV = 4;
export const ISB_IFDROP = 5;

/** 10⁻⁶ s. */
const MICROSECONDS = 6;

/** Longer texts are cut: an option has 16 bits for its length. */
const MAX_TEXT_BYTES = 1024;

const BLOCK_FRAME_BYTES = 12;
/** Of a packet block: ours are all alike but for the packet. */
const PACKET_BYTES = BLOCK_FRAME_BYTES + 20 + 12;

export interface PcapngSection {
  /** "lacewing 1.2.3". */
  readonly application: string;
  readonly system?: string | undefined;
  readonly comment?: string | undefined;
}

export interface PcapngInterface {
  readonly linkType: number;
  /** At most so many octets of a packet are kept. */
  readonly snapBytes: number;
  readonly name: string;
  readonly description?: string | undefined;
  /** In libpcap's words. */
  readonly filter?: string | undefined;
}

export interface PcapngPacket {
  /** Microseconds since 1970. */
  readonly timeUs: number;
  /** Octets that it had; `frame` may have fewer. */
  readonly lengthBytes: number;
  readonly frame: Uint8Array;
  /** Undefined: nobody knows. */
  readonly direction: "in" | "out" | undefined;
}

export interface PcapngStatistics {
  /** Microseconds since 1970. */
  readonly startUs: number;
  readonly endUs: number;
  /** Packets that there were, and those of them that are not in the file. */
  readonly received: number;
  readonly dropped: number;
  readonly comment?: string | undefined;
}

/** Section Header Block (§4.1): the first of a file. Its length is not told: it may come bit by bit. */
export function emitPcapngSection({ application, system, comment }: PcapngSection): Uint8Array {
  const body = new Uint8Array(16).fill(0xff, 8);
  const view = new DataView(body.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, true);
  view.setUint16(4, 1, true);
  return block(BLOCK_SECTION, body, [
    text(OPT_COMMENT, comment),
    text(SHB_OS, system),
    text(SHB_USERAPPL, application),
  ]);
}

/** Interface Description Block (§4.2): interfaces are numbered from 0 in their order. */
export function emitPcapngInterface(spec: PcapngInterface): Uint8Array {
  const body = new Uint8Array(8);
  const view = new DataView(body.buffer);
  view.setUint16(0, spec.linkType, true);
  view.setUint32(4, spec.snapBytes, true);
  const { filter } = spec;
  return block(BLOCK_INTERFACE, body, [
    text(IF_NAME, spec.name),
    text(IF_DESCRIPTION, spec.description),
    option(IF_TSRESOL, Uint8Array.of(MICROSECONDS)),
    // the first octet says that it is libpcap's words
    text(IF_FILTER, filter === undefined ? undefined : `\0${filter}`),
  ]);
}

/** Octets of a packet's block; `capturedBytes`: of its frame. */
export function pcapngPacketBytes(capturedBytes: number): number {
  return PACKET_BYTES + padded(capturedBytes);
}

/** Enhanced Packet Block (§4.3), of pcapngPacketBytes(), into `view` at `offset`; what is there must be zero. */
export function writePcapngPacket(
  view: DataView,
  offset: number,
  interfaceId: number,
  { timeUs, lengthBytes, frame, direction }: PcapngPacket,
): void {
  const total = pcapngPacketBytes(frame.length);
  view.setUint32(offset, BLOCK_PACKET, true);
  view.setUint32(offset + 4, total, true);
  view.setUint32(offset + 8, interfaceId, true);
  writeTime(view, offset + 12, timeUs);
  view.setUint32(offset + 20, frame.length, true);
  view.setUint32(offset + 24, lengthBytes, true);
  new Uint8Array(view.buffer, view.byteOffset + offset + 28).set(frame);
  const options = offset + 28 + padded(frame.length);
  view.setUint16(options, EPB_FLAGS, true);
  view.setUint16(options + 2, 4, true);
  view.setUint32(options + 4, direction === undefined ? 0 : direction === "in" ? 1 : 2, true);
  view.setUint32(options + 8, OPT_END, true);
  view.setUint32(options + 12, total, true);
}

/** Interface Statistics Block (§4.6). */
export function emitPcapngStatistics(interfaceId: number, statistics: PcapngStatistics): Uint8Array {
  const { startUs, endUs, received, dropped, comment } = statistics;
  const body = new Uint8Array(12);
  const view = new DataView(body.buffer);
  view.setUint32(0, interfaceId, true);
  writeTime(view, 4, endUs);
  return block(BLOCK_STATISTICS, body, [
    text(OPT_COMMENT, comment),
    option(ISB_STARTTIME, time(startUs)),
    option(ISB_ENDTIME, time(endUs)),
    option(ISB_IFRECV, count(received)),
    option(ISB_IFDROP, count(dropped)),
  ]);
}

/** Name Resolution Block (§4.5) without names: it says nothing but its comment, and may stand anywhere. */
export function emitPcapngNothing(comment?: string): Uint8Array {
  return block(BLOCK_NAMES, new Uint8Array(4), [text(OPT_COMMENT, comment)]);
}

function block(type: number, body: Uint8Array, options: readonly Uint8Array[]): Uint8Array {
  const given = concatBytes(...options);
  const end = given.length === 0 ? 0 : 4;
  const total = BLOCK_FRAME_BYTES + body.length + given.length + end;
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, total, true);
  bytes.set(body, 8);
  bytes.set(given, 8 + body.length);
  view.setUint32(total - 4, total, true);
  return bytes;
}

const NO_OPTION = new Uint8Array(0);

function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + padded(value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, value.length, true);
  bytes.set(value, 4);
  return bytes;
}

/** UTF-8; nothing of a text that is not there. */
function text(code: number, words: string | undefined): Uint8Array {
  if (words === undefined) return NO_OPTION;
  const octets = new Uint8Array(MAX_TEXT_BYTES);
  const { written } = new TextEncoder().encodeInto(words, octets);
  return option(code, octets.subarray(0, written));
}

function count(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

function time(timeUs: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeTime(new DataView(bytes.buffer), 0, timeUs);
  return bytes;
}

/** The upper half comes first, whatever the byte order. */
function writeTime(view: DataView, offset: number, timeUs: number): void {
  view.setUint32(offset, Math.floor(timeUs / 0x1_0000_0000), true);
  view.setUint32(offset + 4, timeUs % 0x1_0000_0000, true);
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
