/**
 * Records of a tap ring. The kind of one:
 *
 *    31                                            2    1       0
 *   +-----------------------------------------------+-----+----------+
 *   |                  slot of the tap              | out | datagram |
 *   +-----------------------------------------------+-----+----------+
 *
 * Its words: the octets of the frame or UDP payload on the wire, and the time in microseconds since 1970, high and low 32
 * bits. Its payload: what is kept; of a datagram an address record and the sum of the UDP payload go before that.
 */

import { ADDRESS_BYTES } from "../../io/addon.ts";

const OUT = 2;
const DATAGRAM = 1;
const SLOT_SHIFT = 2;

/** Where the sum is in a datagram's record, 32 bits: NO_SUM when it was sent without a checksum. */
export const RECORD_SUM = ADDRESS_BYTES;
/** And where the UDP payload is: what is before it has room for any outer header. */
export const RECORD_DATAGRAM = ADDRESS_BYTES + 4;
export const NO_SUM = 0xffff_ffff;

export function tapRecordKind(slot: number, out: boolean, datagram: boolean): number {
  return (slot << SLOT_SHIFT) | (out ? OUT : 0) | (datagram ? DATAGRAM : 0);
}

export function slotOfRecord(kind: number): number {
  return kind >>> SLOT_SHIFT;
}

export function isOut(kind: number): boolean {
  return (kind & OUT) !== 0;
}

export function isDatagram(kind: number): boolean {
  return (kind & DATAGRAM) !== 0;
}
