/** What precedence control traffic has (RFC 4594 §3.1: network control). */
export const DSCP_CS6 = 48;

/** Octets of the outer IP packet that carries a UDP payload. */
export function outerBytes(ipv6: boolean, payloadBytes: number): number {
  return (ipv6 ? 48 : 28) + payloadBytes;
}
