import { concatBytes } from "../../../src/base/bytes.ts";
import {
  type ChannelSpec,
  DROP_REASONS,
  type DropReason,
  type PeerSpec,
  type PortSpec,
  type Punt,
} from "../../../src/channel/dataplane.ts";
import { addressRecord } from "../../../src/dataplane/loop/address-record.ts";
import { Dispatch } from "../../../src/dataplane/loop/dispatch.ts";
import { Egress } from "../../../src/dataplane/loop/egress.ts";
import { Grace } from "../../../src/dataplane/loop/grace.ts";
import { Ingress } from "../../../src/dataplane/loop/ingress.ts";
import { DEFAULT_LOOP_OPTIONS, type PuntLimits } from "../../../src/dataplane/loop/options.ts";
import { PuntReader } from "../../../src/dataplane/loop/punt-reader.ts";
import { Punter } from "../../../src/dataplane/loop/punter.ts";
import {
  allocateRecordRing,
  RecordConsumer,
  RecordProducer,
} from "../../../src/dataplane/loop/record-ring.ts";
import { makeReorder } from "../../../src/dataplane/loop/reordering.ts";
import { TableWriter } from "../../../src/dataplane/loop/table-writer.ts";
import { controlOf, PARKED, Tables, uncheckedLaneOfPort } from "../../../src/dataplane/loop/tables.ts";
import { Tapper } from "../../../src/dataplane/loop/tapper.ts";
import { Transmitter } from "../../../src/dataplane/loop/transmitter.ts";
import { UnitEgress } from "../../../src/dataplane/loop/unit-egress.ts";
import { UnitIngress } from "../../../src/dataplane/loop/unit-ingress.ts";
import { Registry } from "../../../src/dataplane/registry.ts";
import { TapTable } from "../../../src/dataplane/tap-table.ts";
import {
  ADDRESS_BYTES,
  RX_ADDRESS,
  RX_AUX,
  RX_LENGTH,
  RX_OFFSET,
  RX_STRIDE,
  SUM_LENGTH,
  SUM_OFFSET,
  SUM_RESULT,
  SUM_STRIDE,
  TX_ADDRESS,
  TX_BODY_LENGTH,
  TX_BODY_OFFSET,
  TX_HEAD_LENGTH,
  TX_HEAD_OFFSET,
  TX_MORE,
  TX_STRIDE,
} from "../../../src/io/addon.ts";
import { internetChecksum } from "../../../src/wire/checksum.ts";

const SIZES = { workers: 1, ports: 4, peers: 16, channels: 64, units: 4 };

/** One frame as it would have left, and the lane's descriptor. */
export interface Sent {
  readonly fd: number;
  readonly octets: Uint8Array;
  /** UDP: the address record. */
  readonly address: Uint8Array;
}

/** A region without a kernel: remembers what is sent, and refuses what it is told to. */
export class MemoryRegion {
  readonly bytes = new Uint8Array(2 << 20);
  readonly sent: Sent[] = [];
  /** How many frames each of the next calls takes, and why not all. */
  readonly refusals: { readonly takes: number; readonly errno: number }[] = [];
  lastErrno = 0;
  #allocated = 0;

  allocate(size: number): number {
    const at = this.#allocated;
    this.#allocated += (size + 4095) & ~4095;
    return at;
  }

  sendPacket(fd: number, descriptors: Int32Array, count: number): number {
    return this.#send(fd, descriptors, count, new Uint8Array(0));
  }

  sendUdp(fd: number, descriptors: Int32Array, count: number, addresses: Uint8Array): number {
    return this.#send(fd, descriptors, count, addresses);
  }

  /** What is gathered from several descriptors is one packet. */
  sendTun(fd: number, descriptors: Int32Array, count: number): number {
    const before = this.sent.length;
    const taken = this.#send(fd, descriptors, count, new Uint8Array(0));
    const pieces = this.sent.splice(before);
    for (let i = 0; i < pieces.length; i++) {
      const octets = [pieces[i]!.octets];
      while (descriptors[i * TX_STRIDE + TX_MORE] === 1) octets.push(pieces[++i]!.octets);
      this.sent.push({ ...pieces[i]!, octets: concatBytes(...octets) });
    }
    return taken;
  }

  sum(ranges: Int32Array, count: number): void {
    for (let at = 0; at < count * SUM_STRIDE; at += SUM_STRIDE) {
      const sum = internetChecksum(this.bytes, ranges[at + SUM_OFFSET]!, ranges[at + SUM_LENGTH]!);
      ranges[at + SUM_RESULT] = ~sum & 0xffff;
    }
  }

  #send(fd: number, descriptors: Int32Array, count: number, addresses: Uint8Array): number {
    const { takes, errno } = this.refusals.shift() ?? { takes: count, errno: 0 };
    this.lastErrno = errno;
    for (let i = 0; i < takes; i++) {
      const field = (entry: number) => descriptors[i * TX_STRIDE + entry]!;
      const piece = (at: number, length: number) => this.bytes.slice(at, at + length);
      this.sent.push({
        fd,
        octets: concatBytes(
          piece(field(TX_HEAD_OFFSET), field(TX_HEAD_LENGTH)),
          piece(field(TX_BODY_OFFSET), field(TX_BODY_LENGTH)),
        ),
        address: new Uint8Array(addresses.slice(field(TX_ADDRESS), field(TX_ADDRESS) + ADDRESS_BYTES)),
      });
    }
    return takes;
  }
}

