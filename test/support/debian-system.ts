/**
 * A Debian 12 with systemd as its first process, in a container of systemd-nspawn whose network is a namespace of the
 * test's. What is written in it is gone afterwards. Needs root and overlayfs.
 */

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { eventually } from "./eventually.ts";
import type { Netns } from "./netns.ts";

const PREPARE = fileURLToPath(new URL("../deploy/prepare.mjs", import.meta.url));
const BOOT_TIMEOUT_MS = 100_000;

export class DebianSystem {
  /** Its root as we see it. */
  readonly root: string;
  readonly #scratch: string;
  readonly #container: ChildProcess;
  readonly #ended: Promise<void>;
  #complaints = "";

  private constructor(netns: Netns) {
    const pristine = execFileSync(process.execPath, [PREPARE], { encoding: "utf8" })
      .trim()
      .split("\n")
      .at(-1)!;
    this.#scratch = mkdtempSync(join(tmpdir(), "lacewing-debian-"));
    this.root = join(this.#scratch, "root");
    const [upper, work] = [join(this.#scratch, "upper"), join(this.#scratch, "work")];
    for (const folder of [this.root, upper, work]) mkdirSync(folder);
    const layers = `lowerdir=${pristine},upperdir=${upper},workdir=${work}`;
    execFileSync("mount", ["-t", "overlay", "overlay", "-o", layers, this.root]);
    const options = ["--quiet", "--register=no", "--keep-unit", "--console=read-only", "--link-journal=no"];
    const network = `--network-namespace-path=${netns.path}`;
    // a device that gateways need, which containers do not have unless they are given it
    const tun = ["--bind=/dev/net/tun", "--property=DeviceAllow=/dev/net/tun rwm"];
    // what a container does not have unless it is given it; a service in it has what its unit leaves of that
    const capabilities = "--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_BPF,CAP_SYS_RESOURCE";
    const calls = "--system-call-filter=bpf";
    const words = [...options, network, ...tun, capabilities, calls, "--directory", this.root, "--boot"];
    this.#container = spawn("setpriv", ["--pdeathsig", "TERM", "systemd-nspawn", ...words], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#container.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints += text;
    });
    this.#ended = new Promise((resolve) => this.#container.once("close", () => resolve()));
  }

  /** Boots it, which takes a second. */
  static async boot(netns: Netns): Promise<DebianSystem> {
    const system = new DebianSystem(netns);
    try {
      const is = (state: string): boolean => state === "running" || state === "degraded";
      await eventually("Debian has booted", () => is(system.try("systemctl", "is-system-running").output), {
        timeoutMs: BOOT_TIMEOUT_MS,
        hopeless: () => (system.#container.exitCode === null ? undefined : system.#complaints),
      });
    } catch (error) {
      await system.close();
      throw error;
    }
    return system;
  }

  /** Runs a command inside; returns what it said on both streams, trimmed, and its status. */
  try(...command: readonly string[]): { readonly status: number; readonly output: string } {
    const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid"];
    // where we are in a chroot ourselves, the root of its mounts is not its root
    const target = ["--target", String(this.#firstProcess()), "--root", "--wd", ...namespaces];
    const { status, stdout, stderr } = spawnSync("nsenter", [...target, "--", ...command], {
      encoding: "utf8",
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        DEBIAN_FRONTEND: "noninteractive",
      },
    });
    return { status: status ?? -1, output: `${stdout}${stderr}`.trim() };
  }

  /** The same; throws when it fails. */
  run(...command: readonly string[]): string {
    const { status, output } = this.try(...command);
    if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}: ${output}`);
    return output;
  }

  write(path: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text, { mode });
  }

  async close(): Promise<void> {
    // nothing in it is worth waiting for; nspawn ends with it
    const first = this.#find();
    if (first === undefined) this.#container.kill("SIGKILL");
    else process.kill(first, "SIGKILL");
    await this.#ended;
    const isUnmounted = (): boolean => spawnSync("umount", [this.root]).status === 0;
    await eventually("the container's root can be unmounted", isUnmounted);
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  #firstProcess(): number {
    const first = this.#find();
    if (first === undefined) throw new Error(`the container has no first process (yet): ${this.#complaints}`);
    return first;
  }

  /** The container's systemd: nspawn's only child. */
  #find(): number | undefined {
    const { pid } = this.#container;
    const path = `/proc/${pid}/task/${pid}/children`;
    if (pid === undefined || !existsSync(path)) return undefined;
    const children = readFileSync(path, "utf8")
      .split(" ")
      .filter((word) => word !== "");
    return children.map(Number).find((child) => nameOf(child) === "systemd");
  }
}

/** Of a process; undefined when it has just ended. */
function nameOf(pid: number): string | undefined {
  const path = `/proc/${pid}/comm`;
  return existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
}
