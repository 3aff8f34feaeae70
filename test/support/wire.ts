/** A listener and speaker on a device of a network namespace: whole Ethernet frames in and out. */

import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";
import type { Netns } from "./netns.ts";

const AGENT = fileURLToPath(new URL("./wire-agent.mjs", import.meta.url));

type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "heard"; readonly frames: readonly Uint8Array[] }
  | { readonly kind: "flooded"; readonly id: number };

export class Wire {
  /** What has arrived since open() or clear(), oldest first; what others send from this device is not heard. */
  heard: Uint8Array[] = [];
  readonly #child: ChildProcess;
  #ready = false;
  #floods = 0;
  readonly #flooding = new Map<number, () => void>();

  private constructor(netns: Netns, device: string, filter: Uint8Array) {
    this.#child = netns.spawn([process.execPath, AGENT, device, Buffer.from(filter).toString("hex")], {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      serialization: "advanced",
    });
    this.#child.on("message", (answer: Answer) => this.#answered(answer));
  }

  /** Listens on `device`; `filter`: a classic BPF program as src/wire/bpf.ts makes them, or everything. */
  static async open(netns: Netns, device: string, filter: Uint8Array = new Uint8Array(0)): Promise<Wire> {
    const wire = new Wire(netns, device, filter);
    await eventually(`somebody listens on ${device}`, () => wire.#ready);
    return wire;
  }

  send(frame: Uint8Array): void {
    this.#child.send({ kind: "send", frame });
  }

  /** Sends `count` frames, taken from `frames` in turn, at `perSecond`; resolves when they are out. */
  flood(frames: readonly Uint8Array[], count: number, perSecond: number): Promise<void> {
    this.#floods += 1;
    const id = this.#floods;
    const done = new Promise<void>((resolve) => this.#flooding.set(id, resolve));
    this.#child.send({ kind: "flood", id, frames, count, perSecond });
    return done;
  }

  clear(): void {
    this.heard = [];
  }

  /** The frames that `select` makes something of. */
  all<T>(select: (frame: Uint8Array) => T | undefined): T[] {
    return this.heard.flatMap((frame) => select(frame) ?? []);
  }

  /** Waits for the first frame that `select` makes something of. */
  first<T>(what: string, select: (frame: Uint8Array) => T | undefined): Promise<T> {
    return eventually(what, () => this.all(select)[0]);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.disconnect();
    await gone;
  }

  #answered(answer: Answer): void {
    if (answer.kind === "ready") this.#ready = true;
    else if (answer.kind === "heard") this.heard.push(...answer.frames);
    else {
      this.#flooding.get(answer.id)?.();
      this.#flooding.delete(answer.id);
    }
  }
}
