import { readU16 } from "../../src/base/bytes.ts";
import {
  ETHERTYPE_PPPOE_DISCOVERY,
  ETHERTYPE_PPPOE_SESSION,
  emitEthernet,
  etherTypeOffset,
  type VlanTag,
} from "../../src/wire/ethernet.ts";
import { PPPOE_HEADER_BYTES, PPPOE_SESSION_DATA, writePppoeHeader } from "../../src/wire/pppoe.ts";

/** What a frame carries, which comes from one of ours. */
export function etherTypeOf(frame: Uint8Array): "discovery" | "session" | "other" {
  const type = readU16(frame, etherTypeOffset(frame, 0, frame.length));
  if (type === ETHERTYPE_PPPOE_DISCOVERY) return "discovery";
  return type === ETHERTYPE_PPPOE_SESSION ? "session" : "other";
}

/** Who speaks to whom. */
export interface Addresses {
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly tags: readonly VlanTag[];
}

/** A PPPoE session frame around a PPP frame. */
export function emitSessionFrame(addresses: Addresses, sessionId: number, ppp: Uint8Array): Uint8Array {
  const payload = new Uint8Array(PPPOE_HEADER_BYTES + ppp.length);
  writePppoeHeader(payload, 0, PPPOE_SESSION_DATA, sessionId, ppp.length);
  payload.set(ppp, PPPOE_HEADER_BYTES);
  return emitEthernet({ ...addresses, etherType: ETHERTYPE_PPPOE_SESSION, payload });
}

/** The session id and PPP frame of a PPPoE session frame, which comes from one of ours. */
export function readSessionFrame(frame: Uint8Array): {
  readonly sessionId: number;
  readonly ppp: Uint8Array;
} {
  const at = etherTypeOffset(frame, 0, frame.length) + 2;
  const start = at + PPPOE_HEADER_BYTES;
  return {
    sessionId: readU16(frame, at + 2),
    ppp: frame.subarray(start, start + readU16(frame, at + 4)),
  };
}
