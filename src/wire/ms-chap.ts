/*
 * What MS-CHAPv2 (RFC 2759) puts into the fields of CHAP packets (see chap.ts).
 *
 *   The Value of a Response (§4)
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |  Peer-Challenge, 16 octets ...                                |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |  Reserved, 8 octets of zero ...                               |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |  NT-Response, 24 octets ...                                   |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |  Flags: zero  |
 *   +-+-+-+-+-+-+-+-+
 *
 *   The Message of a Success (§5):  S=<40 hexadecimal digits> M=<text>
 *   The Message of a Failure (§6):  E=<error> R=<retry> C=<32 hexadecimal digits> V=<version> M=<text>
 */

import { fromUtf8, toHex, utf8 } from "../base/bytes.ts";

/** Octets of either side's challenge. */
export const MS_CHAP_CHALLENGE_BYTES = 16;
/** Octets of a Response's Value. */
const MS_CHAP_RESPONSE_BYTES = 49;

const NT_RESPONSE_OFFSET = 24;
const FLAGS_OFFSET = 48;

/** "S=" and 40 digits. */
const AUTHENTICATOR_RESPONSE_CHARS = 42;

/** Errors of a Failure. */
const ERROR_AUTHENTICATION_FAILURE = 691;
/** V=3 says that a password would be changed as RFC 2759 §7 has it; with E=691 nobody is invited to. */
const PASSWORD_CHANGE_VERSION = 3;

export interface MsChapV2Response {
  /** 16 octets. */
  readonly peerChallenge: Uint8Array;
  /** 24 octets. */
  readonly ntResponse: Uint8Array;
}

/** Undefined when the Value is not of 49 octets. The fields are copies. Reserved and Flags are not looked at. */
export function parseMsChapV2Response(value: Uint8Array): MsChapV2Response | undefined {
  if (value.length !== MS_CHAP_RESPONSE_BYTES) return undefined;
  return {
    peerChallenge: value.slice(0, MS_CHAP_CHALLENGE_BYTES),
    ntResponse: value.slice(NT_RESPONSE_OFFSET, FLAGS_OFFSET),
  };
}

/** The inverse of parseMsChapV2Response. */
export function emitMsChapV2Response(response: MsChapV2Response): Uint8Array {
  const value = new Uint8Array(MS_CHAP_RESPONSE_BYTES);
  value.set(response.peerChallenge, 0);
  value.set(response.ntResponse, NT_RESPONSE_OFFSET);
  return value;
}

/** The Message of a Success. `authenticatorResponse`: "S=" and 40 upper-case digits. */
export function emitMsChapSuccess(authenticatorResponse: string, text: string): Uint8Array {
  return utf8(`${authenticatorResponse} M=${text}`);
}

/** "S=" and 40 digits out of the Message of a Success, or undefined when they are not there. */
export function authenticatorResponseOf(message: Uint8Array): string | undefined {
  const text = fromUtf8(message.subarray(0, AUTHENTICATOR_RESPONSE_CHARS));
  return /^S=[0-9A-F]{40}$/.test(text) ? text : undefined;
}

/** The Message of a Failure that says "wrong user name or password" and allows no retry. `challenge`: 16 octets. */
export function emitMsChapFailure(challenge: Uint8Array, text: string): Uint8Array {
  const digits = toHex(challenge).toUpperCase();
  return utf8(`E=${ERROR_AUTHENTICATION_FAILURE} R=0 C=${digits} V=${PASSWORD_CHANGE_VERSION} M=${text}`);
}

/** What a Failure says for people: its text, or its error when it has none, or all of it when it is of no such form. */
export function msChapFailureText(message: Uint8Array): string {
  const text = fromUtf8(message);
  const fields = /^E=(\d{1,10})\b.*?(?: M=(.*))?$/su.exec(text);
  if (fields === null) return text;
  return fields[2] || `error ${fields[1]}`;
}
