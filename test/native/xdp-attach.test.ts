import { type ChildProcess, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { connect, Netns } from "../support/netns.ts";
import { loadXdp, SIZES, withoutXdp, XdpSite } from "./xdp-site.ts";

const JOB = fileURLToPath(new URL("xdp-job.mjs", import.meta.url));
const ADDON = fileURLToPath(new URL("../../native/xdp/build/Release/lacewing_xdp.node", import.meta.url));
/** Any program: with tables of one entry it does nothing. */
const OBJECT = fileURLToPath(new URL("../../native/xdp/build/lacewing.bpf.o", import.meta.url));

interface Outcome {
  readonly loaded: boolean;
  readonly quick?: boolean;
  readonly mode?: string;
  readonly code?: string;
  readonly message?: string;
  readonly subject?: string;
}

/** Loads the program as a process that may do only so much. */
function loadWith(...capabilities: readonly string[]): Outcome {
  const bounds = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
  const { stdout, stderr } = spawnSync(
    "setpriv",
    ["--bounding-set", bounds, "--inh-caps", "-all", process.execPath, JOB, ADDON],
    { encoding: "utf8" },
  );
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout) as Outcome;
}

describe.skipIf(withoutXdp !== undefined)("loading the XDP program", () => {
  it("needs CAP_BPF and CAP_NET_ADMIN and nothing else", () => {
    expect(loadWith("bpf", "net_admin")).toEqual({ loaded: true, quick: false });
  });

  it("is quick with CAP_PERFMON", () => {
    expect(loadWith("bpf", "net_admin", "perfmon")).toEqual({ loaded: true, quick: true });
  });

  it("says what the kernel refused", () => {
    const refused = loadWith();
    expect(refused).toMatchObject({ loaded: false, code: "EPERM", syscall: "bpf" });
    expect(refused.message).toContain("bpf: EPERM");
  });

  it("refuses sizes that are none", () => {
    expect(() => loadXdp({ ...SIZES, channels: 0 })).toThrow(RangeError);
    expect(() => loadXdp({ ...SIZES, peers: 1.5 })).toThrow(RangeError);
  });

  it("makes tables of the sizes that were asked for, all zero", () => {
    const program = loadXdp();
    const { tables, cpus } = program;
    expect(tables.interfaces.byteLength).toBe(SIZES.interfaces * 16);
    expect(tables.access.byteLength).toBe((SIZES.ports + 1) * 65_536 * 4);
    expect(tables.tunnels.byteLength).toBe(65_536 * 4);
    expect(tables.directories.byteLength).toBe((SIZES.tunnels + 1) * 1024);
    expect(tables.sessions.byteLength).toBe((SIZES.sessionPages + 1) * 1024);
    expect(tables.channels.byteLength).toBe((SIZES.channels + 1) * 64);
    expect(tables.peerSlots.byteLength).toBeGreaterThanOrEqual((SIZES.peers + 1) * 4);
    expect(tables.peers.byteLength).toBe((SIZES.peerSlots + 1) * 192);
    expect(tables.counters.byteLength).toBe((SIZES.channels + 1) * 32 * cpus);
    for (const table of Object.values<ArrayBuffer>({ ...tables }))
      expect(new Uint32Array(table).every((word) => word === 0)).toBe(true);
    program.close();
  });

  it("counts for the processors that are there, not for all that the machine has room for", () => {
    const present = readFileSync("/sys/devices/system/cpu/present", "latin1");
    const program = loadXdp();
    expect(program.cpus).toBe(1 + Math.max(...present.split(/[^0-9]+/).map(Number)));
    program.close();
  });

  it("leaves the tables readable when the program is closed, and can be closed twice", () => {
    const site = new XdpSite(loadXdp());
    site.program.close();
    site.program.close();
    expect(site.counters(1)).toEqual({ frames: 0, octets: 0, control: 0 });
    expect(() => site.program.attach(1, "generic")).toThrow(/closed/);
    expect(() => site.program.testRun(new Uint8Array(64))).toThrow(/closed/);
  });
});

