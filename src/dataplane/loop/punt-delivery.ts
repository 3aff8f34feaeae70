import type { Punt } from "../../channel/dataplane.ts";
import { STALE } from "../drop-codes.ts";
import type { ControlSender } from "./control-sender.ts";
import type { PuntReader } from "./punt-reader.ts";
import type { RecordConsumer, RingRecord } from "./record-ring.ts";
import { WorkerRings } from "./worker-rings.ts";

/** Empties the punt rings of all workers into the control plane's handler. */
export class PuntDelivery {
  readonly #reader: PuntReader;
  readonly #sender: ControlSender;
  readonly #rings = new WorkerRings((record) => this.#take(record));
  #handler: ((punt: Punt) => void) | undefined = () => {};

  constructor(reader: PuntReader, sender: ControlSender) {
    this.#reader = reader;
    this.#sender = sender;
    sender.onUnsent((punt) => this.deliver(punt));
  }

  /** The ring of a worker that begins; what an earlier one has left behind is delivered first. */
  setRing(worker: number, ring: RecordConsumer): void {
    this.#rings.set(worker, ring);
  }

  /** Of a worker that has ended: what it has left behind is delivered. */
  removeRing(worker: number): void {
    this.#rings.remove(worker);
  }

  /** What a worker has punted since the start, and has been taken from its ring. */
  taken(worker: number): number {
    return this.#rings.taken(worker);
  }

  /** The one receiver of punts. */
  onPunt(handler: (punt: Punt) => void): void {
    this.#handler = handler;
  }

  /** Nothing is delivered any more; what waited to be sent is. */
  close(): void {
    this.#handler = undefined;
    this.#rings.close();
    this.#sender.flush();
  }

  /** One that no worker made. */
  deliver(punt: Punt): void {
    this.#handler?.(punt);
  }

  /** Delivers what is there, a bounded number at a time, until the workers are to ring again. */
  drain(): void {
    this.#rings.drain();
  }

  /** Delivers all that is there now: what workers punted before this is then delivered, forwarded or counted. */
  drainAll(): void {
    this.#rings.drainAll();
    this.#sender.flush();
  }

  #take(record: RingRecord): void {
    const delivery = this.#reader.read(record);
    if (delivery.kind === "punt") this.deliver(delivery.punt);
    else if (delivery.kind === "forward") this.#sender.frame(delivery.channel, delivery.frame);
    else this.#sender.dropped(STALE);
  }
}
