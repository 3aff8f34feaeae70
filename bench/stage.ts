import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { SessionView } from "../src/gateway/views.ts";
import { Child } from "./child.ts";
import { built, type Load, othersProcessors, runFrames, takeRedirectedFrames } from "./frames-tool.ts";
import { type GatewayChild, LACEWING } from "./gateway-child.ts";
import { startL2tpnsLac } from "./l2tpns.ts";
import {
  ACCESS_DEVICE,
  ACCESS_DEVICES,
  CORE_DEVICE,
  DEAD_ADDRESS,
  LAC_ADDRESS,
  LNS_ADDRESSES,
  type Network,
  placeIn,
  SUBSCRIBER_DEVICE,
  TUNNEL_SECRET,
} from "./namespaces.ts";
import { compiled } from "./root.ts";
import { Site } from "./site.ts";
import type { TrafficReport } from "./traffic-report.ts";

const LNS = compiled("bench/lns");
/**
 * Node's for the ends of the LAC's calls: one thread each, and room for what they make. Else their garbage is collected by
 * helper threads, on the processors that the LAC is measured on.
 */
const EMULATOR = ["--single-threaded-gc", "--initial-heap-size=128"];
const START_MS = 20_000;
/** How long dialling and hanging up may take, beyond what it should. */
const PATIENCE_MS = 300_000;
/** Calls that are coming up at one time while sessions are prepared. */
const AT_ONCE = 256;

/** What `lacewing dial --json` says when all have come up or failed. */
export interface DialSummary {
  readonly up: number;
  readonly failed: number;
  readonly elapsedMs: number;
  readonly sessionsPerSecond: number;
  readonly setupMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** How `lacewing dial` shall call. */
export interface DialPace {
  /** So many are begun in a second; all at once when absent. */
  readonly perSecond?: number;
  /** So many may be coming up at one time. */
  readonly atOnce?: number;
  /** The subscribers' interface; the first when absent. */
  readonly device?: string;
  /** Of the user names; "bench" when absent. */
  readonly realm?: Realm;
}

/**
 * What the LAC serves: "bench" is the first LNS's, "spread" goes to all of them, "group" to the first and one that is
 * dead.
 */
type Realm = "bench" | "spread" | "group";

/** How a LAC is run. */
export interface LacSettings {
  /** None while nobody calls: "1h". */
  readonly helloInterval?: string;
  readonly engine?: "loop" | "xdp";
  /** Towards LNSes; true when absent. */
  readonly udpChecksum?: boolean;
  /** Access interfaces; one when absent. */
  readonly accessDevices?: number;
  /** That the data plane has room for; what an operator gets by default when absent. */
  readonly maxChannels?: number;
  /** Leaves the generator its processor. */
  readonly besideGenerator?: boolean;
  /** Besides its own. */
  readonly networks?: readonly Network[];
}

/**
 * A LAC as an operator would run it, with nothing configured for speed, between emulated subscribers and the
 * benchmark's LNS. One at a time; close() leaves nothing behind.
 */
export class Stage {
  readonly #site: Site;
  readonly #lac: GatewayChild;

  private constructor(site: Site, lac: GatewayChild) {
    this.#site = site;
    this.#lac = lac;
  }

  static open(settings: LacSettings = {}): Promise<Stage> {
    const { besideGenerator = false, networks = [] } = settings;
    return Site.open(
      async (site) => {
        if (settings.engine === "xdp") takeRedirectedFrames("own");
        const words = [process.execPath, ...EMULATOR, LNS, ...LNS_ADDRESSES];
        const lns = site.run(new Child("the benchmark's LNS", "lns", words, { ipc: true }));
        await lns.ask(undefined, START_MS);
        const processors = besideGenerator ? othersProcessors(availableParallelism()) : undefined;
        return new Stage(site, await site.gateway("the LAC", "lac", lacConfig(settings), processors));
      },
      ["own", ...networks],
    );
  }

  get lac(): GatewayChild {
    return this.#lac;
  }

