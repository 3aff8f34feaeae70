import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { concatBytes, utf8 } from "../../base/bytes.ts";
import {
  ADDRESS_BYTES,
  ADDRESS_FAMILY,
  ADDRESS_LOCAL,
  ADDRESS_PORT,
  ADDRESS_REMOTE,
  type Addon,
  type Poller,
  type Region,
  RX_STRIDE,
} from "../../io/addon.ts";
import { SEND_FAILED } from "../drop-codes.ts";
import type { Reorder, WaitingMessage } from "../reorder.ts";
import { TapTable } from "../tap-table.ts";
import { Dispatch } from "./dispatch.ts";
import { Egress } from "./egress.ts";
import { Ingress } from "./ingress.ts";
import { LaneSet, type OpenLane } from "./lane-set.ts";
import type { Command, LaneCommand, OutletKey, Reply, WorkerSetup } from "./messages.ts";
import { Punter } from "./punter.ts";
import { RecordProducer } from "./record-ring.ts";
import { makeReorder } from "./reordering.ts";
import { COMMANDS, controlOf, Tables, uncheckedLaneOfPort } from "./tables.ts";
import { Tapper } from "./tapper.ts";
import { Transmitter } from "./transmitter.ts";
import { UnitEgress } from "./unit-egress.ts";
import { UnitIngress } from "./unit-ingress.ts";
import { WorkerGrace } from "./worker-grace.ts";

/** Rounds over the busy lanes between two looks at the others. */
const ROUNDS_BETWEEN_POLLS = 8;
/**
 * Frames of one lane before the next one's turn: a coalesced datagram is up to 64 of them, and without a common
 * measure an overloaded thread would starve the lanes whose frames come singly.
 */
const FRAMES_PER_TURN = 1024;
/**
 * Datagrams received with one call, each perhaps coalesced: of those that are of few frames many, since what follows in a
 * flow is joined, or leaves as a group, within a batch only; of large ones no more than a turn's frames.
 */
