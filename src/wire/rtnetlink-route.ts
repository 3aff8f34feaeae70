/**
 * Routes over rtnetlink (rtnetlink(7)): struct rtmsg and its attributes.
 *
 *   +---------------+---------------+---------------+---------------+
 *   |    family     | destination / | source /      |      TOS      |
 *   +---------------+---------------+---------------+---------------+
 *   |     table     |   protocol    |     scope     |     type      |
 *   +---------------+---------------+---------------+---------------+
 *   |                             flags                             |
 *   +---------------------------------------------------------------+
 */

import { concatBytes } from "../base/bytes.ts";
import { type Cidr, cidrNetwork } from "./ip-address.ts";
import {
  AF_INET,
  AF_INET6,
  type Attributes,
  attribute,
  attributeU32,
  emitNetlinkMessage,
  familyOf,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  parseAttributes,
  readHostU32,
} from "./rtnetlink.ts";

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;

const RTMSG_BYTES = 12;
const RTA_DST = 1;
const RTA_SRC = 2;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_TABLE = 15;
const RTA_VIA = 18;
const RTA_ENCAP_TYPE = 21;
const RTAX_MTU = 2;

/** Multicast groups (bit mask) whose members hear of every change of an IPv4 or IPv6 route. */
export const RTMGRP_ROUTES = 0x40 | 0x400;

const RT_TABLE_UNSPEC = 0;
const RT_TABLE_MAIN = 254;
const RT_TABLE_COMPAT = 252;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;

/** RTN_* by value, as far as a lookup can find them. */
const ROUTE_TYPES = [
  "unspecified",
  "unicast",
  "local",
  "broadcast",
  "anycast",
  "multicast",
  "blackhole",
  "unreachable",
  "prohibit",
] as const;
type RouteType = (typeof ROUTE_TYPES)[number];

/** A unicast route to add or delete. */
export interface RouteSpec {
  readonly destination: Cidr;
  readonly ifindex: number;
  /** Next hop octets; on-link when absent. */
  readonly gateway?: Uint8Array;
  /** The main table when absent. */
  readonly table?: number;
}

/** What a route lookup found. */
export interface RouteInfo {
  readonly type: RouteType;
  readonly destination: Cidr;
  /** Egress device; absent on routes without one (blackhole). */
  readonly ifindex?: number;
  /** Next hop octets, of either family; absent when the destination is on-link. */
  readonly gateway?: Uint8Array;
  /** The source address that the system would choose. */
  readonly source?: Uint8Array;
  /** The path MTU that the kernel knows (learnt, or set on the route). Absent: the egress device's MTU holds. */
  readonly mtuBytes?: number;
  readonly table: number;
  /** There when packets get another header on the way into the device (MPLS, segment routing). */
  readonly encapsulated?: true;
}

function routeRequest(type: number, flags: number, seq: number, route: RouteSpec): Uint8Array {
  const network = cidrNetwork(route.destination);
  const family = familyOf(network.address);
  const scope = family === AF_INET && route.gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  const table = route.table ?? RT_TABLE_MAIN;
  const body = [
    Uint8Array.of(family, network.prefixLength, 0, 0),
    Uint8Array.of(table > 255 ? RT_TABLE_COMPAT : table, RTPROT_STATIC, scope, 1),
    Uint8Array.of(0, 0, 0, 0),
    attribute(RTA_DST, network.address),
    attributeU32(RTA_OIF, route.ifindex),
    attributeU32(RTA_TABLE, table),
  ];
  if (route.gateway !== undefined) body.push(attribute(RTA_GATEWAY, route.gateway));
  return emitNetlinkMessage(type, flags, seq, concatBytes(...body));
}

/** Adds a route; EEXIST when there is one to the same prefix, whoever's it is. */
export function addRouteRequest(seq: number, route: RouteSpec): Uint8Array {
  return routeRequest(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, seq, route);
}

