/**
 * Addresses of links over rtnetlink (rtnetlink(7)): struct ifaddrmsg and its attributes.
 *
 *   +---------------+---------------+---------------+---------------+
 *   |    family     | prefix length |     flags     |     scope     |
 *   +---------------+---------------+---------------+---------------+
 *   |                            ifindex                            |
 *   +---------------------------------------------------------------+
 */

import { concatBytes } from "../base/bytes.ts";
import {
  AF_INET,
  AF_INET6,
  attribute,
  attributeU32,
  emitNetlinkMessage,
  familyOf,
  hostU32,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  parseAttributes,
  readHostU32,
} from "./rtnetlink.ts";

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;

/** Multicast groups (bit mask) whose members hear of every change of an IPv4 or IPv6 address. */
export const RTMGRP_ADDRESSES = 0x10 | 0x100;

const IFADDRMSG_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 0x02;

/** An address on a link. Octets: 4 or 16. */
export interface LinkAddress {
  readonly ifindex: number;
  readonly local: Uint8Array;
  /** The other end of a point-to-point link; `prefixLength` is then its. */
  readonly peer?: Uint8Array;
  readonly prefixLength: number;
}

/**
 * Adds an address (EEXIST when the link has it). IPv6 without duplicate address detection: on a link of ours
 * nobody else can have it, and a tentative address cannot be used for a second.
 */
export function addAddressRequest(seq: number, address: LinkAddress): Uint8Array {
  const family = familyOf(address.local);
  const body = [
    Uint8Array.of(family, address.prefixLength, family === AF_INET6 ? IFA_F_NODAD : 0, 0),
    hostU32(address.ifindex),
    attribute(IFA_LOCAL, address.local),
    attribute(IFA_ADDRESS, address.peer ?? address.local),
  ];
  if (family === AF_INET6) body.push(attributeU32(IFA_FLAGS, IFA_F_NODAD));
  return emitNetlinkMessage(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, seq, concatBytes(...body));
}

/** Which address a notification is about, whether it came or goes; undefined when it speaks of anything else. */
export function parseAddressKey(
  message: NetlinkMessage,
): { readonly ifindex: number; readonly address: Uint8Array } | undefined {
  const type = message.type === RTM_DELADDR ? RTM_NEWADDR : message.type;
  const parsed = parseAddress({ ...message, type });
  return parsed && { ifindex: parsed.ifindex, address: parsed.local };
}

/** The address that a message of a dump or a notification announces; undefined when it is anything else. */
export function parseAddress(message: NetlinkMessage): LinkAddress | undefined {
  const { payload } = message;
  if (message.type !== RTM_NEWADDR || payload.length < IFADDRMSG_BYTES) return undefined;
  const octets = payload[0] === AF_INET ? 4 : payload[0] === AF_INET6 ? 16 : 0;
  const prefixLength = payload[1]!;
  if (octets === 0 || prefixLength > octets * 8) return undefined;
  const attributes = parseAttributes(payload, IFADDRMSG_BYTES);
  const announced = attributes.get(IFA_ADDRESS);
  // IPv6 has IFA_LOCAL only on point-to-point addresses
  const local = attributes.get(IFA_LOCAL) ?? announced;
  if (local?.length !== octets) return undefined;
  const base = { ifindex: readHostU32(payload, 4)!, local: Uint8Array.from(local), prefixLength };
  if (announced?.length !== octets || announced.every((octet, i) => octet === local[i])) return base;
  return { ...base, peer: Uint8Array.from(announced) };
}
