import { fileURLToPath } from "node:url";

import { ping, transfer } from "./checks.ts";
import { type LabFiles, removeConfigsOf, SUBSCRIBER, writeConfigs } from "./configs.ts";
import { ADDRESSES, createNetwork, deadLabs, destroyNetwork } from "./network.ts";
import { type LabProcess, runIn, startIn } from "./processes.ts";

const LACEWING = fileURLToPath(new URL("../src/cli/main.js", import.meta.url));
const PINGS_EACH_WAY = 20;

export interface LabReport {
  readonly ok: boolean;
  readonly user: string;
  readonly address: string;
  /** Of all pings, both directions. */
  readonly pingLossPercent: number;
  /** From the first PADI to an open IPCP. */
  readonly setupMs: number;
  readonly tcpMbitPerSecond: number;
}

/** What `lacewing dial --json` says when a subscriber is online. */
interface DialUp {
  readonly event: "up";
  readonly user: string;
  readonly address: string;
  readonly device: string;
  readonly mtuBytes: number;
  readonly setupMs: number;
}

/** The network, the two gateways and the subscriber; everything that it makes goes away with close(). */
export class Lab {
  readonly #say: (line: string) => void;
  readonly #onFailure: (message: string) => void;
  readonly #files: LabFiles;
  readonly #processes: LabProcess[] = [];

  constructor(say: (line: string) => void, onFailure: (message: string) => void) {
    this.#say = say;
    this.#onFailure = onFailure;
    this.#files = writeConfigs();
  }

  get sockets(): { readonly lac: string; readonly lns: string } {
    return { lac: this.#files.lacSocket, lns: this.#files.lnsSocket };
  }

  /** Brings everything up and checks it, in both directions. */
  async run(signal: AbortSignal): Promise<LabReport> {
    sweep(this.#say);
    createNetwork();
    this.#say("Lacewing lab: subscriber ── access ── LAC ── core ── LNS ── internet");
    this.#say("");
    signal.throwIfAborted();
    await Promise.all([
      this.#startGateway("lac", this.#files.lac),
      this.#startGateway("lns", this.#files.lns),
    ]);
    this.#say(`  LAC and LNS        running (${ADDRESSES.lac} and ${ADDRESSES.lns})`);
    signal.throwIfAborted();
    const dialed = await this.#dial(signal);
    this.#say(
      `  subscriber         ${dialed.user} online as ${dialed.address} after ${dialed.setupMs.toFixed(0)} ms`,
    );
    signal.throwIfAborted();
    const [outwards, inwards] = await Promise.all([
      ping("subscriber", ADDRESSES.farHost, PINGS_EACH_WAY, dialed.mtuBytes, signal),
      ping("internet", dialed.address, PINGS_EACH_WAY, dialed.mtuBytes, signal),
    ]);
    signal.throwIfAborted();
    const tcpMbitPerSecond = await transfer(this.#onFailure, signal);
    return {
      ok: outwards < 100 && inwards < 100 && tcpMbitPerSecond > 0,
      user: dialed.user,
      address: dialed.address,
      pingLossPercent: (outwards + inwards) / 2,
      setupMs: Math.round(dialed.setupMs * 10) / 10,
      tcpMbitPerSecond: Math.round(tcpMbitPerSecond * 10) / 10,
    };
  }

  /** The subscriber hangs up, the gateways end politely, the namespaces go. Safe to call at any moment. */
  async close(): Promise<void> {
    for (const process of this.#processes.reverse()) await process.stop();
    destroyNetwork();
    this.#files.remove();
  }

  async #startGateway(place: "lac" | "lns", config: string): Promise<void> {
    const gateway = this.#start(place, place.toUpperCase(), ["run", "-c", config]);
    await gateway.waitForLine((line) => line.includes('"msg":"ready"'), 10_000);
  }

  async #dial(signal: AbortSignal): Promise<DialUp> {
    const words = ["dial", "--interface", "sub0", "--user", SUBSCRIBER.user];
    words.push("--password-file", this.#files.password, "--device", "each", "--json");
    const subscriber = this.#start("subscriber", "subscriber", words);
    const line = await subscriber.waitForLine((text) => text.startsWith('{"event":"up"'), 15_000);
    const dialed = JSON.parse(line) as DialUp;
    await runIn("subscriber", ["ip", "route", "add", "default", "dev", dialed.device], 5_000, signal);
    return dialed;
  }

  #start(place: "subscriber" | "lac" | "lns", name: string, words: readonly string[]): LabProcess {
    const process_ = startIn(place, name, [process.execPath, LACEWING, ...words], this.#onFailure);
    this.#processes.push(process_);
    return process_;
  }
}

/** Removes what labs have left that were killed. */
function sweep(say: (line: string) => void): void {
  const dead = deadLabs();
  for (const labId of dead) {
    destroyNetwork(labId);
    if (labId !== process.pid) removeConfigsOf(labId);
  }
  if (dead.length > 0) say(`cleaned up after ${dead.length} lab(s) that had been killed`);
}
