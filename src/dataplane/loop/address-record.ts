import { readU16, writeU16 } from "../../base/bytes.ts";
import {
  ADDRESS_BYTES,
  ADDRESS_FAMILY,
  ADDRESS_LOCAL,
  ADDRESS_PORT,
  ADDRESS_REMOTE,
  ADDRESS_TOS,
} from "../../io/addon.ts";
import { formatIpAddress } from "../../wire/ip-address.ts";
import { addressOctets } from "../specs.ts";

/** An address record (src/io/addon.ts) to send to. `dscp`: 0 to 63. */
export function addressRecord(address: string, udpPort: number, dscp = 0, localAddress?: string): Uint8Array {
  const record = new Uint8Array(ADDRESS_BYTES);
  const octets = addressOctets(address);
  record[ADDRESS_FAMILY] = octets.length === 4 ? 4 : 6;
  writeU16(record, ADDRESS_PORT, udpPort);
  record.set(octets, ADDRESS_REMOTE);
  if (localAddress !== undefined) record.set(addressOctets(localAddress), ADDRESS_LOCAL);
  record[ADDRESS_TOS] = dscp << 2;
  return record;
}

/** What a record at the start of `bytes` says of a received datagram. */
export function parseAddressRecord(bytes: Uint8Array): {
  readonly address: string;
  readonly udpPort: number;
  readonly localAddress: string;
} {
  const octets = bytes[ADDRESS_FAMILY] === 4 ? 4 : 16;
  return {
    address: formatIpAddress(bytes.subarray(ADDRESS_REMOTE, ADDRESS_REMOTE + octets)),
    udpPort: readU16(bytes, ADDRESS_PORT),
    localAddress: formatIpAddress(bytes.subarray(ADDRESS_LOCAL, ADDRESS_LOCAL + octets)),
  };
}
