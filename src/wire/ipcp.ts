/*
 * Configuration Options of the IP Control Protocol (RFC 1332 §3, RFC 1877 §1). Packets have codes 1 to 7 of
 * ppp-control.ts. An address option:
 *
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |     Type      |    Length = 6 |          IP-Address
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *           IP-Address (cont)       |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

import { concatBytes, readU16, writeU16 } from "../base/bytes.ts";
import type { ConfigOption } from "./ppp-control.ts";

const IP_COMPRESSION_PROTOCOL = 2;
const IP_ADDRESS = 3;
const PRIMARY_DNS = 129;
const PRIMARY_NBNS = 130;
const SECONDARY_DNS = 131;
const SECONDARY_NBNS = 132;

/** Options that carry one IPv4 address. */
export type IpcpAddressKind =
  | "ip-address"
  | "primary-dns"
  | "primary-nbns"
  | "secondary-dns"
  | "secondary-nbns";

export type IpcpOption =
  /** Four octets; 0.0.0.0 asks for one. */
  | { readonly kind: IpcpAddressKind; readonly address: Uint8Array }
  | { readonly kind: "ip-compression"; readonly protocol: number; readonly data: Uint8Array }
  /** A type of the above with a length that it cannot have. */
  | { readonly kind: "malformed"; readonly type: number; readonly data: Uint8Array }
  | { readonly kind: "unknown"; readonly type: number; readonly data: Uint8Array };

const ADDRESS_TYPES: Readonly<Record<IpcpAddressKind, number>> = {
  "ip-address": IP_ADDRESS,
  "primary-dns": PRIMARY_DNS,
  "primary-nbns": PRIMARY_NBNS,
  "secondary-dns": SECONDARY_DNS,
  "secondary-nbns": SECONDARY_NBNS,
};

/** Reads one option. */
export function parseIpcpOption(option: ConfigOption): IpcpOption {
  const { type, data } = option;
  switch (type) {
    case IP_ADDRESS:
      return addressOption("ip-address", option);
    case PRIMARY_DNS:
      return addressOption("primary-dns", option);
    case PRIMARY_NBNS:
      return addressOption("primary-nbns", option);
    case SECONDARY_DNS:
      return addressOption("secondary-dns", option);
    case SECONDARY_NBNS:
      return addressOption("secondary-nbns", option);
    case IP_COMPRESSION_PROTOCOL:
      return data.length < 2
        ? { kind: "malformed", type, data }
        : { kind: "ip-compression", protocol: readU16(data, 0), data: data.subarray(2) };
    default:
      return { kind: "unknown", type, data };
  }
}

/** The inverse of parseIpcpOption. */
export function emitIpcpOption(option: IpcpOption): ConfigOption {
  switch (option.kind) {
    case "ip-compression": {
      const protocol = new Uint8Array(2);
      writeU16(protocol, 0, option.protocol);
      return { type: IP_COMPRESSION_PROTOCOL, data: concatBytes(protocol, option.data) };
    }
    case "malformed":
    case "unknown":
      return { type: option.type, data: option.data };
    default:
      return { type: ADDRESS_TYPES[option.kind], data: option.address };
  }
}

function addressOption(kind: IpcpAddressKind, option: ConfigOption): IpcpOption {
  return option.data.length === 4
    ? { kind, address: option.data }
    : { kind: "malformed", type: option.type, data: option.data };
}
