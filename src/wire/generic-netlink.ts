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
  attributeString,
  emitNetlinkMessage,
  type NetlinkMessage,
  parseAttributes,
  readHostU16,
} from "./rtnetlink.ts";

const HEADER_BYTES = 4;
const VERSION = 1;

/** The family of families. */
const GENL_ID_CTRL = 0x10;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;

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
