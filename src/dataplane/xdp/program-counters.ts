import {
  readXdpCounter,
  XDP_CONTROL,
  XDP_COUNTERS_BYTES,
  XDP_FRAMES,
  XDP_OCTETS,
  type XdpProgram,
} from "../../io/xdp.ts";

/** What the program has counted of the frames that came in on one of its channels, all CPUs together; 0 of channel 0. */
export class ProgramCounters {
  /** Frames of channels that are closed. */
  framesOfClosed = 0;
  readonly #words: Uint32Array;
  readonly #cpus: number;
  /** From one CPU's counters to the next one's. */
  readonly #row: number;

  constructor(program: Pick<XdpProgram, "cpus" | "tables">, channels: number) {
    this.#words = new Uint32Array(program.tables.counters);
    this.#cpus = program.cpus;
    this.#row = (channels + 1) * XDP_COUNTERS_BYTES;
  }

  frames(slot: number): number {
    return this.#sum(slot, XDP_FRAMES);
  }

  octets(slot: number): number {
    return this.#sum(slot, XDP_OCTETS);
  }

  controlFrames(slot: number): number {
    return this.#sum(slot, XDP_CONTROL);
  }

  /** Of a channel that the program does not know. */
  clear(slot: number): void {
    for (let cpu = 0; cpu < this.#cpus; cpu++) {
      const first = (cpu * this.#row + slot * XDP_COUNTERS_BYTES) >>> 2;
      this.#words.fill(0, first, first + (XDP_COUNTERS_BYTES >>> 2));
    }
  }

  #sum(slot: number, entry: number): number {
    let total = 0;
    // the program keeps something of its own at 0
    if (slot === 0) return total;
    const offset = slot * XDP_COUNTERS_BYTES + entry;
    for (let cpu = 0; cpu < this.#cpus; cpu++) total += readXdpCounter(this.#words, cpu * this.#row + offset);
    return total;
  }
}
