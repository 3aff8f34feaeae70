import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { LeftOut } from "./benchmark.ts";
import { Child } from "./child.ts";
import type { ConfirmationsAnswer } from "./confirmations.ts";
import { PASSWORD, silentSessions } from "./dial.ts";
import { othersProcessors } from "./frames-tool.ts";
import { pause } from "./gateway-child.ts";
import type { LnsAnswer } from "./lns.ts";
import {
  ACCESS_DEVICE,
  CORE_DEVICE,
  LAC_ADDRESS,
  LNS_ADDRESS,
  SUBSCRIBER_DEVICE,
  TUNNEL_SECRET,
} from "./namespaces.ts";
import { compiled, ROOT } from "./root.ts";
import type { Site } from "./site.ts";

/** Downloads Debian's package and unpacks it, once. */
const PREPARE = join(ROOT, "test", "interop", "l2tpns", "prepare.mjs");
/** A RADIUS server of one NAS; it says when it is ready. */
const RADIUS = join(ROOT, "test", "interop", "radius-stub.mjs");
const RADIUS_SECRET = "bench";
/** It waits for other members of its cluster first. */
const START_MS = 20_000;
const PATIENCE_MS = 60_000;
const POLL_MS = 50;

interface Prepared {
  readonly program: string;
  readonly libraries: string;
}

/**
 * Debian's l2tpns as a LAC in the network "rival", with `count` sessions to the benchmark's LNS. Resolves with the file
 * that names them for the generator. l2tpns drops the login that makes it call the LNS, so that a session takes as long
 * as the subscriber takes to repeat himself.
 */
export async function startL2tpnsLac(site: Site, count: number): Promise<string> {
  const lns = new Child(
    "the LNS of l2tpns",
    "rival-lns",
    [process.execPath, compiled("bench/lns"), LNS_ADDRESS],
    {
      ipc: true,
    },
  );
  const confirmations = new Child(
    "who listens for PADS",
    "rival-subscribers",
    [process.execPath, compiled("bench/confirmations"), SUBSCRIBER_DEVICE],
    { ipc: true },
  );
  for (const child of [lns, confirmations]) await site.run(child).ask(undefined, PATIENCE_MS);
  const forward = [
    `set bind_address_remotelns ${LAC_ADDRESS}`,
    "set bind_portremotelns 1701",
    `setforward @bench ${LNS_ADDRESS} 1701 ${TUNNEL_SECRET}`,
  ];
  await startDaemon(
    site,
    config(site.directory, { more: forward }),
    othersProcessors(availableParallelism()),
  );

  await silentSessions(site, "rival-subscribers", { device: SUBSCRIBER_DEVICE, user: "s%d@bench", count });
  return sessionsFile(site, lns, confirmations);
}

interface TerminatorSettings {
  /** That LACs call; nobody does when absent. */
  readonly address?: string;
  /** The access interface. */
  readonly access: string;
  readonly processors?: string | undefined;
}

/** As who terminates sessions in the network "rival", with a RADIUS server that knows `users`. */
export async function startL2tpnsTerminator(
  site: Site,
  users: readonly string[],
  { processors, ...settings }: TerminatorSettings,
): Promise<void> {
  await startRadius(site, Object.fromEntries(users.map((user) => [user, PASSWORD])));
  await startDaemon(site, config(site.directory, { ...settings, duplicates: true }), processors);
}

async function startRadius(site: Site, users: Readonly<Record<string, string>>): Promise<void> {
  const settings = JSON.stringify({ address: "127.0.0.1", secret: RADIUS_SECRET, users });
  const radius = site.run(new Child("the RADIUS server", "rival-lac", [process.execPath, RADIUS, settings]));
  await radius.nextLine(() => true, PATIENCE_MS);
}

