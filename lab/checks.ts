import { fileURLToPath } from "node:url";

import { ADDRESSES, type Place } from "./network.ts";
import { runIn, startIn } from "./processes.ts";

const TRANSFER = fileURLToPath(new URL("./tcp-transfer.js", import.meta.url));
const TRANSFER_PORT = 5001;
const TRANSFER_MS = 1500;

/** Pings `address` from `place`, with the largest packet that `mtuBytes` takes unfragmented; returns the loss in percent. */
export async function ping(
  place: Place,
  address: string,
  count: number,
  mtuBytes: number,
  signal: AbortSignal,
): Promise<number> {
  const payload = mtuBytes - 28; // IPv4 and ICMP headers
  const words = [
    "ping",
    "-n",
    "-q",
    "-c",
    count,
    "-i",
    "0.02",
    "-W",
    "1",
    "-M",
    "do",
    "-s",
    payload,
    address,
  ];
  // ping's exit code is 1 when nothing came back: that is a result, not a failure of the command
  const output = await runIn(place, ["sh", "-c", `${words.join(" ")} || true`], 15_000, signal);
  const loss = /([\d.]+)% packet loss/.exec(output)?.[1];
  if (loss === undefined) throw new Error(`ping said nothing that could be read: ${output.trim()}`);
  return Number(loss);
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
