import { readU16, readU32, toHex, writeU16, writeU32 } from "../base/bytes.ts";
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
