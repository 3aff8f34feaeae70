/**
 * struct virtio_net_hdr, before every packet of a TUN device with IFF_VNET_HDR (Virtio 1.2 §5.1.6), in little-endian
 * order. All zero means that nothing is special about the packet.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------+---------------+-------------------------------+
 *   |     flags     |   GSO type    |         header length         |
 *   +---------------+---------------+-------------------------------+
 *   |           GSO size            |        checksum start         |
 *   +-------------------------------+-------------------------------+
 *   |        checksum offset        |
 *   +-------------------------------+
 *
 * Checksum start counts from the start of the packet, checksum offset from there.
 */

export const VNET_HEADER_BYTES = 10;
export const VNET_FLAGS = 0;
export const VNET_GSO_TYPE = 1;
const VNET_HEADERS_BYTES = 2;
const VNET_GSO_SIZE = 4;
const VNET_CHECKSUM_START = 6;
const VNET_CHECKSUM_OFFSET = 8;

/** The word at the checksum's place is the sum of the pseudo-header; the rest is left to whoever gets the packet. */
export const VNET_NEEDS_CHECKSUM = 1;

/** Whether the packet is a super-segment, that is to be cut into ones with `gsoSize` octets of payload. */
export const VNET_GSO_NONE = 0;
export const VNET_GSO_TCP_IPV4 = 1;
export const VNET_GSO_TCP_IPV6 = 4;
export const VNET_GSO_UDP = 5;
/** Beside these: the first segment has CWR (RFC 3168 §6.1.2), the others have not. */
export const VNET_GSO_ECN = 0x80;

function readU16Le(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8);
}

function writeU16Le(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
}

export function vnetGsoSize(bytes: Uint8Array, offset: number): number {
  return readU16Le(bytes, offset + VNET_GSO_SIZE);
}

export function vnetChecksumStart(bytes: Uint8Array, offset: number): number {
  return readU16Le(bytes, offset + VNET_CHECKSUM_START);
}

export function vnetChecksumOffset(bytes: Uint8Array, offset: number): number {
  return readU16Le(bytes, offset + VNET_CHECKSUM_OFFSET);
}

/** Writes the header of a super-segment whose TCP or UDP header starts at `transport` of it and ends at `headers`. */
export function writeVnetSuperSegment(
  bytes: Uint8Array,
  offset: number,
  gsoType: number,
  gsoSize: number,
  transport: number,
  headers: number,
  checksumOffset: number,
): void {
  bytes[offset + VNET_FLAGS] = VNET_NEEDS_CHECKSUM;
  bytes[offset + VNET_GSO_TYPE] = gsoType;
  writeU16Le(bytes, offset + VNET_HEADERS_BYTES, headers);
  writeU16Le(bytes, offset + VNET_GSO_SIZE, gsoSize);
  writeU16Le(bytes, offset + VNET_CHECKSUM_START, transport);
  writeU16Le(bytes, offset + VNET_CHECKSUM_OFFSET, checksumOffset);
}
