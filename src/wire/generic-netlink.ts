/**
 * Generic netlink (linux/genetlink.h): families are known by name, and have numbers that the kernel gives out. After
 * the netlink header comes
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------+---------------+-------------------------------+
 *   |    command    |    version    |           reserved            |
 *   +---------------+---------------+-------------------------------+
 *   ~  attributes                                                   ~
 */

import { concatBytes } from "../base/bytes.ts";
import {
  attributeList,
  attributeString,
  attributeText,
  emitNetlinkMessage,
  type NetlinkMessage,
  parseAttributes,
  readHostU16,
  readHostU32,
} from "./rtnetlink.ts";

/** The protocol of sockets (netlink(7)). */
export const NETLINK_GENERIC = 16;

const HEADER_BYTES = 4;
const VERSION = 1;

/** The family of families. */
const GENL_ID_CTRL = 0x10;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;
const CTRL_ATTR_MCAST_GROUPS = 7;
const CTRL_ATTR_MCAST_GRP_NAME = 1;
const CTRL_ATTR_MCAST_GRP_ID = 2;

/** A request of a family. */
export function emitGenericMessage(
  family: number,
  command: number,
  flags: number,
  seq: number,
  ...attributes: readonly Uint8Array[]
): Uint8Array {
  return emitNetlinkMessage(
    family,
    flags,
    seq,
    concatBytes(Uint8Array.of(command, VERSION, 0, 0), ...attributes),
  );
}

/** The attributes of an answer of a family; undefined when it is none. */
export function parseGenericMessage(
  message: NetlinkMessage,
  family: number,
): ReadonlyMap<number, Uint8Array> | undefined {
  if (message.type !== family || message.payload.length < HEADER_BYTES) return undefined;
  return parseAttributes(message.payload, HEADER_BYTES);
}

export function getFamilyRequest(seq: number, name: string): Uint8Array {
  return emitGenericMessage(
    GENL_ID_CTRL,
    CTRL_CMD_GETFAMILY,
    0,
    seq,
    attributeString(CTRL_ATTR_FAMILY_NAME, name),
  );
}

/** The number of the family that was asked for. */
export function parseFamily(message: NetlinkMessage): number | undefined {
  return readHostU16(parseGenericMessage(message, GENL_ID_CTRL)?.get(CTRL_ATTR_FAMILY_ID));
}

/** The number of a multicast group of the family that was asked for; undefined when it has none of that name. */
export function parseMulticastGroup(message: NetlinkMessage, name: string): number | undefined {
  const groups = parseGenericMessage(message, GENL_ID_CTRL)?.get(CTRL_ATTR_MCAST_GROUPS);
  for (const octets of groups === undefined ? [] : attributeList(groups)) {
    const group = parseAttributes(octets, 0);
    const called = group.get(CTRL_ATTR_MCAST_GRP_NAME);
    if (called !== undefined && attributeText(called) === name)
      return readHostU32(group.get(CTRL_ATTR_MCAST_GRP_ID));
  }
  return undefined;
}
