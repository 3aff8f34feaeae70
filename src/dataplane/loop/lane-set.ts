import type { Poller, Receiver, Region } from "../../io/addon.ts";
import { RECEIVE_OVERFLOW } from "../drop-codes.ts";
import type { Lane } from "./messages.ts";
import type { LoopOptions } from "./options.ts";
import { UNIT_HEADROOM_BYTES, UNIT_LARGEST_BYTES } from "./unit-ingress.ts";

/** A lane that this worker receives from. */
export interface OpenLane {
  readonly lane: Lane;
  /** Undefined when only errors come. */
  readonly receiver: Receiver | undefined;
  /** In the poller's set. */
  polled: boolean;
  /** To be asked in the next round. */
  active: boolean;
}

type LaneOptions = Pick<LoopOptions, "udpSlots" | "udpSlotBytes" | "unitAreaBytes">;

/** The lanes that one worker has adopted, and which of them have something. */
export class LaneSet {
  readonly #region: Region;
  readonly #poller: Poller;
  readonly #options: LaneOptions;
  readonly #drops: Float64Array;
  readonly #lanes = new Map<number, OpenLane>();
  /** Where packets of units are read to; none before the first unit. */
  #unitArea: number | undefined;
  /** What is to be asked in the next round, in no order. */
  readonly active: OpenLane[] = [];

  /** `drops`: this worker's row. */
  constructor(region: Region, poller: Poller, options: LaneOptions, drops: Float64Array) {
    this.#region = region;
    this.#poller = poller;
    this.#options = options;
    this.#drops = drops;
  }

  /** Throws what the addon does: there is no room for the lane's buffers, or its descriptor is closed. */
  adopt(lane: Lane): void {
    const receiver = this.#receiver(lane);
    const open = { lane, receiver, polled: false, active: false };
    try {
      // without a receiver, what arrives would be ready for ever
      this.#poller.add(lane.fd, lane.number, receiver !== undefined);
    } catch (error) {
      receiver?.close();
      throw error;
    }
    open.polled = true;
    this.#lanes.set(lane.number, open);
  }

  /** False when there is no such lane. */
  release(number: number): boolean {
    const open = this.#lanes.get(number);
    if (open === undefined) return false;
    this.#lanes.delete(number);
    this.rest(open);
    this.unpoll(open);
    this.#countOverflows(open);
    open.receiver?.close();
    return true;
  }

  /** Of a lane that the poller has reported; undefined when it has been released since. */
  find(number: number): OpenLane | undefined {
    return this.#lanes.get(number);
  }

  /** To be asked in the next round. */
  activate(open: OpenLane): void {
    if (open.active) return;
    open.active = true;
    this.active.push(open);
  }

  /** Has nothing more. */
  rest(open: OpenLane): void {
    if (!open.active) return;
    open.active = false;
    this.active[this.active.indexOf(open)] = this.active[this.active.length - 1]!;
    this.active.pop();
  }

  /** Nothing is heard of the lane any more. */
  unpoll(open: OpenLane): void {
    if (open.polled) this.#poller.remove(open.lane.fd);
    open.polled = false;
  }

  /** Counts what the kernel dropped before we read it. */
  countOverflows(): void {
    for (const open of this.#lanes.values()) this.#countOverflows(open);
  }

  /** At the end of the worker. Frames that were received and not forwarded are not received again. */
  close(): void {
    for (const { receiver } of this.#lanes.values()) {
      receiver?.release();
      receiver?.close();
    }
    this.#lanes.clear();
    this.active.length = 0;
  }

  #countOverflows({ lane, receiver }: OpenLane): void {
    // a unit's device counts what its queue drops
    if (receiver !== undefined && lane.medium !== "unit")
      this.#drops[RECEIVE_OVERFLOW]! += receiver.overflows();
  }

  #receiver(lane: Lane): Receiver | undefined {
    const { udpSlots, udpSlotBytes } = this.#options;
    switch (lane.medium) {
      case "ethernet":
        return this.#region.packetReceiver(lane.fd, lane.packet);
      case "udp":
        return this.#region.udpReceiver(lane.fd, udpSlots, udpSlotBytes);
      case "unchecked":
        return undefined;
      case "unit":
        return this.#unitReceiver(lane.fd);
    }
  }

  /** A receiver for one more unit: they are read in turn, into the same memory. */
  #unitReceiver(fd: number): Receiver {
    const { unitAreaBytes } = this.#options;
    this.#unitArea ??= this.#region.allocate(unitAreaBytes);
    return this.#region.tunReceiver(
      fd,
      this.#unitArea,
      unitAreaBytes,
      UNIT_LARGEST_BYTES,
      UNIT_HEADROOM_BYTES,
    );
  }
}
