import { IdPool } from "../base/ids.ts";
import type {
  AttachSpec,
  ChannelId,
  ChannelSpec,
  EthernetPeerSpec,
  HeldFrame,
  PeerId,
  PeerSpec,
  PortId,
  PortSpec,
  UnitId,
  UnitSpec,
} from "../channel/dataplane.ts";
import { DataplaneError } from "../channel/errors.ts";
import { macNumber, macOctets, type VlanTag, vlanId } from "../wire/ethernet.ts";
import { cidrNetwork, formatCidr } from "../wire/ip-address.ts";
import { limitsOf } from "./reorder.ts";
import { checkAttach, checkPeer, checkUnit, prefixOf } from "./specs.ts";

/** The three states of a channel, each with its own data. */
type ChannelState =
  | { readonly kind: "punted" }
  | { readonly kind: "bridged"; readonly to: ChannelId }
  | { readonly kind: "attached"; readonly unit: UnitId; readonly spec: AttachSpec };

interface PortEntry {
  readonly spec: PortSpec;
  peers: number;
}

interface PeerEntry {
  spec: PeerSpec;
  channels: number;
}

export interface ChannelEntry {
  readonly spec: ChannelSpec;
  state: ChannelState;
}

interface UnitEntry {
  readonly spec: UnitSpec;
  channels: number;
  /** Shared: whose each address is. */
  readonly addresses: Map<string, ChannelId>;
}

/** How many of each an engine has room for. Ids run from 1 to these. */
export interface RegistrySizes {
  readonly ports: number;
  readonly peers: number;
  readonly channels: number;
  readonly units: number;
}

const PUNTED: ChannelState = { kind: "punted" };

/**
 * What there is and how it is joined, with the rules of `Dataplane`: every engine keeps one, asks it first and
 * then does what it said. Each method either throws a DataplaneError and changes nothing, or changes all of it.
 * A freed id comes back only when its engine says so (release…), oldest-free first.
 */
export class Registry {
  readonly #ports = new Map<PortId, PortEntry>();
  /** By id. Of these two there are as many as sessions, and an array takes a fifth of what a Map does. */
  readonly #peers: (PeerEntry | undefined)[] = [];
  readonly #channels: (ChannelEntry | undefined)[] = [];
  readonly #units = new Map<UnitId, UnitEntry>();
  /** What identifies a channel on the wire, so that no two have the same. */
  readonly #sessions = new Map<SessionKey, ChannelId>();
  readonly #ids: { readonly [kind in keyof RegistrySizes]: IdPool };