/** Deletes a route that addRouteRequest added; ESRCH when it is not there. */
export function deleteRouteRequest(seq: number, route: RouteSpec): Uint8Array {
  return routeRequest(RTM_DELROUTE, NLM_F_ACK, seq, route);
}

/** Asks which way packets to `destination` (octets) go. ENETUNREACH and the like when there is none. */
export function getRouteRequest(
  seq: number,
  destination: Uint8Array,
  from: { readonly source?: Uint8Array; readonly ifindex?: number } = {},
): Uint8Array {
  const bits = destination.length * 8;
  const sourceBits = from.source === undefined ? 0 : bits;
  const body = [
    Uint8Array.of(familyOf(destination), bits, sourceBits, 0),
    Uint8Array.of(RT_TABLE_UNSPEC, 0, 0, 0, 0, 0, 0, 0),
    attribute(RTA_DST, destination),
  ];
  if (from.source !== undefined) body.push(attribute(RTA_SRC, from.source));
  if (from.ifindex !== undefined) body.push(attributeU32(RTA_OIF, from.ifindex));
  return emitNetlinkMessage(RTM_GETROUTE, 0, seq, concatBytes(...body));
}

/** The prefix of a route that came or went; undefined when the message speaks of anything else. */
export function parseRouteDestination(message: NetlinkMessage): Cidr | undefined {
  if (message.type !== RTM_NEWROUTE && message.type !== RTM_DELROUTE) return undefined;
  const { payload } = message;
  return payload.length < RTMSG_BYTES
    ? undefined
    : destinationOf(payload, parseAttributes(payload, RTMSG_BYTES));
}

function destinationOf(payload: Uint8Array, attributes: Attributes): Cidr | undefined {
  const octets = payload[0] === AF_INET ? 4 : payload[0] === AF_INET6 ? 16 : 0;
  const prefixLength = payload[1]!;
  // the default route has none
  const address = attributes.get(RTA_DST) ?? new Uint8Array(octets);
  if (octets === 0 || address.length !== octets || prefixLength > octets * 8) return undefined;
  return { address: Uint8Array.from(address), prefixLength };
}

/** As many octets as an IP address has, or nothing. */
function ipOctets(value: Uint8Array | undefined): Uint8Array | undefined {
  return value?.length === 4 || value?.length === 16 ? Uint8Array.from(value) : undefined;
}

/** The route that a message announces (an answer to getRouteRequest, a notification); else undefined. */
export function parseRoute(message: NetlinkMessage): RouteInfo | undefined {
  const { payload } = message;
  if (message.type !== RTM_NEWROUTE || payload.length < RTMSG_BYTES) return undefined;
  const attributes = parseAttributes(payload, RTMSG_BYTES);
  const destination = destinationOf(payload, attributes);
  if (destination === undefined) return undefined;
  const ifindex = readHostU32(attributes.get(RTA_OIF));
  // RTA_VIA, a gateway of the other family (RFC 5549), begins with two octets that say which
  const gateway = ipOctets(attributes.get(RTA_GATEWAY)) ?? ipOctets(attributes.get(RTA_VIA)?.subarray(2));
  const source = ipOctets(attributes.get(RTA_PREFSRC));
  const metrics = attributes.get(RTA_METRICS);
  const mtuBytes = metrics && readHostU32(parseAttributes(metrics, 0).get(RTAX_MTU));
  return {
    type: ROUTE_TYPES[payload[7]!] ?? "unspecified",
    destination,
    table: readHostU32(attributes.get(RTA_TABLE)) ?? payload[4]!,
    ...(ifindex !== undefined && { ifindex }),
    ...(gateway !== undefined && { gateway }),
    ...(source !== undefined && { source }),
    ...(mtuBytes !== undefined && { mtuBytes }),
    ...(attributes.has(RTA_ENCAP_TYPE) && { encapsulated: true as const }),
  };
}