describe.skipIf(withoutXdp !== undefined)("waiting for the program's runs", () => {
  it("ends for everybody who asked, also when the program is closed meanwhile", async () => {
    const program = loadXdp();
    const ended: number[] = [];
    const first = program.synchronize().then(() => ended.push(1));
    const later = [2, 3, 4].map((n) => program.synchronize().then(() => ended.push(n)));
    program.close();
    await Promise.all([first, ...later]);
    expect(ended).toEqual([1, 2, 3, 4]);
  });

  it("lets others share the next wait, not the one that is under way", async () => {
    const program = loadXdp();
    const order: string[] = [];
    const first = program.synchronize().then(() => order.push("first"));
    const second = program.synchronize().then(() => order.push("second"));
    await first;
    expect(order).toEqual(["first"]);
    await second;
    program.close();
  });
});

describe.skipIf(withoutXdp !== undefined)("attaching the XDP program", () => {
  let near: Netns;
  let far: Netns;
  let ifindex: number;
  const jobs: ChildProcess[] = [];

  beforeAll(() => {
    near = Netns.create("xdp");
    far = Netns.create("xdp");
    connect(near, "a0", far, "b0");
    near.configure("a0");
    far.configure("b0");
    ifindex = linkOf("a0").ifindex;
  });

  afterAll(() => {
    for (const job of jobs) job.kill("SIGKILL");
    near?.delete();
    far?.delete();
  });

  interface Shown {
    readonly ifindex: number;
    readonly xdp?: { readonly mode: number; readonly prog: { readonly id: number; readonly name: string } };
  }

  function linkOf(device: string): Shown {
    const [shown] = JSON.parse(near.ip("-json", "-details", "link", "show", device)) as [Shown];
    return shown;
  }

  /** A process in the namespace that attaches the program; it ends with its standard input. */
  async function attach(device: string, mode: string): Promise<{ job: ChildProcess; outcome: Outcome }> {
    const argv = [process.execPath, JOB, ADDON, String(linkOf(device).ifindex), mode];
    const job = near.spawn(argv, { stdio: ["pipe", "pipe", "inherit"] });
    jobs.push(job);
    const [line] = (await once(createInterface(job.stdout!), "line")) as [string];
    return { job, outcome: JSON.parse(line) as Outcome };
  }

  async function end(job: ChildProcess): Promise<void> {
    const exited = once(job, "exit");
    job.kill("SIGKILL");
    await exited;
    await eventually("the program is gone", () => linkOf("a0").xdp === undefined);
  }

  it("uses the driver where it can, and is gone with its process", async () => {
    const { job, outcome } = await attach("a0", "auto");
    expect(outcome).toEqual({ loaded: true, mode: "native" });
    expect(linkOf("a0").xdp).toMatchObject({ mode: 1, prog: { name: "lacewing" } });
    await end(job);
  });

  it("is generic where it must", async () => {
    const { job, outcome } = await attach("lo", "auto");
    expect(outcome).toEqual({ loaded: true, mode: "generic" });
    await end(job);
    expect((await attach("lo", "native")).outcome).toMatchObject({ loaded: false, code: "EOPNOTSUPP" });
  });

  it("is generic where it is told to be", async () => {
    const { job, outcome } = await attach("a0", "generic");
    expect(outcome).toEqual({ loaded: true, mode: "generic" });
    expect(linkOf("a0").xdp).toMatchObject({ mode: 2 });
    await end(job);
  });

  it("names the program that is there already", async () => {
    const { job } = await attach("a0", "native");
    const { id } = linkOf("a0").xdp!.prog;
    for (const mode of ["auto", "native", "generic"]) {
      const { outcome } = await attach("a0", mode);
      expect(outcome.code).toMatch(/^(EBUSY|EEXIST)$/);
      expect(outcome.subject).toBe(`a0 has XDP program ${id} (lacewing)`);
    }
    await end(job);
  });

  it("names a program that somebody else attached", async () => {
    near.ip("link", "set", "dev", "a0", "xdp", "object", OBJECT, "section", "xdp");
    const { outcome } = await attach("a0", "auto");
    near.ip("link", "set", "dev", "a0", "xdp", "off");
    expect(outcome.code).toMatch(/^(EBUSY|EEXIST)$/);
    expect(outcome.subject).toMatch(/^a0 has XDP program \d+ \(\w+\)$/);
  });

  it("says that there is no such interface", async () => {
    const program = loadXdp();
    expect(() => program.attach(2_000_000_000, "auto")).toThrow(/ENODEV.*interface 2000000000/);
    expect(() => program.attach(0, "auto")).toThrow(RangeError);
    expect(() => program.attach(ifindex, "fast" as "auto")).toThrow(TypeError);
    program.close();
  });
});
