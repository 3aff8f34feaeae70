import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Child } from "./child.ts";
import { type Load, othersProcessors, runFrames } from "./frames-tool.ts";
import { startL2tpnsLns } from "./l2tpns.ts";
import type { LacAnswer, LacRequest } from "./lac.ts";
import type { LacCallNames } from "./lac-calls.ts";
import {
  ACCESS_DEVICE,
  LAC_ADDRESS,
  LNS_ADDRESS,
  macOf,
  type Network,
  namespaceOf,
  placeIn,
  SUBSCRIBER_DEVICE,
  TUNNEL_SECRET,
} from "./namespaces.ts";
import { compiled } from "./root.ts";
import { Site } from "./site.ts";
import type { TrafficReport } from "./traffic-report.ts";

const START_MS = 30_000;
const USER = "bench@bench";
const PASSWORD = "bench";
/** Of the generator's packets (bench/xdp/templates.cc). */
const FAR_HOST = "203.0.113.10";
const SESSIONS = 100;
/** l2tpns loses one of several that are opened at once. */
const TUNNELS = 1;

export type Terminator = "lacewing" | "l2tpns";
const NETWORKS: Readonly<Record<Terminator, Network>> = { lacewing: "own", l2tpns: "rival" };

/**
 * Lacewing as an LNS with one shared device, and Debian's l2tpns as the same. The LNS is where the LAC is elsewhere: the
 * benchmark's LAC, which calls it, has the LNSes' place, and the subscribers' is a far host's, to which the LNS routes.
 */
export class UnitStage {
  readonly #site: Site;
  readonly #sessions: Readonly<Record<Terminator, string>>;

  private constructor(site: Site, sessions: Readonly<Record<Terminator, string>>) {
    this.#site = site;
    this.#sessions = sessions;
  }

  static open(): Promise<UnitStage> {
    return Site.open(
      async (site) => {
        const users = `- { name: "${USER}", password: "${PASSWORD}" }\n`;
        writeFileSync(join(site.directory, "users.yaml"), users, { mode: 0o600 });
        await site.gateway("the LNS", "lac", CONFIG, othersProcessors(availableParallelism()));
        await startL2tpnsLns(site, { [USER]: PASSWORD });
        const lacewing = await connect(site, "own");
        return new UnitStage(site, { lacewing, l2tpns: await connect(site, "rival") });
      },
      ["own", "rival"],
    );
  }

  /** The load's "up" is what subscribers send. */
  send(terminator: Terminator, { direction, ...load }: Load): Promise<TrafficReport> {
    const turned = { up: "down", down: "up", both: "both" } as const;
    const told = { ...load, direction: turned[direction], plain: true };
    return runFrames(NETWORKS[terminator], this.#sessions[terminator], told);
  }

  close(): Promise<void> {
    return this.#site.close();
  }
}

/** Has sessions called, and routes to the far host; resolves with the file that names them for the generator. */
async function connect(site: Site, network: Network): Promise<string> {
  const inside = (...words: string[]): void => {
    execFileSync("ip", ["netns", "exec", namespaceOf(placeIn(network, "lac")), ...words]);
  };
  inside("sysctl", "-qw", "net.ipv4.ip_forward=1");
  inside("ip", "route", "add", FAR_HOST, "dev", ACCESS_DEVICE);
  const farMac = macOf(placeIn(network, "subscribers"), SUBSCRIBER_DEVICE);
  inside("ip", "neighbour", "add", FAR_HOST, "lladdr", farMac, "dev", ACCESS_DEVICE);
  const words = [
    process.execPath,
    compiled("bench/lac"),
    LNS_ADDRESS,
    LAC_ADDRESS,
    USER,
    PASSWORD,
    `${TUNNELS}`,
  ];
  const lac = site.run(new Child("the benchmark's LAC", placeIn(network, "lns"), words, { ipc: true }));
  const ask = (request?: LacRequest): Promise<LacAnswer> => lac.ask<LacAnswer>(request, START_MS);
  await ask();
  const called = await ask({ kind: "call", count: SESSIONS });
  if (called.kind !== "called" || called.failed > 0)
    throw new Error(`not all of ${SESSIONS} calls to the LNS in "${network}" came up`);
  const named = await ask({ kind: "names" });
  if (named.kind !== "named") throw new Error("the benchmark's LAC does not do what it was told");
  const file = join(site.directory, `${network}-sessions`);
  writeFileSync(file, named.calls.map(sessionLine).join(""));
  return file;
}

/** As bench/xdp/sessions.h reads it: "LNS" is there who is called here, and the PPPoE side is unused. */
function sessionLine(call: LacCallNames): string {
  const { localTunnelId, localSessionId, remoteTunnelId, remoteSessionId, address } = call;
  const ids = [1, localTunnelId, localSessionId, remoteTunnelId, remoteSessionId, 0];
  return `00:00:00:00:00:00 ${ids.join(" ")} ${address}\n`;
}

const CONFIG = `name: bench-lns
data-plane: { engine: loop }
l2tp:
  listen: [{ address: ${LAC_ADDRESS} }]
  peers:
    - { name: lac, address: ${LNS_ADDRESS}, role: lac, secret: ${TUNNEL_SECRET} }
realms:
  bench: { terminate: subscribers }
units:
  subscribers: { mode: shared, name: subscribers, address: 100.64.0.1, pool: 100.64.0.0/14 }
users-file: users.yaml
`;