  /** Begins to bring `count` sessions up. Hang up by stopping the child. */
  startDial(
    count: number,
    { perSecond, atOnce, device = SUBSCRIBER_DEVICE, realm = "bench" }: DialPace,
  ): Child {
    const words = ["dial", "--interface", device, "--user", `s%d@${realm}`];
    words.push("--password", "bench", "--count", `${count}`, "--device", "none", "--json");
    if (perSecond !== undefined) words.push("--rate", `${perSecond}`);
    if (atOnce !== undefined) words.push("--at-once", `${atOnce}`);
    const command = [process.execPath, ...EMULATOR, LACEWING, ...words];
    return this.#site.run(new Child("lacewing dial", "subscribers", command));
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
   * Sessions for traffic, spread over the LNSes or all with the first: dialled, and their subscribers then silenced, so
   * that they take no part in what is measured. Nobody misses them: an LNS sends no echo. Returns the file that names
   * them.
   */
  async prepareSessions(
    count: number,
    realm: "bench" | "spread",
    meanwhile: (stage: Stage) => Promise<void> = async () => {},
  ): Promise<string> {
    const dialled = this.dial(count, { realm, atOnce: AT_ONCE });
    const [{ child, summary }] = await Promise.all([dialled, meanwhile(this)]);
    if (summary.failed > 0) throw new Error(`${summary.failed} of ${count} sessions did not come up`);
    await child.stop("SIGKILL");
    const file = join(this.#site.directory, "sessions");
    writeFileSync(file, (await this.#lac.read("sessions")).map(trafficLine).join(""));
    return file;
  }

  /** Some of the sessions in a file, as another one. */
  someOf(file: string, name: string, kept: (line: string, place: number) => boolean): string {
    const lines = readFileSync(file, "utf8").split("\n").filter(Boolean).filter(kept);
    const shorter = join(this.#site.directory, name);
    writeFileSync(shorter, lines.map((line) => `${line}\n`).join(""));
    return shorter;
  }

  /** Sends `load` through sessions of the LAC. */
  traffic(sessions: string, load: Load): Promise<TrafficReport> {
    return runFrames("own", sessions, load);
  }

  /** Sends `load` through the same sessions, with one of bench/xdp/'s programs in the LAC's place. */
  async ceiling(program: "loop-io" | "redirect", sessions: string, load: Load): Promise<TrafficReport> {
    const words =
      program === "loop-io"
        ? [sessions, ACCESS_DEVICE, LAC_ADDRESS, LNS_ADDRESSES.join(",")]
        : [built("redirect.bpf.o"), ACCESS_DEVICE, CORE_DEVICE];
    const processors = othersProcessors(availableParallelism());
    const child = this.#site.run(
      new Child(program, placeIn("ceiling", "lac"), [built(program), ...words], { processors }),
    );
    try {
      await child.nextLine((line) => line === "ready", START_MS);
      return await runFrames("ceiling", sessions, { ...load, untranslated: program === "redirect" });
    } finally {
      await child.stop();
      this.#site.forget(child);
    }
  }

  /** What the LAC's data plane has dropped so far, by reason. */
  async drops(): Promise<Readonly<Record<string, number>>> {
    const counters = Object.entries(await this.#lac.read("counters"));
    return Object.fromEntries(counters.filter(([name]) => name.startsWith("drops.")));
  }

  /** Debian's l2tpns beside it, as a LAC in the network "rival"; resolves with the file of its sessions. */
  startL2tpns(count: number): Promise<string> {
    return startL2tpnsLac(this.#site, count);
  }

  /** Sends `load` through l2tpns. */
  l2tpns(sessions: string, load: Load): Promise<TrafficReport> {
    return runFrames("rival", sessions, load);
  }

  close(): Promise<void> {
    return this.#site.close();
  }
}

/** What an operator must write, and the engine: what is measured is said. */
function lacConfig({
  helloInterval = "1h",
  engine = "loop",
  udpChecksum = true,
  accessDevices = 1,
  maxChannels,
}: LacSettings): string {
  const room = maxChannels === undefined ? "" : `, max-channels: ${maxChannels}`;
  const access = ACCESS_DEVICES.slice(0, accessDevices).map((device) => `  - interface: ${device}`);
  const peers = LNS_ADDRESSES.map((address, i) => ({ name: `lns${i}`, address }));
  const line = ({ name, address }: { name: string; address: string }): string =>
    `    - { name: ${name}, address: ${address}, hello-interval: ${helloInterval}, secret: ${TUNNEL_SECRET}, udp-checksum: ${udpChecksum} }`;
  return `name: bench-lac
data-plane: { engine: ${engine}${room} }
access:
${access.join("\n")}
l2tp:
  listen: [{ address: ${LAC_ADDRESS} }]
  peers:
${peers.map(line).join("\n")}
    - { name: dead, address: ${DEAD_ADDRESS} }
lns-groups:
  group: { members: [{ peer: lns0 }, { peer: dead }] }
  spread: { members: [${peers.map(({ name }) => `{ peer: ${name} }`).join(", ")}] }
realms:
  bench: { lns: lns0 }
  group: { lns: group }
  spread: { lns: spread }
`;
}

/** One line of the file that the generator reads (bench/xdp/sessions.h). */
function trafficLine({ origin, onward, user }: SessionView): string {
  if (origin.kind !== "pppoe" || onward === null) throw new Error(`the session of ${user} has no call`);
  const ids = [
    origin.pppoeSessionId,
    onward.remoteTunnelId,
    onward.remoteSessionId,
    onward.localTunnelId,
    onward.localSessionId,
    Number(onward.peer.replace("lns", "")),
  ];
  return `${origin.mac} ${ids.join(" ")}\n`;
}
