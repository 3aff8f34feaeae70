import {
  type ChannelCounters,
  type ChannelId,
  DROP_REASONS,
  type DropReason,
  type PeerId,
} from "../../channel/dataplane.ts";
import { numbersSent } from "./channel-link.ts";
import { COUNTERS_STRIDE, FRAMES_IN, FRAMES_OUT, OCTETS_IN, OCTETS_OUT, type Tables } from "./tables.ts";

/** What the workers and the control plane's thread have counted, each in a row of its own. Numbers allocate nothing. */
export class Readings {
  readonly #tables: Tables;
  readonly #workers: () => number;

  /** `workers`: how many there ever were. The rows of others, for which there is room, have nothing. */
  constructor(tables: Tables, workers: () => number) {
    this.#tables = tables;
    this.#workers = workers;
  }

  counters(channel: ChannelId): ChannelCounters {
    return {
      framesIn: this.framesIn(channel),
      octetsIn: this.#counter(channel, OCTETS_IN),
      framesOut: this.#counter(channel, FRAMES_OUT),
      octetsOut: this.#counter(channel, OCTETS_OUT),
    };
  }

  framesIn(channel: ChannelId): number {
    return this.#counter(channel, FRAMES_IN);
  }

  /** Received, and not PPP control. */
  userFramesIn(channel: ChannelId): number {
    return this.framesIn(channel) - this.#sum(this.#tables.controlFramesIn, channel);
  }

  /** What workers have sent: on an attached channel the packets of its unit. */
  forwardedOut(channel: ChannelId): number {
    const { counters, sizes } = this.#tables;
    const injected = counters[sizes.workers]![channel * COUNTERS_STRIDE + FRAMES_OUT]!;
    return this.#counter(channel, FRAMES_OUT) - injected;
  }

  /** Whether what leaves on an L2TP channel has sequence numbers at the moment. */
  numbersSent(channel: ChannelId): boolean {
    return numbersSent(Atomics.load(this.#tables.channelPeer, channel));
  }

  framesFrom(peer: PeerId): number {
    return this.#sum(this.#tables.peerFramesIn, peer);
  }

  drops(): Readonly<Record<DropReason, number>> {
    return dropsBy((code) => this.#sum(this.#tables.drops, code));
  }

  /** Of one worker; "control": of the control plane's thread. */
  dropsOf(worker: number | "control"): Readonly<Record<DropReason, number>> {
    const row = this.#tables.drops[worker === "control" ? this.#tables.sizes.workers : worker]!;
    return dropsBy((code) => row[code]!);
  }

  /** Frames that a worker has received, whatever became of them. */
  framesReceived(worker: number): number {
    return this.#tables.framesReceived[worker]![0]!;
  }

  #counter(channel: ChannelId, entry: number): number {
    return this.#sum(this.#tables.counters, channel * COUNTERS_STRIDE + entry);
  }

  /** One entry of all rows; reduce() would need a closure for each. */
  #sum(rows: readonly Float64Array[], entry: number): number {
    let total = rows[this.#tables.sizes.workers]![entry]!;
    const workers = this.#workers();
    for (let row = 0; row < workers; row++) total += rows[row]![entry]!;
    return total;
  }
}

function dropsBy(code: (code: number) => number): Readonly<Record<DropReason, number>> {
  const drops = {} as Record<DropReason, number>;
  for (const [number, reason] of DROP_REASONS.entries()) drops[reason] = code(number);
  return drops;
}
