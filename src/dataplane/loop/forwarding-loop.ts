import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { concatBytes, utf8 } from "../../base/bytes.ts";
import {
  ADDRESS_BYTES,
  ADDRESS_FAMILY,
  ADDRESS_PORT,
  ADDRESS_REMOTE,
  type Addon,
  type Poller,
  type Receiver,
  type Region,
  RX_STRIDE,
} from "../../io/addon.ts";
import { RECEIVE_OVERFLOW } from "../drop-codes.ts";
import type { Reorder } from "../reorder.ts";
import { Dispatch } from "./dispatch.ts";
import { Egress } from "./egress.ts";
import { Ingress } from "./ingress.ts";
import type { Command, LaneCommand, Reply, WorkerSetup } from "./messages.ts";
import { PuntProducer } from "./punt-ring.ts";
import { Punter } from "./punter.ts";
import { makeReorder } from "./reordering.ts";
import {
  COMMANDS,
  controlOf,
  EPOCH,
  GRACE_WANTED,
  laneOfPort,
  laneOfUnit,
  PARKED,
  SEEN,
  Tables,
  uncheckedLaneOfPort,
} from "./tables.ts";
import { Transmitter } from "./transmitter.ts";
import { UnitEgress } from "./unit-egress.ts";
import { UNIT_HEADROOM_BYTES, UNIT_LARGEST_BYTES, UnitIngress } from "./unit-ingress.ts";

/** Rounds over the busy lanes between two looks at the others. */
const ROUNDS_BETWEEN_POLLS = 8;
/**
 * Frames of one lane before the next one's turn: a coalesced datagram is up to 64 of them, and without a common
 * measure an overloaded thread would starve the lanes whose frames come singly.
 */
const FRAMES_PER_TURN = 1024;
/** Datagrams received with one call, each perhaps coalesced. */
const DATAGRAMS_PER_CALL = 16;
/** Lanes that one wait reports. */
const READY_LANES = 64;
const POLL_ERROR = 8;
const POLL_INPUT = 1;
/** How soon what the kernel dropped shows in the counters after traffic has stopped, */
const OVERFLOW_CHECK_MS = 100;
/** and while it goes on. */
const ROUNDS_BETWEEN_OVERFLOW_CHECKS = 1024;

type Medium = "ethernet" | "udp" | "unchecked" | "unit";

/** One descriptor that this worker serves. */
interface Lane {
  readonly lane: number;
  readonly medium: Medium;
  /** Port or unit. */
  readonly owner: number;
  readonly fd: number;
  /** Undefined when this worker only sends. */
  readonly receiver: Receiver | undefined;
  /** In the poller's set. */
  polled: boolean;
  /** To be asked in the next round. */
  active: boolean;
}

/** One worker's life: wait, receive a batch, forward it, say so, and do what the control plane asks. */
export class ForwardingLoop {
  readonly #addon: Addon;
  readonly #setup: WorkerSetup;
  readonly #tables: Tables;
  readonly #control: Int32Array;
  readonly #region: Region;
  readonly #poller: Poller;
  readonly #transmitter: Transmitter;
  readonly #egress: Egress;
  readonly #unitEgress: UnitEgress;
  readonly #punter: Punter;
  readonly #reorder: Reorder;
  readonly #ingress: Ingress;
  readonly #unitIngress: UnitIngress;
  readonly #drops: Float64Array;
  readonly #descriptors: Int32Array;
  readonly #ready = new Int32Array(2 * READY_LANES);
  readonly #lanes: (Lane | undefined)[] = [];
  readonly #active: Lane[] = [];
  readonly #commands: MessagePort;
  readonly #reply: (reply: Reply) => void;
  /** Where packets of units are read to; none before the first unit. */
  #unitArea: number | undefined;
  readonly #clock = () => performance.now();
  #overflowsChecked = true;
  #roundsUnchecked = 0;
  #stopped = false;
  /** The command that ends the loop, to be answered when it has ended. */
  #stopId = 0;

