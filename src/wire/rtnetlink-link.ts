/**
 * Links over rtnetlink (rtnetlink(7)): struct ifinfomsg and its attributes.
 *
 *   +---------------+---------------+-------------------------------+
 *   |    family     |       0       |      device type (ARPHRD)     |
 *   +---------------+---------------+-------------------------------+
 *   |                            ifindex                            |
 *   +---------------------------------------------------------------+
 *   |                    flags (IFF_UP, IFF_RUNNING, …)             |
 *   +---------------------------------------------------------------+
 *   |                    which flags a request changes              |
 *   +---------------------------------------------------------------+
 */

import { concatBytes } from "../base/bytes.ts";
import {
  AF_INET6,
  AF_UNSPEC,
  attribute,
  attributeString,
  attributeText,
  attributeU32,
  emitNetlinkMessage,
  hostU32,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_DUMP,
  nestedAttribute,
  parseAttributes,
  readHostU32,
} from "./rtnetlink.ts";

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
const RTM_SETLINK = 19;

/** Multicast group (bit mask) whose members hear of every change of a link. */
export const RTMGRP_LINK = 0x1;

export const IFINFOMSG_BYTES = 16;
const IFF_UP = 0x1;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_OPERSTATE = 16;
const IFLA_AF_SPEC = 26;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;

/** IF_OPER_* of RFC 2863, by value. */
const OPER_STATES = [
  "unknown",
  "not-present",
  "down",
  "lower-layer-down",
  "testing",
  "dormant",
  "up",
] as const;
type OperState = (typeof OPER_STATES)[number];

export interface LinkInfo {
  readonly ifindex: number;
  readonly name: string;
  /** IFF_* bits. */
  readonly flags: number;
  /** IFF_UP: the administrator wants it up. */
  readonly up: boolean;
  readonly operState: OperState;
  readonly mtuBytes: number;
  /** Link-layer address; empty on devices that have none (TUN). */
  readonly mac: Uint8Array;
}

/** A link is there and is so (new or changed), or is gone from this namespace. */
export type LinkEvent =
  | { readonly kind: "link"; readonly link: LinkInfo }
  | { readonly kind: "gone"; readonly ifindex: number; readonly name: string };

/** What setLinkRequest changes; what is absent stays. */
export interface LinkChange {
  readonly ifindex: number;
  readonly mtuBytes?: number;
  readonly up?: boolean;
  /** The kernel makes no IPv6 link-local address of its own (addr_gen_mode none); set it before the link is up. */
  readonly noIpv6LinkLocal?: boolean;
}

function ifinfomsg(ifindex: number, flags: number, change: number): Uint8Array {
  return concatBytes(Uint8Array.of(AF_UNSPEC, 0, 0, 0), hostU32(ifindex), hostU32(flags), hostU32(change));
}

/** Asks for every link of the namespace. */
export function getLinksRequest(seq: number): Uint8Array {
  return emitNetlinkMessage(RTM_GETLINK, NLM_F_DUMP, seq, ifinfomsg(0, 0, 0));
}

/** Asks for one link, by ifindex or by name (ENODEV when there is none). */
export function getLinkRequest(seq: number, which: number | string): Uint8Array {
  const body =
    typeof which === "number"
      ? ifinfomsg(which, 0, 0)
      : concatBytes(ifinfomsg(0, 0, 0), attributeString(IFLA_IFNAME, which));
  return emitNetlinkMessage(RTM_GETLINK, 0, seq, body);
}

export function setLinkRequest(seq: number, change: LinkChange): Uint8Array {
  const body = [
    ifinfomsg(change.ifindex, change.up === true ? IFF_UP : 0, change.up === undefined ? 0 : IFF_UP),
  ];
  if (change.mtuBytes !== undefined) body.push(attributeU32(IFLA_MTU, change.mtuBytes));
  if (change.noIpv6LinkLocal === true) {
    const mode = attribute(IFLA_INET6_ADDR_GEN_MODE, Uint8Array.of(IN6_ADDR_GEN_MODE_NONE));
    body.push(nestedAttribute(IFLA_AF_SPEC, nestedAttribute(AF_INET6, mode)));
  }
  return emitNetlinkMessage(RTM_SETLINK, NLM_F_ACK, seq, concatBytes(...body));
}

/** What a message of an answer or a notification says of a link; undefined when it speaks of anything else. */
export function parseLinkEvent(message: NetlinkMessage): LinkEvent | undefined {
  if (message.type !== RTM_NEWLINK && message.type !== RTM_DELLINK) return undefined;
  const { payload } = message;
  // AF_BRIDGE says that a device joined or left a bridge with these same types: the device is still there
  if (payload.length < IFINFOMSG_BYTES || payload[0] !== AF_UNSPEC) return undefined;
  const ifindex = readHostU32(payload, 4)!;
  const flags = readHostU32(payload, 8)!;
  const attributes = parseAttributes(payload, IFINFOMSG_BYTES);
  const nameOctets = attributes.get(IFLA_IFNAME);
  if (nameOctets === undefined) return undefined;
  const name = attributeText(nameOctets);
  if (message.type === RTM_DELLINK) return { kind: "gone", ifindex, name };
  const mtuBytes = readHostU32(attributes.get(IFLA_MTU));
  // the kernel's wireless events carry no MTU; they change nothing here
  if (mtuBytes === undefined) return undefined;
  return {
    kind: "link",
    link: {
      ifindex,
      name,
      flags,
      up: (flags & IFF_UP) !== 0,
      operState: OPER_STATES[attributes.get(IFLA_OPERSTATE)?.[0] ?? 0] ?? "unknown",
      mtuBytes,
      mac: Uint8Array.from(attributes.get(IFLA_ADDRESS) ?? []),
    },
  };
}
