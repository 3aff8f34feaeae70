/** L2TPv2 data messages in place (RFC 2661 §3.1), and what goes before the PPP frames that we send. */

import { readU16 } from "../base/bytes.ts";
import {
  L2TP_BAD_VERSION,
  L2TP_TRUNCATED,
  l2tpDataHeaderBytes,
  l2tpNs,
  l2tpPayloadEnd,
  l2tpPayloadStart,
  l2tpSessionId,
  l2tpTunnelId,
  writeL2tpDataHeader,
} from "../wire/l2tp.ts";
import { ACCEPT, BAD_LENGTH, BAD_VERSION, type DropCode, TRUNCATED } from "./drop-codes.ts";

/** Address and control of HDLC-like framing (RFC 1662 §3.1), before the protocol field or not. */
const ADDRESS_CONTROL = 0xff03;

/** Bits of the `framing` argument below: what of the optional parts we send to a peer. */
const SEND_LENGTH = 1;
const SEND_ADDRESS_CONTROL = 2;
const SEND_SEQUENCE = 4;

/** Where things are in one data message. A reader has one of these and fills it again for every message. */
export class L2tpMessage {
  tunnelId = 0;
  sessionId = 0;
  /** Its sequence number; -1 when it has none. */
  ns = -1;
  /** Where the PPP protocol field is, from the start of `bytes`; address and control are passed over. */
  pppOffset = 0;
  pppBytes = 0;
}

/** Reads a data message; ACCEPT, or why it is dropped. */
export function readL2tpMessage(
  message: L2tpMessage,
  bytes: Uint8Array,
  offset: number,
  length: number,
): DropCode {
  const end = offset + length;
  let start = l2tpPayloadStart(bytes, offset, end);
  if (start < 0)
    return start === L2TP_TRUNCATED ? TRUNCATED : start === L2TP_BAD_VERSION ? BAD_VERSION : BAD_LENGTH;
  const payloadEnd = l2tpPayloadEnd(bytes, offset, end);
  if (payloadEnd - start >= 2 && readU16(bytes, start) === ADDRESS_CONTROL) start += 2;
  if (start === payloadEnd) return TRUNCATED;
  message.tunnelId = l2tpTunnelId(bytes, offset);
  message.sessionId = l2tpSessionId(bytes, offset);
  message.ns = l2tpNs(bytes, offset);
  message.pppOffset = start;
  message.pppBytes = payloadEnd - start;
  return ACCEPT;
}

/** Octets of the header that `framing` asks for, FF03 included. */
export function l2tpHeaderBytes(framing: number): number {
  return (
    l2tpDataHeaderBytes((framing & SEND_LENGTH) !== 0, (framing & SEND_SEQUENCE) !== 0) +
    ((framing & SEND_ADDRESS_CONTROL) !== 0 ? 2 : 0)
  );
}

/**
 * Writes a header so that it ends before `end`, where the PPP frame starts; returns where it starts. `ns`: of a
 * sequencedFraming(), 0 to 65535; else -1.
 */
export function writeL2tpHeader(
  bytes: Uint8Array,
  end: number,
  framing: number,
  tunnelId: number,
  sessionId: number,
  pppBytes: number,
  ns: number,
): number {
  const lengthBit = (framing & SEND_LENGTH) !== 0;
  let payload = end;
  if ((framing & SEND_ADDRESS_CONTROL) !== 0) {
    payload -= 2;
    bytes[payload] = ADDRESS_CONTROL >>> 8;
    bytes[payload + 1] = ADDRESS_CONTROL & 0xff;
  }
  const start = payload - l2tpDataHeaderBytes(lengthBit, ns >= 0);
  writeL2tpDataHeader(bytes, start, lengthBit, end - payload + pppBytes, tunnelId, sessionId, ns);
  return start;
}

/** The `framing` of a peer. */
export function framingOf(peer: { readonly lengthBit: boolean; readonly addressControl: boolean }): number {
  return (peer.lengthBit ? SEND_LENGTH : 0) | (peer.addressControl ? SEND_ADDRESS_CONTROL : 0);
}

/** `framing` with sequence numbers. */
export function sequencedFraming(framing: number): number {
  return framing | SEND_SEQUENCE;
}

/** One data message, as a new array. `ns` as in writeL2tpHeader(). */
export function emitL2tpMessage(
  framing: number,
  tunnelId: number,
  sessionId: number,
  ppp: Uint8Array,
  ns = -1,
): Uint8Array {
  const end = l2tpHeaderBytes(framing);
  const message = new Uint8Array(end + ppp.length);
  writeL2tpHeader(message, end, framing, tunnelId, sessionId, ppp.length, ns);
  message.set(ppp, end);
  return message;
}
