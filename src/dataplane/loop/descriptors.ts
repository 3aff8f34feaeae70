import type { AccessPortSpec, PortId, TunnelPortSpec } from "../../channel/dataplane.ts";
import {
  type Addon,
  FANOUT_BY_PROGRAM,
  FANOUT_IGNORE_OUTGOING,
  FANOUT_UNIQUE,
  type NativeError,
  type PacketOptions,
  type UdpOptions,
} from "../../io/addon.ts";
import { etherTypeFilter, senderProgram, sessionIdProgram } from "../../wire/bpf.ts";
import { ETHERTYPE_PPPOE_SESSION } from "../../wire/ethernet.ts";
import { addressOctets } from "../specs.ts";
import type { NewLane, Opening } from "./crew.ts";
import { PACKET_HEADROOM_BYTES } from "./ingress.ts";
import type { LoopOptions } from "./options.ts";
import { laneOfPort, type TableSizes, uncheckedLaneOfPort } from "./tables.ts";

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

/**
 * What a lane sends through: a socket that receives nothing, and that nobody polls. One that is polled wakes its poller
 * for each frame that has been sent, as there is room again: a tenth of what sending costs.
 */
function sendingOptions({ ifindex, name, sendBufferBytes, bypassQdisc }: PacketOptions): PacketOptions {
  return {
    ifindex,
    name,
    sendBufferBytes,
    bypassQdisc,
    protocol: 0,
    filter: new Uint8Array(0),
    ringSlots: 0,
    slotBytes: 0,
    headroomBytes: 0,
    promiscuous: false,
  };
}

/** Fewer slots than this in the ring of a lane would not outlast a pause of its worker. */
const LEAST_RING_SLOTS = 2048;

/**
 * Opens the sockets of an access port into `fds`, two for each lane: one that receives and one that sends. Frames go to
 * lanes by their PPPoE session id, and what has none to the first. There is one lane alone where the kernel makes no group.
 */
export function openAccessPort(
  addon: Addon,
  port: PortId,
  spec: AccessPortSpec,
  lanes: number,
  options: LoopOptions,
  fds: number[],
): Opening {
  const whole = packetOptions(spec, options);
  const part = Math.max(LEAST_RING_SLOTS, whole.ringSlots / 2 ** Math.ceil(Math.log2(lanes)));
  let packet = { ...whole, ringSlots: Math.min(part, whole.ringSlots) };
  if (lanes === 1 || !openGroup(addon, packet, lanes, fds)) {
    packet = whole;
    fds.push(addon.openPacket(packet));
  }
  const receiving = fds.slice();
  const sending = receiving.map(() => {
    const fd = addon.openPacket(sendingOptions(packet));
    fds.push(fd);
    return fd;
  });
  return {
    outlets: [{ key: { kind: "packet", lane: laneOfPort(port) }, fds: sending }],
    lanes: receiving.map((fd, i) => ({ source: { medium: "ethernet", port, packet }, fd, share: port + i })),
  };
}

/** False when there is none: before Linux 6.13 a socket of an interface that is down cannot be in one. */
function openGroup(addon: Addon, packet: PacketOptions, lanes: number, fds: number[]): boolean {
  const mode = FANOUT_BY_PROGRAM | FANOUT_IGNORE_OUTGOING;
  const program = sessionIdProgram(ETHERTYPE_PPPOE_SESSION);
  try {
    // in a group of a number of our choice there could be somebody else's sockets
    fds.push(addon.openPacket({ ...packet, fanout: { group: 0, mode: mode | FANOUT_UNIQUE, program } }));
  } catch (error) {
    if ((error as NativeError).code !== "EINVAL") throw error;
    return false;
  }
  const group = addon.fanoutGroup(fds[0]!);
  while (fds.length < lanes) fds.push(addon.openPacket({ ...packet, fanout: { group, mode } }));
  return true;
}

/**
 * Opens the sockets of an L2TP port into `fds`: one for each lane, to which messages go by their sender, and one for peers
 * that want no UDP checksums, which only sends. Throws when somebody has the address.
 */
export function openTunnelPort(
  addon: Addon,
  port: PortId,
  spec: TunnelPortSpec,
  lanes: number,
  options: LoopOptions,
  sizes: TableSizes,
  fds: number[],
): Opening {
  const udp = udpOptions(spec, options);
  // in a group, a second gateway on this address would be let in and hear nothing: ask alone first
  addon.close(addon.openUdp({ ...udp, reusePort: false }));
  fds.push(addon.openUdp({ ...udp, reusePortProgram: senderProgram(udp.family, lanes) }));
  while (fds.length < lanes) fds.push(addon.openUdp(udp));
  const checked = fds.slice();
  const unchecked = addon.openUdp({ ...udp, checksum: false });
  fds.push(unchecked);
  return {
    outlets: [
      { key: { kind: "udp", lane: laneOfPort(port) }, fds: checked },
      { key: { kind: "udp", lane: uncheckedLaneOfPort(sizes, port) }, fds: [unchecked] },
    ],
    lanes: [
      ...checked.map((fd, i): NewLane => ({ source: { medium: "udp", port }, fd, share: port + i })),
      // errors of what it has sent may come to it
      { source: { medium: "unchecked", port }, fd: unchecked, share: port },
    ],
  };
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
