/** `npm start`: the lab comes up, says what it found, and leaves nothing behind, however it ends. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { isRoot } from "../support/system.ts";

const LAB = fileURLToPath(new URL("../../dist/lab/main.js", import.meta.url));

/** A lab of ours. */
class LabProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output = "";

  constructor(...words: string[]) {
    const pdeathsig = ["--pdeathsig", "KILL", process.execPath, LAB, ...words];
    this.child = spawn("setpriv", pdeathsig, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
      });
    this.ended = new Promise((resolve) => this.child.once("close", resolve));
  }

  get pid(): number {
    return this.child.pid!;
  }

  async says(text: string): Promise<void> {
    const hopeless = (): string | undefined =>
      this.child.exitCode === null ? undefined : `it has ended: ${this.output}`;
    await eventually(`the lab says "${text}"`, () => this.output.includes(text), { hopeless });
  }

  get lastLine(): unknown {
    return JSON.parse(this.output.trim().split("\n").at(-1) ?? "");
  }

  /** Its namespaces, its directories, and processes that know one of them. */
  leftovers(): string[] {
    const mine = `lacewing-lab-${this.pid}-`;
    const named = (directory: string): string[] =>
      existsSync(directory)
        ? readdirSync(directory)
            .filter((name) => name.startsWith(mine))
            .map((name) => join(directory, name))
        : [];
    return [...named("/run/netns"), ...named(tmpdir()), ...processesThatMention(mine)];
  }
}

function processesThatMention(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => `${pid} ${commandLineOf(pid)}`)
    .filter((line) => line.includes(text));
}

/** Empty when the process is gone. */
function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return "";
    throw error;
  }
}

describe.skipIf(!isRoot)("the lab", () => {
  const labs: LabProcess[] = [];
  const startLab = (...words: string[]): LabProcess => {
    const lab = new LabProcess(...words);
    labs.push(lab);
    return lab;
  };

  afterEach(async () => {
    for (const lab of labs.splice(0)) {
      lab.child.kill("SIGTERM");
      await lab.ended;
    }
  });

  it("checks itself once, says what it found as one JSON object, and leaves nothing behind", async () => {
    const lab = startLab("--once", "--json");
    expect(await lab.ended, lab.output).toBe(0);
    expect(lab.lastLine).toEqual({
      ok: true,
      user: "alice@isp.example",
      address: expect.stringMatching(/^100\.64\.0\.\d+$/),
      pingLossPercent: 0,
      setupMs: expect.any(Number),
      tcpMbitPerSecond: expect.any(Number),
    });
    expect((lab.lastLine as { tcpMbitPerSecond: number }).tcpMbitPerSecond).toBeGreaterThan(0);
    expect(lab.leftovers()).toEqual([]);
  });

  it.each([
    ["before anything runs", "Lacewing lab:"],
    ["while the subscriber dials", "running ("],
    ["while it is checked", "online as"],
  ])("leaves nothing behind when it is interrupted %s", async (_when, line) => {
    const lab = startLab("--once");
    await lab.says(line);
    lab.child.kill("SIGINT");
    await lab.ended;
    expect(lab.leftovers()).toEqual([]);
  });

  it("shows its status until Ctrl-C, also beside another lab, and leaves nothing behind", async () => {
    const [one, other] = [startLab(), startLab()];
    await Promise.all([one.says("LAC 1/1 open   LNS 1/1 open"), other.says("LAC 1/1 open   LNS 1/1 open")]);
    one.child.kill("SIGINT");
    expect(await one.ended, one.output).toBe(0);
    expect(one.leftovers()).toEqual([]);
    // the other one goes on
    other.output = "";
    await other.says("LAC 1/1 open   LNS 1/1 open");
    other.child.kill("SIGINT");
    expect(await other.ended, other.output).toBe(0);
    expect(other.leftovers()).toEqual([]);
  });

  it("cleans up after a lab that was killed, processes included", async () => {
    const killed = startLab();
    await killed.says("online as");
    killed.child.kill("SIGKILL");
    await killed.ended;
    const next = startLab("--once");
    await next.says("running (");
    expect(killed.leftovers()).toEqual([]);
  });
});
