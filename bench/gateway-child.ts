import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readResource } from "../src/control/client.ts";
import type { ResourceName, Resources } from "../src/control/resources.ts";
import { Child } from "./child.ts";
import type { Place } from "./namespaces.ts";
import { compiled } from "./root.ts";

const START_MS = 20_000;
const PATIENCE_MS = 60_000;
const POLL_MS = 50;

export const LACEWING = compiled("src/cli/main");

/** Octets of a process after its garbage was collected. */
export interface Memory {
  /** What of it is in memory, without `tables`. */
  readonly resident: number;
  readonly heapUsed: number;
  /** What is in memory of the data plane's tables, which were made at the start for all sessions that may be. */
  readonly tables: number;
}

/** The tables are one mapping; nothing else in the process is nearly as large. */
const LEAST_TABLES_BYTES = 128 * 1024 * 1024;

export interface GatewaySettings {
  /** As taskset(1) lists them; all when absent. */
  readonly processors?: string | undefined;
  /** Where its API is spoken besides on its socket: YAML. */
  readonly listen?: string | undefined;
}

/** `lacewing run` in one of the namespaces. */
export class GatewayChild {
  readonly child: Child;
  readonly #socket: string;

  private constructor(child: Child, socket: string) {
    this.child = child;
    this.#socket = socket;
  }

  /**
   * Resolves when it answers. `config`: YAML, without what controls it. Files go into `directory`.
   */
  static async start(
    name: string,
    place: Place,
    directory: string,
    config: string,
    adopt: (child: Child) => void,
    { processors, listen }: GatewaySettings = {},
  ): Promise<GatewayChild> {
    const socket = join(directory, `${place}.sock`);
    const file = join(directory, `${place}.yaml`);
    writeFileSync(file, `control: { socket: ${socket}, listen: [${listen ?? ""}] }\n${config}`, {
      mode: 0o600,
    });
    const measured = ["--expose-gc", "--import", compiled("bench/collect")];
    const child = new Child(name, place, [process.execPath, ...measured, LACEWING, "run", "-c", file], {
      processors,
    });
    adopt(child);
    const gateway = new GatewayChild(child, socket);
    await gateway.#untilAnswering();
    return gateway;
  }

  read<Name extends ResourceName>(name: Name): Promise<Resources[Name]> {
    return readResource(this.#socket, name);
  }

  /** Where it is asked. */
  get socket(): string {
    return this.#socket;
  }

  /** Waits until it has `atLeast` sessions and no more than `atMost`. */
  async untilSessions(atLeast: number, atMost: number, patienceMs = PATIENCE_MS): Promise<number> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const { sessions } = await this.read("status");
      if (sessions >= atLeast && sessions <= atMost) return sessions;
      if (performance.now() > deadline)
        throw new Error(`${this.child.name} has ${sessions} sessions, not ${atLeast} to ${atMost}`);
      await pause(POLL_MS);
    }
  }

  /** Processor time that all its threads have used so far. */
  processorSeconds(): number {
    return this.child.processorSeconds();
  }

  /** Has it collect its garbage. */
  async memory(): Promise<Memory> {
    const line = this.child.nextLine((text) => text.startsWith(COLLECTED), PATIENCE_MS);
    process.kill(this.child.pid, "SIGUSR2");
    const { rss, heapUsed } = JSON.parse((await line).slice(COLLECTED.length)) as NodeJS.MemoryUsage;
    const tables = this.#tablesBytes();
    return { resident: rss - tables, heapUsed, tables };
  }

  /** The longest that its event loop was held up while `act` lasted, milliseconds. */
  async longestTurnMs(act: () => Promise<void>): Promise<number> {
    const watching = this.child.nextLine((text) => text === "watching", PATIENCE_MS);
    process.kill(this.child.pid, "SIGWINCH");
    await watching;
    await act();
    const line = this.child.nextLine((text) => text.startsWith(HELD_UP), PATIENCE_MS);
    process.kill(this.child.pid, "SIGWINCH");
    return Number((await line).slice(HELD_UP.length));
  }

  /** What is in memory of writable mappings that large. */
  #tablesBytes(): number {
    const maps = readFileSync(`/proc/${this.child.pid}/smaps`, "utf8");
    const each = maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-p [\s\S]*?^Rss: +([0-9]+) kB$/gm);
    return [...each]
      .filter(([, from, to]) => Number(`0x${to}`) - Number(`0x${from}`) >= LEAST_TABLES_BYTES)
      .reduce((sum, [, , , rss]) => sum + Number(rss) * 1024, 0);
  }

  async #untilAnswering(): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      this.child.mustRun();
      try {
        await this.read("status");
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
      await pause(POLL_MS);
    }
  }
}

/** How the lines begin that bench/collect.ts writes. */
const COLLECTED = "collected ";
const HELD_UP = "held-up ";

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
