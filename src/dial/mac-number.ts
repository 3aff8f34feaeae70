import { readU16 } from "../base/bytes.ts";

/** The MAC address at `offset` as a number, which a Map finds without making text of it. */
export function macNumber(bytes: Uint8Array, offset: number): number {
  const low = readU16(bytes, offset + 2) * 0x1_0000 + readU16(bytes, offset + 4);
  return readU16(bytes, offset) * 0x1_0000_0000 + low;
}
