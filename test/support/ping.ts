/** ping(8) as a measure of what gets through. */

import { once } from "node:events";
import type { Netns } from "./netns.ts";

export interface PingWords {
  readonly to: string;
  readonly count?: number;
  readonly intervalMs?: number;
  /** Octets of the whole IPv4 packet. */
  readonly packetBytes?: number;
  readonly from?: string;
  /** DF set; what is too big fails instead of being fragmented. */
  readonly dontFragment?: boolean;
  /** How long the first answer is waited for; long by default, as the machine may have other things to do. */
  readonly patienceSeconds?: number;
}

export interface PingResult {
  readonly sent: number;
  readonly received: number;
  readonly output: string;
  /** How often all of it was sent. */
  readonly rounds: number;
}

const HEADERS_BYTES = 28;

/** How often pings are sent whose last answers alone are missing. */
const MOST_ROUNDS = 4;

/**
 * Sends echo requests and says how many were answered. Once something was answered, ping(8) waits for the last answer no longer
 * than twice the longest time so far, whatever it is told: where only the last ones are missing, all are sent again.
 */
export async function ping(netns: Netns, words: PingWords): Promise<PingResult> {
  for (let rounds = 1; ; rounds += 1) {
    const result = await pingOnce(netns, words);
    if (!lacksOnlyTheLast(result) || rounds === MOST_ROUNDS) return { ...result, rounds };
  }
}

function lacksOnlyTheLast({ sent, received, output }: Omit<PingResult, "rounds">): boolean {
  const sequences = [...output.matchAll(/bytes from .*icmp_seq=(\d+)/g)].map(([, sequence]) =>
    Number(sequence),
  );
  return received > 0 && received < sent && Math.max(...sequences) === received;
}

async function pingOnce(netns: Netns, words: PingWords): Promise<Omit<PingResult, "rounds">> {
  const {
    to,
    count = 5,
    intervalMs = 20,
    packetBytes = 84,
    from,
    dontFragment = false,
    patienceSeconds = 5,
  } = words;
  const argv = ["ping", "-n", "-c", String(count), "-i", String(intervalMs / 1000)];
  argv.push("-W", String(patienceSeconds), "-s", String(packetBytes - HEADERS_BYTES));
  if (from !== undefined) argv.push("-I", from);
  argv.push("-M", dontFragment ? "do" : "dont", to);
  const child = netns.spawn(argv, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  await once(child, "close");
  const counts = /(\d+) packets transmitted, (\d+) received/.exec(output);
  if (counts === null) throw new Error(`ping said nothing that could be read: ${output}`);
  return { sent: Number(counts[1]), received: Number(counts[2]), output };
}
