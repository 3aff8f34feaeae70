import type { Logger } from "../../base/logger.ts";
import type { AccessPortSpec, PortId } from "../../channel/dataplane.ts";
import type { Addon, NativeError } from "../../io/addon.ts";
import { ethernetHeaderBytes } from "../../wire/ethernet.ts";
import type { LoopOptions } from "./options.ts";

/** What every kernel takes, and the largest that those with the smallest pages take. */
const SLOT_BYTES = [2048, 4096] as const;
/** What refusals mean that do not say so themselves. */
const MEANINGS: Readonly<Record<string, string>> = {
  EBUSY: "somebody else has an AF_XDP socket on its queue",
  EINVAL: "the device has no queue for it",
  ENOBUFS: "so much memory may not be pinned (RLIMIT_MEMLOCK, or CAP_IPC_LOCK)",
};

/** An access port's sending sockets, of which each worker has its own, and how many of them send by AF_XDP. */
interface Senders {
  readonly spec: AccessPortSpec;
  readonly fds: readonly number[];
  byXsk: number;
}

/**
 * AF_XDP for the frames that leave by access ports: a queue of the device for each worker, which costs a quarter less for
 * each frame than a packet socket does. Where it cannot be had, frames leave by the packet socket, and the log says why.
 */
export class XskSenders {
  readonly #addon: Pick<Addon, "sendByXsk">;
  readonly #options: Pick<LoopOptions, "xskSlots" | "sendBufferBytes">;
  readonly #logger: Logger;
  readonly #ports = new Map<PortId, Senders>();

  constructor(
    addon: Pick<Addon, "sendByXsk">,
    options: Pick<LoopOptions, "xskSlots" | "sendBufferBytes">,
    logger: Logger,
  ) {
    this.#addon = addon;
    this.#options = options;
    this.#logger = logger;
  }

  /** `fds`: the sending sockets of a port that is open. */
  open(port: PortId, spec: AccessPortSpec, fds: readonly number[], workers: number): void {
    const senders = { spec, fds, byXsk: 0 };
    this.#ports.set(port, senders);
    this.#widen(senders, workers);
  }

  /** The sockets are closed by whoever has opened them. */
  close(port: PortId): void {
    this.#ports.delete(port);
  }

  /**
   * There are so many workers now. Those that are there go on as they are; what has been refused is asked for again. Who
   * has had a queue and is gone leaves it to the next one in his place.
   */
  resize(workers: number): void {
    for (const senders of this.#ports.values()) this.#widen(senders, workers);
  }

  #widen(senders: Senders, workers: number): void {
    const wanted = Math.min(workers, senders.fds.length);
    if (senders.byXsk >= wanted) return;
    const reason = this.#refusal(senders, wanted);
    if (reason === undefined) return;
    const fields = { interface: senders.spec.name, workers: wanted, byXsk: senders.byXsk, reason };
    this.#logger.info(fields, "frames to subscribers leave by packet sockets");
  }

  /** Goes on until `wanted` of them send by AF_XDP; returns why one does not. */
  #refusal(senders: Senders, wanted: number): string | undefined {
    const { xskSlots, sendBufferBytes } = this.#options;
    const { ifindex, name, mtuBytes } = senders.spec;
    if (xskSlots === 0) return "AF_XDP is not to be used";
    // one tag does not count against the MTU
    const frameBytes = mtuBytes + ethernetHeaderBytes(1);
    const slotBytes = SLOT_BYTES.find((bytes) => frameBytes <= bytes);
    if (slotBytes === undefined) return `an MTU of ${mtuBytes} is more than a page has room for`;
    while (senders.byXsk < wanted) {
      const queue = senders.byXsk;
      try {
        const options = { ifindex, name, queue, slots: xskSlots, slotBytes, sendBufferBytes };
        this.#addon.sendByXsk(senders.fds[queue]!, options);
      } catch (error) {
        return `queue ${queue}: ${refusalText(error as NativeError)}`;
      }
      senders.byXsk += 1;
    }
    return undefined;
  }
}

function refusalText({ code, message }: NativeError): string {
  const meaning = MEANINGS[code];
  return meaning === undefined ? message : `${message}: ${meaning}`;
}
