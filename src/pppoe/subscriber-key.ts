import { toHex, writeU16 } from "../base/bytes.ts";
import { MAC_BYTES, type VlanTag, vlanId } from "../wire/ethernet.ts";

/**
 * Where a subscriber is: MAC address, TPIDs and VLAN ids as octets. Priority is left out; the same MAC in two
 * VLANs is two subscribers.
 */
export function subscriberOctets(mac: Uint8Array, vlanTags: readonly VlanTag[]): Uint8Array {
  const octets = new Uint8Array(MAC_BYTES + 4 * vlanTags.length);
  octets.set(mac);
  for (const [i, tag] of vlanTags.entries()) {
    writeU16(octets, MAC_BYTES + 4 * i, tag.tpid);
    writeU16(octets, MAC_BYTES + 4 * i + 2, vlanId(tag));
  }
  return octets;
}

/** The same as a map key. */
export function subscriberKey(mac: Uint8Array, vlanTags: readonly VlanTag[]): string {
  return toHex(subscriberOctets(mac, vlanTags));
}
