/*
 * What LCP, the NCPs, PAP and CHAP have in common (RFC 1661 §5):
 *
 *   0                   1                   2                   3
 *   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |     Code      |  Identifier   |            Length             |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |    Data ...
 *   +-+-+-+-+
 *
 * and the Configuration Options in the data of Configure packets (§6):
 *
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |     Type      |    Length     |    Data ...
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

import { readU16, writeU16 } from "../base/bytes.ts";

/** Codes 1 to 7, which LCP and every NCP have. */
export const CONFIGURE_REQUEST = 1;
export const CONFIGURE_ACK = 2;
export const CONFIGURE_NAK = 3;
export const CONFIGURE_REJECT = 4;
export const TERMINATE_REQUEST = 5;
export const TERMINATE_ACK = 6;
export const CODE_REJECT = 7;

/** Octets of Code, Identifier and Length. */
export const CONTROL_HEADER_BYTES = 4;

export interface ControlPacket {
  readonly code: number;
  readonly identifier: number;
  /** Without the header. A view into the packet it was parsed from. */
  readonly data: Uint8Array;
}

/** Octets after Length are padding and left out. Undefined when Length is below 4 or beyond the packet. */
export function parseControlPacket(packet: Uint8Array): ControlPacket | undefined {
  if (packet.length < CONTROL_HEADER_BYTES) return undefined;
  const length = readU16(packet, 2);
  if (length < CONTROL_HEADER_BYTES || length > packet.length) return undefined;
  // Not subarray(): on a Buffer it gives a Buffer, whose slice() is no copy, and fields must be copies
  const data = new Uint8Array(
    packet.buffer,
    packet.byteOffset + CONTROL_HEADER_BYTES,
    length - CONTROL_HEADER_BYTES,
  );
  return { code: packet[0]!, identifier: packet[1]!, data };
}

/** The inverse of parseControlPacket; `data` is at most 65,531 octets. */
export function emitControlPacket(packet: ControlPacket): Uint8Array {
  const bytes = new Uint8Array(CONTROL_HEADER_BYTES + packet.data.length);
  bytes[0] = packet.code;
  bytes[1] = packet.identifier;
  writeU16(bytes, 2, bytes.length);
  bytes.set(packet.data, CONTROL_HEADER_BYTES);
  return bytes;
}

/** One Configuration Option as on the wire. */
export interface ConfigOption {
  readonly type: number;
  /** Without Type and Length; at most 253 octets. */
  readonly data: Uint8Array;
}

/** All options of a Configure packet's data, or undefined when a length does not fit. The data are copies. */
export function parseOptions(data: Uint8Array): readonly ConfigOption[] | undefined {
  const options: ConfigOption[] = [];
  let offset = 0;
  while (offset < data.length) {
    const length = data[offset + 1];
    if (length === undefined || length < 2 || offset + length > data.length) return undefined;
    options.push({ type: data[offset]!, data: data.slice(offset + 2, offset + length) });
    offset += length;
  }
  return options;
}

/** The inverse of parseOptions. */
export function emitOptions(options: readonly ConfigOption[]): Uint8Array {
  let length = 0;
  for (const option of options) length += 2 + option.data.length;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const option of options) {
    bytes[offset] = option.type;
    bytes[offset + 1] = 2 + option.data.length;
    bytes.set(option.data, offset + 2);
    offset += 2 + option.data.length;
  }
  return bytes;
}
