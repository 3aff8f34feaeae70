/**
 * Tags of PPPoE discovery packets (RFC 2516 §5 and appendix A, RFC 4638, TR-101).
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |            tag type           |           tag length          |
 *   +-------------------------------+-------------------------------+
 *   |  tag value …                                                  ~
 *   +---------------------------------------------------------------+
 */

import { fromUtf8, readU16, readU32, utf8, writeU16, writeU32 } from "../base/bytes.ts";

const TAG_END_OF_LIST = 0x0000;
export const TAG_SERVICE_NAME = 0x0101;
export const TAG_AC_NAME = 0x0102;
export const TAG_HOST_UNIQ = 0x0103;
export const TAG_AC_COOKIE = 0x0104;
export const TAG_VENDOR_SPECIFIC = 0x0105;
export const TAG_RELAY_SESSION_ID = 0x0110;
/** RFC 4638: the largest PPP payload, in octets, that the sender takes. */
export const TAG_PPP_MAX_PAYLOAD = 0x0120;
export const TAG_SERVICE_NAME_ERROR = 0x0201;
export const TAG_AC_SYSTEM_ERROR = 0x0202;
export const TAG_GENERIC_ERROR = 0x0203;

const TAG_HEADER_BYTES = 4;

/** The enterprise number under which TR-101 (and RFC 4679, RFC 5515) puts access line data. */
const VENDOR_BROADBAND_FORUM = 3561;
const AGENT_CIRCUIT_ID = 1;
const AGENT_REMOTE_ID = 2;

export interface PppoeTag {
  readonly type: number;
  readonly value: Uint8Array;
}

/**
 * The tags of a discovery payload, in order, up to its end or to End-Of-List (which is not among them).
 * Undefined when a tag reaches beyond the payload. Values are copies.
 */
export function parseTags(payload: Uint8Array): readonly PppoeTag[] | undefined {
  const tags: PppoeTag[] = [];
  let at = 0;
  while (at < payload.length) {
    if (at + TAG_HEADER_BYTES > payload.length) return undefined;
    const type = readU16(payload, at);
    if (type === TAG_END_OF_LIST) return tags;
    const start = at + TAG_HEADER_BYTES;
    const end = start + readU16(payload, at + 2);
    if (end > payload.length) return undefined;
    tags.push({ type, value: payload.slice(start, end) });
    at = end;
  }
  return tags;
}

/** Octets that emitTags makes of these. */
export function tagsBytes(tags: readonly PppoeTag[]): number {
  let length = 0;
  for (const { value } of tags) length += TAG_HEADER_BYTES + value.length;
  return length;
}

/** The tags after `headroom` octets of zeroes, which are for the headers. */
export function emitTags(tags: readonly PppoeTag[], headroom = 0): Uint8Array {
  const bytes = new Uint8Array(headroom + tagsBytes(tags));
  let at = headroom;
  for (const { type, value } of tags) {
    writeU16(bytes, at, type);
    writeU16(bytes, at + 2, value.length);
    bytes.set(value, at + TAG_HEADER_BYTES);
    at += TAG_HEADER_BYTES + value.length;
  }
  return bytes;
}

/** The value of the first tag of a type. */
export function findTag(tags: readonly PppoeTag[], type: number): Uint8Array | undefined {
  return tags.find((tag) => tag.type === type)?.value;
}

/** The text of the first tag of a type; what is not UTF-8 becomes U+FFFD. */
export function findTextTag(tags: readonly PppoeTag[], type: number): string | undefined {
  const value = findTag(tags, type);
  return value && fromUtf8(value);
}

export function textTag(type: number, text: string): PppoeTag {
  return { type, value: utf8(text) };
}

/** RFC 4638 §2. */
export function maxPayloadTag(octets: number): PppoeTag {
  const value = new Uint8Array(2);
  writeU16(value, 0, octets);
  return { type: TAG_PPP_MAX_PAYLOAD, value };
}

/** PPP-Max-Payload in octets; undefined when it is absent or not two octets long. */
export function findMaxPayload(tags: readonly PppoeTag[]): number | undefined {
  const value = findTag(tags, TAG_PPP_MAX_PAYLOAD);
  return value?.length === 2 ? readU16(value, 0) : undefined;
}

/** One sub-option of the access line tag; what it means is in TR-101 appendix A, RFC 4679 and RFC 5515. */
export interface LineSubOption {
  readonly type: number;
  readonly value: Uint8Array;
}

/** What the access node tells of the line that a discovery packet came from. */
export interface AccessLine {
  readonly circuitId?: string;
  readonly remoteId?: string;
  /** All of them as received, the two above included. */
  readonly subOptions: readonly LineSubOption[];
}

/** The access line of a discovery packet; undefined when no such tag is there or it contradicts its lengths. */
export function findAccessLine(tags: readonly PppoeTag[]): AccessLine | undefined {
  const tag = tags.find(
    ({ type, value }) =>
      type === TAG_VENDOR_SPECIFIC && value.length >= 4 && readU32(value, 0) === VENDOR_BROADBAND_FORUM,
  );
  const subOptions = tag && parseSubOptions(tag.value.subarray(4));
  if (subOptions === undefined) return undefined;
  const circuitId = subOptions.find(({ type }) => type === AGENT_CIRCUIT_ID);
  const remoteId = subOptions.find(({ type }) => type === AGENT_REMOTE_ID);
  return {
    subOptions,
    ...(circuitId && { circuitId: fromUtf8(circuitId.value) }),
    ...(remoteId && { remoteId: fromUtf8(remoteId.value) }),
  };
}

/** Type and length of one octet each. */
function parseSubOptions(bytes: Uint8Array): readonly LineSubOption[] | undefined {
  const subOptions: LineSubOption[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = bytes[at + 1];
    if (length === undefined || at + 2 + length > bytes.length) return undefined;
    subOptions.push({ type: bytes[at]!, value: bytes.slice(at + 2, at + 2 + length) });
    at += 2 + length;
  }
  return subOptions;
}

/** The Vendor-Specific tag of these sub-options, each value at most 255 octets. */
export function accessLineTag(subOptions: readonly LineSubOption[]): PppoeTag {
  const value = new Uint8Array(4 + subOptions.reduce((sum, option) => sum + 2 + option.value.length, 0));
  writeU32(value, 0, VENDOR_BROADBAND_FORUM);
  let at = 4;
  for (const option of subOptions) {
    value[at] = option.type;
    value[at + 1] = option.value.length;
    value.set(option.value, at + 2);
    at += 2 + option.value.length;
  }
  return { type: TAG_VENDOR_SPECIFIC, value };
}
