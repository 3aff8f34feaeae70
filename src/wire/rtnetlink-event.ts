/**
 * What a notification of rtnetlink(7) is about. Who must not miss a change asks anew for what he hears of here: a
 * notification may have been overtaken by the next change, an answer has not.
 */

import type { Cidr } from "./ip-address.ts";
import { AF_UNSPEC, type NetlinkMessage, readHostU16, readHostU32 } from "./rtnetlink.ts";
import { parseAddressKey, RTMGRP_ADDRESSES } from "./rtnetlink-address.ts";
import { IFINFOMSG_BYTES, RTM_DELLINK, RTM_NEWLINK, RTMGRP_LINK } from "./rtnetlink-link.ts";
import { type NeighbourKey, parseNeighbourKey, RTMGRP_NEIGH } from "./rtnetlink-neighbour.ts";
import { parseRouteDestination, RTMGRP_ROUTES } from "./rtnetlink-route.ts";

const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
const RTM_NEWNEXTHOP = 104;
const RTM_DELNEXTHOP = 105;

/** RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE and RTNLGRP_NEXTHOP as bits. */
const RTMGRP_RULES = 0x80 | 0x40000;
const RTMGRP_NEXTHOP = 0x80000000;

/** Multicast groups (bit mask) of everything that parseNetworkEvent() understands. */
export const RTMGRP_NETWORK =
  (RTMGRP_LINK | RTMGRP_NEIGH | RTMGRP_ADDRESSES | RTMGRP_ROUTES | RTMGRP_RULES | RTMGRP_NEXTHOP) >>> 0;

/** ARPHRD_ETHER and ARPHRD_LOOPBACK. */
const HOSTS_OF_ROUTES = [1, 772];

export type NetworkEvent =
  /** `ordinary`: an Ethernet or loopback device, and not a tunnel or a subscriber's TUN device. */
  | { readonly kind: "link"; readonly ifindex: number; readonly ordinary: boolean }
  | ({ readonly kind: "neighbour" } & NeighbourKey)
  | { readonly kind: "address"; readonly ifindex: number; readonly address: Uint8Array }
  /** A route to this prefix, in whatever table. */
  | { readonly kind: "route"; readonly destination: Cidr }
  /** Policy rules or nexthop objects: any destination may be concerned. */
  | { readonly kind: "rules" };

/** Undefined when the message is a notification of anything else. */
export function parseNetworkEvent(message: NetlinkMessage): NetworkEvent | undefined {
  switch (message.type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return linkEvent(message.payload);
    case RTM_NEWRULE:
    case RTM_DELRULE:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
      return { kind: "rules" };
  }
  const neighbour = parseNeighbourKey(message);
  if (neighbour !== undefined) return { kind: "neighbour", ...neighbour };
  const destination = parseRouteDestination(message);
  if (destination !== undefined) return { kind: "route", destination };
  const address = parseAddressKey(message);
  return address && { kind: "address", ...address };
}

function linkEvent(payload: Uint8Array): NetworkEvent | undefined {
  // a bridge tells of its ports (AF_BRIDGE), and IPv6 of its settings on a link, with these same types
  if (payload.length < IFINFOMSG_BYTES || payload[0] !== AF_UNSPEC) return undefined;
  const ordinary = HOSTS_OF_ROUTES.includes(readHostU16(payload, 2)!);
  return { kind: "link", ifindex: readHostU32(payload, 4)!, ordinary };
}
