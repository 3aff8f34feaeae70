/** The built `lacewing` command, run as a user would, in a network namespace. */

import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";
import type { Netns } from "./netns.ts";

const COMMAND = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));
/** How long a process that was asked to end may take before it is killed. */
const STOP_TIMEOUT_MS = 8000;

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class CommandProcess {
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  #exit: Exit | undefined;
  #output = "";

  /** `environment` is added to ours. `under`: words of a command that runs it (setpriv(1)). */
  constructor(
    netns: Netns,
    words: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    under: readonly string[] = [],
  ) {
    if (!existsSync(COMMAND)) throw new Error(`${COMMAND} is missing: npm run build makes it`);
    this.#child = netns.spawn([...under, process.execPath, COMMAND, ...words], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#output += text;
      });
    // "close" comes after the last output, "exit" may come before it
    this.exited = new Promise((resolve) =>
      this.#child.once("close", (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      }),
    );
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Everything that it has said so far, on both streams. */
  get output(): string {
    return this.#output;
  }

  get hasEnded(): boolean {
    return this.#exit !== undefined;
  }

  /** The JSON objects among its lines. */
  jsonLines<T>(): T[] {
    const whole = this.#output.slice(0, this.#output.lastIndexOf("\n") + 1);
    return whole
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as T);
  }

  /** The first JSON line that `matches`; rejects when the process ends without one. */
  async jsonLine<T>(what: string, matches: (line: T) => boolean, timeoutMs = 40_000): Promise<T> {
    const look = (): T | undefined => this.jsonLines<T>().find(matches);
    const hopeless = (): string | undefined =>
      this.hasEnded && look() === undefined ? "it has ended" : undefined;
    try {
      return (await eventually(what, look, { timeoutMs, hopeless })) as T;
    } catch (error) {
      throw new Error(`${(error as Error).message}; it said:\n${this.#output}`);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** SIGTERM, and SIGKILL when that takes too long; resolves to how it ended and after how many milliseconds. */
  async stop(): Promise<Exit & { readonly tookMs: number }> {
    const begun = performance.now();
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), STOP_TIMEOUT_MS);
    const exit = await this.exited;
    clearTimeout(timer);
    return { ...exit, tookMs: performance.now() - begun };
  }
}
