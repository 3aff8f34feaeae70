import { type Region, TX_ADDRESS, TX_BODY_LENGTH, TX_BODY_OFFSET, TX_STRIDE, TX_USER } from "./addon.ts";

/** Frames that wait for one descriptor at most. */
const FRAMES = 128;
/** Octets that wait in all: more than any one datagram has. */
const ARENA_BYTES = 1 << 18;
/** What a region may align its parts to. */
const ALIGNMENT_BYTES = 1 << 16;

/** What a batch needs of a region. */
export type BatchRegion = Pick<Region, "bytes" | "allocate" | "sendPacket" | "sendUdp" | "lastErrno">;

/** One descriptor that frames are sent through, and the frames that wait for it. */
export class Outlet {
  readonly kind: "packet" | "udp";
  readonly fd: number;
  readonly descriptors = new Int32Array(FRAMES * TX_STRIDE);
  count = 0;

  constructor(kind: "packet" | "udp", fd: number) {
    this.kind = kind;
    this.fd = fd;
  }
}

/** A frame that the system has not taken. */
export interface SendRefusal {
  readonly outlet: Outlet;
  readonly user: number;
  readonly octets: number;
  /** Of a datagram: where it was to go, as add() was told. */
  readonly address: number;
  readonly errno: number;
}

/**
 * Frames of the control plane that leave together, in order for each descriptor, by as few calls as possible. Who
 * sends singly wakes the receiver for every frame, and is himself put aside for it.
 */
export class SendBatch {
  /** Octets of a region for a batch and nothing else. */
  static readonly REGION_BYTES = ARENA_BYTES + ALIGNMENT_BYTES;
  /** The region: where frames are written to. */
  readonly bytes: Uint8Array;
  readonly #region: BatchRegion;
  readonly #addresses: Uint8Array;
  readonly #refused: (refusal: SendRefusal) => void;
  readonly #start: number;
  readonly #waiting: Outlet[] = [];
  #used = 0;

  /**
   * `addresses`: what addresses of datagrams refer to. `refused` is told what the system does not take.
   */
  constructor(region: BatchRegion, addresses: Uint8Array, refused: (refusal: SendRefusal) => void) {
    this.#region = region;
    this.#addresses = addresses;
    this.#refused = refused;
    this.#start = region.allocate(ARENA_BYTES);
    this.bytes = region.bytes;
  }

  /** Nothing waits. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /**
   * Makes room for a frame of `length` octets, at most 65,535, and returns the offset in `bytes` where the caller
   * writes it before anything else is done with the batch. `address`: of a datagram, an offset in `addresses`.
   */
  add(outlet: Outlet, length: number, address: number, user: number): number {
    if (outlet.count === FRAMES || this.#used + length > ARENA_BYTES) this.flush();
    if (outlet.count === 0) this.#waiting.push(outlet);
    const at = outlet.count * TX_STRIDE;
    const offset = this.#start + this.#used;
    outlet.descriptors[at + TX_BODY_OFFSET] = offset;
    outlet.descriptors[at + TX_BODY_LENGTH] = length;
    outlet.descriptors[at + TX_ADDRESS] = address;
    outlet.descriptors[at + TX_USER] = user;
    outlet.count += 1;
    this.#used += length;
    return offset;
  }

  /** Sends everything. */
  flush(): void {
    for (const outlet of this.#waiting) {
      this.#send(outlet);
      outlet.count = 0;
    }
    this.#waiting.length = 0;
    this.#used = 0;
  }

  /** A frame that is refused is lost, not those behind it. */
  #send(outlet: Outlet): void {
    const { kind, fd, descriptors, count } = outlet;
    let left = descriptors;
    for (let frames = count; frames > 0; ) {
      const taken =
        kind === "udp"
          ? this.#region.sendUdp(fd, left, frames, this.#addresses)
          : this.#region.sendPacket(fd, left, frames);
      if (taken === frames) return;
      const at = taken * TX_STRIDE;
      this.#refused({
        outlet,
        user: left[at + TX_USER]!,
        octets: left[at + TX_BODY_LENGTH]!,
        address: left[at + TX_ADDRESS]!,
        errno: this.#region.lastErrno,
      });
      left = left.subarray(at + TX_STRIDE);
      frames -= taken + 1;
    }
  }
}
