/** The IETF attributes of L2TPv2 (RFC 2661 §4.4, RFC 3145, RFC 3437, RFC 5515 §6): number, M bit, whether it may be hidden, and its value. */

import { fromUtf8, readU16, readU32, writeU16, writeU32 } from "../base/bytes.ts";
import type { PppDisconnectCause, ResultCode } from "./l2tp-codes.ts";

/** How a value is read and written. `minBytes` to `maxBytes` is what its length may be. */
interface Codec<T> {
  readonly minBytes: number;
  readonly maxBytes: number;
  /** The length has been checked; undefined when the value is out of range. */
  decode(value: Uint8Array): T | undefined;
  /** Writes the value and gives the number of its octets; -1 when it is too long. There is room for LONGEST_VALUE. */
  write(value: T, bytes: Uint8Array, at: number): number;
}

export interface Attribute<T> extends Codec<T> {
  readonly type: number;
  /** The RFC's name, for messages. */
  readonly name: string;
  readonly mandatory: boolean;
  readonly hideable: boolean;
}

/** Octets: nothing longer fits an AVP (§4.1). */
const LONGEST_VALUE = 1017;
/** Octets of an Error Message that we send: it is for people. */
const LONGEST_ERROR_MESSAGE = 200;

const encoder = new TextEncoder();

/** Writes as much of a text as fits `maxBytes`, in UTF-8 and in whole characters; the octets written. */
function writeText(text: string, bytes: Uint8Array, at: number, maxBytes: number): number {
  const length = Math.min(text.length, maxBytes);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return encoder.encodeInto(text, bytes.subarray(at, at + maxBytes)).written;
    bytes[at + i] = code;
  }
  return length;
}

const u16: Codec<number> = {
  minBytes: 2,
  maxBytes: 2,
  decode: (value) => readU16(value, 0),
  write: (value, bytes, at) => {
    writeU16(bytes, at, value);
    return 2;
  },
};

const positiveU16: Codec<number> = { ...u16, decode: (value) => readU16(value, 0) || undefined };

const u32: Codec<number> = {
  minBytes: 4,
  maxBytes: 4,
  decode: (value) => readU32(value, 0),
  write: (value, bytes, at) => {
    writeU32(bytes, at, value);
    return 4;
  },
};

/** A view of what it is read from. */
function octets(minBytes: number, maxBytes: number): Codec<Uint8Array> {
  return {
    minBytes,
    maxBytes,
    decode: (value) => value,
    write: (value, bytes, at) => {
      if (value.length > LONGEST_VALUE) return -1;
      bytes.set(value, at);
      return value.length;
    },
  };
}

function text(minBytes: number): Codec<string> {
  return {
    minBytes,
    maxBytes: LONGEST_VALUE,
    decode: fromUtf8,
    write: (value, bytes, at) => {
      // one octet more than may be shows that it does not fit
      const written = writeText(value, bytes, at, LONGEST_VALUE + 4);
      return written > LONGEST_VALUE ? -1 : written;
    },
  };
}

/** An AVP that says something by being there. */
const presence: Codec<true> = {
  minBytes: 0,
  maxBytes: LONGEST_VALUE,
  decode: () => true,
  write: () => 0,
};

const resultCode: Codec<ResultCode> = {
  minBytes: 2,
  maxBytes: LONGEST_VALUE,
  decode: (value) => ({
    result: readU16(value, 0),
    ...(value.length >= 4 && { error: readU16(value, 2) }),
    ...(value.length > 4 && { message: fromUtf8(value.subarray(4)) }),
  }),
  write: ({ result, error, message }, bytes, at) => {
    writeU16(bytes, at, result);
    writeU16(bytes, at + 2, error ?? 0);
    const said = writeText(message ?? "", bytes, at + 4, LONGEST_ERROR_MESSAGE);
    return said > 0 ? 4 + said : error === undefined ? 2 : 4;
  },
};

const disconnectCause: Codec<PppDisconnectCause> = {
  minBytes: 5,
  maxBytes: LONGEST_VALUE,
  decode: (value) => ({
    code: readU16(value, 0),
    protocol: readU16(value, 2),
    direction: value[4]!,
    ...(value.length > 5 && { message: fromUtf8(value.subarray(5)) }),
  }),
  write: ({ code, protocol, direction, message }, bytes, at) => {
    writeU16(bytes, at, code);
    writeU16(bytes, at + 2, protocol);
    bytes[at + 4] = direction;
    return 5 + writeText(message ?? "", bytes, at + 5, LONGEST_ERROR_MESSAGE);
  },
};

/** What a session's connect speeds are now, in bit/s; `sessionId` is the one that the receiver assigned (RFC 5515 §6.1). */
export interface SpeedUpdate {
  readonly sessionId: number;
  readonly txConnectSpeed: number;
  readonly rxConnectSpeed: number;
}

