import { readU16 } from "../base/bytes.ts";
import { type VlanTag, vlanId } from "../wire/ethernet.ts";

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
