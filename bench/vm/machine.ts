import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { LeftOut } from "../benchmark.ts";
import { ROOT } from "../root.ts";

/** Prepares Debian's kernel and the root file system of the VM of real peers, once. */
const PREPARE = join(ROOT, "test", "interop", "vm", "prepare.mjs");
/** Puts what the benchmark needs beside it. */
const PAYLOAD = join(ROOT, "bench", "vm", "payload.mjs");
const MEMORY_MIB = 1024;
const BOOT_MS = 90_000;
const POWER_OFF_MS = 5000;
const POLL_MS = 50;
const KERNEL_COMMAND_LINE =
  "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable random.trust_cpu=on edd=off";

/** The directory that both sides see, in there. */
export const SHARE = "/share";

/** The VM of real peers (test/interop/vm), with Node, this checkout and bench/xdp/'s tools in it, on an emulated processor. */
export class Machine {
  /** What is seen in there as SHARE. */
  readonly directory: string;
  readonly #qemu: ChildProcess;
  readonly #waiters = new Map<string, (line: string) => void>();
  #lost: string | undefined;
  #jobs = 0;

  private constructor(directory: string, qemu: ChildProcess) {
    this.directory = directory;
    this.#qemu = qemu;
    let complaint = "";
    qemu.stderr!.on("data", (data) => {
      complaint += data;
    });
    // it has just ended, which is told below
    qemu.stdin!.on("error", () => {});
    createInterface({ input: qemu.stdout! }).on("line", (line) => {
      const [verb = "", id = ""] = line.split(" ");
      this.#heard(verb === "ready" ? verb : `${verb} ${id}`, line);
    });
    const end = (why: string): void => {
      this.#lost ??= `the VM has ended: ${why} ${complaint}`;
      for (const wake of this.#waiters.values()) wake("");
    };
    qemu.once("error", (error) => end(error.message));
    qemu.once("close", (code, signal) => end(`${signal ?? code}`));
  }

  /** Rejects with LeftOut where there is no QEMU, or no image for it can be made. */
  static async boot(): Promise<Machine> {
    const { kernel, initrd } = preparedImage();
    const directory = mkdtempSync(join(tmpdir(), "lacewing-bench-vm-"));
    process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
    try {
      mkdirSync(join(directory, "jobs"));
      const payload = join(directory, "payload");
      execFileSync(process.execPath, [PAYLOAD, payload]);
      // the kernel unpacks one archive after the other
      const whole = join(directory, "initrd");
      writeFileSync(whole, Buffer.concat([readFileSync(initrd), readFileSync(payload)]));
      rmSync(payload);
      const command = ["--pdeathsig", "KILL", "unshare", "--net", "qemu-system-x86_64"];
      const qemu = spawn("setpriv", [...command, ...qemuWords(kernel, whole, directory)]);
      const machine = new Machine(directory, qemu);
      try {
        await machine.#wait("ready", BOOT_MS);
        return machine;
      } catch (error) {
        await machine.close();
        throw error;
      }
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Runs a command to its end; resolves with its output, and rejects with it when the command fails. */
  async run(command: readonly string[], timeoutMs: number): Promise<string> {
    const job = this.#start(command);
    const line = await this.#wait(`exited ${job}`, timeoutMs);
    const output = this.#output(job);
    if (line.split(" ")[2] !== "0") throw new Error(`${command.join(" ")} failed in the VM:\n${output}`);
    return output;
  }

  /** Starts a command that goes on, and resolves with the first line of its output that `matches`. */
  async start(
    command: readonly string[],
    matches: (line: string) => boolean,
    timeoutMs: number,
  ): Promise<string> {
    const job = this.#start(command);
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = this.#output(job).split("\n").slice(0, -1).find(matches);
      if (found !== undefined) return found;
      if (performance.now() > deadline || this.#lost !== undefined)
        throw new Error(`${command.join(" ")} is not ready in the VM:\n${this.#lost ?? this.#output(job)}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async close(): Promise<void> {
    if (this.#lost === undefined) {
      this.#qemu.stdin!.write("poweroff\n");
      const ended = new Promise<void>((resolve) => this.#qemu.once("close", () => resolve()));
      const timer = setTimeout(() => this.#qemu.kill("SIGKILL"), POWER_OFF_MS);
      await ended;
      clearTimeout(timer);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  #start(command: readonly string[]): string {
    if (this.#lost !== undefined) throw new Error(this.#lost);
    this.#jobs += 1;
    const job = `${this.#jobs}`;
    mkdirSync(join(this.directory, "jobs", job));
    writeFileSync(join(this.directory, "jobs", job, "output"), "");
    writeFileSync(join(this.directory, "jobs", job, "command"), `exec ${command.map(quoted).join(" ")}\n`);
    this.#qemu.stdin!.write(`start ${job}\n`);
    return job;
  }

  #output(job: string): string {
    return readFileSync(join(this.directory, "jobs", job, "output"), "utf8");
  }

  #heard(event: string, line: string): void {
    this.#waiters.get(event)?.(line);
  }

  async #wait(event: string, timeoutMs: number): Promise<string> {
    const line = await new Promise<string>((resolve) => {
      const timer = setTimeout(() => resolve(""), timeoutMs);
      this.#waiters.set(event, (heard) => {
        clearTimeout(timer);
        resolve(heard);
      });
      if (this.#lost !== undefined) resolve("");
    });
    this.#waiters.delete(event);
    if (line === "") throw new Error(this.#lost ?? `the VM does not say "${event}" within ${timeoutMs} ms`);
    return line;
  }
}

function preparedImage(): { readonly kernel: string; readonly initrd: string } {
  try {
    execFileSync("qemu-system-x86_64", ["--version"], { stdio: "ignore" });
    const lines = execFileSync(process.execPath, [PREPARE], { encoding: "utf8" });
    return JSON.parse(lines.trim().split("\n").at(-1)!);
  } catch (error) {
    throw new LeftOut(`there is no VM here: ${(error as Error).message}`);
  }
}

/** Two processors: the generator has one to itself. */
function qemuWords(kernel: string, initrd: string, directory: string): readonly string[] {
  return [
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-machine", "pc,usb=off"],
    ...[
      "-accel",
      "tcg,thread=multi,tb-size=256",
      "-cpu",
      "Nehalem,+rdrand",
      "-smp",
      "2",
      "-m",
      `${MEMORY_MIB}`,
    ],
    ...["-kernel", kernel, "-initrd", initrd, "-append", KERNEL_COMMAND_LINE],
    ...["-serial", `file:${join(directory, "console.log")}`],
    ...["-chardev", "stdio,id=agent,signal=off", "-device", "virtio-serial-pci"],
    ...["-device", "virtserialport,chardev=agent"],
    ...["-fsdev", `local,id=share,path=${directory},security_model=none`],
    ...["-device", "virtio-9p-pci,fsdev=share,mount_tag=share"],
  ];
}

/** For the VM's shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
