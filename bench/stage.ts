import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { SessionView } from "../src/gateway/views.ts";
import { Child } from "./child.ts";
import { type Dial, type DialSummary, dialSummary, EMULATOR, startDial } from "./dial.ts";
import {
  built,
  type Cabling,
  type Load,
  othersProcessors,
  runFrames,
  takeRedirectedFrames,
  USUAL_CABLING,
} from "./frames-tool.ts";
import type { GatewayChild } from "./gateway-child.ts";
import { startL2tpnsLac } from "./l2tpns.ts";
import {
  ACCESS_DEVICE,
  ACCESS_DEVICES,
  addIpv6,
  CORE_DEVICE,
  DEAD_ADDRESS,
  LAC_ADDRESS,
  LNS_ADDRESSES,
  type Network,
  type Outside,
  OVER_IPV4,
  placeIn,
  SUBSCRIBER_DEVICE,
  TUNNEL_SECRET,
} from "./namespaces.ts";
import { aheadOfOthers } from "./priority.ts";
import { compiled } from "./root.ts";
import { Site } from "./site.ts";
import type { TrafficReport } from "./traffic-report.ts";

const LNS = compiled("bench/lns");
const START_MS = 20_000;
/** Calls that are coming up at one time while sessions are prepared. */
const AT_ONCE = 256;

/** How `lacewing dial` shall call. */
export interface DialPace extends Pick<Dial, "perSecond" | "atOnce"> {
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

/** What shows what bounds a LAC. */
export type Ceiling = "loop-io" | "redirect";

/** How a LAC is run. */
export interface LacSettings {
  /** None while nobody calls: "1h". */
  readonly helloInterval?: string;
  readonly engine?: "loop" | "xdp";
  /** Towards LNSes; true when absent. */
  readonly udpChecksum?: boolean;
  /** IPv4 when absent. */
  readonly outside?: Outside;
  /** Access interfaces; one when absent. */
  readonly accessDevices?: number;
  /** That the data plane has room for; what an operator gets by default when absent. */
  readonly maxChannels?: number;
  /** Leaves the generator its processor. */
  readonly besideGenerator?: boolean;
  /** Where its API is spoken besides on its socket, YAML; its files are in the directory. */
  readonly listen?: (directory: string) => string;
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
  readonly #cabling: Cabling;

  private constructor(site: Site, lac: GatewayChild, outside: Outside) {
    this.#site = site;
    this.#lac = lac;
    this.#cabling = { ...USUAL_CABLING, outside };
  }

  static open(settings: LacSettings = {}): Promise<Stage> {
    const { besideGenerator = false, networks = [], outside = OVER_IPV4 } = settings;
    return Site.open(
      async (site) => {
        if (settings.engine === "xdp") takeRedirectedFrames("own");
        if (outside.family === "ipv6") addIpv6("own");
        const words = [process.execPath, ...EMULATOR, LNS, ...outside.lnses];
        const lns = site.run(new Child("the benchmark's LNS", "lns", words, { ipc: true }));
        await lns.ask(undefined, START_MS);
        const processors = besideGenerator ? othersProcessors(availableParallelism()) : undefined;
        const lac = await site.gateway("the LAC", "lac", lacConfig(settings), {
          processors,
          listen: settings.listen?.(site.directory),
        });
        return new Stage(site, lac, outside);
      },
      ["own", ...networks],
    );
  }

  get site(): Site {
    return this.#site;
  }

  get lac(): GatewayChild {
    return this.#lac;
  }

  /** Begins to bring `count` sessions up. Hang up by stopping the child. */
  startDial(count: number, { device = SUBSCRIBER_DEVICE, realm = "bench", ...pace }: DialPace = {}): Child {
    return startDial(this.#site, "subscribers", { ...pace, device, user: `s%d@${realm}`, count });
  }

  /** Brings `count` sessions up. Hang up by stopping the child. */
  async dial(
    count: number,
    pace: DialPace = {},
  ): Promise<{ readonly child: Child; readonly summary: DialSummary }> {
    const child = this.startDial(count, pace);
    return { child, summary: await dialSummary(child) };
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
    const send = (): Promise<TrafficReport> => runFrames("own", sessions, load, this.#cabling);
    return load.freeCore === true ? aheadOfOthers(this.#lac.child.pid, send) : send();
  }

  /**
   * Puts one of bench/xdp/'s programs in the LAC's place, in the network "ceiling", for all sessions in a file. Without
   * traffic it does nothing.
   */
  async startCeiling(program: Ceiling, sessions: string): Promise<Child> {
    const words =
      program === "loop-io"
        ? [sessions, ACCESS_DEVICE, LAC_ADDRESS, LNS_ADDRESSES.join(",")]
        : [built("redirect.bpf.o"), ACCESS_DEVICE, CORE_DEVICE];
    const processors = othersProcessors(availableParallelism());
    const child = new Child(program, placeIn("ceiling", "lac"), [built(program), ...words], { processors });
    await this.#site.run(child).nextLine((line) => line === "ready", START_MS);
    return child;
  }

  /** Sends `load` through the program that was put there. */
  ceiling(child: Child, sessions: string, load: Load): Promise<TrafficReport> {
    child.mustRun();
    const send = (): Promise<TrafficReport> => runFrames("ceiling", sessions, load, this.#cabling);
    return load.freeCore === true ? aheadOfOthers(child.pid, send) : send();
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
  outside = OVER_IPV4,
  accessDevices = 1,
  maxChannels,
}: LacSettings): string {
  const room = maxChannels === undefined ? "" : `, max-channels: ${maxChannels}`;
  const access = ACCESS_DEVICES.slice(0, accessDevices).map((device) => `  - interface: ${device}`);
  const peers = outside.lnses.map((address, i) => ({ name: `lns${i}`, address }));
  const line = ({ name, address }: { name: string; address: string }): string =>
    `    - { name: ${name}, address: "${address}", hello-interval: ${helloInterval}, secret: ${TUNNEL_SECRET}, udp-checksum: ${udpChecksum} }`;
  return `name: bench-lac
data-plane: { engine: ${engine}${room} }
access:
${access.join("\n")}
l2tp:
  listen: [{ address: "${outside.lac}" }]
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