/** The parts of one worker, wired as in ForwardingLoop, with tables that the test writes. */
export function makeWorkerParts(punts: Partial<PuntLimits> = {}, ringBytes = 1 << 16) {
  const tables = Tables.view(SIZES, Tables.allocate(SIZES));
  // nobody waits for this worker
  Atomics.store(tables.control, controlOf(0, PARKED), 1);
  const registry = new Registry(SIZES);
  let now = 1000;
  const writer = new TableWriter(tables, new Grace(tables));
  const region = new MemoryRegion();
  const drops = tables.drops[0]!;
  const lanes = uncheckedLaneOfPort(SIZES, SIZES.ports) + 1;
  const transmitter = new Transmitter(region, tables.addresses, drops, lanes, 4096, tables.counters[0]!);
  const tapRing = allocateRecordRing(ringBytes);
  const taps = TapTable.allocate(2);
  const tapper = new Tapper(
    new RecordProducer(tapRing, { signal() {} }, 0),
    new TapTable(taps, 0),
    region,
    () => now,
  );
  const egress = new Egress(tables, 0, region, transmitter, tapper);
  const units = new UnitEgress(region, SIZES.units, drops);
  const ring = allocateRecordRing(ringBytes);
  const consumer = new RecordConsumer(ring);
  const reader = new PuntReader(tables, registry);
  const punter = new Punter(
    new RecordProducer(ring, { signal() {} }, 0),
    drops,
    { ...DEFAULT_LOOP_OPTIONS.punts, ...punts },
    SIZES.channels,
    () => now,
  );
  const dispatch = new Dispatch(tables, 0, region.bytes, egress, units, punter);
  const pool = { reorderFrames: 8, reorderFrameBytes: 2048 };
  const reorder = makeReorder(tables, 0, region, dispatch, pool, () => now);
  const ingress = new Ingress(tables, 0, region.bytes, dispatch, punter, reorder, tapper);
  const unitIngress = new UnitIngress(tables, 0, region, egress, punter);
  const input = region.allocate(1 << 19);
  const batch = (frames: readonly { octets: Uint8Array; segment?: number; address?: Uint8Array }[]) => {
    const descriptors = new Int32Array(RX_STRIDE * frames.length);
    let at = input;
    for (const [i, { octets, segment, address }] of frames.entries()) {
      if (address !== undefined) region.bytes.set(address, at);
      descriptors[i * RX_STRIDE + RX_ADDRESS] = at;
      at += 128;
      region.bytes.set(octets, at);
      descriptors[i * RX_STRIDE + RX_OFFSET] = at;
      descriptors[i * RX_STRIDE + RX_LENGTH] = octets.length;
      descriptors[i * RX_STRIDE + RX_AUX] = segment ?? octets.length;
      at += (octets.length + 127) & ~63;
    }
    return descriptors;
  };
  const finish = () => {
    egress.flush();
    units.flush();
    reorder.release();
    punter.endBatch();
    tapper.endBatch();
    return region.sent.splice(0);
  };
  let counted = 0;
  /** Packets from the host, each behind its vnet header, in one batch. */
  const host = (unit: number, ...packets: readonly Uint8Array[]): Sent[] => {
    counted = unitIngress.fromUnit(unit, batch(packets.map((octets) => ({ octets }))), packets.length);
    return finish();
  };
  return {
    tables,
    region,
    registry,
    writer,
    transmitter,
    units,
    openPort(spec: PortSpec, lane: (port: number) => number, kind: "packet" | "udp", fd: number): number {
      const port = registry.addPort(spec);
      transmitter.open(lane(port), kind, fd);
      return port;
    },
    peer(spec: PeerSpec): number {
      const peer = registry.addPeer(spec);
      writer.setPeer(peer, spec, registry.port(spec.port).spec);
      return peer;
    },
    channel(spec: ChannelSpec): number {
      const channel = registry.addChannel(spec);
      writer.addChannel(channel, spec, registry.peer(spec.peer).spec.port);
      return channel;
    },
    bridge(a: number, b: number): void {
      registry.bridge(a, b, []);
      writer.bridge(a, b);
    },
    /** Each of these forwards one batch and returns what was sent. */
    ethernet(port: number, ...frames: readonly Uint8Array[]): Sent[] {
      const descriptors = batch(frames.map((octets) => ({ octets })));
      ingress.fromEthernet(port, descriptors, frames.length);
      return finish();
    },
    udp(port: number, from: string, udpPort: number, octets: Uint8Array, segment = octets.length): Sent[] {
      ingress.fromUdp(port, batch([{ octets, segment, address: addressRecord(from, udpPort) }]), 1);
      return finish();
    },
    unit(unit: number, packet: Uint8Array): Sent[] {
      return host(unit, concatBytes(new Uint8Array(10), packet));
    },
    host,
    /** As how many packets of the wire the last batch of host() was counted. */
    counted: () => counted,
    /** Everything that is in the punt ring. */
    punts(): (Punt | "stale")[] {
      const punts: (Punt | "stale")[] = [];
      for (let record = consumer.take(); record !== undefined; record = consumer.take()) {
        const delivery = reader.read(record);
        punts.push(delivery.kind === "punt" ? delivery.punt : "stale");
      }
      return punts;
    },
    drops(): Partial<Record<DropReason, number>> {
      const counted = DROP_REASONS.flatMap((reason, code) => (drops[code] ? [[reason, drops[code]]] : []));
      return Object.fromEntries(counted);
    },
    passTime(ms: number): void {
      now += ms;
    },
    /** What has waited too long goes on. */
    expire(): Sent[] {
      reorder.expire();
      return finish();
    },
    readPunt: (record: Parameters<PuntReader["read"]>[0]) => reader.read(record),
    takeRecord: () => consumer.take(),
  };
}
