import { IPV4_DESTINATION, IPV4_SOURCE } from "../../wire/ipv4.ts";
import { IPV6_DESTINATION, IPV6_SOURCE } from "../../wire/ipv6.ts";

/** A view of the octets in the packet. */
export function sourceOf(packet: Uint8Array, ipv6: boolean): Uint8Array {
  return ipv6
    ? packet.subarray(IPV6_SOURCE, IPV6_SOURCE + 16)
    : packet.subarray(IPV4_SOURCE, IPV4_SOURCE + 4);
}

/** A view of the octets in the packet. */
export function destinationOf(packet: Uint8Array, ipv6: boolean): Uint8Array {
  return ipv6
    ? packet.subarray(IPV6_DESTINATION, IPV6_DESTINATION + 16)
    : packet.subarray(IPV4_DESTINATION, IPV4_DESTINATION + 4);
}
