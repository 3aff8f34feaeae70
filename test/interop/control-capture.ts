/** What L2TP control messages look like on a wire of ours, as octets. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../support/eventually.ts";
import type { Netns } from "../support/netns.ts";
import { tsharkFields } from "../support/tshark.ts";

/** UDP port 1701 with the T bit: no data messages. */
const FILTER = "udp port 1701 and udp[8] & 0x80 != 0";

export class ControlCapture {
  readonly #directory: string;
  readonly #stop: () => Promise<void>;

  private constructor(directory: string, stop: () => Promise<void>) {
    this.#directory = directory;
    this.#stop = stop;
  }

  /** Returns when it has begun. */
  static async start(netns: Netns, device: string): Promise<ControlCapture> {
    const directory = mkdtempSync(join(tmpdir(), "lacewing-capture-"));
    const options = ["-i", device, "-Z", "root", "-U", "--immediate-mode", "-w", join(directory, "pcap")];
    const child = netns.spawn(["tcpdump", ...options, FILTER], { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    await eventually("the capture has begun", () => said.includes("listening on"), {
      hopeless: () => (child.exitCode === null ? undefined : said),
    });
    return new ControlCapture(directory, async () => {
      child.kill("SIGTERM");
      await ended;
    });
  }

  /** Everything that was captured, and how many messages each of `filters` (display filters) lets through. */
  async stop(...filters: readonly string[]): Promise<{ octets: Buffer; counts: number[] }> {
    await this.#stop();
    const path = join(this.#directory, "pcap");
    const octets = readFileSync(path);
    const counts = filters.map((filter) => tsharkFields(path, ["frame.number"], filter).length);
    rmSync(this.#directory, { recursive: true });
    return { octets, counts };
  }
}
