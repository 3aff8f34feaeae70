import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readResource } from "../src/control/client.ts";
import type { SessionView } from "../src/gateway/views.ts";
import { Child } from "./child.ts";
import type { LnsAnswer, LnsRequest } from "./lns.ts";
import {
  ACCESS_DEVICE,
  concentratorMac,
  createNetwork,
  destroyNetwork,
  LAC_ADDRESS,
  LNS_ADDRESS,
  namespacePath,
  SUBSCRIBER_DEVICE,
} from "./namespaces.ts";
import { compiled } from "./root.ts";
import type { TrafficReport } from "./traffic-report.ts";

const LACEWING = compiled("src/cli/main");
const LNS = compiled("bench/lns");
const START_MS = 20_000;
/** How long dialling and hanging up may take, beyond what it should. */
const PATIENCE_MS = 60_000;
const L2TP_PORT = "1701";
/** The kernel's clock ticks in /proc (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** What `lacewing dial --json` says when all have come up or failed. */
export interface DialSummary {
  readonly up: number;
  readonly failed: number;
  readonly elapsedMs: number;
  readonly sessionsPerSecond: number;
  readonly setupMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** One run of the traffic tool; `direction`, `octets` of IP packets and either a rate in each direction or a window. */
export interface Load {
  readonly direction: "up" | "down" | "both";
  readonly octets: number;
  readonly milliseconds: number;
  readonly framesPerSecond?: number;
  readonly window?: number;
}

/**
 * A LAC as an operator would run it, with nothing configured for speed, between emulated subscribers and the
 * benchmark's LNS. One at a time; close() leaves nothing behind.
 */
export class Stage {
  readonly #directory = mkdtempSync(join(tmpdir(), "lacewing-bench-"));
  readonly #socket = join(this.#directory, "lac.sock");
  readonly #children: Child[] = [];
  #lac: Child | undefined;
  #lns: Child | undefined;

  static async open(): Promise<Stage> {
    const stage = new Stage();
    process.once("exit", stage.#removeFiles);
    try {
      await stage.#start();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  /** Brings `count` sessions up, all at once or so many begun in a second. Hang up by stopping the child. */
  async dial(
    count: number,
    ratePerSecond?: number,
  ): Promise<{ readonly child: Child; readonly summary: DialSummary }> {
    const words = ["dial", "--interface", SUBSCRIBER_DEVICE, "--user", "s%d@bench", "--password", "bench"];
    words.push("--count", `${count}`, "--device", "none", "--json");
    if (ratePerSecond !== undefined) words.push("--rate", `${ratePerSecond}`);
    const child = this.#run(
      new Child("lacewing dial", "subscribers", [process.execPath, LACEWING, ...words]),
    );
    const line = await child.nextLine((text) => text.startsWith('{"event":"summary"'), PATIENCE_MS);
    return { child, summary: JSON.parse(line) as DialSummary };
  }

  /**
   * Sessions for traffic: dialled, and their subscribers then silenced, so that they take no part in what is
   * measured. Nobody misses them: the LNS sends no echo.
   */
  async prepareSessions(count: number): Promise<void> {
    const { child, summary } = await this.dial(count);
    if (summary.failed > 0) throw new Error(`${summary.failed} of ${count} sessions did not come up`);
    await child.stop("SIGKILL");
    const mac = concentratorMac();
    const sessions = await readResource(this.#socket, "sessions");
    const lines = sessions.map((session) => trafficLine(session, mac));
    writeFileSync(join(this.#directory, "sessions"), lines.join(""));
  }

  /** Sends `load` through the prepared sessions. */
  async traffic(load: Load): Promise<TrafficReport> {
    const options = { ...trafficOptions(load), sessions: join(this.#directory, "sessions") };
    const request: LnsRequest = {
      kind: "traffic",
      options: Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    };
    const answer = await this.#lns!.ask<LnsAnswer>(request, load.milliseconds + PATIENCE_MS);
    if (answer.kind === "traffic-done") return answer.report;
    throw new Error(
      answer.kind === "traffic-failed" ? answer.reason : "the LNS does not do what it was told",
    );
  }

  /** Waits until the LAC has no session left. */
  async untilNoSession(): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const { sessions } = await readResource(this.#socket, "status");
      if (sessions === 0) return;
      if (performance.now() > deadline) throw new Error(`${sessions} sessions did not end at the LAC`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** What the LAC's data plane has dropped so far, by reason. */
  async drops(): Promise<Readonly<Record<string, number>>> {
    const counters = Object.entries(await readResource(this.#socket, "counters"));
    return Object.fromEntries(counters.filter(([name]) => name.startsWith("drops.")));
  }

  /** Processor time that all threads of the LAC have used so far. */
  lacProcessorSeconds(): number {
    const stat = readFileSync(`/proc/${this.#lac!.pid}/stat`, "utf8");
    // the second field is the command in parentheses, and may hold blanks
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  async close(): Promise<void> {
    for (const child of this.#children.reverse()) await child.stop();
    destroyNetwork();
    this.#removeFiles();
    process.off("exit", this.#removeFiles);
  }

  readonly #removeFiles = (): void => rmSync(this.#directory, { recursive: true, force: true });

  async #start(): Promise<void> {
    createNetwork();
    const config = join(this.#directory, "lac.yaml");
    writeFileSync(config, lacConfig(this.#socket));
    const lns = new Child("the benchmark's LNS", "lns", [process.execPath, LNS, LNS_ADDRESS], { ipc: true });
    this.#lns = this.#run(lns);
    await lns.ask(undefined, START_MS);
    const lac = new Child("the LAC", "lac", [process.execPath, LACEWING, "run", "-c", config]);
    this.#lac = this.#run(lac);
    await this.#untilAnswering(lac);
  }

  async #untilAnswering(lac: Child): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      lac.mustRun();
      try {
        await readResource(this.#socket, "status");
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  #run(child: Child): Child {
    this.#children.push(child);
    return child;
  }
}

/** What an operator must write, and no HELLO while the traffic tool has the LNS's socket: it answers none. */
function lacConfig(socket: string): string {
  return `name: bench-lac
control: { socket: ${socket} }
access:
  - interface: ${ACCESS_DEVICE}
l2tp:
  listen: [{ address: ${LAC_ADDRESS} }]
  peers:
    - { name: lns, address: ${LNS_ADDRESS}, hello-interval: 1h }
realms:
  bench: { lns: lns }
`;
}

/** One line of the file that the traffic tool reads (bench/traffic/sessions.h). */
function trafficLine({ origin, onward, user }: SessionView, concentrator: string): string {
  if (origin.kind !== "pppoe" || onward === null) throw new Error(`the session of ${user} has no call`);
  const ids = [
    origin.pppoeSessionId,
    onward.remoteTunnelId,
    onward.remoteSessionId,
    onward.localTunnelId,
    onward.localSessionId,
  ];
  return `${origin.mac} ${concentrator} ${ids.join(" ")}\n`;
}

function trafficOptions(load: Load): Record<string, string> {
  return {
    "subscriber-netns": namespacePath("subscribers"),
    "subscriber-device": SUBSCRIBER_DEVICE,
    "lac-address": LAC_ADDRESS,
    "lac-port": L2TP_PORT,
    direction: load.direction,
    octets: `${load.octets}`,
    milliseconds: `${load.milliseconds}`,
    ...(load.framesPerSecond !== undefined && { rate: `${load.framesPerSecond}` }),
    ...(load.window !== undefined && { window: `${load.window}` }),
  };
}
