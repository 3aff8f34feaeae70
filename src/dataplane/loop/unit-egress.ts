import {
  type Region,
  TX_BODY_LENGTH,
  TX_BODY_OFFSET,
  TX_HEAD_LENGTH,
  TX_HEAD_OFFSET,
  TX_STRIDE,
} from "../../io/addon.ts";
import { VNET_HEADER_BYTES } from "../../wire/virtio-net.ts";
import { SEND_FAILED } from "../drop-codes.ts";
import { reasonOf } from "./transmitter.ts";

/** Packets that wait for one unit at most. */
const QUEUED_PACKETS = 64;

/** Collects the packets of a batch that go to the host, and writes those that follow each other to one unit together. */
export class UnitEgress {
  readonly #region: Pick<Region, "bytes" | "allocate" | "sendTun" | "lastErrno">;
  readonly #drops: Float64Array;
  /** By unit; -1 where this worker has none. */
  readonly #fds: number[] = [];
  /** Where in the region the zeroes are that go before packets. */
  readonly #vnetHeader: number;
  readonly #descriptors = new Int32Array(QUEUED_PACKETS * TX_STRIDE);
  /** What waits, and for which unit. */
  #count = 0;
  #unit = 0;

  /** `drops`: this worker's row. */
  constructor(
    region: Pick<Region, "bytes" | "allocate" | "sendTun" | "lastErrno">,
    units: number,
    drops: Float64Array,
  ) {
    this.#region = region;
    this.#drops = drops;
    for (let unit = 0; unit <= units; unit++) this.#fds.push(-1);
    this.#vnetHeader = region.allocate(VNET_HEADER_BYTES);
  }

  open(unit: number, fd: number): void {
    this.#fds[unit] = fd;
  }

  close(unit: number): void {
    this.flush();
    this.#fds[unit] = -1;
  }

  /** Hands an IP packet to the host through a unit. It stays as it is until flush() returns. */
  toUnit(unit: number, offset: number, length: number): void {
    if (this.#fds[unit]! < 0) {
      this.#drops[SEND_FAILED]! += 1;
      return;
    }
    if (unit !== this.#unit || this.#count === QUEUED_PACKETS) this.flush();
    this.#unit = unit;
    const at = this.#count * TX_STRIDE;
    this.#descriptors[at + TX_HEAD_OFFSET] = this.#vnetHeader;
    this.#descriptors[at + TX_HEAD_LENGTH] = VNET_HEADER_BYTES;
    this.#descriptors[at + TX_BODY_OFFSET] = offset;
    this.#descriptors[at + TX_BODY_LENGTH] = length;
    this.#count += 1;
  }

  /** Writes everything, or counts what the system does not take. */
  flush(): void {
    while (this.#count > 0) {
      const taken = this.#region.sendTun(this.#fds[this.#unit]!, this.#descriptors, this.#count);
      if (taken < this.#count) {
        // the packet that was refused is lost, not those behind it
        this.#drops[reasonOf(this.#region.lastErrno)]! += 1;
        this.#descriptors.copyWithin(0, (taken + 1) * TX_STRIDE, this.#count * TX_STRIDE);
      }
      this.#count = Math.max(0, this.#count - taken - 1);
    }
  }
}
