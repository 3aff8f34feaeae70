/**
 * A small virtual machine with Debian's kernel, pppd, pppoe-server and xl2tpd: the real peers of the interop tests.
 * Its Ethernet devices eth0, eth1, … end as taps in namespaces of this machine. Needs root; no KVM.
 */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { deferred } from "./deferred.ts";
import { PeerJob } from "./peer-job.ts";
import { isAlive } from "./processes.ts";

const VM_DIRECTORY = fileURLToPath(new URL("../interop/vm/", import.meta.url));
const KERNEL_COMMAND_LINE =
  "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable random.trust_cpu=on edd=off";
const BOOT_TIMEOUT_MS = 100_000;
const POWEROFF_TIMEOUT_MS = 10_000;
/** lacewing-peer-PID-RANDOM: PID tells whether its maker still lives. */
const SHARE_PREFIX = "lacewing-peer-";

/** One Ethernet device of the VM: the other end is the tap `ifname` in the namespace called `netns`. */
interface PeerNic {
  readonly netns: string;
  readonly ifname: string;
}

export interface PeerVmOptions {
  readonly nics?: readonly PeerNic[];
  readonly memoryMiB?: number;
}

export interface PeerResult {
  readonly status: number;
  /** Standard output and standard error. */
  readonly output: string;
}

export class PeerVm {
  /** A directory that the VM sees as `/share`; both sides may write. */
  readonly share: string;
  static readonly guestShare = "/share";

  readonly #qemu: ChildProcess;
  readonly #ended: Promise<string>;
  readonly #ready = deferred<void>();
  readonly #jobs = new Map<number, PeerJob>();
  #lastJob = 0;
  #lost: Error | undefined;

