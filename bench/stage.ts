import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SessionView } from "../src/gateway/views.ts";
import { Child } from "./child.ts";
import { type GatewayChild, LACEWING } from "./gateway-child.ts";
import type { LnsAnswer, LnsRequest } from "./lns.ts";
import {
  ACCESS_DEVICE,
  concentratorMac,
  DEAD_ADDRESS,
  LAC_ADDRESS,
  LNS_ADDRESS,
  namespacePath,
  SUBSCRIBER_DEVICE,
} from "./namespaces.ts";
import { compiled } from "./root.ts";
import { Site } from "./site.ts";
import type { TrafficReport } from "./traffic-report.ts";

const LNS = compiled("bench/lns");
const START_MS = 20_000;
/** How long dialling and hanging up may take, beyond what it should. */
const PATIENCE_MS = 120_000;
const L2TP_PORT = "1701";

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

/** How `lacewing dial` shall call. */
export interface DialPace {
  /** So many are begun in a second; all at once when absent. */
  readonly perSecond?: number;
  /** So many may be coming up at one time. */
  readonly atOnce?: number;
  /** Of the user names; "bench" when absent. */
  readonly realm?: Realm;
}

/** What the LAC serves: "bench" goes to the LNS, "group" to it and another one that is dead. */
type Realm = "bench" | "group";

/**
 * A LAC as an operator would run it, with nothing configured for speed, between emulated subscribers and the
 * benchmark's LNS. One at a time; close() leaves nothing behind.
 */
export class Stage {
  readonly #site: Site;
  readonly #lac: GatewayChild;
  readonly #lns: Child;

  private constructor(site: Site, lac: GatewayChild, lns: Child) {
    this.#site = site;
    this.#lac = lac;
    this.#lns = lns;
  }

  /** `helloInterval`: none while the traffic tool has the LNS's socket, which answers none. */
  static open(helloInterval = "1h"): Promise<Stage> {
    return Site.open(async (site) => {
      const lns = site.run(
        new Child("the benchmark's LNS", "lns", [process.execPath, LNS, LNS_ADDRESS], { ipc: true }),
      );
      await lns.ask(undefined, START_MS);
      return new Stage(site, await site.gateway("the LAC", "lac", lacConfig(helloInterval)), lns);
    });
  }

  get lac(): GatewayChild {
    return this.#lac;
  }

  /** Begins to bring `count` sessions up. Hang up by stopping the child. */
  startDial(count: number, { perSecond, atOnce, realm = "bench" }: DialPace): Child {
    const words = ["dial", "--interface", SUBSCRIBER_DEVICE, "--user", `s%d@${realm}`];
    words.push("--password", "bench", "--count", `${count}`, "--device", "none", "--json");
    if (perSecond !== undefined) words.push("--rate", `${perSecond}`);
    if (atOnce !== undefined) words.push("--at-once", `${atOnce}`);
    return this.#site.run(new Child("lacewing dial", "subscribers", [process.execPath, LACEWING, ...words]));
  }

  /** Brings `count` sessions up. Hang up by stopping the child. */
  async dial(
    count: number,
    pace: DialPace = {},
  ): Promise<{ readonly child: Child; readonly summary: DialSummary }> {
    const child = this.startDial(count, pace);
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
    const sessions = await this.#lac.read("sessions");
    const lines = sessions.map((session) => trafficLine(session, mac));
    writeFileSync(join(this.#site.directory, "sessions"), lines.join(""));
  }

  /** Sends `load` through the prepared sessions. */
  async traffic(load: Load): Promise<TrafficReport> {
    const options = { ...trafficOptions(load), sessions: join(this.#site.directory, "sessions") };
    const request: LnsRequest = {
      kind: "traffic",
      options: Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    };
    const answer = await this.#lns.ask<LnsAnswer>(request, load.milliseconds + PATIENCE_MS);
    if (answer.kind === "traffic-done") return answer.report;
    throw new Error(
      answer.kind === "traffic-failed" ? answer.reason : "the LNS does not do what it was told",
    );
  }

  /** What the LAC's data plane has dropped so far, by reason. */
  async drops(): Promise<Readonly<Record<string, number>>> {
    const counters = Object.entries(await this.#lac.read("counters"));
    return Object.fromEntries(counters.filter(([name]) => name.startsWith("drops.")));
  }

  close(): Promise<void> {
    return this.#site.close();
  }
}

/** What an operator must write. */
function lacConfig(helloInterval: string): string {
  return `name: bench-lac
access:
  - interface: ${ACCESS_DEVICE}
l2tp:
  listen: [{ address: ${LAC_ADDRESS} }]
  peers:
    - { name: lns, address: ${LNS_ADDRESS}, hello-interval: ${helloInterval} }
    - { name: dead, address: ${DEAD_ADDRESS} }
lns-groups:
  group: { members: [{ peer: lns }, { peer: dead }] }
realms:
  bench: { lns: lns }
  group: { lns: group }
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