/** Who logged in as whom says which PPPoE session goes with which call. */
async function sessionsFile(site: Site, lns: Child, confirmations: Child): Promise<string> {
  const heard = await confirmations.ask<ConfirmationsAnswer>({}, PATIENCE_MS);
  const known = await lns.ask<LnsAnswer>({}, PATIENCE_MS);
  if (heard.kind !== "sessions" || known.kind !== "calls") throw new Error("the wrong answers");
  const calls = new Map(known.byAddress.flat().map((call) => [call.user, call]));
  const lines = Object.entries(heard.byMac).map(([mac, pppoeSessionId]) => {
    // as lacewing dial numbers them: the last three octets
    const call = calls.get(`s${Number.parseInt(mac.slice(6), 16)}@bench`);
    if (call === undefined) throw new Error(`l2tpns has not called for ${mac}`);
    const ids = [
      pppoeSessionId,
      call.localTunnelId,
      call.localSessionId,
      call.remoteTunnelId,
      call.remoteSessionId,
      0,
    ];
    return `${mac.match(/../g)!.join(":")} ${ids.join(" ")}\n`;
  });
  const file = join(site.directory, "l2tpns-sessions");
  writeFileSync(file, lines.join(""));
  return file;
}

/** Throws a LeftOut where the package can neither be found nor downloaded. */
function prepared(): Prepared {
  try {
    const output = execFileSync(process.execPath, [PREPARE], { encoding: "utf8" });
    return JSON.parse(output.trim().split("\n").at(-1)!) as Prepared;
  } catch (error) {
    throw new LeftOut(`there is no l2tpns here: ${(error as Error).message}`);
  }
}

async function startDaemon(site: Site, config: string, processors: string | undefined): Promise<void> {
  const { program, libraries } = prepared();
  // its paths are fixed, so it gets an /etc of its own
  const files = join(site.directory, "etc", "l2tpns");
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, "startup-config"), config);
  writeFileSync(join(files, "users"), "");
  writeFileSync(join(files, "ip_pool"), "100.68.0.0/16\n");
  const script = 'mount --bind "$1/etc" /etc && LD_LIBRARY_PATH="$2" exec "$3" -c /etc/l2tpns/startup-config';
  // when it ends, it ends its whole process group
  const words = ["setsid", "sh", "-c", script, "sh", site.directory, libraries, program];
  const daemon = site.run(new Child("l2tpns", "rival-lac", words, { processors }));
  const log = join(site.directory, "l2tpns.log");
  const deadline = performance.now() + START_MS;
  while (!existsSync(log) || !readFileSync(log, "utf8").includes("declaring myself the master")) {
    daemon.mustRun();
    if (performance.now() > deadline) throw new Error("l2tpns does not come up");
    await pause(POLL_MS);
  }
}

interface DaemonSettings {
  /** Where it answers LACs; nowhere that matters when absent. */
  readonly address?: string;
  /** The first when absent. */
  readonly access?: string;
  /** One user may call more than once. */
  readonly duplicates?: boolean;
  readonly more?: readonly string[];
}

/** It takes calls, terminates them, and does `more`. */
function config(
  directory: string,
  { address = "127.0.0.9", access = ACCESS_DEVICE, duplicates = false, more = [] }: DaemonSettings = {},
): string {
  return `${[
    "set debug 1",
    `set log_file "${directory}/l2tpns.log"`,
    `set pid_file "${directory}/l2tpns.pid"`,
    'set hostname "l2tpns"',
    `set l2tp_secret "${TUNNEL_SECRET}"`,
    "set primary_radius 127.0.0.1",
    `set radius_secret "${RADIUS_SECRET}"`,
    "set primary_radius_port 1812",
    'set radius_authtypes "pap,chap"',
    "set radius_accounting no",
    `set allow_duplicate_users ${duplicates ? "yes" : "no"}`,
    `set bind_address ${address}`,
    "set iftun_address 100.68.255.1",
    "set peer_address 100.68.255.1",
    "set cli_bind_address 127.0.0.1",
    `set cluster_interface "${CORE_DEVICE}"`,
    "set cluster_hb_interval 5",
    "set cluster_hb_timeout 31",
    "set send_garp no",
    "set throttle_speed 0",
    "set multi_read_count 100",
    `set pppoe_if_to_bind "${access}"`,
    'set pppoe_ac_name "l2tpns"',
    ...more,
  ].join("\n")}\n`;
}
