/** A gateway as its users run it: `lacewing run` in a namespace of its own, with its configuration in files. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readResource } from "../../src/control/client.ts";
import type { ResourceName, Resources } from "../../src/control/resources.ts";
import type { SessionView } from "../../src/gateway/views.ts";
import { CommandProcess, type Exit } from "./command-process.ts";
import { eventually } from "./eventually.ts";
import type { Netns } from "./netns.ts";

/** One line of the log. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error" | "fatal";
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** What a gateway has in use, octets. */
export interface MemoryInUse {
  readonly rss: number;
  readonly heapUsed: number;
  /** Buffers beside the heap. */
  readonly external: number;
}

/**
 * What every gateway runs on whose configuration does not say: one engine wherever the tests run. With `xdp`, captures on
 * a gateway's own devices do not see what its program forwards.
 */
const ENGINE = process.env.LACEWING_ENGINE ?? "loop";

const MEMORY_REPORTER = fileURLToPath(new URL("./memory-reporter.cjs", import.meta.url));

/** How a gateway is run. */
interface Manner {
  /** Words of a command that runs it (setpriv(1)). */
  readonly under?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export class GatewayProcess {
  readonly socket: string;
  readonly #manner: Manner;
  readonly #netns: Netns;
  readonly #directory: string;
  #process: CommandProcess;
  /** Of earlier processes. */
  #output = "";

  private constructor(netns: Netns, directory: string, manner: Manner) {
    this.#netns = netns;
    this.#manner = manner;
    this.#directory = directory;
    this.socket = join(directory, "lacewing.sock");
    this.#process = this.#run();
  }

  /**
   * Runs a gateway until it is ready. `config` is its file without `control`; `files` are written beside it, for
   * their owner's eyes only: users and secrets.
   */
  static async start(
    netns: Netns,
    config: string,
    files: Readonly<Record<string, string>> = {},
    manner: Manner = {},
  ): Promise<GatewayProcess> {
    const directory = mkdtempSync(join(tmpdir(), "lacewing-netns-"));
    for (const [name, text] of Object.entries(files))
      writeFileSync(join(directory, name), text, { mode: 0o600 });
    const control = `control: { socket: ${join(directory, "lacewing.sock")} }\n`;
    const engine = /^data-plane:/m.test(config) ? "" : `data-plane: { engine: ${ENGINE} }\n`;
    writeFileSync(join(directory, "lacewing.yaml"), `${control}${engine}${config}`, { mode: 0o600 });
    const gateway = new GatewayProcess(netns, directory, manner);
    try {
      await gateway.logged("ready");
    } catch (error) {
      await gateway.close();
      throw error;
    }
    return gateway;
  }

  get hasEnded(): boolean {
    return this.#process.hasEnded;
  }

  /** Everything that it has said, also before it was started anew. */
  get output(): string {
    return this.#output + this.#process.output;
  }

  /** The log of the process that runs now. */
  log(): LogLine[] {
    return this.#process.jsonLines<LogLine>();
  }

  /** Waits for a line of the log that has this message and these fields. */
  logged(msg: string, fields: Readonly<Record<string, unknown>> = {}): Promise<LogLine> {
    const matches = (line: LogLine): boolean =>
      line.msg === msg && Object.entries(fields).every(([name, value]) => line[name] === value);
    return this.#process.jsonLine<LogLine>(`the gateway logs "${msg}" ${JSON.stringify(fields)}`, matches);
  }

  /** What is in use once everything that can be collected has been. */
  async memory(): Promise<MemoryInUse> {
    const told = (): LogLine[] => this.log().filter(({ msg }) => msg === "memory");
    const before = told().length;
    this.#process.signal("SIGUSR2");
    const line = await eventually("the gateway says what it has in use", () => told()[before]);
    return line as LogLine & MemoryInUse;
  }

  /** Lines that tell of a fault, and the stack traces of a process that could not go on. */
  complaints(): string[] {
    return this.output
      .split("\n")
      .filter((line) => /"level":"(error|fatal)"|^\s+at |Uncaught|^\w*Error:/.test(line));
  }

  show<Name extends ResourceName>(name: Name): Promise<Resources[Name]> {
    return readResource(this.socket, name);
  }

  /** A counter; 0 when it has none of that name. */
  async counter(name: string): Promise<number> {
    return (await this.show("counters"))[name] ?? 0;
  }

  /** The open session of a user; waits for it. */
  session(user: string): Promise<SessionView> {
    return eventually(`${user} has an open session`, async () =>
      (await this.show("sessions")).find((session) => session.user === user && session.state === "open"),
    );
  }

  /** Waits until there are `count` sessions, whatever their state. */
  async hasSessions(count: number): Promise<void> {
    await eventually(
      `there are ${count} sessions`,
      async () => (await this.show("sessions")).length === count,
    );
  }

  /** SIGTERM; resolves to how the process ended. */
  stop(): Promise<Exit & { readonly tookMs: number }> {
    return this.#process.stop();
  }

  /** As a crash would: no one is told. */
  async kill(): Promise<void> {
    this.#process.signal("SIGKILL");
    await this.#process.exited;
  }

  /** The same configuration and files again, after stop() or kill(). */
  async startAgain(): Promise<void> {
    this.#output += this.#process.output;
    this.#process = this.#run();
    await this.logged("ready");
  }

  /** Ends it at once, if it still runs, and removes its files. */
  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #run(): CommandProcess {
    const words = ["run", "-c", join(this.#directory, "lacewing.yaml")];
    const { under, environment } = this.#manner;
    const all = { NODE_OPTIONS: `--require ${MEMORY_REPORTER}`, ...environment };
    return new CommandProcess(this.#netns, words, all, under);
  }
}
