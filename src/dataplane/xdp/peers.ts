import type { IdPool } from "../../base/ids.ts";
import type { Logger } from "../../base/logger.ts";
import type { UdpPeerSpec } from "../../channel/dataplane.ts";
import type { UdpNextHops } from "../../io/clear-next-hops.ts";
import type { NextHop, Unresolved } from "../../io/next-hops.ts";
import { XDP_PEER_BYTES, type XdpTables } from "../../io/xdp.ts";
import { numbers } from "../numbers.ts";
import { addressOctets } from "../specs.ts";
import type { Interfaces } from "./interfaces.ts";
import { peerEntry } from "./peer-entry.ts";
import type { UdpPeer } from "./records.ts";
import type { SharedGrace } from "./shared-grace.ts";

/**
 * The program's table of L2TP peers. A peer is in it from when one of its channels is first bridged, and what describes it
 * is replaced as a whole: a next hop that changes is one entry and one store, however many channels there are.
 * One that has no next hop has an entry all the same, by which its frames are left to the loop, both ways: it
 * may be that they must not pass by the host's IPsec policies.
 */
export class Peers {
  readonly #slotOfPeer: Int32Array;
  readonly #entries: Uint8Array;
  readonly #numbers: IdPool;
  readonly #slots: IdPool;
  readonly #grace: SharedGrace;
  readonly #interfaces: Interfaces;
  readonly #hops: UdpNextHops;
  readonly #logger: Logger;

  constructor(
    tables: XdpTables,
    grace: SharedGrace,
    interfaces: Interfaces,
    hops: UdpNextHops,
    logger: Logger,
  ) {
    this.#slotOfPeer = new Int32Array(tables.peerSlots);
    this.#entries = new Uint8Array(tables.peers);
    this.#numbers = numbers(this.#slotOfPeer.length - 1);
    this.#slots = numbers(this.#entries.length / XDP_PEER_BYTES - 1);
    this.#grace = grace;
    this.#interfaces = interfaces;
    this.#hops = hops;
    this.#logger = logger;
  }

  /** Makes the program know the peer; false when there is no room. */
  introduce(peer: UdpPeer): boolean {
    if (peer.number !== 0) return true;
    const number = this.#numbers.take();
    if (number === undefined) return false;
    peer.number = number;
    this.#watch(peer);
    this.#write(peer);
    return true;
  }

  update(peer: UdpPeer, spec: UdpPeerSpec): void {
    const { address, localAddress, udpPort } = peer.spec;
    peer.spec = spec;
    if (peer.number === 0) return;
    if (spec.address !== address || spec.localAddress !== localAddress || spec.udpPort !== udpPort) {
      this.#forgetHop(peer);
      this.#watch(peer);
    }
    this.#write(peer);
  }

  /** The program may have come to the interface that the peer is behind. */
  refresh(peer: UdpPeer): void {
    if (peer.number !== 0) this.#write(peer);
  }

  /** No channel of the peer is bridged any more. */
  remove(peer: UdpPeer): void {
    const { number, slot } = peer;
    if (number === 0) return;
    peer.number = 0;
    peer.slot = 0;
    this.#forgetHop(peer);
    Atomics.store(this.#slotOfPeer, number, 0);
    this.#grace.after(this.#grace.ticket(), () => {
      if (slot !== 0) this.#slots.release(slot);
      this.#numbers.release(number);
    });
  }

  #watch(peer: UdpPeer): void {
    const { spec, port } = peer;
    const localAddress = localAddressOf(peer);
    const { ifindex } = port.spec;
    peer.watch = this.#hops.watch(
      {
        remoteAddress: spec.address,
        remotePort: spec.udpPort,
        localPort: port.spec.udpPort,
        ...(localAddress === undefined ? {} : { localAddress }),
        ...(ifindex === undefined ? {} : { ifindex }),
      },
      (hop) => this.#hopChanged(peer, hop),
    );
  }

  #forgetHop(peer: UdpPeer): void {
    peer.watch?.close();
    peer.watch = undefined;
    peer.hop = undefined;
    peer.use?.close();
    peer.use = undefined;
  }

  #hopChanged(peer: UdpPeer, hop: NextHop | Unresolved): void {
    const before = peer.use;
    const fields = { peer: peer.spec.address };
    if ("reason" in hop) {
      peer.hop = undefined;
      peer.use = undefined;
      this.#logger.info({ ...fields, reason: hop.reason }, "messages to an L2TP peer are left to the loop");
    } else {
      peer.hop = hop;
      const role = { kind: "tunnels", domain: domainOf(peer), mac: hop.sourceMac } as const;
      peer.use = this.#interfaces.use(hop.ifindex, hop.device, role);
      this.#logger.debug({ ...fields, interface: hop.device }, "messages to an L2TP peer have a next hop");
    }
    this.#write(peer);
    before?.close();
  }

  #write(peer: UdpPeer): void {
    const entry = entryOf(peer);
    const before = peer.slot;
    const slot = this.#slots.take();
    if (slot === undefined) {
      // everything about the peer is the loop's until slots are free again
      peer.slot = 0;
      Atomics.store(this.#slotOfPeer, peer.number, 0);
      if (before !== 0) this.#release(before);
      const { number } = peer;
      this.#grace.after(this.#grace.ticket(), () => {
        if (peer.number === number && peer.slot === 0) this.#write(peer);
      });
      return;
    }
    this.#entries.set(entry, slot * XDP_PEER_BYTES);
    peer.slot = slot;
    Atomics.store(this.#slotOfPeer, peer.number, slot);
    if (before !== 0) this.#release(before);
  }

  #release(slot: number): void {
    this.#grace.after(this.#grace.ticket(), () => this.#slots.release(slot));
  }
}

function entryOf(peer: UdpPeer): Uint8Array {
  const { spec, port, hop, use } = peer;
  return peerEntry({
    spec,
    localAddress: localAddressOf(peer) ?? hop?.localAddress,
    localPort: port.spec.udpPort,
    domain: hop === undefined ? NO_DOMAIN : domainOf(peer),
    hop: use?.attached === true ? hop : undefined,
  });
}

/** What our messages come from; undefined when the system chooses. */
function localAddressOf({ spec, port }: UdpPeer): string | undefined {
  if (spec.localAddress !== undefined) return spec.localAddress;
  const { address } = port.spec;
  return addressOctets(address).every((octet) => octet === 0) ? undefined : address;
}

/** No interface is of it. */
const NO_DOMAIN = 0;

/** Peers of a socket that is bound to a device are believed where that device's are, and no others. */
function domainOf({ port }: UdpPeer): number {
  return 1 + (port.spec.ifindex ?? 0);
}