const MOST_DATAGRAMS = 64;
const LEAST_DATAGRAMS = 16;
/** Lanes that one wait reports. */
const READY_LANES = 64;
const POLL_ERROR = 8;
const POLL_INPUT = 1;
/** How soon what the kernel dropped shows in the counters after traffic has stopped, */
const OVERFLOW_CHECK_MS = 100;
/** and while it goes on. */
const ROUNDS_BETWEEN_OVERFLOW_CHECKS = 1024;

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
  readonly #grace: WorkerGrace;
  readonly #punter: Punter;
  readonly #tapper: Tapper;
  readonly #reorder: Reorder;
  readonly #ingress: Ingress;
  readonly #unitIngress: UnitIngress;
  readonly #drops: Float64Array;
  readonly #received: Float64Array;
  readonly #descriptors: Int32Array;
  readonly #ready = new Int32Array(2 * READY_LANES);
  readonly #lanes: LaneSet;
  readonly #commands: MessagePort;
  readonly #reply: (reply: Reply) => void;
  readonly #clock = () => performance.now();
  /** How many datagrams one call receives now. */
  #datagrams = LEAST_DATAGRAMS;
  /** Frames of the batch that is being forwarded. */
  #inHand = 0;
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
    this.#received = this.#tables.framesReceived[index]!;
    this.#region = addon.createRegion(options.regionBytes);
    this.#poller = addon.createPoller(setup.wakeFd);
    this.#lanes = new LaneSet(this.#region, this.#poller, options, this.#drops);
    const lanes = uncheckedLaneOfPort(sizes, sizes.ports) + 1;
    this.#transmitter = new Transmitter(
      this.#region,
      this.#tables.addresses,
      this.#drops,
      lanes,
      options.batchFrames,
      this.#tables.counters[index]!,
    );
    const tapRing = new RecordProducer(setup.tapRing, addon, setup.doorbell);
    this.#tapper = new Tapper(tapRing, new TapTable(setup.taps, index), this.#region, this.#clock);
    this.#egress = new Egress(this.#tables, index, this.#region, this.#transmitter, this.#tapper);
    this.#unitEgress = new UnitEgress(this.#region, sizes.units, this.#drops);
    const signal = () => addon.signal(setup.doorbell);
    this.#grace = new WorkerGrace(this.#control, index, signal, this.#clock);
    const ring = new RecordProducer(setup.puntRing, addon, setup.doorbell);
    this.#punter = new Punter(ring, this.#drops, options.punts, sizes.channels, this.#clock);
    const { bytes } = this.#region;
    const dispatch = new Dispatch(this.#tables, index, bytes, this.#egress, this.#unitEgress, this.#punter);
    this.#reorder = makeReorder(this.#tables, index, this.#region, dispatch, options, this.#clock);
    this.#ingress = new Ingress(
      this.#tables,
      index,
      bytes,
      dispatch,
      this.#punter,
      this.#reorder,
      this.#tapper,
    );
    this.#unitIngress = new UnitIngress(this.#tables, index, this.#region, this.#egress, this.#punter);
    this.#descriptors = new Int32Array(options.batchFrames * RX_STRIDE);
    this.#commands = commands;
    this.#reply = reply;
  }

  /** Returns when the control plane says stop. Throws what is a bug of ours; everything is closed then, too. */
  run(): void {
    this.#reply({ kind: "ready" });
    try {
      this.#forward();
    } finally {
      // the frames of a batch that was not ended are lost: whoever adopts the lanes next begins after them
      this.#drops[SEND_FAILED]! += this.#inHand;
      this.#lanes.close();
      this.#poller.close();
    }
    this.#reply({ kind: "done", id: this.#stopId });
  }

  #forward(): void {
    let rounds = 0;
    while (!this.#stopped) {
      if (this.#lanes.active.length === 0) {
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
  }

  /** A turn for each lane that has something. */
  #round(): void {
    this.#roundsUnchecked += 1;
    if (this.#roundsUnchecked >= ROUNDS_BETWEEN_OVERFLOW_CHECKS) this.#checkOverflows();
    const { active } = this.#lanes;
    for (let i = 0; i < active.length; ) {
      const open = active[i]!;
      let frames = 0;
      let batch = this.#batch(open);
      while (batch > 0) {
        frames += batch;
        if (frames >= FRAMES_PER_TURN) break;
        batch = this.#batch(open);
      }
      // another one is in its place when it rests
      if (batch > 0) i += 1;
      else this.#lanes.rest(open);
    }
  }

  /** Forwards one batch; returns its frames, 0 when the lane has nothing more. */
  #batch(open: OpenLane): number {
    const { lane, receiver } = open;
    if (receiver === undefined) return 0;
    const most = lane.medium === "udp" ? this.#datagrams : this.#setup.options.batchFrames;
    const count = receiver.receive(this.#descriptors, most);
    if (count <= 0) {
      if (count < 0) this.#failed(open, -count);
      return 0;
    }
    this.#inHand = count;
    let frames = count;
    if (lane.medium === "ethernet") this.#ingress.fromEthernet(lane.port, this.#descriptors, count);
    else if (lane.medium === "unit") frames = this.#unitIngress.fromUnit(lane.unit, this.#descriptors, count);
    else {
      this.#reorder.source = lane.number;
      frames = this.#ingress.fromUdp(lane.port, this.#descriptors, count);
      const datagrams = Math.floor((FRAMES_PER_TURN * count) / Math.max(1, frames));
      this.#datagrams = Math.max(LEAST_DATAGRAMS, Math.min(MOST_DATAGRAMS, datagrams));
    }
    // before anybody hears of what came of them
    this.#received[0]! += frames;
    this.#endBatch();
    receiver.release();
    this.#inHand = 0;
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
    this.#tapper.endBatch();
    this.#grace.boundary();
  }

  /** Blocks. While it does, it counts as having seen every change. */
  #park(): void {
    this.#grace.park();
    const count = this.#poller.wait(this.#longestWait(), this.#ready);
    this.#grace.wake();
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
      const open = this.#lanes.find(this.#ready[2 * i]!);
      if (open === undefined) continue;
      const events = this.#ready[2 * i + 1]!;
      const { lane } = open;
      if ((events & POLL_ERROR) !== 0 && (lane.medium === "udp" || lane.medium === "unchecked"))
        this.#readErrors(lane.port, lane.fd);
      // a TUN device that is gone says so with the error alone
      if ((events & (POLL_INPUT | POLL_ERROR)) !== 0 && open.receiver !== undefined)
        this.#lanes.activate(open);
    }
  }

  #checkOverflows(): void {
    this.#overflowsChecked = true;
    this.#roundsUnchecked = 0;
    this.#lanes.countOverflows();
  }

  /** ICMP errors become punts, a bounded number at a time: a socket with more is ready again. */
  #readErrors(port: number, fd: number): void {
    for (const error of this.#addon.readErrors(fd)) {
      const record = new Uint8Array(ADDRESS_BYTES);
      record[ADDRESS_FAMILY] = error.address.length === 4 ? 4 : 6;
      record[ADDRESS_PORT] = error.port >>> 8;
      record[ADDRESS_PORT + 1] = error.port;
      record.set(error.address, ADDRESS_REMOTE);
      record.set(error.reporter, ADDRESS_LOCAL);
      const icmp = error.reporter.length === 0 ? 0 : (error.type << 8) | error.icmpCode;
      this.#punter.unreachable(port, icmp, error.info, concatBytes(record, utf8(error.code)));
    }
    this.#punter.endBatch();
  }

  #failed(open: OpenLane, errno: number): void {
    // a packet socket comes back with its interface; a queue whose device is gone would be ready for ever
    if (open.lane.medium === "unit") this.#lanes.unpoll(open);
    this.#reply({ kind: "lane-failed", source: open.lane, errno });
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
      const waiting = this.#change(command);
      this.#reply({ kind: "done", id: command.id, ...(waiting.length > 0 && { waiting }) });
    } catch (error) {
      this.#reply({ kind: "done", id: command.id, error: error as Error });
    }
  }

  /** Returns what waited of a lane that was released. */
  #change(command: Exclude<LaneCommand, { kind: "stop" }>): readonly WaitingMessage[] {
    switch (command.kind) {
      case "open-outlet":
        this.#openOutlet(command.outlet, command.fd);
        return [];
      case "close-outlet":
        this.#closeOutlet(command.outlet);
        return [];
      case "adopt":
        this.#lanes.adopt(command.lane);
        this.#reorder.putBack(command.lane.number, command.waiting);
        return [];
      case "release":
        return this.#lanes.release(command.lane) ? this.#reorder.takeOut(command.lane) : [];
    }
  }

  #openOutlet(outlet: OutletKey, fd: number): void {
    if (outlet.kind === "unit") this.#unitEgress.open(outlet.unit, fd, outlet.segmentsUdp);
    else this.#transmitter.open(outlet.lane, outlet.kind, fd);
  }

  #closeOutlet(outlet: OutletKey): void {
    if (outlet.kind === "unit") this.#unitEgress.close(outlet.unit);
    else this.#transmitter.close(outlet.lane);
  }
}
