/** The helper for units in other network namespaces, listening on a socket of its own. Needs root. */

import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";

const PROGRAM = fileURLToPath(new URL("../../build/Release/lacewing-units", import.meta.url));

const CAP_NET_ADMIN = (1n << 12n).toString(16).padStart(16, "0");

/** What it needs, with a socket of its own to give to a group, and one that it has no use for. */
const GIVEN = "+net_admin,+sys_admin,+setgid,+net_raw";

/**
 * Nobody else's user id, for the nth helper of this process: the kernel counts descriptors under way by user, and a test that
 * exhausts them is to leave other tests theirs.
 */
const idOf = (n: number): number => 20_000 + ((process.pid * 8 + n) % 40_000);

let helpers = 0;

export class UnitHelper {
  readonly socket: string;
  readonly #directory: string;
  readonly #words: readonly string[];
  readonly #id = idOf(helpers++);
  #child: ChildProcess;
  #ended: Promise<void>;
  output = "";

  private constructor(words: readonly string[]) {
    this.#directory = mkdtempSync(join(tmpdir(), "lacewing-units-"));
    this.socket = join(this.#directory, "socket");
    this.#words = words;
    // it need not be able to read the checkout
    copyFileSync(PROGRAM, join(this.#directory, "program"));
    chownSync(this.#directory, this.#id, 0);
    // its socket says who may connect
    chmodSync(this.#directory, 0o755);
    [this.#child, this.#ended] = this.#run();
  }

  /** Serves `user`, in the network namespaces of these names, or in all. */
  static async start(user: string, ...namespaces: readonly string[]): Promise<UnitHelper> {
    const helper = new UnitHelper(["--user", user, ...namespaces]);
    await helper.#listens();
    return helper;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** One line of its /proc/PID/status. */
  status(name: string): string | undefined {
    const text = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return new RegExp(`^${name}:\\s+(.*)$`, "m").exec(text)?.[1];
  }

  /** How many descriptors it has open. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async startAgain(): Promise<void> {
    [this.#child, this.#ended] = this.#run();
    await this.#listens();
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #listens(): Promise<void> {
    const isLimited = (): boolean => this.status("CapEff") === CAP_NET_ADMIN;
    await eventually("the helper has limited itself, which it does once it listens", isLimited);
  }

  #run(): [ChildProcess, Promise<void>] {
    const identity = [`--reuid=${this.#id}`, `--inh-caps=${GIVEN}`, `--ambient-caps=${GIVEN}`];
    const words = [join(this.#directory, "program"), "--socket", this.socket, ...this.#words];
    const child = spawn("setpriv", ["--pdeathsig=KILL", ...identity, ...words], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
    });
    return [child, new Promise((resolve) => child.once("close", () => resolve()))];
  }
}