  constructor(addon: Addon, setup: WorkerSetup, commands: MessagePort, reply: (reply: Reply) => void) {
    const { sizes, index, options } = setup;
    this.#addon = addon;
    this.#setup = setup;
    this.#tables = Tables.view(sizes, setup.tables);
    this.#control = this.#tables.control;
    this.#drops = this.#tables.drops[index]!;
    this.#region = addon.createRegion(options.regionBytes);
    this.#poller = addon.createPoller(setup.wakeFd);
    const lanes = uncheckedLaneOfPort(sizes, sizes.ports) + 1;
    this.#transmitter = new Transmitter(
      this.#region,
      this.#tables.addresses,
      this.#drops,
      lanes,
      options.batchFrames,
      this.#tables.counters[index]!,
    );
    this.#egress = new Egress(this.#tables, index, this.#region, this.#transmitter);
    this.#unitEgress = new UnitEgress(this.#region, sizes.units, this.#drops);
    const ring = new PuntProducer(setup.puntRing, addon, setup.doorbell);
    this.#punter = new Punter(ring, this.#drops, options.punts, sizes.channels, this.#clock);
    const { bytes } = this.#region;
    const dispatch = new Dispatch(this.#tables, index, bytes, this.#egress, this.#unitEgress, this.#punter);
    this.#reorder = makeReorder(this.#tables, index, this.#region, dispatch, options, this.#clock);
    this.#ingress = new Ingress(this.#tables, index, bytes, dispatch, this.#punter, this.#reorder);
    this.#unitIngress = new UnitIngress(this.#tables, index, this.#region, this.#egress, this.#punter);
    this.#descriptors = new Int32Array(options.batchFrames * RX_STRIDE);
    this.#commands = commands;
    this.#reply = reply;
  }

