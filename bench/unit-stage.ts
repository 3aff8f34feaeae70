import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Caller } from "./caller.ts";
import { type DialledSession, silentSessions } from "./dial.ts";
import { type Cabling, type Load, othersProcessors, runFrames } from "./frames-tool.ts";
import { startL2tpnsTerminator } from "./l2tpns.ts";
import type { LacCallNames } from "./lac-calls.ts";
import {
  ACCESS_DEVICE,
  ACCESS_DEVICES,
  LAC_ADDRESS,
  LNS_ADDRESS,
  macOf,
  type Network,
  namespaceOf,
  placeIn,
  SUBSCRIBER_DEVICE,
  SUBSCRIBER_DEVICES,
} from "./namespaces.ts";
import { Site } from "./site.ts";
import { startTerminator, USER } from "./terminator.ts";
import type { TrafficReport } from "./traffic-report.ts";

/** Of the generator's packets (bench/xdp/templates.cc). */
const FAR_HOST = "203.0.113.10";
const SESSIONS = 100;
/** Those who come by PPPoE are numbered. */
const USERS = [USER, ...Array.from({ length: SESSIONS + 1 }, (_, number) => `s${number}@bench`)];
/** l2tpns loses one of several that are opened at once. */
const TUNNELS = 1;
const [, PPPOE_SUBSCRIBERS] = SUBSCRIBER_DEVICES;
const [, PPPOE_ACCESS] = ACCESS_DEVICES;
/** From PPPoE subscribers to the far host. */
const PTA: Cabling = {
  subscribers: PPPOE_SUBSCRIBERS,
  access: PPPOE_ACCESS,
  core: ACCESS_DEVICE,
  far: { role: "subscribers", device: SUBSCRIBER_DEVICE },
};
const TURNED = { up: "down", down: "up", both: "both" } as const;

export type Terminator = "lacewing" | "l2tpns";
const NETWORKS: Readonly<Record<Terminator, Network>> = { lacewing: "own", l2tpns: "rival" };
/** Where subscribers come from: by L2TP, or by PPPoE. */
export type TerminatorRole = "lns" | "pta";
/** Files of sessions. */
type Sessions = Readonly<Record<TerminatorRole, string>>;

/**
 * Lacewing as an LNS and a PTA with one shared device, and Debian's l2tpns as the same. Each is where the LAC is
 * elsewhere: the benchmark's LAC, which calls it, has the LNSes' place. On the first access interface is a far host, to
 * which it routes, and on the second are PPPoE subscribers.
 */
export class UnitStage {
  readonly #site: Site;
  readonly #sessions: Readonly<Record<Terminator, Sessions>>;

  private constructor(site: Site, sessions: Readonly<Record<Terminator, Sessions>>) {
    this.#site = site;
    this.#sessions = sessions;
  }

  static open(): Promise<UnitStage> {
    return Site.open(
      async (site) => {
        const l2tp = { address: LAC_ADDRESS, lac: LNS_ADDRESS };
        const processors = othersProcessors(availableParallelism());
        const ours = { place: "lac", users: USERS, access: [PPPOE_ACCESS], l2tp, processors } as const;
        await startTerminator(site, "the gateway", ours);
        await startL2tpnsTerminator(site, USERS, { address: LAC_ADDRESS, access: PPPOE_ACCESS, processors });
        return new UnitStage(site, {
          lacewing: await connect(site, "own"),
          l2tpns: await connect(site, "rival"),
        });
      },
      ["own", "rival"],
    );
  }

  /** The load's "up" is what subscribers send. */
  send(terminator: Terminator, role: TerminatorRole, { direction, ...load }: Load): Promise<TrafficReport> {
    const network = NETWORKS[terminator];
    const sessions = this.#sessions[terminator][role];
    if (role === "pta") return runFrames(network, sessions, { ...load, direction, role }, PTA);
    return runFrames(network, sessions, { ...load, direction: TURNED[direction], role });
  }

  close(): Promise<void> {
    return this.#site.close();
  }
}

/** Routes to the far host, and has sessions called. */
async function connect(site: Site, network: Network): Promise<Sessions> {
  const inside = (...words: string[]): void => {
    execFileSync("ip", ["netns", "exec", namespaceOf(placeIn(network, "lac")), ...words]);
  };
  inside("sysctl", "-qw", "net.ipv4.ip_forward=1");
  inside("ip", "route", "add", FAR_HOST, "dev", ACCESS_DEVICE);
  const farMac = macOf(placeIn(network, "subscribers"), SUBSCRIBER_DEVICE);
  inside("ip", "neighbour", "add", FAR_HOST, "lladdr", farMac, "dev", ACCESS_DEVICE);

  const lac = { address: LNS_ADDRESS, lns: LAC_ADDRESS, tunnels: TUNNELS };
  const caller = await Caller.start(site, placeIn(network, "lns"), lac);
  await caller.call(SESSIONS);
  const dial = { device: PPPOE_SUBSCRIBERS, user: "s%d@bench", count: SESSIONS, atOnce: 10 };
  const dialled = await silentSessions(site, placeIn(network, "subscribers"), dial);
  const written = (name: string, lines: readonly string[]): string => {
    const file = join(site.directory, `${network}-${name}`);
    writeFileSync(file, lines.map((line) => `${line}\n`).join(""));
    return file;
  };
  return {
    lns: written("calls", (await caller.names()).map(callLine)),
    pta: written("sessions", dialled.map(sessionLine)),
  };
}

/** As bench/xdp/sessions.h reads it: "LNS" is there who is called here, and the PPPoE side is unused. */
function callLine(call: LacCallNames): string {
  const { localTunnelId, localSessionId, remoteTunnelId, remoteSessionId, address } = call;
  const ids = [1, localTunnelId, localSessionId, remoteTunnelId, remoteSessionId, 0];
  return `00:00:00:00:00:00 ${ids.join(" ")} ${address}`;
}

/** The L2TP side is unused. */
function sessionLine({ mac, pppoeSessionId, address }: DialledSession): string {
  return `${mac} ${pppoeSessionId} 1 1 1 1 0 ${address}`;
}