  constructor(sizes: RegistrySizes) {
    this.#ids = {
      ports: idsUpTo(sizes.ports),
      peers: idsUpTo(sizes.peers),
      channels: idsUpTo(sizes.channels),
      units: idsUpTo(sizes.units),
    };
  }

  addPort(spec: PortSpec): PortId {
    const id = this.#take("ports");
    this.#ports.set(id, { spec, peers: 0 });
    return id;
  }

  removePort(id: PortId): void {
    if (this.port(id).peers > 0) throw inUse(`port ${id} has peers`);
    this.#ports.delete(id);
  }

  port(id: PortId): PortEntry {
    return this.#ports.get(id) ?? unknown("port", id);
  }

  /** False when it has been closed. */
  hasPort(id: PortId): boolean {
    return this.#ports.has(id);
  }

  portIds(): PortId[] {
    return [...this.#ports.keys()];
  }

  addPeer(spec: PeerSpec): PeerId {
    const port = this.port(spec.port);
    checkPeer(spec, port.spec);
    const id = this.#take("peers");
    port.peers += 1;
    this.#peers[id] = { spec: compact(spec), channels: 0 };
    return id;
  }

  updatePeer(id: PeerId, spec: PeerSpec): void {
    const peer = this.peer(id);
    if (spec.kind !== peer.spec.kind || spec.port !== peer.spec.port)
      throw new DataplaneError("peer-kind", `peer ${id} cannot change its kind or port`);
    checkPeer(spec, this.port(spec.port).spec);
    peer.spec = compact(spec);
  }

  removePeer(id: PeerId): void {
    const peer = this.peer(id);
    if (peer.channels > 0) throw inUse(`peer ${id} has channels`);
    this.port(peer.spec.port).peers -= 1;
    this.#peers[id] = undefined;
  }

  peer(id: PeerId): PeerEntry {
    return this.#peers[id] ?? unknown("peer", id);
  }

  addChannel(spec: ChannelSpec): ChannelId {
    const peer = this.peer(spec.peer);
    if ((spec.kind === "pppoe") !== (peer.spec.kind === "ethernet"))
      throw new DataplaneError("peer-kind", `a ${spec.kind} channel cannot go to an ${peer.spec.kind} peer`);
    checkIds(spec);
    if (spec.kind === "l2tp") limitsOf(spec.reorder);
    const key = sessionKey(spec, peer.spec);
    const other = this.#sessions.get(key);
    if (other !== undefined)
      throw new DataplaneError("session-taken", `${describe(spec, peer.spec)} is channel ${other}`);
    const id = this.#take("channels");
    peer.channels += 1;
    this.#sessions.set(key, id);
    this.#channels[id] = { spec, state: PUNTED };
    return id;
  }

  /** Takes a channel away, unbridged and detached; returns what it was. */
  removeChannel(id: ChannelId): ChannelEntry {
    const channel = this.channel(id);
    const { state } = channel;
    if (state.kind === "bridged") this.channel(state.to).state = PUNTED;
    if (state.kind === "attached") this.#leaveUnit(state.spec);
    const peer = this.peer(channel.spec.peer);
    peer.channels -= 1;
    this.#sessions.delete(sessionKey(channel.spec, peer.spec));
    this.#channels[id] = undefined;
    return channel;
  }

  channel(id: ChannelId): ChannelEntry {
    return this.#channels[id] ?? unknown("channel", id);
  }

  /** Throws unless it is one of L2TP, which alone can have sequence numbers. */
  checkL2tp(id: ChannelId): void {
    const { kind } = this.channel(id).spec;
    if (kind !== "l2tp")
      throw new DataplaneError("bad-spec", `channel ${id} is ${kind}, which has no numbers`);
  }

  /** Undefined when there is no such channel (any more). */
  findChannel(id: ChannelId): ChannelEntry | undefined {
    return this.#channels[id];
  }

  bridge(a: ChannelId, b: ChannelId, held: readonly HeldFrame[]): void {
    const first = this.#punted(a);
    const second = this.#punted(b);
    if (a === b) throw new DataplaneError("same-channel", `channel ${a} cannot be bridged to itself`);
    for (const { channel } of held)
      if (channel !== a && channel !== b)
        throw new DataplaneError(
          "held-elsewhere",
          `a held frame is for channel ${channel}, not ${a} or ${b}`,
        );
    first.state = { kind: "bridged", to: b };
    second.state = { kind: "bridged", to: a };
  }

  /** Returns the other end. */
  unbridge(id: ChannelId): ChannelId {
    const channel = this.channel(id);
    if (channel.state.kind !== "bridged")
      throw new DataplaneError("not-bridged", `channel ${id} is ${channel.state.kind}`);
    const { to } = channel.state;
    channel.state = PUNTED;
    this.channel(to).state = PUNTED;
    return to;
  }

  attach(id: ChannelId, spec: AttachSpec): void {
    const channel = this.#punted(id);
    const unit = this.unit(spec.unit);
    checkAttach(spec);
    if (!unit.spec.shared && unit.channels > 0) throw inUse(`unit ${spec.unit} has a channel already`);
    const addresses = spec.addresses.map(canonicalPrefix);
    for (const address of unit.spec.shared ? addresses : [])
      if (unit.addresses.has(address))
        throw new DataplaneError("address-taken", `${address} is channel ${unit.addresses.get(address)}'s`);
    for (const address of addresses) unit.addresses.set(address, id);
    unit.channels += 1;
    channel.state = { kind: "attached", unit: spec.unit, spec };
  }

  /** Returns how it was attached. */
  detach(id: ChannelId): AttachSpec {
    const channel = this.channel(id);
    if (channel.state.kind !== "attached")
      throw new DataplaneError("not-attached", `channel ${id} is ${channel.state.kind}`);
    const { spec } = channel.state;
    this.#leaveUnit(spec);
    channel.state = PUNTED;
    return spec;
  }

  addUnit(spec: UnitSpec): UnitId {
    checkUnit(spec);
    const id = this.#take("units");
    this.#units.set(id, { spec, channels: 0, addresses: new Map() });
    return id;
  }

  removeUnit(id: UnitId): void {
    if (this.unit(id).channels > 0) throw inUse(`unit ${id} has channels`);
    this.#units.delete(id);
  }

  unit(id: UnitId): UnitEntry {
    return this.#units.get(id) ?? unknown("unit", id);
  }

  unitIds(): UnitId[] {
    return [...this.#units.keys()];
  }

  /** The id may be given out again. */
  release(kind: keyof RegistrySizes, id: number): void {
    this.#ids[kind].release(id);
  }

  #leaveUnit(spec: AttachSpec): void {
    const unit = this.unit(spec.unit);
    unit.channels -= 1;
    for (const address of spec.addresses.map(canonicalPrefix)) unit.addresses.delete(address);
  }

  #punted(id: ChannelId): ChannelEntry {
    const channel = this.channel(id);
    if (channel.state.kind !== "punted")
      throw new DataplaneError("not-punted", `channel ${id} is ${channel.state.kind}`);
    return channel;
  }

  #take(kind: keyof RegistrySizes): number {
    const id = this.#ids[kind].take();
    if (id === undefined) throw new DataplaneError("table-full", `no room for more ${kind}`);
    return id;
  }
}

