import { readU32, writeU32 } from "../base/bytes.ts";
import { formatIpAddress, parseCidr, parseIpv4Address } from "./ip-address.ts";

/** A stretch of IPv4 addresses that hosts can have, as 32-bit numbers in host order, both ends included. */
export interface Ipv4Range {
  readonly first: number;
  readonly last: number;
  /** The fewest prefixes that make up what was written: "192.0.2.0/24". */
  readonly prefixes: readonly string[];
}

/** The number of "192.0.2.1" (3221225985), or undefined. */
export function ipv4ToNumber(text: string): number | undefined {
  const octets = parseIpv4Address(text);
  return octets === undefined ? undefined : readU32(octets, 0);
}

export function ipv4FromNumber(address: number): string {
  const octets = new Uint8Array(4);
  writeU32(octets, 0, address);
  return formatIpAddress(octets);
}

/**
 * "192.0.2.0/24", "192.0.2.10-192.0.2.99" or "192.0.2.7". A prefix's network and broadcast addresses are not
 * hosts' (except in /31, RFC 3021, and /32). Undefined for anything else, and when host bits of a prefix are set.
 */
export function parseIpv4Range(text: string): Ipv4Range | undefined {
  if (text.includes("/")) return parsePrefix(text);
  const [from = "", to = from, ...more] = text.split("-");
  const first = ipv4ToNumber(from);
  const last = ipv4ToNumber(to);
  if (more.length > 0 || first === undefined || last === undefined || last < first) return undefined;
  return { first, last, prefixes: coveringPrefixes(first, last) };
}

function parsePrefix(text: string): Ipv4Range | undefined {
  const cidr = parseCidr(text);
  if (cidr?.address.length !== 4) return undefined;
  const network = readU32(cidr.address, 0);
  const size = 2 ** (32 - cidr.prefixLength);
  if (network % size !== 0) return undefined;
  const edge = size > 2 ? 1 : 0;
  return { first: network + edge, last: network + size - 1 - edge, prefixes: [text] };
}

/** The fewest prefixes that hold exactly the addresses from `first` to `last`. */
function coveringPrefixes(first: number, last: number): readonly string[] {
  const prefixes: string[] = [];
  let start = first;
  while (start <= last) {
    let length = 32;
    // grow while the prefix stays aligned and inside
    while (length > 0 && start % 2 ** (33 - length) === 0 && start + 2 ** (33 - length) - 1 <= last) length--;
    prefixes.push(`${ipv4FromNumber(start)}/${length}`);
    start += 2 ** (32 - length);
  }
  return prefixes;
}
