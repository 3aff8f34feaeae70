import type { Punt } from "../channel/dataplane.ts";
import type { IcmpSender } from "../io/icmp-sender.ts";
import { fragmentationNeeded, packetTooBig } from "../wire/icmp.ts";
import { formatIpAddress } from "../wire/ip-address.ts";
import { IPV4_DESTINATION, IPV4_HEADER_BYTES, IPV4_SOURCE, ipv4HeaderBytes } from "../wire/ipv4.ts";
import { IPV6_DESTINATION, IPV6_HEADER_BYTES, IPV6_SOURCE } from "../wire/ipv6.ts";
import type { Surroundings } from "./surroundings.ts";

type TooBig = Extract<Punt, { kind: "too-big" }>;

const IPV4_FLAGS = 6;
const IPV4_DONT_FRAGMENT = 0x40;

/**
 * A packet from a shared unit that its subscriber does not take: the kernel, which thinks that the device's MTU
 * is all there is to it, cannot tell the sender, so we do (RFC 1191, RFC 8201).
 *
 * The raw socket speaks from this process's network namespace. Where the unit is in another one, the message
 * goes into the unit as if the subscriber had sent it: a packet with our own address as its source would be
 * dropped there as a martian.
 */
export function tellTooBig(
  { unit, packet, mruBytes }: TooBig,
  elsewhere: boolean,
  icmp: IcmpSender,
  around: Surroundings,
): void {
  const ipv6 = packet.length > 0 && packet[0]! >>> 4 === 6;
  if (packet.length < (ipv6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES)) return;
  if (!ipv6 && (packet[IPV4_FLAGS]! & IPV4_DONT_FRAGMENT) === 0) return; // it asked for no such answer
  const from = ipv6 ? IPV6_DESTINATION : IPV4_DESTINATION;
  const subscriber = packet.slice(from, from + (ipv6 ? 16 : 4));
  const answer = ipv6
    ? packetTooBig(packet, subscriber, mruBytes)
    : fragmentationNeeded(packet, subscriber, mruBytes);
  if (answer === undefined) return;
  if (elsewhere) {
    around.dataplane.injectPacket(unit, answer);
    return;
  }
  const to = ipv6 ? IPV6_SOURCE : IPV4_SOURCE;
  const sender = formatIpAddress(packet.slice(to, to + (ipv6 ? 16 : 4)));
  icmp.send(sender, answer.subarray(ipv6 ? IPV6_HEADER_BYTES : ipv4HeaderBytes(answer, 0)));
}
