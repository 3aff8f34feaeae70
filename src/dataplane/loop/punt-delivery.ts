import type { Punt } from "../../channel/dataplane.ts";
import { STALE } from "../drop-codes.ts";
import type { ControlSender } from "./control-sender.ts";
import type { PuntReader } from "./punt-reader.ts";
import type { PuntConsumer } from "./punt-ring.ts";

/** Records taken from a ring before other events of the control plane get their turn. */
const PUNTS_PER_TURN = 1024;

/** Empties the punt rings of all workers into the control plane's handler. */
export class PuntDelivery {
  readonly #reader: PuntReader;
  readonly #sender: ControlSender;
  /** By worker. */
  readonly #rings = new Map<number, PuntConsumer>();
  /** Records of rings that were removed, by worker. */
  readonly #past: number[] = [];
  #handler: ((punt: Punt) => void) | undefined = () => {};
  #scheduled = false;

  constructor(reader: PuntReader, sender: ControlSender) {
    this.#reader = reader;
    this.#sender = sender;
  }

  /** The ring of a worker that begins; what an earlier one has left behind is delivered first. */
  setRing(worker: number, ring: PuntConsumer): void {
    this.removeRing(worker);
    this.#rings.set(worker, ring);
  }

  /** Of a worker that has ended: what it has left behind is delivered. */
  removeRing(worker: number): void {
    const ring = this.#rings.get(worker);
    this.#rings.delete(worker);
    if (ring === undefined) return;
    this.#drainAll(ring);
    this.#past[worker] = (this.#past[worker] ?? 0) + ring.taken;
  }

  /** What a worker has punted since the start, and has been taken from its ring. */
  taken(worker: number): number {
    return (this.#past[worker] ?? 0) + (this.#rings.get(worker)?.taken ?? 0);
  }

  /** The one receiver of punts. */
  onPunt(handler: (punt: Punt) => void): void {
    this.#handler = handler;
  }

  /** Nothing is delivered any more; what waited to be sent is. */
  close(): void {
    this.#handler = undefined;
    this.#sender.flush();
  }

  /** One that no worker made. */
  deliver(punt: Punt): void {
    this.#handler?.(punt);
  }

  /** Delivers what is there, a bounded number at a time, until the workers are to ring again. */
  drain(): void {
    if (this.#handler === undefined) return;
    for (const ring of this.#rings.values()) {
      let budget = PUNTS_PER_TURN;
      do {
        while (budget > 0 && this.#next(ring)) budget -= 1;
        if (budget === 0) {
          this.#drainLater();
          break;
        }
      } while (!ring.sleep());
    }
  }

  /** Delivers all that is there now: what workers punted before this is then delivered, forwarded or counted. */
  drainAll(): void {
    for (const ring of this.#rings.values()) this.#drainAll(ring);
    this.#sender.flush();
  }

  #drainAll(ring: PuntConsumer): void {
    // nor is anything sent any more
    if (this.#handler === undefined) return;
    const end = ring.end();
    while (ring.isBefore(end)) this.#next(ring);
  }

  #drainLater(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.drain();
    });
  }

  /** False when the ring is empty. */
  #next(ring: PuntConsumer): boolean {
    const record = ring.take();
    if (record === undefined) return false;
    const delivery = this.#reader.read(record);
    if (delivery.kind === "punt") this.deliver(delivery.punt);
    else if (delivery.kind === "forward") this.#sender.frame(delivery.channel, delivery.frame);
    else this.#sender.dropped(STALE);
    return true;
  }
}
