import { concatBytes } from "../base/bytes.ts";
import { formatIpAddress } from "../wire/ip-address.ts";

const PREFIX = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0);

/** fe80::/64 and an interface identifier of eight octets (RFC 5072 §5). */
export function linkLocalAddress(interfaceIdentifier: Uint8Array): string {
  return formatIpAddress(concatBytes(PREFIX, interfaceIdentifier));
}
