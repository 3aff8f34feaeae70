/*
 * Configuration Options of the IPv6 Control Protocol (RFC 5072 §4). Packets have codes 1 to 7 of ppp-control.ts.
 *
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |   Type = 1    |  Length = 10  | Interface-Identifier (MS Bytes)
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *                   Interface-Identifier (cont)
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    Interface-Identifier (LS Bytes) |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

import type { ConfigOption } from "./ppp-control.ts";

const INTERFACE_IDENTIFIER = 1;

/** Octets of an interface identifier. */
export const INTERFACE_IDENTIFIER_BYTES = 8;

export type Ipv6cpOption =
  /** Eight octets; all zero asks for one. */
  | { readonly kind: "interface-identifier"; readonly identifier: Uint8Array }
  | { readonly kind: "malformed"; readonly type: number; readonly data: Uint8Array }
  | { readonly kind: "unknown"; readonly type: number; readonly data: Uint8Array };

/** Reads one option. */
export function parseIpv6cpOption(option: ConfigOption): Ipv6cpOption {
  const { type, data } = option;
  if (type !== INTERFACE_IDENTIFIER) return { kind: "unknown", type, data };
  return data.length === INTERFACE_IDENTIFIER_BYTES
    ? { kind: "interface-identifier", identifier: data }
    : { kind: "malformed", type, data };
}

/** The inverse of parseIpv6cpOption. */
export function emitIpv6cpOption(option: Ipv6cpOption): ConfigOption {
  return option.kind === "interface-identifier"
    ? { type: INTERFACE_IDENTIFIER, data: option.identifier }
    : { type: option.type, data: option.data };
}
