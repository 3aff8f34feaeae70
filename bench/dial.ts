import { Child } from "./child.ts";
import { LACEWING } from "./gateway-child.ts";
import type { Place } from "./namespaces.ts";
import type { Site } from "./site.ts";

/**
 * Node's for the ends of calls: one thread each, and room for what they make. Else their garbage is collected by helper
 * threads, on the processors that the gateway is measured on.
 */
export const EMULATOR = ["--single-threaded-gc", "--initial-heap-size=128"];
export const PASSWORD = "bench";
/** How long dialling may take, beyond what it should. */
const PATIENCE_MS = 300_000;

/** What `lacewing dial --json` says when all have come up or failed. */
export interface DialSummary {
  readonly up: number;
  readonly failed: number;
  readonly elapsedMs: number;
  readonly sessionsPerSecond: number;
  readonly setupMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** What it says of a session that has come up. */
export interface DialledSession {
  readonly mac: string;
  readonly pppoeSessionId: number;
  readonly address: string;
}

export interface Dial {
  /** The subscribers' interface. */
  readonly device: string;
  /** "%d" is the number of each. */
  readonly user: string;
  readonly count: number;
  /** A device for each subscriber; none when absent. */
  readonly devices?: boolean;
  /** So many are begun in a second; all at once when absent. */
  readonly perSecond?: number;
  /** So many may be coming up at one time. */
  readonly atOnce?: number;
}

/** Begins to bring PPPoE sessions up. Hang up by stopping the child. */
export function startDial(site: Site, place: Place, dial: Dial): Child {
  const { device, user, count, devices = false, perSecond, atOnce } = dial;
  const words = ["dial", "--interface", device, "--user", user, "--password", PASSWORD];
  words.push("--count", `${count}`, "--device", devices ? "each" : "none", "--json");
  if (perSecond !== undefined) words.push("--rate", `${perSecond}`);
  if (atOnce !== undefined) words.push("--at-once", `${atOnce}`);
  const emulator = devices ? [] : EMULATOR;
  return site.run(new Child("lacewing dial", place, [process.execPath, ...emulator, LACEWING, ...words]));
}

/** Resolves when all have come up or failed. */
export async function dialSummary(dial: Child): Promise<DialSummary> {
  return JSON.parse(await dial.nextLine(isSummary, PATIENCE_MS)) as DialSummary;
}

/** Sessions whose subscribers have then fallen silent; nobody is told. Rejects when one does not come up. */
export async function silentSessions(
  site: Site,
  place: Place,
  dial: Dial,
): Promise<readonly DialledSession[]> {
  const sessions: DialledSession[] = [];
  const child = startDial(site, place, dial);
  const line = await child.nextLine((text) => {
    if (text.startsWith('{"event":"up"')) sessions.push(JSON.parse(text) as DialledSession);
    return isSummary(text);
  }, PATIENCE_MS);
  const { failed } = JSON.parse(line) as DialSummary;
  if (failed > 0) throw new Error(`${failed} of ${dial.count} sessions did not come up`);
  await child.stop("SIGKILL");
  site.forget(child);
  return sessions;
}

function isSummary(text: string): boolean {
  return text.startsWith('{"event":"summary"');
}
