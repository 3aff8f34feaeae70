/** Debian's l2tpns in a namespace of its own, with a RADIUS server for it. */

import type { ChildProcess } from "node:child_process";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "../support/eventually.ts";
import type { Netns } from "../support/netns.ts";

const PREPARE = fileURLToPath(new URL("l2tpns/prepare.mjs", import.meta.url));
const RADIUS = fileURLToPath(new URL("radius-stub.mjs", import.meta.url));
const RADIUS_SECRET = "between-l2tpns-and-its-radius";

interface Role {
  readonly hostName: string;
  readonly secret: string;
  /** Its L2TP address; `device` has it. */
  readonly address: string;
  readonly device: string;
  readonly users: Readonly<Record<string, string>>;
  /** Prefix of its subscribers' addresses. */
  readonly pool: string;
  readonly more: readonly string[];
}

export class L2tpns {
  readonly #directory: string;
  readonly #daemon: ChildProcess;
  readonly #radius: ChildProcess;
  #radiusIsReady = false;

  private constructor(directory: string, daemon: ChildProcess, radius: ChildProcess) {
    this.#directory = directory;
    this.#daemon = daemon;
    this.#radius = radius;
    // all that it ever says
    radius.stdout!.once("data", () => {
      this.#radiusIsReady = true;
    });
  }

  /** Answers calls from LACs at `address`, and asks its RADIUS for `users`. */
  static lns(
    netns: Netns,
    lns: { address: string; device: string; secret: string; pool: string; users: Record<string, string> },
  ): Promise<L2tpns> {
    return L2tpns.#start(netns, { ...lns, hostName: "l2tpns-lns", more: [] });
  }

  /** Takes PPPoE calls on `access` and sends users of `realm` on to the LNS. */
  static lac(
    netns: Netns,
    lac: { address: string; device: string; secret: string; access: string; realm: string; lns: string },
  ): Promise<L2tpns> {
    const { access, realm, lns, secret, ...rest } = lac;
    const more = [
      `set pppoe_if_to_bind "${access}"`,
      'set pppoe_ac_name "l2tpns-ac"',
      `set bind_address_remotelns ${lac.address}`,
      "set bind_portremotelns 1701",
      `setforward @${realm} ${lns} 1701 ${secret}`,
    ];
    // it answers LACs, too, on an address of its own
    const role = { ...rest, secret, address: "127.0.0.9", hostName: "l2tpns-lac", pool: "100.68.0.0/24" };
    return L2tpns.#start(netns, { ...role, users: {}, more });
  }

  static async #start(netns: Netns, role: Role): Promise<L2tpns> {
    const { program, libraries } = prepared();
    const directory = mkdtempSync(join(tmpdir(), "lacewing-l2tpns-"));
    // its paths are fixed, so it gets an /etc of its own
    const files = join(directory, "etc/l2tpns");
    mkdirSync(files, { recursive: true });
    writeFileSync(join(files, "startup-config"), startupConfig(role, directory));
    writeFileSync(join(files, "users"), "");
    writeFileSync(join(files, "ip_pool"), `${role.pool}\n`);
    const radius = startRadius(netns, role.users);
    const script =
      'mount --bind "$1/etc" /etc && LD_LIBRARY_PATH="$2" exec "$3" -c /etc/l2tpns/startup-config';
    const daemon = netns.spawn(["sh", "-c", script, "sh", directory, libraries, program], {
      stdio: "ignore",
      detached: true, // it ends its whole process group with itself
    });
    const l2tpns = new L2tpns(directory, daemon, radius);
    try {
      // it waits for other members of its cluster first
      await eventually("l2tpns takes calls", () => l2tpns.log().includes("declaring myself the master"), {
        hopeless: () => (daemon.exitCode === null ? undefined : l2tpns.log()),
      });
      await eventually("its RADIUS answers", () => l2tpns.#radiusIsReady);
    } catch (error) {
      await l2tpns.stop();
      throw error;
    }
    return l2tpns;
  }

  /** What it has logged so far. */
  log(): string {
    const path = join(this.#directory, "log");
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  async stop(): Promise<void> {
    for (const child of [this.#daemon, this.#radius]) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function prepared(): { program: string; libraries: string } {
  const lines = execFileSync(process.execPath, [PREPARE], { encoding: "utf8" });
  return JSON.parse(lines.trim().split("\n").at(-1)!);
}

function startRadius(netns: Netns, users: Readonly<Record<string, string>>): ChildProcess {
  const settings = JSON.stringify({ address: "127.0.0.1", secret: RADIUS_SECRET, users });
  return netns.spawn([process.execPath, RADIUS, settings], { stdio: ["ignore", "pipe", "ignore"] });
}

function startupConfig({ hostName, secret, address, device, more }: Role, directory: string): string {
  return `${[
    "set debug 3",
    `set log_file "${directory}/log"`,
    `set pid_file "${directory}/pid"`,
    `set hostname "${hostName}"`,
    `set l2tp_secret "${secret}"`,
    "set primary_dns 192.0.2.53",
    "set primary_radius 127.0.0.1",
    "set primary_radius_port 1812",
    `set radius_secret "${RADIUS_SECRET}"`,
    'set radius_authtypes "pap,chap"',
    "set radius_accounting no",
    "set allow_duplicate_users no",
    `set bind_address ${address}`,
    "set iftun_address 100.67.255.1",
    "set peer_address 100.67.255.1",
    "set cli_bind_address 127.0.0.1",
    `set cluster_interface "${device}"`,
    "set cluster_hb_interval 5",
    "set cluster_hb_timeout 31",
    "set send_garp no",
    "set throttle_speed 0",
    ...more,
  ].join("\n")}\n`;
}
