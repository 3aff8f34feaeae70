/** Captures of an interface: in a process of their own, which the capturing module ends when the interface goes away. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { LacewingError } from "../base/errors.ts";
import type { CaptureLimits } from "../gateway/capture-request.ts";
import type { CaptureSource } from "./capture-flow.ts";

/** What the capturing process is told, as JSON. */
export interface InterfaceCaptureRequest extends CaptureLimits {
  readonly interface: string;
  /** In libpcap's words. */
  readonly filter: string;
  readonly application: string;
}

const PPPOE = "pppoed or ether proto 0x8864";

/** PPPoE under at most two VLAN tags, and L2TP. After "pppoes", which would say the same, no "vlan" is understood. */
export const DEFAULT_FILTER = `udp port 1701 or ${PPPOE} or (vlan and (${PPPOE} or (vlan and (${PPPOE}))))`;

/** How the process says why it cannot capture: there is chatter of libpcap's, too, and of the module when it fails. */
export const REFUSAL_MARK = "refused: ";
const MAX_SAID_CHARACTERS = 4096;

/** The compiled process: the sibling of this file, or the one in dist/ when this one is run as TypeScript. */
function childPath(): string {
  const here = import.meta.url;
  const compiled = here.endsWith(".js") ? here : here.replace(/\/src\/(.*)\.ts$/, "/dist/src/$1.js");
  const path = fileURLToPath(new URL("interface-capture-child.js", compiled));
  if (!existsSync(path)) throw new Error(`${path} is not there: build it with \`npm run build\``);
  return path;
}

export class InterfaceCapture implements CaptureSource {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  #said = "";

  private constructor(request: InterfaceCaptureRequest) {
    this.#name = request.interface;
    this.#child = spawn(process.execPath, [childPath(), JSON.stringify(request)], { stdio: "pipe" });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#said = (this.#said + text).slice(0, MAX_SAID_CHARACTERS);
    });
    // it may have ended when it is told to
    this.#child.stdin?.on("error", () => {});
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code, signal) => resolve({ code, signal }));
    });
  }

  /** Resolves when frames are being captured; rejects with a LacewingError that says why not. */
  static async begin(request: InterfaceCaptureRequest): Promise<InterfaceCapture> {
    const capture = new InterfaceCapture(request);
    const { stdout } = capture.#child;
    const began = once(stdout!, "readable").then(() => stdout!.readableLength > 0);
    if (await Promise.race([began, capture.#ended.then(() => false)])) return capture;
    const why = await capture.whyBroken();
    throw new LacewingError("capture-refused", `${request.interface} cannot be captured: ${why}`);
  }

  get octets(): AsyncIterable<Uint8Array> {
    return this.#child.stdout!;
  }

  /** It ends as soon as nobody speaks to it, so that none is left behind. */
  stop(reason: string): void {
    this.#child.stdin?.end(reason);
  }

  destroy(): void {
    this.#child.kill("SIGKILL");
  }

  async whyBroken(): Promise<string> {
    const { signal } = await this.#ended;
    const refusal = this.#said.split("\n").find((line) => line.startsWith(REFUSAL_MARK));
    if (refusal !== undefined) return refusal.slice(REFUSAL_MARK.length);
    if (signal === "SIGABRT") return `${this.#name} has gone, or is down`;
    if (signal !== null) return `the capturing process was ended by ${signal}`;
    return this.#said.trim() || "the capturing process has ended";
  }
}
