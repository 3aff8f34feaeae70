import { clampMss } from "../wire/tcp.ts";

/** IP and TCP headers without options: what the MSS does not count (RFC 6691 §2). */
const IPV4_TCP_BYTES = 40;
const IPV6_TCP_BYTES = 60;

/** Lowers the MSS of a TCP SYN in the IP packet at `offset` to what fits packets of `mruBytes`. */
export function clampMssTo(mruBytes: number, bytes: Uint8Array, offset: number, length: number): void {
  clampMss(bytes, offset, length, mruBytes - IPV4_TCP_BYTES, mruBytes - IPV6_TCP_BYTES);
}
