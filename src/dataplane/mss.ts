import { readU16, writeU16 } from "../base/bytes.ts";

const TCP = 6;
const SYN = 0x02;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const TCP_HEADER_BYTES = 20;

/**
 * Lowers the MSS option of a TCP SYN in the IP packet of `length` octets at `offset` to what fits `mtuBytes`
 * (RFC 879: without the IP and TCP headers), and mends the checksum. Anything else stays as it is: fragments
 * that are not the first, IPv6 with extension headers, segments whose options are broken.
 */
export function clampMss(bytes: Uint8Array, offset: number, length: number, mtuBytes: number): void {
  if (bytes[offset]! >>> 4 === 4) {
    const headerBytes = (bytes[offset]! & 0x0f) * 4;
    const fragmentOffset = readU16(bytes, offset + 6) & 0x1fff;
    if (bytes[offset + 9] !== TCP || fragmentOffset !== 0) return;
    clampSegment(bytes, offset + headerBytes, offset + length, mtuBytes - 40);
  } else if (bytes[offset + 6] === TCP) {
    clampSegment(bytes, offset + 40, offset + length, mtuBytes - 60);
  }
}

function clampSegment(bytes: Uint8Array, tcp: number, end: number, mss: number): void {
  if (tcp + TCP_HEADER_BYTES > end || (bytes[tcp + 13]! & SYN) === 0) return;
  const optionsEnd = tcp + (bytes[tcp + 12]! >>> 4) * 4;
  if (optionsEnd > end) return;
  let at = tcp + TCP_HEADER_BYTES;
  while (at < optionsEnd) {
    const kind = bytes[at]!;
    if (kind === OPTION_END) return;
    if (kind === OPTION_NOP) {
      at += 1;
      continue;
    }
    if (at + 2 > optionsEnd) return;
    const optionBytes = bytes[at + 1]!;
    if (optionBytes < 2 || at + optionBytes > optionsEnd) return;
    if (kind === OPTION_MSS && optionBytes === 4) {
      lower(bytes, tcp, at + 2, mss);
      return;
    }
    at += optionBytes;
  }
}

/**
 * RFC 1624 equation 3: HC' = ~(~HC + ~m + m'). An option after an odd number of NOPs has its octets in two
 * different 16-bit words; swapping the octets of both m and m' gives the same sum there.
 */
function lower(bytes: Uint8Array, tcp: number, at: number, mss: number): void {
  const before = readU16(bytes, at);
  if (before <= mss) return;
  writeU16(bytes, at, mss);
  const odd = ((at - tcp) & 1) !== 0;
  const m = odd ? swap(before) : before;
  const n = odd ? swap(mss) : mss;
  let sum = (~readU16(bytes, tcp + 16) & 0xffff) + (~m & 0xffff) + n;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  writeU16(bytes, tcp + 16, ~sum & 0xffff);
}

function swap(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8);
}
