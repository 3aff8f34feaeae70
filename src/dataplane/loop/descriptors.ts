import type { AccessPortSpec, TunnelPortSpec } from "../../channel/dataplane.ts";
import type { Addon, PacketOptions, UdpOptions } from "../../io/addon.ts";
import { etherTypeFilter, firstMemberProgram } from "../../wire/bpf.ts";
import { ETHERTYPE_PPPOE_SESSION } from "../../wire/ethernet.ts";
import { addressOctets } from "../specs.ts";
import { PACKET_HEADROOM_BYTES } from "./ingress.ts";
import type { LoopOptions } from "./options.ts";

/** What a ring slot has besides the Ethernet payload: the kernel's descriptor, headroom and headers. */
const SLOT_OVERHEAD_BYTES = 256;

/**
 * An access port's packet socket. It is bound to every protocol: one that is bound to 0x8864 loses the VLAN tag,
 * and frames under two tags never reach it.
 */
export function packetOptions(spec: AccessPortSpec, options: LoopOptions): PacketOptions {
  return {
    ifindex: spec.ifindex,
    name: spec.name,
    filter: etherTypeFilter(ETHERTYPE_PPPOE_SESSION),
    ringSlots: options.packetRingSlots,
    slotBytes: Math.max(
      options.packetSlotBytes,
      2 ** Math.ceil(Math.log2(spec.mtuBytes + SLOT_OVERHEAD_BYTES)),
    ),
    headroomBytes: PACKET_HEADROOM_BYTES,
    sendBufferBytes: options.sendBufferBytes,
    bypassQdisc: true,
    promiscuous: false,
  };
}

/** The socket of an L2TP port that receives, and sends with UDP checksums. Throws when somebody has the address. */
export function openTunnelSocket(addon: Addon, spec: TunnelPortSpec, options: LoopOptions): number {
  const udp = udpOptions(spec, options);
  // in a group, a second gateway on this address would be let in and hear nothing: ask alone first
  addon.close(addon.openUdp({ ...udp, reusePort: false }));
  return addon.openUdp({ ...udp, reusePortProgram: firstMemberProgram() });
}

/** A second socket on the same address for peers that want no checksums; it only sends. */
export function openUncheckedSocket(addon: Addon, spec: TunnelPortSpec, options: LoopOptions): number {
  return addon.openUdp({ ...udpOptions(spec, options), checksum: false });
}

function udpOptions(spec: TunnelPortSpec, options: LoopOptions): UdpOptions {
  const address = addressOctets(spec.address);
  return {
    family: address.length === 4 ? 4 : 6,
    address,
    port: spec.udpPort,
    ifindex: spec.ifindex ?? 0,
    // an address may come, go and come back with its interface
    freeBind: true,
    reusePort: true,
    receiveBufferBytes: options.receiveBufferBytes,
    sendBufferBytes: options.sendBufferBytes,
    gro: true,
    checksum: true,
    // what exceeds the path is fragmented on the way, or by the kernel
    df: "clear",
  };
}
