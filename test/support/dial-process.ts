/** `lacewing dial`: emulated subscribers, in a process of their own. */

import type { OnlineSession } from "../../src/dial/subscriber.ts";
import { CommandProcess, type Exit } from "./command-process.ts";
import { eventually } from "./eventually.ts";
import type { Netns } from "./netns.ts";

export interface DialUp extends OnlineSession {
  readonly event: "up";
  readonly number: number;
  readonly user: string;
}

export interface DialDown {
  readonly event: "down";
  readonly number: number;
  readonly user: string;
  readonly reason: string;
}

export interface DialSummary {
  readonly event: "summary";
  readonly up: number;
  readonly failed: number;
  readonly elapsedMs: number;
}

type DialEvent = DialUp | DialDown | DialSummary;

export interface DialWords {
  readonly interface?: string;
  readonly user: string;
  readonly password: string;
  readonly count?: number;
  readonly rate?: number;
  readonly device?: "each" | "shared" | "none";
  readonly serviceName?: string;
  readonly netns?: string;
}

export class DialProcess {
  readonly #process: CommandProcess;

  constructor(netns: Netns, words: DialWords) {
    const options: Record<string, string | number | undefined> = {
      interface: words.interface ?? "sub0",
      user: words.user,
      password: words.password,
      device: words.device ?? "none",
      count: words.count,
      rate: words.rate,
      "service-name": words.serviceName,
      netns: words.netns,
    };
    const given = Object.entries(options).filter(([, value]) => value !== undefined);
    const argv = given.flatMap(([name, value]) => [`--${name}`, String(value)]);
    this.#process = new CommandProcess(netns, ["dial", ...argv, "--json"]);
  }

  /** Calls, and waits until one subscriber is online. */
  static async online(netns: Netns, words: DialWords): Promise<{ dial: DialProcess; up: DialUp }> {
    const dial = new DialProcess(netns, words);
    const up = await dial.up();
    return { dial, up };
  }

  get output(): string {
    return this.#process.output;
  }

  get hasEnded(): boolean {
    return this.#process.hasEnded;
  }

  get exited(): Promise<Exit> {
    return this.#process.exited;
  }

  events(): DialEvent[] {
    return this.#process.jsonLines<DialEvent>();
  }

  ups(): DialUp[] {
    return this.events().filter((event) => event.event === "up");
  }

  downs(): DialDown[] {
    return this.events().filter((event) => event.event === "down");
  }

  /** The first that comes up. */
  up(): Promise<DialUp> {
    return this.#process.jsonLine<DialEvent>(
      "a subscriber is online",
      ({ event }) => event === "up",
    ) as Promise<DialUp>;
  }

  /** The first that goes, or does not come up at all. */
  down(): Promise<DialDown> {
    return this.#process.jsonLine<DialEvent>(
      "a subscriber is offline",
      ({ event }) => event === "down",
    ) as Promise<DialDown>;
  }

  summary(timeoutMs = 50_000): Promise<DialSummary> {
    return this.#process.jsonLine<DialEvent>(
      "all have come up or failed",
      ({ event }) => event === "summary",
      timeoutMs,
    ) as Promise<DialSummary>;
  }

  /** Waits until so many are online at once. */
  async hasOnline(count: number): Promise<void> {
    await eventually(
      `${count} subscribers are online`,
      () => this.ups().length - this.downs().length === count,
    );
  }

  /** Ends it at once, if it still runs: the gateway is not told. */
  async kill(): Promise<void> {
    this.#process.signal("SIGKILL");
    await this.#process.exited;
  }

  signal(name: NodeJS.Signals): void {
    this.#process.signal(name);
  }

  /** Hangs up all, and waits for the end. */
  async hangUp(): Promise<Exit> {
    if (this.#process.hasEnded) return this.#process.exited;
    return this.#process.stop();
  }
}
