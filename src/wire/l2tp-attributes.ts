/** The IETF attributes of L2TPv2 (RFC 2661 §4.4): number, M bit, whether it may be hidden, and its value. */

import { fromUtf8, readU16, readU32, utf8, utf8Within, writeU16, writeU32 } from "../base/bytes.ts";
import type { ResultCode } from "./l2tp-codes.ts";

/** How a value is read and written. `minBytes` to `maxBytes` is what its length may be. */
interface Codec<T> {
  readonly minBytes: number;
  readonly maxBytes: number;
  /** The length has been checked; undefined when the value is out of range. */
  decode(value: Uint8Array): T | undefined;
  encode(value: T): Uint8Array;
}

export interface Attribute<T> extends Codec<T> {
  readonly type: number;
  /** The RFC's name, for messages. */
  readonly name: string;
  readonly mandatory: boolean;
  readonly hideable: boolean;
}

/** Nothing longer fits an AVP (§4.1). */
const LONGEST = 1017;
/** Octets of an Error Message that we send: it is for people. */
const LONGEST_ERROR_MESSAGE = 200;

const u16: Codec<number> = {
  minBytes: 2,
  maxBytes: 2,
  decode: (value) => readU16(value, 0),
  encode: (value) => {
    const bytes = new Uint8Array(2);
    writeU16(bytes, 0, value);
    return bytes;
  },
};

const positiveU16: Codec<number> = { ...u16, decode: (value) => readU16(value, 0) || undefined };

const u32: Codec<number> = {
  minBytes: 4,
  maxBytes: 4,
  decode: (value) => readU32(value, 0),
  encode: (value) => {
    const bytes = new Uint8Array(4);
    writeU32(bytes, 0, value);
    return bytes;
  },
};

/** Copies, so that what we keep does not hold on to the datagram. */
function octets(minBytes: number, maxBytes: number): Codec<Uint8Array> {
  return { minBytes, maxBytes, decode: (value) => value.slice(), encode: (value) => value };
}

function text(minBytes: number): Codec<string> {
  return { minBytes, maxBytes: LONGEST, decode: fromUtf8, encode: utf8 };
}

/** An AVP that says something by being there. */
const presence: Codec<true> = {
  minBytes: 0,
  maxBytes: LONGEST,
  decode: () => true,
  encode: () => new Uint8Array(0),
};

const resultCode: Codec<ResultCode> = {
  minBytes: 2,
  maxBytes: LONGEST,
  decode: (value) => ({
    result: readU16(value, 0),
    ...(value.length >= 4 && { error: readU16(value, 2) }),
    ...(value.length > 4 && { message: fromUtf8(value.subarray(4)) }),
  }),
  encode: ({ result, error, message }) => {
    const said = utf8Within(message ?? "", LONGEST_ERROR_MESSAGE);
    const bytes = new Uint8Array(said.length > 0 ? 4 + said.length : error === undefined ? 2 : 4);
    writeU16(bytes, 0, result);
    if (bytes.length > 2) writeU16(bytes, 2, error ?? 0);
    bytes.set(said, Math.min(4, bytes.length));
    return bytes;
  },
};

function attribute<T>(
  type: number,
  name: string,
  codec: Codec<T>,
  mandatory: boolean,
  hideable: boolean,
): Attribute<T> {
  return { ...codec, type, name, mandatory, hideable };
}

export const MESSAGE_TYPE = 0;
export const HOST_NAME = 7;
export const RANDOM_VECTOR = 36;

/** Assigned ids may be hidden too, but every header shows them: we send them in the clear, and a refusal needs them. */
const ID_HIDEABLE = false;

/** Every attribute that we read or write, by the name that our message values use. */
export const ATTRIBUTES = {
  resultCode: attribute(1, "Result Code", resultCode, true, false),
  protocolVersion: attribute(2, "Protocol Version", u16, true, false),
  framingCapabilities: attribute(3, "Framing Capabilities", u32, true, true),
  bearerCapabilities: attribute(4, "Bearer Capabilities", u32, true, true),
  tieBreaker: attribute(5, "Tie Breaker", octets(8, 8), false, false),
  firmwareRevision: attribute(6, "Firmware Revision", u16, false, true),
  hostName: attribute(HOST_NAME, "Host Name", text(1), true, false),
  vendorName: attribute(8, "Vendor Name", text(0), false, true),
  assignedTunnelId: attribute(9, "Assigned Tunnel ID", u16, true, ID_HIDEABLE),
  receiveWindowSize: attribute(10, "Receive Window Size", positiveU16, true, false),
  challenge: attribute(11, "Challenge", octets(1, LONGEST), true, true),
  /** Cause code (two octets), cause message (one), advisory text. */
  q931CauseCode: attribute(12, "Q.931 Cause Code", octets(3, LONGEST), true, false),
  challengeResponse: attribute(13, "Challenge Response", octets(16, 16), true, true),
  assignedSessionId: attribute(14, "Assigned Session ID", u16, true, ID_HIDEABLE),
  callSerialNumber: attribute(15, "Call Serial Number", u32, true, true),
  minimumBps: attribute(16, "Minimum BPS", u32, true, true),
  maximumBps: attribute(17, "Maximum BPS", u32, true, true),
  bearerType: attribute(18, "Bearer Type", u32, true, true),
  framingType: attribute(19, "Framing Type", u32, true, true),
  calledNumber: attribute(21, "Called Number", text(0), true, true),
  callingNumber: attribute(22, "Calling Number", text(0), true, true),
  subAddress: attribute(23, "Sub-Address", text(0), true, true),
  txConnectSpeed: attribute(24, "(Tx) Connect Speed", u32, true, true),
  physicalChannelId: attribute(25, "Physical Channel ID", u32, false, true),
  initialReceivedLcp: attribute(26, "Initial Received LCP CONFREQ", octets(0, LONGEST), false, true),
  lastSentLcp: attribute(27, "Last Sent LCP CONFREQ", octets(0, LONGEST), false, true),
  lastReceivedLcp: attribute(28, "Last Received LCP CONFREQ", octets(0, LONGEST), false, true),
  proxyAuthenType: attribute(29, "Proxy Authen Type", u16, false, true),
  proxyAuthenName: attribute(30, "Proxy Authen Name", octets(0, LONGEST), false, true),
  proxyAuthenChallenge: attribute(31, "Proxy Authen Challenge", octets(1, LONGEST), false, true),
  /** The upper octet is reserved. */
  proxyAuthenId: attribute(32, "Proxy Authen ID", u16, false, true),
  proxyAuthenResponse: attribute(33, "Proxy Authen Response", octets(0, LONGEST), false, true),
  /** Reserved (two octets), then six counters of four. */
  callErrors: attribute(34, "Call Errors", octets(26, 26), true, true),
  /** Reserved (two octets), Send ACCM, Receive ACCM. */
  accm: attribute(35, "ACCM", octets(10, 10), true, true),
  privateGroupId: attribute(37, "Private Group ID", text(0), false, true),
  rxConnectSpeed: attribute(38, "Rx Connect Speed", u32, false, true),
  sequencingRequired: attribute(39, "Sequencing Required", presence, true, false),
} as const;

export type FieldName = keyof typeof ATTRIBUTES;
export type FieldValues = {
  readonly [F in FieldName]: (typeof ATTRIBUTES)[F] extends Attribute<infer T> ? T : never;
};

/** Values of IETF attributes by number. */
export const FIELD_BY_TYPE: ReadonlyMap<number, FieldName> = new Map(
  (Object.keys(ATTRIBUTES) as FieldName[]).map((field) => [ATTRIBUTES[field].type, field]),
);
