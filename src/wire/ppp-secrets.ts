/**
 * Overwrites with zeroes what nobody may keep of a PPP frame: passwords of PAP (RFC 1334), challenges and responses of
 * CHAP (RFC 1994, RFC 2759), and the contents of what might be some other kind of authentication. Names and messages
 * stay.
 */

import { readU16 } from "../base/bytes.ts";
import { PPP_CHAP, PPP_LCP, PPP_PAP, pppHeaderBytes, pppProtocol } from "./ppp.ts";
import { CONTROL_HEADER_BYTES } from "./ppp-control.ts";

const LCP_PROTOCOL_REJECT = 8;
const PAP_REQUEST = 1;
const PAP_ACK = 2;
const PAP_NAK = 3;
const CHAP_CHALLENGE = 1;
const CHAP_RESPONSE = 2;
const CHAP_SUCCESS = 3;
const CHAP_FAILURE = 4;

/** Digits in a row from which a CHAP Success or Failure is not mere text: "S=" has 40 of them, "C=" 32. */
const LONGEST_NUMBER = 15;

/** Blanks the frame that fills `bytes` from `start` to `end`, in place; whatever it is, it never throws. */
export function blankPppSecrets(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; ; ) {
    const header = pppHeaderBytes(bytes, at, end - at);
    if (header === 0) return;
    const protocol = pppProtocol(bytes, at, header);
    const packet = at + header;
    if (protocol === PPP_LCP) {
      if (end - packet < CONTROL_HEADER_BYTES || bytes[packet] !== LCP_PROTOCOL_REJECT) return;
      // what is rejected is a frame again, without address and control
      at = packet + CONTROL_HEADER_BYTES;
      continue;
    }
    // network control protocols negotiate in the clear, and hold nothing of the kind
    if (isNetworkControl(protocol)) return;
    const body = packet + CONTROL_HEADER_BYTES;
    if (body >= end) return;
    // what is behind the packet may be anything that had been in its sender's buffer
    const last = Math.min(end, packet + Math.max(CONTROL_HEADER_BYTES, readU16(bytes, packet + 2)));
    bytes.fill(0, last, end);
    if (protocol === PPP_PAP) blankPap(bytes, packet, last);
    else if (protocol === PPP_CHAP) blankChap(bytes, packet, last);
    else bytes.fill(0, body, last);
    return;
  }
}

function isNetworkControl(protocol: number): boolean {
  return protocol >= 0x8000 && protocol < 0xc000;
}

/** The password, and how long it is. */
function blankPap(bytes: Uint8Array, packet: number, end: number): void {
  const code = bytes[packet]!;
  const body = packet + CONTROL_HEADER_BYTES;
  if (code === PAP_ACK || code === PAP_NAK) return;
  const password = code === PAP_REQUEST ? body + 1 + bytes[body]! : body;
  bytes.fill(0, password < end ? password : body, end);
}

function blankChap(bytes: Uint8Array, packet: number, end: number): void {
  const code = bytes[packet]!;
  const body = packet + CONTROL_HEADER_BYTES;
  if (code === CHAP_SUCCESS || code === CHAP_FAILURE) {
    blankNumbers(bytes, body, end);
    return;
  }
  const name = body + 1 + bytes[body]!;
  const isNamed = (code === CHAP_CHALLENGE || code === CHAP_RESPONSE) && name <= end;
  bytes.fill(0, isNamed ? body + 1 : body, isNamed ? name : end);
}

/** The authenticator response of MS-CHAPv2's Success and the challenge of its Failure are hexadecimal text. */
function blankNumbers(bytes: Uint8Array, start: number, end: number): void {
  let from = start;
  for (let at = start; at <= end; at++) {
    if (at < end && isHexDigit(bytes[at]!)) continue;
    if (at - from > LONGEST_NUMBER) bytes.fill(0, from, at);
    from = at + 1;
  }
}

function isHexDigit(octet: number): boolean {
  const letter = octet | 0x20;
  return (octet >= 0x30 && octet <= 0x39) || (letter >= 0x61 && letter <= 0x66);
}
