/**
 * Netlink framing, attributes and errors (netlink(7)): what every rtnetlink message has in common. Integers
 * are in the host's byte order; addresses inside attributes are in network order.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                   length, with this header                    |
 *   +-------------------------------+-------------------------------+
 *   |             type              |             flags             |
 *   +-------------------------------+-------------------------------+
 *   |                        sequence number                        |
 *   +---------------------------------------------------------------+
 *   |                       port id (0: kernel)                     |
 *   +---------------------------------------------------------------+
 *   ~  family header, then attributes: length 2, type 2, value,     ~
 *   ~  each padded to four octets (the length is without padding)   ~
 */

import { concatBytes, fromUtf8, utf8 } from "../base/bytes.ts";

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are flags in an attribute's type. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;
const NLA_F_NESTED = 0x8000;

const NLMSG_NOOP = 1;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;

export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_INET6 = 10;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
  /** Family header and attributes; a view into what was received. */
  readonly payload: Uint8Array;
}

/** Attribute values by type; of repeated types the last one. Views into the message. */
export type Attributes = ReadonlyMap<number, Uint8Array>;

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function align(length: number): number {
  return (length + 3) & ~3;
}

/** A request to the kernel. `body` is the family header followed by attributes. */
export function emitNetlinkMessage(type: number, flags: number, seq: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(align(HEADER_BYTES + body.length));
  const header = view(message);
  header.setUint32(0, HEADER_BYTES + body.length, LITTLE_ENDIAN);
  header.setUint16(4, type, LITTLE_ENDIAN);
  header.setUint16(6, flags | NLM_F_REQUEST, LITTLE_ENDIAN);
  header.setUint32(8, seq, LITTLE_ENDIAN);
  message.set(body, HEADER_BYTES);
  return message;
}

/**
 * All messages in what was received: one datagram of a notification, or the parts of an answer. What
 * contradicts its own length ends that part.
 */
export function parseNetlinkMessages(parts: readonly Uint8Array[]): readonly NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (const part of parts) {
    const data = view(part);
    let offset = 0;
    while (offset + HEADER_BYTES <= part.length) {
      const length = data.getUint32(offset, LITTLE_ENDIAN);
      if (length < HEADER_BYTES || offset + length > part.length) break;
      const type = data.getUint16(offset + 4, LITTLE_ENDIAN);
      if (type !== NLMSG_NOOP)
        messages.push({
          type,
          flags: data.getUint16(offset + 6, LITTLE_ENDIAN),
          seq: data.getUint32(offset + 8, LITTLE_ENDIAN),
          payload: part.subarray(offset + HEADER_BYTES, offset + length),
        });
      offset += align(length);
    }
  }
  return messages;
}

/**
 * How a request ended: 0 when it succeeded (an acknowledgement, an answer or a complete dump), the positive
 * errno when the kernel refused, undefined when nothing came that says so.
 */
export function netlinkErrno(parts: readonly Uint8Array[]): number | undefined {
  let answered = false;
  for (const message of parseNetlinkMessages(parts)) {
    if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) {
      answered = true;
      continue;
    }
    // both start with a negative errno or 0; an old kernel's NLMSG_DONE may be empty
    if (message.payload.length >= 4) return -view(message.payload).getInt32(0, LITTLE_ENDIAN) | 0;
    if (message.type === NLMSG_DONE) return 0;
  }
  return answered ? 0 : undefined;
}

/** The attributes from `offset` of `bytes` to its end; what contradicts its length ends the list. */
export function parseAttributes(bytes: Uint8Array, offset: number): Attributes {
  const attributes = new Map<number, Uint8Array>();
  forEachAttribute(bytes, offset, (type, value) => attributes.set(type, value));
  return attributes;
}

/** The values of a nest whose attributes are all of one kind, in their order. Views into the message. */
export function attributeList(nest: Uint8Array): readonly Uint8Array[] {
  const values: Uint8Array[] = [];
  forEachAttribute(nest, 0, (_, value) => values.push(value));
  return values;
}

function forEachAttribute(
  bytes: Uint8Array,
  offset: number,
  found: (type: number, value: Uint8Array) => void,
): void {
  const data = view(bytes);
  let at = offset;
  while (at + ATTRIBUTE_HEADER_BYTES <= bytes.length) {
    const length = data.getUint16(at, LITTLE_ENDIAN);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > bytes.length) break;
    const type = data.getUint16(at + 2, LITTLE_ENDIAN) & ATTRIBUTE_TYPE_MASK;
    found(type, bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length));
    at += align(length);
  }
}

/** One attribute, padded to four octets. */
export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align(ATTRIBUTE_HEADER_BYTES + value.length));
  const data = view(bytes);
  data.setUint16(0, ATTRIBUTE_HEADER_BYTES + value.length, LITTLE_ENDIAN);
  data.setUint16(2, type, LITTLE_ENDIAN);
  bytes.set(value, ATTRIBUTE_HEADER_BYTES);
  return bytes;
}

export function attributeU32(type: number, value: number): Uint8Array {
  return attribute(type, hostU32(value));
}

export function nestedAttribute(type: number, ...inner: readonly Uint8Array[]): Uint8Array {
  return attribute(type | NLA_F_NESTED, concatBytes(...inner));
}

/** The text of a NUL-terminated attribute. */
export function attributeText(value: Uint8Array): string {
  const end = value.indexOf(0);
  return fromUtf8(end < 0 ? value : value.subarray(0, end));
}

/** NUL-terminated, as the kernel wants names. */
export function attributeString(type: number, text: string): Uint8Array {
  return attribute(type, utf8(`${text}\0`));
}

/** Four octets in the host's order. */
export function hostU32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  view(bytes).setUint32(0, value, LITTLE_ENDIAN);
  return bytes;
}

/** Reads a u16 in the host's order; undefined when it is not all there. */
export function readHostU16(bytes: Uint8Array | undefined, offset = 0): number | undefined {
  if (bytes === undefined || offset + 2 > bytes.length) return undefined;
  return view(bytes).getUint16(offset, LITTLE_ENDIAN);
}

/** Reads a u32 in the host's order; undefined when it is not all there. */
export function readHostU32(bytes: Uint8Array | undefined, offset = 0): number | undefined {
  if (bytes === undefined || offset + 4 > bytes.length) return undefined;
  return view(bytes).getUint32(offset, LITTLE_ENDIAN);
}

/** AF_INET or AF_INET6 of address octets (4 or 16). */
export function familyOf(address: Uint8Array): number {
  return address.length === 4 ? AF_INET : AF_INET6;
}
