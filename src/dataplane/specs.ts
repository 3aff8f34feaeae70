import type { AttachSpec, PeerSpec, PortSpec, UnitSpec } from "../channel/dataplane.ts";
import { DataplaneError } from "../channel/errors.ts";
import { type Cidr, parseCidr, parseIpAddress } from "../wire/ip-address.ts";

/** How many addresses of each family one attached subscriber may have. */
export const ADDRESSES_PER_FAMILY = 4;

/** The octets of an address in a specification; a DataplaneError when it is none. */
export function addressOctets(text: string): Uint8Array {
  return parseIpAddress(text) ?? bad(`"${text}" is not an IP address`);
}

/** An address with or without a prefix length: alone it means all of its bits. */
export function prefixOf(text: string): Cidr {
  if (text.includes("/")) return parseCidr(text) ?? bad(`"${text}" is not a prefix`);
  const address = addressOctets(text);
  return { address, prefixLength: address.length * 8 };
}

export function checkPeer(spec: PeerSpec, port: PortSpec): void {
  if (spec.kind !== port.kind)
    throw new DataplaneError("peer-kind", `an ${spec.kind} peer cannot be on an ${port.kind} port`);
  if (spec.kind === "ethernet") {
    if (spec.remoteMac.length !== 6 || spec.localMac.length !== 6) bad("a MAC address has six octets");
    if (spec.tags.length > 2) bad("at most two VLAN tags");
    for (const { tpid, tci } of spec.tags)
      if (tpid < 0x600 || tpid > 0xffff || tci < 0 || tci > 0xffff) bad("not a VLAN tag");
    return;
  }
  const address = addressOctets(spec.address);
  if (port.kind === "udp" && address.length !== addressOctets(port.address).length)
    bad(`${spec.address} is not of the family of ${port.address}`);
  if (spec.udpPort < 1 || spec.udpPort > 0xffff) bad(`${spec.udpPort} is not a UDP port`);
  if (spec.localAddress !== undefined && addressOctets(spec.localAddress).length !== address.length)
    bad(`${spec.localAddress} is not of the family of ${spec.address}`);
  checkDscp(spec.dscp);
  if (spec.pathMtuBytes < 576 || spec.pathMtuBytes > 0xffff) bad(`a path MTU of ${spec.pathMtuBytes}`);
}

export function checkDscp(dscp = 0): void {
  if (!Number.isInteger(dscp) || dscp < 0 || dscp > 63) bad(`a DSCP of ${dscp}`);
}

export function checkUnit(spec: UnitSpec): void {
  const octets = new TextEncoder().encode(spec.name).length;
  if (octets < 1 || octets > 15) bad(`"${spec.name}" is not a device name`);
  if (spec.mtuBytes < 68 || spec.mtuBytes > 0xffff) bad(`an MTU of ${spec.mtuBytes}`);
  for (const address of spec.addresses) prefixOf(address);
  for (const route of spec.routes) prefixOf(route);
  if (spec.peerAddress !== undefined) addressOctets(spec.peerAddress);
}

export function checkAttach(spec: AttachSpec): void {
  let ipv4 = 0;
  let ipv6 = 0;
  for (const address of spec.addresses)
    if (prefixOf(address).address.length === 4) ipv4 += 1;
    else ipv6 += 1;
  if (ipv4 > ADDRESSES_PER_FAMILY || ipv6 > ADDRESSES_PER_FAMILY)
    bad(`a subscriber has at most ${ADDRESSES_PER_FAMILY} addresses of each family`);
  if (spec.mruBytes < 64 || spec.mruBytes > 0xffff) bad(`an MRU of ${spec.mruBytes}`);
}

function bad(message: string): never {
  throw new DataplaneError("bad-spec", message);
}