  /** Returns when the control plane says stop. */
  run(): void {
    this.#reply({ kind: "ready" });
    let rounds = 0;
    while (!this.#stopped) {
      if (this.#active.length === 0) {
        this.#park();
        rounds = 0;
      } else if (rounds >= ROUNDS_BETWEEN_POLLS) {
        this.#activate(this.#poller.wait(0, this.#ready));
        rounds = 0;
      }
      this.#readCommands();
      this.#round();
      if (this.#reorder.deadline !== Number.POSITIVE_INFINITY) this.#expire();
      rounds += 1;
    }
    for (const lane of this.#lanes) lane?.receiver?.close();
    this.#poller.close();
    this.#reply({ kind: "done", id: this.#stopId });
  }

  /** A turn for each lane that has something. */
  #round(): void {
    this.#roundsUnchecked += 1;
    if (this.#roundsUnchecked >= ROUNDS_BETWEEN_OVERFLOW_CHECKS) this.#checkOverflows();
    for (let i = 0; i < this.#active.length; ) {
      const lane = this.#active[i]!;
      let frames = 0;
      let batch = this.#batch(lane);
      while (batch > 0) {
        frames += batch;
        if (frames >= FRAMES_PER_TURN) break;
        batch = this.#batch(lane);
      }
      if (batch > 0) {
        i += 1;
        continue;
      }
      lane.active = false;
      this.#active[i] = this.#active[this.#active.length - 1]!;
      this.#active.pop();
    }
  }

  /** Forwards one batch; returns its frames, 0 when the lane has nothing more. */
  #batch(lane: Lane): number {
    const receiver = lane.receiver;
    if (receiver === undefined) return 0;
    const most = lane.medium === "udp" ? DATAGRAMS_PER_CALL : this.#setup.options.batchFrames;
    const count = receiver.receive(this.#descriptors, most);
    if (count <= 0) {
      if (count < 0) this.#failed(lane, -count);
      return 0;
    }
    let frames = count;
    if (lane.medium === "ethernet") this.#ingress.fromEthernet(lane.owner, this.#descriptors, count);
    else if (lane.medium === "udp") frames = this.#ingress.fromUdp(lane.owner, this.#descriptors, count);
    else this.#unitIngress.fromUnit(lane.owner, this.#descriptors, count);
    this.#endBatch();
    receiver.release();
    this.#overflowsChecked = false;
    return frames;
  }

  /** What waited too long for messages before it goes on. */
  #expire(): void {
    if (this.#reorder.expire() > 0) this.#endBatch();
    else this.#reorder.release();
  }

  #endBatch(): void {
    this.#egress.flush();
    this.#unitEgress.flush();
    this.#reorder.release();
    this.#punter.endBatch();
    this.#boundary();
  }

  /** Between two batches, with nothing left to send: what was changed before this is what holds after it. */
  #boundary(): void {
    const at = controlOf(this.#setup.index, SEEN);
    const epoch = Atomics.load(this.#control, EPOCH);
    if (epoch === this.#control[at]) return;
    Atomics.store(this.#control, at, epoch);
    this.#ringIfWanted();
  }

  #ringIfWanted(): void {
    if (Atomics.load(this.#control, GRACE_WANTED) === 1) this.#addon.signal(this.#setup.doorbell);
  }

  /** Blocks. While it does, it counts as having seen every change. */
  #park(): void {
    const at = controlOf(this.#setup.index, PARKED);
    Atomics.store(this.#control, at, 1);
    this.#ringIfWanted();
    const count = this.#poller.wait(this.#longestWait(), this.#ready);
    // before any table is read
    Atomics.store(this.#control, at, 0);
    this.#boundary();
    if (count === 0 && !this.#overflowsChecked) this.#checkOverflows();
    this.#activate(count);
  }

  /** In milliseconds: for ever when there is nothing to do but what others wake us for. */
  #longestWait(): number {
    const wait = this.#overflowsChecked ? -1 : OVERFLOW_CHECK_MS;
    if (this.#reorder.deadline === Number.POSITIVE_INFINITY) return wait;
    const left = Math.max(0, Math.ceil(this.#reorder.deadline - this.#clock()));
    return wait < 0 ? left : Math.min(left, wait);
  }

  #activate(pairs: number): void {
    for (let i = 0; i < pairs; i++) {
      const lane = this.#lanes[this.#ready[2 * i]!];
      if (lane === undefined) continue;
      const events = this.#ready[2 * i + 1]!;
      if ((events & POLL_ERROR) !== 0 && (lane.medium === "udp" || lane.medium === "unchecked"))
        this.#readErrors(lane);
      // a TUN device that is gone says so with the error alone
      if ((events & (POLL_INPUT | POLL_ERROR)) === 0 || lane.active || lane.receiver === undefined) continue;
      lane.active = true;
      this.#active.push(lane);
    }
  }

  #checkOverflows(): void {
    this.#overflowsChecked = true;
    this.#roundsUnchecked = 0;
    // a unit's device counts what its queue drops
    for (const lane of this.#lanes)
      if (lane?.receiver !== undefined && lane.medium !== "unit")
        this.#drops[RECEIVE_OVERFLOW]! += lane.receiver.overflows();
  }

  /** ICMP errors become punts, a bounded number at a time: a socket with more is ready again. */
  #readErrors(lane: Lane): void {
    for (const error of this.#addon.readErrors(lane.fd)) {
      const record = new Uint8Array(ADDRESS_BYTES);
      record[ADDRESS_FAMILY] = error.address.length === 4 ? 4 : 6;
      record[ADDRESS_PORT] = error.port >>> 8;
      record[ADDRESS_PORT + 1] = error.port;
      record.set(error.address, ADDRESS_REMOTE);
      this.#punter.unreachable(lane.owner, error.errno, error.info, concatBytes(record, utf8(error.code)));
    }
    this.#punter.endBatch();
  }

  #failed(lane: Lane, errno: number): void {
    // a packet socket comes back with its interface; a queue whose device is gone would be ready for ever
    if (lane.medium === "unit") this.#unpoll(lane);
    this.#reply({ kind: "lane-failed", lane: lane.lane, errno });
  }

  #readCommands(): void {
    if (Atomics.exchange(this.#control, controlOf(this.#setup.index, COMMANDS), 0) === 0) return;
    for (;;) {
      const received = receiveMessageOnPort(this.#commands) as { message: Command } | undefined;
      if (received === undefined) return;
      this.#obey(received.message);
    }
  }

  #obey(command: Command): void {
    if (command.kind === "stop") {
      this.#stopped = true;
      this.#stopId = command.id;
      return;
    }
    try {
      this.#change(command);
      this.#reply({ kind: "done", id: command.id });
    } catch (error) {
      this.#reply({ kind: "done", id: command.id, error: error as Error });
    }
  }

  #change(command: Exclude<LaneCommand, { kind: "stop" }>): void {
    const { sizes } = this.#tables;
    switch (command.kind) {
      case "adopt-ethernet": {
        const receiver = command.receives
          ? this.#region.packetReceiver(command.fd, command.packet)
          : undefined;
        this.#adopt(laneOfPort(command.port), "ethernet", command.port, command.fd, receiver);
        break;
      }
      case "adopt-udp": {
        const { udpSlots, udpSlotBytes } = this.#setup.options;
        const receiver = command.receives
          ? this.#region.udpReceiver(command.fd, udpSlots, udpSlotBytes)
          : undefined;
        this.#adopt(laneOfPort(command.port), "udp", command.port, command.fd, receiver);
        break;
      }
      case "adopt-unchecked": {
        const lane = uncheckedLaneOfPort(sizes, command.port);
        this.#adopt(lane, "unchecked", command.port, command.fd, undefined);
        // it receives nothing, but errors of what it sent may come to it
        if (command.receives) this.#poll(this.#lanes[lane]!);
        break;
      }
      case "adopt-unit": {
        const receiver = command.receives ? this.#unitReceiver(command.fd) : undefined;
        this.#unitEgress.open(command.unit, command.fd, command.segmentsUdp);
        this.#adopt(laneOfUnit(sizes, command.unit), "unit", command.unit, command.fd, receiver);
        break;
      }
      case "drop-port":
        this.#drop(laneOfPort(command.port));
        this.#drop(uncheckedLaneOfPort(sizes, command.port));
        break;
      case "drop-unit":
        this.#drop(laneOfUnit(sizes, command.unit));
        break;
    }
  }

  /** A receiver for one more unit: they are read in turn, into the same memory. */
  #unitReceiver(fd: number): Receiver {
    const { unitAreaBytes } = this.#setup.options;
    this.#unitArea ??= this.#region.allocate(unitAreaBytes);
    return this.#region.tunReceiver(
      fd,
      this.#unitArea,
      unitAreaBytes,
      UNIT_LARGEST_BYTES,
      UNIT_HEADROOM_BYTES,
    );
  }

  #adopt(lane: number, medium: Medium, owner: number, fd: number, receiver: Receiver | undefined): void {
    if (medium !== "unit") this.#transmitter.open(lane, medium === "ethernet" ? "packet" : "udp", fd);
    this.#lanes[lane] = { lane, medium, owner, fd, receiver, polled: false, active: false };
    if (receiver !== undefined) this.#poll(this.#lanes[lane]);
  }

  #poll(lane: Lane): void {
    // without a receiver, what arrives would be ready for ever
    this.#poller.add(lane.fd, lane.lane, lane.receiver !== undefined);
    lane.polled = true;
  }

  #unpoll(lane: Lane): void {
    if (lane.polled) this.#poller.remove(lane.fd);
    lane.polled = false;
  }

  #drop(number: number): void {
    const lane = this.#lanes[number];
    if (lane === undefined) return;
    this.#lanes[number] = undefined;
    if (lane.medium === "unit") this.#unitEgress.close(lane.owner);
    else this.#transmitter.close(number);
    const at = this.#active.indexOf(lane);
    if (at >= 0) this.#active.splice(at, 1);
    this.#unpoll(lane);
    if (lane.receiver === undefined) return;
    this.#drops[RECEIVE_OVERFLOW]! += lane.receiver.overflows();
    lane.receiver.close();
  }
}
