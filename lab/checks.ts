import { fileURLToPath } from "node:url";

import { ADDRESSES, type Place } from "./network.ts";
import { runIn, startIn } from "./processes.ts";

const TRANSFER = fileURLToPath(new URL("./tcp-transfer.js", import.meta.url));
const TRANSFER_PORT = 5001;
const TRANSFER_MS = 1500;

/** After which what was not answered counts as lost. */
const PING_DEADLINE_SECONDS = 5;

/**
 * Pings `address` from `place`, with the largest packet that `mtuBytes` takes unfragmented; returns the loss in percent.
 *
 * With a deadline ping(8) goes on until `count` answers have come. Without one it waits for the last of them no longer
 * than twice the longest time so far, and on a busy machine says that they are lost when they are only late.
 */
export async function ping(
  place: Place,
  address: string,
  count: number,
  mtuBytes: number,
  signal: AbortSignal,
): Promise<number> {
  const payload = mtuBytes - 28; // IPv4 and ICMP headers
  const words = `ping -n -c ${count} -i 0.02 -w ${PING_DEADLINE_SECONDS} -M do -s ${payload} ${address}`;
  // ping's exit code is 1 when answers are missing: that is a result, not a failure of the command
  const output = await runIn(place, ["sh", "-c", `${words} || true`], 15_000, signal);
  return lossPercent(output, count);
}

/** How much of the first `count` requests the output of ping(8) has no answer to; what was sent after them only filled the time. */
export function lossPercent(output: string, count: number): number {
  if (!output.includes("packets transmitted"))
    throw new Error(`ping said nothing that could be read: ${output.trim()}`);
  const answered = new Set<number>();
  for (const [, text] of output.matchAll(/bytes from .*icmp_seq=(\d+)/g)) {
    const sequence = Number(text);
    if (sequence <= count) answered.add(sequence);
  }
  return (100 * (count - answered.size)) / count;
}

/** Fetches from the far host over the subscriber's session; returns megabits of payload per second. */
export async function transfer(onFailure: (message: string) => void, signal: AbortSignal): Promise<number> {
  const server = startIn(
    "internet",
    "TCP server",
    [process.execPath, TRANSFER, "serve", ADDRESSES.farHost, String(TRANSFER_PORT)],
    onFailure,
  );
  try {
    await server.waitForLine((line) => line === "listening", 10_000);
    const output = await runIn(
      "subscriber",
      [process.execPath, TRANSFER, "fetch", ADDRESSES.farHost, String(TRANSFER_PORT), String(TRANSFER_MS)],
      60_000,
      signal,
    );
    const result = JSON.parse(output.trim().split("\n").at(-1) ?? "") as { octets: number; ms: number };
    return (result.octets * 8) / 1000 / result.ms;
  } finally {
    await server.stop();
  }
}
