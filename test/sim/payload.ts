import { readU16, readU32, writeU16, writeU32 } from "../../src/base/bytes.ts";
import { emitIpv4, parseIpv4 } from "../../src/wire/ipv4.ts";

/** RFC 3692: for experiments. */
const PROTOCOL_EXPERIMENT = 253;
const BYTES = 10;

/** What a CPE's packets say: whose they are, in which of his calls he sent them, and which one it is. */
interface Probe {
  readonly cpe: number;
  readonly call: number;
  readonly serial: number;
}

export interface ProbePacket extends Probe {
  /** Four octets each. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

export function emitProbe({ cpe, call, serial, source, destination }: ProbePacket): Uint8Array {
  const payload = new Uint8Array(BYTES);
  writeU16(payload, 0, cpe);
  writeU32(payload, 2, call);
  writeU32(payload, 6, serial);
  return emitIpv4({
    tos: 0,
    identification: serial & 0xffff,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 64,
    protocol: PROTOCOL_EXPERIMENT,
    source,
    destination,
    payload,
  });
}

export function parseProbe(packet: Uint8Array): ProbePacket | undefined {
  const ip = parseIpv4(packet);
  if (ip === undefined || ip.protocol !== PROTOCOL_EXPERIMENT || ip.payload.length !== BYTES)
    return undefined;
  const { source, destination, payload } = ip;
  return {
    cpe: readU16(payload, 0),
    call: readU32(payload, 2),
    serial: readU32(payload, 6),
    source,
    destination,
  };
}
