import { readU16, readU32, writeU16, writeU32 } from "../base/bytes.ts";
import { MAC_BYTES, type VlanTag, vlanId } from "../wire/ethernet.ts";

/**
 * Where a subscriber is: three units of the MAC address, and a TPID and a VLAN id for each tag, all of 16 bits. A map key
 * that is made with every packet. Priority is left out; the same MAC in two VLANs is two subscribers.
 */
export type SubscriberKey = string;

/** Units of the longest key: an address under two tags. */
export const MAX_SUBSCRIBER_UNITS = 7;

export function subscriberKey(mac: Uint8Array, vlanTags: readonly VlanTag[]): SubscriberKey {
  let key = String.fromCharCode(readU16(mac, 0), readU16(mac, 2), readU16(mac, 4));
  for (const tag of vlanTags) key += String.fromCharCode(tag.tpid, vlanId(tag));
  return key;
}

/** A MAC address as a number of 48 bits: of these there are tens of thousands. */
export function macNumber(mac: Uint8Array): number {
  return readU16(mac, 0) * 2 ** 32 + readU32(mac, 2);
}

export function macOctets(number: number): Uint8Array {
  const mac = new Uint8Array(MAC_BYTES);
  writeU16(mac, 0, Math.floor(number / 2 ** 32));
  writeU32(mac, 2, number % 2 ** 32);
  return mac;
}
