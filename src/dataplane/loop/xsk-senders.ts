import type { AccessPortSpec } from "../../channel/dataplane.ts";
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

/**
 * Lets the first `workers` of an access port's sending sockets send by AF_XDP, each by a queue of its own, which costs a
 * quarter less for each frame. Returns why some of them still send by themselves; undefined when none does.
 */
export function openXskSenders(
  addon: Pick<Addon, "sendByXsk">,
  fds: readonly number[],
  { ifindex, name, mtuBytes }: AccessPortSpec,
  { xskSlots, workers, sendBufferBytes }: Pick<LoopOptions, "xskSlots" | "workers" | "sendBufferBytes">,
): string | undefined {
  if (xskSlots === 0) return "AF_XDP is not to be used";
  // one tag does not count against the MTU
  const frameBytes = mtuBytes + ethernetHeaderBytes(1);
  const slotBytes = SLOT_BYTES.find((bytes) => frameBytes <= bytes);
  if (slotBytes === undefined) return `an MTU of ${mtuBytes} is more than a page has room for`;
  for (const [queue, fd] of fds.slice(0, workers).entries()) {
    try {
      addon.sendByXsk(fd, { ifindex, name, queue, slots: xskSlots, slotBytes, sendBufferBytes });
    } catch (error) {
      return `queue ${queue}: ${refusalText(error as NativeError)}`;
    }
  }
  return undefined;
}

function refusalText({ code, message }: NativeError): string {
  const meaning = MEANINGS[code];
  return meaning === undefined ? message : `${message}: ${meaning}`;
}
