/**
 * IP addresses and prefixes: text to octets and back. Octets are 4 (IPv4) or 16 (IPv6), in network order.
 * Reading is strict: exactly four decimal parts without leading zeros ("010.0.0.1" is 8.0.0.1 to some
 * programs and 10.0.0.1 to others, so it is neither here), no zone ids, no abbreviations of IPv4.
 * Writing is canonical: RFC 5952, with ::ffff:0:0/96 in mixed notation.
 */

/** The four octets of "192.0.2.1", or undefined. */
export function parseIpv4Address(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(4);
  let at = 0;
  for (let i = 0; i < 4; i++) {
    const start = at;
    let value = 0;
    for (; isDigit(text, at); at++) value = 10 * value + text.charCodeAt(at) - ZERO;
    const digits = at - start;
    if (digits < 1 || digits > 3 || value > 255) return undefined;
    if (digits > 1 && text.charCodeAt(start) === ZERO) return undefined;
    octets[i] = value;
    if (i < 3 && text.charCodeAt(at) !== DOT) return undefined;
    at += 1;
  }
  return at - 1 === text.length ? octets : undefined;
}

const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= ZERO && code <= NINE;
}

/** The sixteen octets of an IPv6 address in any form of RFC 4291 §2.2, or undefined. */
export function parseIpv6Address(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 16 ? Uint8Array.from(head) : undefined;
  const tail = parseGroups(halves[1]!, true);
  // "::" stands for at least one group
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  const octets = new Uint8Array(16);
  octets.set(head, 0);
  octets.set(tail, 16 - tail.length);
  return octets;
}

/** Colon-separated groups as octets; the last may be an IPv4 address where the text of the address ends. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  const octets: number[] = [];
  for (const [i, group] of groups.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      octets.push(value >>> 8, value & 0xff);
      continue;
    }
    const mapped = endsAddress && i === groups.length - 1 ? parseIpv4Address(group) : undefined;
    if (mapped === undefined) return undefined;
    octets.push(...mapped);
  }
  return octets;
}

/** The octets of an IPv4 (4) or IPv6 (16) address, or undefined. */
export function parseIpAddress(text: string): Uint8Array | undefined {
  return text.includes(":") ? parseIpv6Address(text) : parseIpv4Address(text);
}

/** Canonical text of 4 or 16 octets. Any other length is our bug and throws a RangeError. */
export function formatIpAddress(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  if (octets.length !== 16) throw new RangeError(`an IP address has 4 or 16 octets, not ${octets.length}`);
  if (isIpv4Mapped(octets)) return `::ffff:${octets.subarray(12).join(".")}`;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((octets[i]! << 8) | octets[i + 1]!);
  const gap = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (gap === undefined) return hex.join(":");
  return `${hex.slice(0, gap.start).join(":")}::${hex.slice(gap.start + gap.length).join(":")}`;
}

function isIpv4Mapped(octets: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (octets[i] !== 0) return false;
  return octets[10] === 0xff && octets[11] === 0xff;
}

/** RFC 5952 §4.2: the longest run of zero groups, the first of equal ones, and never a single group. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } | undefined {
  let best: { start: number; length: number } | undefined;
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    const length = i - start;
    if (length >= 2 && length > (best?.length ?? 0)) best = { start, length };
    start = i + 1;
  }
  return best;
}

/** An address with a prefix length. Host bits may be set: "192.0.2.1/24" is an address on a network. */
export interface Cidr {
  /** 4 or 16 octets. */
  readonly address: Uint8Array;
  /** 0–32 or 0–128. */
  readonly prefixLength: number;
}

/** "192.0.2.0/24" or "2001:db8::/32"; the prefix length is required. Undefined when it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return undefined;
  const address = parseIpAddress(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  const prefixLength = Number(length);
  return prefixLength <= address.length * 8 ? { address, prefixLength } : undefined;
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIpAddress(cidr.address)}/${cidr.prefixLength}`;
}

/** The prefix alone: host bits cleared. */
export function cidrNetwork(cidr: Cidr): Cidr {
  const address = Uint8Array.from(cidr.address, (octet, i) => octet & maskOctet(cidr.prefixLength, i));
  return { address, prefixLength: cidr.prefixLength };
}

/** Whether `address` (octets) lies in the prefix; never across the two families. */
export function cidrContains(cidr: Cidr, address: Uint8Array): boolean {
  if (address.length !== cidr.address.length) return false;
  for (let i = 0; i * 8 < cidr.prefixLength; i++)
    if (((address[i]! ^ cidr.address[i]!) & maskOctet(cidr.prefixLength, i)) !== 0) return false;
  return true;
}

/** Octet `index` of the network mask. */
function maskOctet(prefixLength: number, index: number): number {
  const bits = Math.min(8, Math.max(0, prefixLength - index * 8));
  return (0xff00 >>> bits) & 0xff;
}
