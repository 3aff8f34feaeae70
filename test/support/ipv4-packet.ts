/** An IPv4 packet with a valid header and 8 octets of payload, UDP by name. */
export function ipv4Packet(source: string, destination: string): Uint8Array {
  const packet = new Uint8Array(28);
  packet.set([0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0]);
  packet.set(source.split(".").map(Number), 12);
  packet.set(destination.split(".").map(Number), 16);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (packet[i]! << 8) | packet[i + 1]!;
  sum = (sum & 0xffff) + (sum >>> 16);
  packet.set([(~sum >>> 8) & 0xff, ~sum & 0xff], 10);
  return packet;
}
