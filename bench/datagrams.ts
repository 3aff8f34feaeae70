import { AddressSlots } from "../src/dataplane/loop/address-slots.ts";
import {
  ADDRESS_BYTES,
  ADDRESS_PORT,
  ADDRESS_REMOTE,
  type Receiver,
  RX_ADDRESS,
  RX_AUX,
  RX_LENGTH,
  RX_OFFSET,
  RX_STRIDE,
} from "../src/io/addon.ts";
import { addon } from "../src/io/native.ts";
import { Outlet, SendBatch } from "../src/io/send-batch.ts";
import { formatIpAddress, parseIpAddress } from "../src/wire/ip-address.ts";
import { L2TP_UDP_PORT } from "../src/wire/l2tp.ts";

/** Where a datagram came from, or goes to. */
export interface RemoteEnd {
  readonly address: string;
  readonly port: number;
}

/** Datagrams, or groups of them, that one read takes. */
const SLOTS = 64;
const SLOT_BYTES = 65_536;
/** What waits while this process gets no processor. */
const BUFFER_BYTES = 128 << 20;
/** Reads before timers and messages get their turn. */
const READS_PER_TURN = 16;

/** The L2TP socket of a benchmark's peer: batches in both directions. */
export class Datagrams {
  readonly #region = addon.createRegion(2 * SLOTS * SLOT_BYTES + SendBatch.REGION_BYTES);
  readonly #receiver: Receiver;
  readonly #descriptors = new Int32Array(SLOTS * RX_STRIDE);
  readonly #addresses = new AddressSlots();
  readonly #batch: SendBatch;
  readonly #outlet: Outlet;
  readonly #remotes = new Map<number, RemoteEnd>();
  readonly #overIpv6: boolean;
  readonly #heard: (from: RemoteEnd, datagram: Uint8Array) => void;

  /** `heard` keeps the datagrams that it gets. Throws a TypeError when `address` is none. */
  constructor(address: string, heard: (from: RemoteEnd, datagram: Uint8Array) => void) {
    const octets = parseIpAddress(address);
    if (octets === undefined) throw new TypeError(`no IP address to listen on: "${address}"`);
    this.#overIpv6 = octets.length === 16;
    this.#heard = heard;
    const fd = addon.openUdp({
      family: this.#overIpv6 ? 6 : 4,
      address: octets,
      port: L2TP_UDP_PORT,
      ifindex: 0,
      reusePort: false,
      receiveBufferBytes: BUFFER_BYTES,
      sendBufferBytes: BUFFER_BYTES,
      gro: true,
      checksum: true,
      df: "clear",
    });
    this.#receiver = this.#region.udpReceiver(fd, SLOTS, SLOT_BYTES);
    this.#batch = new SendBatch(this.#region, this.#addresses.table, ({ errno }) => {
      throw new Error(`the benchmark's L2TP peer could not send: errno ${errno}`);
    });
    this.#outlet = new Outlet("udp", fd);
    addon.watch(fd, () => this.#receive());
  }

  /** Leaves with everything else that is sent in this turn. */
  send({ address, port }: RemoteEnd, datagram: Uint8Array): void {
    if (this.#batch.isEmpty) setImmediate(() => this.#batch.flush());
    const to = this.#addresses.offsetOf(address, port, 0, undefined, () => this.#batch.flush());
    this.#batch.bytes.set(datagram, this.#batch.add(this.#outlet, datagram.length, to, 0));
  }

  /** What is there; a group that the kernel put together is taken apart again. */
  #receive(): void {
    const { bytes } = this.#region;
    for (let reads = 0; reads < READS_PER_TURN; reads += 1) {
      const count = this.#receiver.receive(this.#descriptors, SLOTS);
      if (count < 0) throw new Error(`the benchmark's L2TP socket failed: errno ${-count}`);
      if (count === 0) return;
      for (let i = 0; i < count; i += 1) {
        const at = i * RX_STRIDE;
        const from = this.#remoteAt(this.#descriptors[at + RX_ADDRESS]!);
        const start = this.#descriptors[at + RX_OFFSET]!;
        const end = start + this.#descriptors[at + RX_LENGTH]!;
        const segment = Math.max(1, this.#descriptors[at + RX_AUX]!);
        for (let next = start; next < end; next += segment)
          this.#heard(from, bytes.slice(next, Math.min(end, next + segment)));
      }
      this.#receiver.release();
    }
  }

  /** The sender in an address record; one of IPv4 is made into text once. */
  #remoteAt(record: number): RemoteEnd {
    const { bytes } = this.#region;
    const view = new DataView(bytes.buffer, bytes.byteOffset + record, ADDRESS_BYTES);
    const port = view.getUint16(ADDRESS_PORT);
    const octets = (count: number): Uint8Array =>
      bytes.slice(record + ADDRESS_REMOTE, record + ADDRESS_REMOTE + count);
    if (this.#overIpv6) return { address: formatIpAddress(octets(16)), port };
    const key = view.getUint32(ADDRESS_REMOTE) * 65_536 + port;
    let remote = this.#remotes.get(key);
    if (remote === undefined) {
      remote = { address: formatIpAddress(octets(4)), port };
      this.#remotes.set(key, remote);
    }
    return remote;
  }
}
