import { readU16 } from "../../src/base/bytes.ts";
import { ETHERTYPE_PPPOE_DISCOVERY, ETHERTYPE_PPPOE_SESSION, emitEthernet } from "../../src/wire/ethernet.ts";
import { PPPOE_HEADER_BYTES, PPPOE_SESSION_DATA, writePppoeHeader } from "../../src/wire/pppoe.ts";

const ETHERNET_HEADER_BYTES = 14;

/** What an untagged frame carries. */
export function etherTypeOf(frame: Uint8Array): "discovery" | "session" | "other" {
  const type = readU16(frame, 12);
  if (type === ETHERTYPE_PPPOE_DISCOVERY) return "discovery";
  return type === ETHERTYPE_PPPOE_SESSION ? "session" : "other";
}

/** An untagged PPPoE session frame around a PPP frame. */
export function emitSessionFrame(
  destination: Uint8Array,
  source: Uint8Array,
  sessionId: number,
  ppp: Uint8Array,
): Uint8Array {
  const payload = new Uint8Array(PPPOE_HEADER_BYTES + ppp.length);
  writePppoeHeader(payload, 0, PPPOE_SESSION_DATA, sessionId, ppp.length);
  payload.set(ppp, PPPOE_HEADER_BYTES);
  return emitEthernet({ destination, source, tags: [], etherType: ETHERTYPE_PPPOE_SESSION, payload });
}

/** The session id and PPP frame of an untagged PPPoE session frame, which comes from one of ours. */
export function readSessionFrame(frame: Uint8Array): {
  readonly sessionId: number;
  readonly ppp: Uint8Array;
} {
  const at = ETHERNET_HEADER_BYTES;
  const start = at + PPPOE_HEADER_BYTES;
  return {
    sessionId: readU16(frame, at + 2),
    ppp: frame.subarray(start, start + readU16(frame, at + 4)),
  };
}
