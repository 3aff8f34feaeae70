import {
  emitPcapngInterface,
  emitPcapngNothing,
  emitPcapngSection,
  emitPcapngStatistics,
  type PcapngInterface,
  type PcapngPacket,
  type PcapngSection,
  pcapngPacketBytes,
  writePcapngPacket,
} from "../wire/pcapng.ts";
import type { CaptureLimits, CaptureSink } from "./capture-request.ts";

/** Octets that may wait for the reader: what is beyond is passed over. */
const MAX_WAITING_BYTES = 1 << 22;
/** Octets of frames that are gathered until they should be written. */
const MAX_GATHERED_BYTES = 1 << 18;

interface Recorded {
  readonly startUs: number;
  packets: number;
  passedOver: number;
}

interface Gathered {
  readonly interfaceId: number;
  readonly packet: PcapngPacket;
}

/** Writes frames of some interfaces as pcapng, in the order of their times, up to its limits. */
export class CaptureRecorder {
  readonly #sink: CaptureSink;
  readonly #limits: Pick<CaptureLimits, "frames" | "octets">;
  readonly #interfaces: Recorded[] = [];
  #gathered: Gathered[] = [];
  #gatheredBytes = 0;
  #frames = 0;
  #octets = 0;
  #passedOver = 0;

  /** What the file begins with is written at once. */
  constructor(sink: CaptureSink, limits: Pick<CaptureLimits, "frames" | "octets">, section: PcapngSection) {
    this.#sink = sink;
    this.#limits = limits;
    sink.write(emitPcapngSection(section));
  }

  /** Frames in the file. */
  get frames(): number {
    return this.#frames;
  }

  /** Of those frames, as they are kept. */
  get octets(): number {
    return this.#octets;
  }

  /** Frames that the reader was too slow for. */
  get passedOver(): number {
    return this.#passedOver;
  }

  /** Why nothing more is taken. */
  get limit(): string | undefined {
    const { frames, octets } = this.#limits;
    if (frames !== undefined && this.#frames >= frames) return `the limit of ${frames} frames is reached`;
    return this.#octets >= octets ? `the limit of ${octets} octets is reached` : undefined;
  }

  /** Returns the number of the interface, which is announced at once. `nowUs`: when its capture begins. */
  addInterface(spec: PcapngInterface, nowUs: number): number {
    this.#sink.write(emitPcapngInterface(spec));
    return this.#interfaces.push({ startUs: nowUs, packets: 0, passedOver: 0 }) - 1;
  }

  /** Takes frames, to be written by flush(). */
  take(interfaceId: number, packets: readonly PcapngPacket[]): void {
    for (const packet of packets) {
      this.#gathered.push({ interfaceId, packet });
      this.#gatheredBytes += packet.frame.length;
    }
  }

  /** So much has been taken that it should be written soon. */
  get isFull(): boolean {
    return this.#gatheredBytes >= MAX_GATHERED_BYTES;
  }

  /** Writes what has been taken, oldest first. */
  flush(): void {
    const gathered = this.#gathered;
    if (gathered.length === 0) return;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    gathered.sort((a, b) => a.packet.timeUs - b.packet.timeUs);
    const kept: Gathered[] = [];
    let room = MAX_WAITING_BYTES - this.#sink.waitingBytes;
    let length = 0;
    for (const each of gathered) {
      if (this.limit !== undefined) break;
      const bytes = pcapngPacketBytes(each.packet.frame.length);
      const recorded = this.#interfaces[each.interfaceId]!;
      if (bytes > room) {
        recorded.passedOver += 1;
        this.#passedOver += 1;
        continue;
      }
      room -= bytes;
      length += bytes;
      recorded.packets += 1;
      this.#frames += 1;
      this.#octets += each.packet.frame.length;
      kept.push(each);
    }
    if (kept.length > 0) this.#sink.write(blocksOf(kept, length));
  }

  /**
   * Writes what is left, how much there was and why it ends, and ends the file. `passedOver`: frames of each interface
   * that were passed over before they came here.
   */
  end(reason: string, nowUs: number, passedOver: readonly number[]): void {
    this.flush();
    this.#interfaces.forEach((recorded, id) => {
      const dropped = recorded.passedOver + (passedOver[id] ?? 0);
      const statistics = {
        startUs: recorded.startUs,
        endUs: nowUs,
        received: recorded.packets + dropped,
        dropped,
        comment: reason,
      };
      this.#sink.write(emitPcapngStatistics(id, statistics));
    });
    // who reads it tells by the reason that it has not broken off
    if (this.#interfaces.length === 0) this.#sink.write(emitPcapngNothing(reason));
    this.#sink.end();
  }
}

function blocksOf(packets: readonly Gathered[], length: number): Uint8Array {
  const octets = new Uint8Array(length);
  const view = new DataView(octets.buffer);
  let at = 0;
  for (const { interfaceId, packet } of packets) {
    writePcapngPacket(view, at, interfaceId, packet);
    at += pcapngPacketBytes(packet.frame.length);
  }
  return octets;
}
