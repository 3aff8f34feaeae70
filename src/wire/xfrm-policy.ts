/**
 * The kernel's IPsec policies over netlink (linux/xfrm.h, ip-xfrm(8)): which packets must be protected. A policy is
 * struct xfrm_userpolicy_info, which begins with the selector, and attributes:
 *
 *    0  16  destination address (IPv4 in the first four)      64..151    lifetimes
 *   16  16  source address                                   152   4    priority
 *   32   2  destination port, 2 mask   (network order)       156   4    index
 *   36   2  source port, 2 mask        (network order)       160   1    direction
 *   40   2  family                                           161   1    action
 *   42   1  prefix length of the destination, 1 of the       162   2    flags, share
 *           source; 44 1 protocol; 48 4 ifindex; 52 4 user   164   4    padding
 */

import { readU16 } from "../base/bytes.ts";
import { type Cidr, cidrContains } from "./ip-address.ts";
import {
  AF_INET,
  AF_INET6,
  emitNetlinkMessage,
  type NetlinkMessage,
  NLM_F_DUMP,
  parseAttributes,
  readHostU16,
  readHostU32,
} from "./rtnetlink.ts";

export const NETLINK_XFRM = 6;

/** Multicast group (bit mask) whose members hear of every change of a policy: XFRMNLGRP_POLICY. */
export const XFRMGRP_POLICY = 0x8;

const XFRM_MSG_NEWPOLICY = 0x13;
const XFRM_MSG_GETPOLICY = 0x15;
const XFRM_MSG_GETDEFAULT = 0x28;

const POLICY_INFO_BYTES = 168;
const SOURCE = 16;
const DESTINATION_PORT = 32;
const SOURCE_PORT = 36;
const FAMILY = 40;
const PREFIX_LENGTH_D = 42;
const PREFIX_LENGTH_S = 43;
const PROTOCOL = 44;
const IFINDEX = 48;
const PRIORITY = 152;
const DIRECTION = 160;
const ACTION = 161;

const XFRMA_TMPL = 5;
const XFRMA_POLICY_TYPE = 16;
const XFRMA_MARK = 21;
const XFRMA_IF_ID = 31;

/** XFRM_POLICY_IN and XFRM_POLICY_OUT. What is forwarded has the next one, and sockets have higher ones. */
const DIRECTIONS = ["in", "out"] as const;
const XFRM_POLICY_ALLOW = 0;
const XFRM_USERPOLICY_BLOCK = 1;

/** A port and the bits of it that count; 0: any. */
interface PortMatch {
  readonly port: number;
  readonly mask: number;
}

export interface XfrmPolicy {
  readonly direction: (typeof DIRECTIONS)[number];
  /** "plain": packets go as they are. "protect": by IPsec. "block": not at all. */
  readonly action: "plain" | "protect" | "block";
  /** Of those of one type that apply, that with the lowest one holds. */
  readonly priority: number;
  /** Main or sub policies: both types are asked. */
  readonly type: number;
  readonly source: Cidr;
  readonly destination: Cidr;
  readonly sourcePort: PortMatch;
  readonly destinationPort: PortMatch;
  /** IP protocol; 0: any. */
  readonly protocol: number;
  /** For packets that leave or arrive by this device; 0: any. */
  readonly ifindex: number;
  /** A packet's mark must be `value` in the bits of `mask`. */
  readonly mark: { readonly value: number; readonly mask: number };
  /** Only for the XFRM interface of this number; 0: for all but theirs. */
  readonly interfaceId: number;
}

/** Of every policy, an answer each. */
export function getPoliciesRequest(seq: number): Uint8Array {
  return emitNetlinkMessage(XFRM_MSG_GETPOLICY, NLM_F_DUMP, seq, new Uint8Array(0));
}

/** Undefined when the message is malformed, or no policy for what the host itself sends and receives. */
export function parsePolicy({ type, payload }: NetlinkMessage): XfrmPolicy | undefined {
  if (type !== XFRM_MSG_NEWPOLICY || payload.length < POLICY_INFO_BYTES) return undefined;
  const direction = DIRECTIONS[payload[DIRECTION]!];
  const family = readHostU16(payload, FAMILY);
  if (direction === undefined || (family !== AF_INET && family !== AF_INET6)) return undefined;
  const attributes = parseAttributes(payload, POLICY_INFO_BYTES);
  const mark = attributes.get(XFRMA_MARK);
  const hasTemplates = (attributes.get(XFRMA_TMPL)?.length ?? 0) > 0;
  const prefix = (at: number, prefixLength: number): Cidr => ({
    address: payload.slice(at, at + (family === AF_INET ? 4 : 16)),
    prefixLength,
  });
  return {
    direction,
    action: payload[ACTION] !== XFRM_POLICY_ALLOW ? "block" : hasTemplates ? "protect" : "plain",
    priority: readHostU32(payload, PRIORITY)!,
    type: attributes.get(XFRMA_POLICY_TYPE)?.[0] ?? 0,
    source: prefix(SOURCE, payload[PREFIX_LENGTH_S]!),
    destination: prefix(0, payload[PREFIX_LENGTH_D]!),
    sourcePort: portMatch(payload, SOURCE_PORT),
    destinationPort: portMatch(payload, DESTINATION_PORT),
    protocol: payload[PROTOCOL]!,
    ifindex: readHostU32(payload, IFINDEX)!,
    mark: { value: readHostU32(mark) ?? 0, mask: readHostU32(mark, 4) ?? 0 },
    interfaceId: readHostU32(attributes.get(XFRMA_IF_ID)) ?? 0,
  };
}

function portMatch(payload: Uint8Array, at: number): PortMatch {
  return { port: readU16(payload, at), mask: readU16(payload, at + 2) };
}

/** What becomes of packets for which there is no policy (Linux 5.14). */
export function getDefaultPolicyRequest(seq: number): Uint8Array {
  return emitNetlinkMessage(XFRM_MSG_GETDEFAULT, 0, seq, new Uint8Array(4));
}

export interface DefaultPolicy {
  readonly blocksIn: boolean;
  readonly blocksOut: boolean;
}

/** Undefined when the message is none. */
export function parseDefaultPolicy({ type, payload }: NetlinkMessage): DefaultPolicy | undefined {
  // in, forward, out
  if (type !== XFRM_MSG_GETDEFAULT || payload.length < 3) return undefined;
  return {
    blocksIn: payload[0] === XFRM_USERPOLICY_BLOCK,
    blocksOut: payload[2] === XFRM_USERPOLICY_BLOCK,
  };
}

/** Packets without a mark, of no XFRM interface, by any device. Addresses: 4 or 16 octets. */
export interface PacketFlow {
  readonly protocol: number;
  readonly source: Uint8Array;
  readonly sourcePort: number;
  readonly destination: Uint8Array;
  readonly destinationPort: number;
}

/** Whether the policy's selector takes these packets, should they go by its device. */
export function policyApplies(policy: XfrmPolicy, flow: PacketFlow): boolean {
  return (
    policy.interfaceId === 0 &&
    policy.mark.value === 0 &&
    (policy.protocol === 0 || policy.protocol === flow.protocol) &&
    cidrContains(policy.destination, flow.destination) &&
    cidrContains(policy.source, flow.source) &&
    portApplies(policy.destinationPort, flow.destinationPort) &&
    portApplies(policy.sourcePort, flow.sourcePort)
  );
}

function portApplies({ port, mask }: PortMatch, actual: number): boolean {
  return ((port ^ actual) & mask) === 0;
}
