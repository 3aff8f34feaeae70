import { readResource } from "../src/control/client.ts";
import type { SessionView } from "../src/gateway/views.ts";
import type { Lab } from "./lab.ts";

const REFRESH_MS = 1000;

/** Octets of a session when we last looked, for rates. */
interface Sample {
  readonly at: number;
  readonly octetsIn: number;
  readonly octetsOut: number;
}

/** Shows what both gateways do, once a second, until `signal`; on a terminal in place, else one line each time. */
export async function showStatus(lab: Lab, signal: AbortSignal, say: (line: string) => void): Promise<void> {
  say(`  look inside: npx lacewing show sessions --socket ${lab.sockets.lac}`);
  say("");
  const inPlace = process.stdout.isTTY === true;
  let before: Sample | undefined;
  while (!signal.aborted) {
    const [lac, lns] = await Promise.all([
      readResource(lab.sockets.lac, "sessions"),
      readResource(lab.sockets.lns, "sessions"),
    ]);
    const now = sampleOf(lns[0]);
    const line = `  LAC ${summary(lac)}   LNS ${summary(lns)}   up ${rate(before, now, "octetsIn")}   down ${rate(before, now, "octetsOut")}`;
    process.stdout.write(inPlace ? `\r\x1b[K${line}` : `${line}\n`);
    before = now;
    await nextLook(signal);
  }
  if (inPlace) process.stdout.write("\n");
}

function summary(sessions: readonly SessionView[]): string {
  const open = sessions.filter(({ state }) => state === "open");
  return `${open.length}/${sessions.length} open`;
}

function sampleOf(session: SessionView | undefined): Sample {
  return { at: performance.now(), octetsIn: session?.octetsIn ?? 0, octetsOut: session?.octetsOut ?? 0 };
}

function rate(before: Sample | undefined, now: Sample, what: "octetsIn" | "octetsOut"): string {
  if (before === undefined) return "-";
  const bitsPerSecond = ((now[what] - before[what]) * 8000) / (now.at - before.at);
  return bitsPerSecond < 1e6
    ? `${(bitsPerSecond / 1e3).toFixed(1)} kbit/s`
    : `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
}

function nextLook(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, REFRESH_MS);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
