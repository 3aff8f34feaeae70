/** Octets of the outer IP packet that carries a UDP payload. */
export function outerBytes(ipv6: boolean, payloadBytes: number): number {
  return (ipv6 ? 48 : 28) + payloadBytes;
}