  private constructor(share: string, qemu: ChildProcess) {
    this.share = share;
    this.#qemu = qemu;
    let complaints = "";
    qemu.stderr!.setEncoding("utf8").on("data", (text: string) => {
      complaints += text;
    });
    // a write to a VM that has just ended: its end is told below
    qemu.stdin!.on("error", () => {});
    createInterface({ input: qemu.stdout! }).on("line", (line) => this.#receive(line));
    this.#ended = new Promise((resolve) => {
      qemu.once("error", (error) => resolve(String(error)));
      qemu.once("close", (code, signal) => resolve(`QEMU ended (${signal ?? code}) ${complaints}`));
    });
    void this.#ended.then((reason) => this.#lose(reason));
  }

  /** Boots a VM and returns when it takes commands, which is after some five seconds. */
  static async boot({ nics = [], memoryMiB = 256 }: PeerVmOptions = {}): Promise<PeerVm> {
    removeLeftovers();
    const image = preparedImage();
    const share = mkdtempSync(join(tmpdir(), `${SHARE_PREFIX}${process.pid}-`));
    mkdirSync(join(share, "jobs"));
    // The command dies with this process, however that ends, and its namespace and the taps with it.
    const command = ["--pdeathsig", "KILL", "unshare", "--net", "qemu-system-x86_64"];
    const qemu = spawn("setpriv", [...command, ...qemuArguments(image, share, nics, memoryMiB)], {
      env: { ...process.env, ...nicEnvironment(nics) },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const vm = new PeerVm(share, qemu);
    const timer = setTimeout(() => vm.#lose(`no sign of life after ${BOOT_TIMEOUT_MS} ms`), BOOT_TIMEOUT_MS);
    try {
      await vm.#ready.promise;
    } catch (error) {
      await vm.#remove();
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return vm;
  }

  /** Runs a command to its end; kills it and rejects after `timeoutMs`. */
  async run(command: readonly string[], { timeoutMs = 30_000 } = {}): Promise<PeerResult> {
    const job = this.spawn(command);
    const status = await job.finish({ timeoutMs });
    return { status, output: job.output() };
  }

  /** As run(), and rejects with the output when the command fails. Returns the output. */
  async mustRun(command: readonly string[], options: { timeoutMs?: number } = {}): Promise<string> {
    const { status, output } = await this.run(command, options);
    if (status !== 0) throw new Error(`${command.join(" ")} ended with status ${status}:\n${output}`);
    return output;
  }

  /** Starts a command; its working directory is the shared one. */
  spawn(command: readonly string[]): PeerJob {
    if (this.#lost) throw this.#lost;
    this.#lastJob += 1;
    const id = this.#lastJob;
    const directory = join(this.share, "jobs", String(id));
    mkdirSync(directory);
    writeFileSync(join(directory, "output"), "");
    writeFileSync(
      join(directory, "command"),
      `cd ${PeerVm.guestShare}\nexec ${command.map(quote).join(" ")}\n`,
    );
    const job = new PeerJob(command.join(" "), join(directory, "output"), (name, pid) =>
      this.#send(`signal ${name} ${pid}`),
    );
    this.#jobs.set(id, job);
    this.#send(`start ${id}`);
    return job;
  }

  /** Writes a file into the shared directory and returns its path as the VM sees it. */
  write(name: string, text: string): string {
    writeFileSync(join(this.share, name), text, { mode: 0o600 });
    return `${PeerVm.guestShare}/${name}`;
  }

  /** Powers the VM off and removes the shared directory. Running jobs are lost. */
  async shutdown(): Promise<void> {
    this.#send("poweroff");
    const timer = setTimeout(() => this.#qemu.kill("SIGKILL"), POWEROFF_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(timer);
    await this.#remove();
  }

  #send(line: string): void {
    this.#qemu.stdin!.write(`${line}\n`);
  }

  #receive(line: string): void {
    const [verb, id, value] = line.split(" ");
    const job = this.#jobs.get(Number(id));
    if (verb === "ready") this.#ready.resolve();
    if (verb === "started") job?.noteStarted(Number(value));
    if (verb === "exited") job?.noteExited(Number(value));
  }

  #lose(reason: string): void {
    this.#lost = new Error(`the VM of real peers is gone: ${reason}\n${consoleTail(this.share)}`);
    this.#ready.reject(this.#lost);
    for (const job of this.#jobs.values()) job.noteLost(this.#lost);
  }

  async #remove(): Promise<void> {
    this.#qemu.kill("SIGKILL");
    await this.#ended;
    rmSync(this.share, { recursive: true, force: true });
  }
}

/** The image's files; made now if they are not there. */
function preparedImage(): { kernel: string; initrd: string } {
  const lines = execFileSync(process.execPath, [join(VM_DIRECTORY, "prepare.mjs")], { encoding: "utf8" });
  return JSON.parse(lines.trim().split("\n").at(-1)!);
}

function qemuArguments(
  image: { kernel: string; initrd: string },
  share: string,
  nics: readonly PeerNic[],
  memoryMiB: number,
): string[] {
  const processor = [
    "-accel",
    "tcg,tb-size=128",
    "-cpu",
    "Nehalem,+rdrand",
    "-smp",
    "1",
    "-m",
    `${memoryMiB}`,
  ];
  const machine = [
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    "-no-reboot",
    "-machine",
    "pc,usb=off",
  ];
  const boot = ["-kernel", image.kernel, "-initrd", image.initrd, "-append", KERNEL_COMMAND_LINE];
  const log = ["-serial", `file:${join(share, "console.log")}`];
  const agent = ["-chardev", "stdio,id=agent,signal=off", "-device", "virtio-serial-pci"];
  const port = ["-device", "virtserialport,chardev=agent"];
  const files = ["-fsdev", `local,id=share,path=${share},security_model=none`];
  const mount = ["-device", "virtio-9p-pci,fsdev=share,mount_tag=share"];
  return [
    ...machine,
    ...processor,
    ...boot,
    ...log,
    ...agent,
    ...port,
    ...files,
    ...mount,
    ...nicArguments(nics),
  ];
}

function nicArguments(nics: readonly PeerNic[]): string[] {
  const script = join(VM_DIRECTORY, "nic-up");
  return nics.flatMap((_, i) => [
    "-netdev",
    // vnet_hdr=off: frames leave the VM as they would a wire, each with its checksums and no larger than the MTU
    `tap,id=nic${i},ifname=nic${i},script=${script},downscript=no,vnet_hdr=off`,
    "-device",
    `virtio-net-pci,netdev=nic${i},mac=52:54:00:4c:57:0${i},romfile=`,
  ]);
}

function nicEnvironment(nics: readonly PeerNic[]): Record<string, string> {
  return Object.fromEntries(
    nics.flatMap((nic, i) => [
      [`NIC${i}_NETNS`, nic.netns],
      [`NIC${i}_NAME`, nic.ifname],
    ]),
  );
}

/** For the VM's shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function consoleTail(share: string): string {
  try {
    return readFileSync(join(share, "console.log"), "utf8").split("\n").slice(-20).join("\n");
  } catch (error) {
    return `(no console output: ${error})`;
  }
}

/** Shared directories of runs that were killed. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(SHARE_PREFIX)
      ? Number.parseInt(name.slice(SHARE_PREFIX.length), 10)
      : Number.NaN;
    if (!Number.isNaN(pid) && !isAlive(pid)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}
