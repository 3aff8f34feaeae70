import {
  ETHERTYPE_PPPOE_DISCOVERY,
  type EthernetFrame,
  ethernetHeaderBytes,
  isStationMac,
  parseEthernet,
  type VlanTag,
  writeEthernetHeader,
} from "../wire/ethernet.ts";
import {
  type DiscoveryMalformed,
  type DiscoveryPacket,
  emitDiscovery,
  parseDiscovery,
} from "../wire/pppoe.ts";

/** A discovery packet with the Ethernet header it came or goes under. */
export interface DiscoveryFrame {
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly vlanTags: readonly VlanTag[];
  readonly packet: DiscoveryPacket;
}

/** Why a frame is no discovery packet that anybody could answer. */
export type FrameJunk = DiscoveryMalformed | "not-discovery" | "bad-source";

/** Reads a whole Ethernet frame; a string says why it is not used. */
export function readDiscoveryFrame(bytes: Uint8Array): DiscoveryFrame | FrameJunk {
  const frame: EthernetFrame | undefined = parseEthernet(bytes);
  if (frame === undefined) return "truncated";
  if (frame.etherType !== ETHERTYPE_PPPOE_DISCOVERY) return "not-discovery";
  // an answer to a group or to nobody would reach whoever the sender wants to harm
  if (!isStationMac(frame.source)) return "bad-source";
  const packet = parseDiscovery(frame.payload);
  if (typeof packet === "string") return packet;
  return { destination: frame.destination, source: frame.source, vlanTags: frame.tags, packet };
}

export function emitDiscoveryFrame(frame: DiscoveryFrame): Uint8Array {
  const { destination, source, vlanTags: tags, packet } = frame;
  const bytes = emitDiscovery(packet, ethernetHeaderBytes(tags.length));
  writeEthernetHeader(bytes, 0, { destination, source, tags, etherType: ETHERTYPE_PPPOE_DISCOVERY });
  return bytes;
}