/** Engine-internal ids: they never reach a wire, so their first need not be random. */
function idsUpTo(max: number): IdPool {
  return new IdPool({ min: 1, max, nextFresh: 1, freshLeft: max, released: [], releasedHead: 0 });
}

function canonicalPrefix(text: string): string {
  return formatCidr(cidrNetwork(prefixOf(text)));
}

/** What no two channels have in common: a number where one is enough. */
type SessionKey = number | string;

/** PPPoE sessions are numbered per VLAN of a port, L2TP sessions per tunnel, and tunnels once for all ports. */
function sessionKey(spec: ChannelSpec, peer: PeerSpec): SessionKey {
  if (spec.kind === "l2tp") return -(spec.localTunnelId * 0x1_0000 + spec.localSessionId);
  if (peer.kind === "ethernet" && peer.tags.length > 0) return describe(spec, peer);
  return peer.port * 0x1_0000 + spec.sessionId;
}

function describe(spec: ChannelSpec, peer: PeerSpec): string {
  if (spec.kind === "l2tp") return `L2TP session ${spec.localTunnelId}/${spec.localSessionId}`;
  const tags = peer.kind === "ethernet" ? peer.tags : [];
  const vlans = tags.map((tag) => ` under ${tag.tpid.toString(16)}/${vlanId(tag)}`).join("");
  return `PPPoE session ${spec.sessionId} on port ${peer.port}${vlans}`;
}

const NO_TAGS: readonly VlanTag[] = [];

function compact(spec: PeerSpec): PeerSpec {
  return spec.kind === "ethernet" ? new CompactPeer(spec) : spec;
}

/** An Ethernet peer as it is kept: there are as many as sessions, and an array of six octets takes two hundred. */
class CompactPeer implements EthernetPeerSpec {
  readonly kind = "ethernet";
  readonly port: PortId;
  readonly tags: readonly VlanTag[];
  /** Ours, the same for all peers of a port. */
  readonly localMac: Uint8Array;
  readonly #remoteMac: number;

  constructor({ port, tags, remoteMac, localMac }: EthernetPeerSpec) {
    this.port = port;
    this.tags = tags.length === 0 ? NO_TAGS : tags;
    this.localMac = localMac;
    this.#remoteMac = macNumber(remoteMac);
  }

  get remoteMac(): Uint8Array {
    return macOctets(this.#remoteMac);
  }
}

/** RFC 2516 §4 reserves session ids 0 and 0xFFFF; in L2TP 0 means "not known yet" (RFC 2661 §5.1). */
function checkIds(spec: ChannelSpec): void {
  const ids =
    spec.kind === "pppoe"
      ? [spec.sessionId]
      : [spec.localTunnelId, spec.localSessionId, spec.remoteTunnelId, spec.remoteSessionId];
  for (const id of ids)
    if (!Number.isInteger(id) || id < 1 || id > 0xffff)
      throw new DataplaneError("bad-spec", `${id} is not a ${spec.kind} id`);
}

function unknown(what: string, id: number): never {
  throw new DataplaneError(`unknown-${what}`, `there is no ${what} ${id}`);
}

function inUse(message: string): DataplaneError {
  return new DataplaneError("in-use", message);
}
