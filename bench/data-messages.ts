import { emitL2tp, parseL2tp } from "../src/wire/l2tp.ts";
import { pppHeaderBytes } from "../src/wire/ppp.ts";

/** PPP in HDLC-like framing (RFC 1662 §3.1), as LACs and LNSes put it into data messages. */
const HDLC_ADDRESS_CONTROL = Uint8Array.of(0xff, 0x03);

/** A call by the ids that its receiver has given it. */
export function keyOf(tunnel: number, session: number): number {
  return tunnel * 65_536 + session;
}

/** What a data message carries. */
interface Data {
  /** keyOf() the receiver's ids. */
  readonly call: number;
  /** Without address and control; a part of the datagram. */
  readonly frame: Uint8Array;
}

/** Undefined for what is no L2TP message. */
export function readData(datagram: Uint8Array): Data | undefined {
  const packet = parseL2tp(datagram);
  if (typeof packet === "string") return undefined;
  const { header, payload } = packet;
  const frame = pppHeaderBytes(payload, 0, payload.length) >= 3 ? payload.subarray(2) : payload;
  return { call: keyOf(header.tunnelId, header.sessionId), frame };
}

/** A data message with the Length field, under the ids that its receiver has given the call. */
export function dataMessage(tunnelId: number, sessionId: number, frame: Uint8Array): Uint8Array {
  const header = { control: false, lengthBit: true, tunnelId, sessionId, priority: false };
  return emitL2tp(header, Buffer.concat([HDLC_ADDRESS_CONTROL, frame]));
}