/** Reserved (two octets), session id, Tx and Rx Connect Speed. */
const speedUpdate: Codec<SpeedUpdate> = {
  minBytes: 12,
  maxBytes: 12,
  decode: (value) => ({
    sessionId: readU16(value, 2),
    txConnectSpeed: readU32(value, 4),
    rxConnectSpeed: readU32(value, 8),
  }),
  write: ({ sessionId, txConnectSpeed, rxConnectSpeed }, bytes, at) => {
    writeU16(bytes, at, 0);
    writeU16(bytes, at + 2, sessionId);
    writeU32(bytes, at + 4, txConnectSpeed);
    writeU32(bytes, at + 8, rxConnectSpeed);
    return 12;
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
  challenge: attribute(11, "Challenge", octets(1, LONGEST_VALUE), true, true),
  /** Cause code (two octets), cause message (one), advisory text. */
  q931CauseCode: attribute(12, "Q.931 Cause Code", octets(3, LONGEST_VALUE), true, false),
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
  initialReceivedLcp: attribute(26, "Initial Received LCP CONFREQ", octets(0, LONGEST_VALUE), false, true),
  lastSentLcp: attribute(27, "Last Sent LCP CONFREQ", octets(0, LONGEST_VALUE), false, true),
  lastReceivedLcp: attribute(28, "Last Received LCP CONFREQ", octets(0, LONGEST_VALUE), false, true),
  proxyAuthenType: attribute(29, "Proxy Authen Type", u16, false, true),
  proxyAuthenName: attribute(30, "Proxy Authen Name", octets(0, LONGEST_VALUE), false, true),
  proxyAuthenChallenge: attribute(31, "Proxy Authen Challenge", octets(1, LONGEST_VALUE), false, true),
  /** The upper octet is reserved. */
  proxyAuthenId: attribute(32, "Proxy Authen ID", u16, false, true),
  proxyAuthenResponse: attribute(33, "Proxy Authen Response", octets(0, LONGEST_VALUE), false, true),
  /** Reserved (two octets), then six counters of four. */
  callErrors: attribute(34, "Call Errors", octets(26, 26), true, true),
  /** Reserved (two octets), Send ACCM, Receive ACCM. */
  accm: attribute(35, "ACCM", octets(10, 10), true, true),
  privateGroupId: attribute(37, "Private Group ID", text(0), false, true),
  rxConnectSpeed: attribute(38, "Rx Connect Speed", u32, false, true),
  sequencingRequired: attribute(39, "Sequencing Required", presence, true, false),
  /** RFC 3145. */
  pppDisconnectCause: attribute(46, "PPP Disconnect Cause Code", disconnectCause, false, true),
  // RFC 3437: in no message of ours, and nothing that a call should end for
  lcpWantOptions: attribute(49, "LCP Want Options", octets(0, LONGEST_VALUE), false, true),
  lcpAllowOptions: attribute(50, "LCP Allow Options", octets(0, LONGEST_VALUE), false, true),
  lnsLastSentLcp: attribute(51, "LNS Last Sent LCP CONFREQ", octets(0, LONGEST_VALUE), false, true),
  lnsLastReceivedLcp: attribute(52, "LNS Last Received LCP CONFREQ", octets(0, LONGEST_VALUE), false, true),
  /** RFC 5515 §6. Who hides it would only be misunderstood: it says nothing of the subscriber. */
  connectSpeedUpdate: attribute(97, "Connect Speed Update", speedUpdate, false, false),
  connectSpeedUpdateEnable: attribute(98, "Connect Speed Update Enable", presence, false, false),
} as const;

export type FieldName = keyof typeof ATTRIBUTES;
/** A message may have several of it: one for each session. */
type RepeatedField = "connectSpeedUpdate";
export type FieldValues = {
  readonly [F in FieldName]: (typeof ATTRIBUTES)[F] extends Attribute<infer T>
    ? F extends RepeatedField
      ? readonly T[]
      : T
    : never;
};

/** Values of IETF attributes by number. */
export const FIELD_BY_TYPE: ReadonlyMap<number, FieldName> = new Map(
  (Object.keys(ATTRIBUTES) as FieldName[]).map((field) => [ATTRIBUTES[field].type, field]),
);

/** IETF attributes by number. */
export const ATTRIBUTE_BY_TYPE: readonly (Attribute<unknown> | undefined)[] = (() => {
  const byType: (Attribute<unknown> | undefined)[] = [];
  for (const field of Object.keys(ATTRIBUTES) as FieldName[])
    byType[ATTRIBUTES[field].type] = ATTRIBUTES[field] as Attribute<unknown>;
  return byType;
})();
