/**
 * Neighbours over rtnetlink (rtnetlink(7), ip-neighbour(8)): struct ndmsg and its attributes.
 *
 *   +---------------+---------------+-------------------------------+
 *   |    family     |       0       |               0               |
 *   +---------------+---------------+-------------------------------+
 *   |                            ifindex                            |
 *   +-------------------------------+---------------+---------------+
 *   |      state (NUD, one bit)     |  flags (NTF)  |     type      |
 *   +-------------------------------+---------------+---------------+
 */

import { concatBytes } from "../base/bytes.ts";
import { MAC_BYTES } from "./ethernet.ts";
import {
  AF_INET,
  AF_INET6,
  attribute,
  emitNetlinkMessage,
  familyOf,
  hostU32,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  parseAttributes,
  readHostU16,
  readHostU32,
} from "./rtnetlink.ts";

const RTM_NEWNEIGH = 28;
const RTM_DELNEIGH = 29;
const RTM_GETNEIGH = 30;

/** Multicast group (bit mask) whose members hear of every change of a neighbour. */
export const RTMGRP_NEIGH = 0x4;

const NDMSG_BYTES = 12;
const NDA_DST = 1;
const NDA_LLADDR = 2;
const NTF_USE = 0x01;

/** NUD_* by the number of their bit. */
const STATES = [
  "incomplete",
  "reachable",
  "stale",
  "delay",
  "probe",
  "failed",
  "noarp",
  "permanent",
] as const;
type NeighbourState = (typeof STATES)[number];

/** Which neighbour: the address, 4 or 16 octets, on a link. */
export interface NeighbourKey {
  readonly ifindex: number;
  readonly address: Uint8Array;
}

export interface Neighbour extends NeighbourKey {
  /** "none" when the kernel has made the entry and not done anything about it. */
  readonly state: NeighbourState | "none";
  /** Six octets; absent when the kernel knows none that holds, or the link's addresses are not Ethernet's. */
  readonly mac?: Uint8Array;
}

function ndmsg({ ifindex, address }: NeighbourKey, flags: number): Uint8Array {
  return concatBytes(
    Uint8Array.of(familyOf(address), 0, 0, 0),
    hostU32(ifindex),
    Uint8Array.of(0, 0, flags, 0),
    attribute(NDA_DST, address),
  );
}

/** Asks for one neighbour. ENOENT when the kernel has no entry, ENODEV when there is no such link. */
export function getNeighbourRequest(seq: number, neighbour: NeighbourKey): Uint8Array {
  return emitNetlinkMessage(RTM_GETNEIGH, 0, seq, ndmsg(neighbour, 0));
}

/**
 * Makes the kernel find a neighbour out, or make sure that a stale one is still there, as if it had a packet for it
 * (NTF_USE). Not for permanent ones: the kernel would take their permanence away.
 */
export function useNeighbourRequest(seq: number, neighbour: NeighbourKey): Uint8Array {
  return emitNetlinkMessage(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, seq, ndmsg(neighbour, NTF_USE));
}

/** Which neighbour an answer or a notification is about; undefined when it speaks of anything else. */
export function parseNeighbourKey(message: NetlinkMessage): NeighbourKey | undefined {
  const { type, payload } = message;
  if ((type !== RTM_NEWNEIGH && type !== RTM_DELNEIGH) || payload.length < NDMSG_BYTES) return undefined;
  // a bridge's forwarding entries come with these same types
  const octets = payload[0] === AF_INET ? 4 : payload[0] === AF_INET6 ? 16 : 0;
  const address = parseAttributes(payload, NDMSG_BYTES).get(NDA_DST);
  if (octets === 0 || address?.length !== octets) return undefined;
  return { ifindex: readHostU32(payload, 4)!, address: Uint8Array.from(address) };
}

/** The neighbour that an answer to getNeighbourRequest gives; undefined when it is anything else. */
export function parseNeighbour(message: NetlinkMessage): Neighbour | undefined {
  const key = parseNeighbourKey(message);
  if (key === undefined || message.type !== RTM_NEWNEIGH) return undefined;
  const bits = readHostU16(message.payload, 8)!;
  const state = STATES[31 - Math.clz32(bits)] ?? "none";
  const mac = parseAttributes(message.payload, NDMSG_BYTES).get(NDA_LLADDR);
  return { ...key, state, ...(mac?.length === MAC_BYTES && { mac: Uint8Array.from(mac) }) };
}
