import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  ACCESS_DEVICE,
  CORE_DEVICE,
  type Network,
  namespacePath,
  type Outside,
  OVER_IPV4,
  placeIn,
  SUBSCRIBER_DEVICE,
} from "./namespaces.ts";
import { AHEAD_OF_OTHERS } from "./priority.ts";
import { ROOT } from "./root.ts";
import { runTool } from "./run-tool.ts";
import type { TrafficReport } from "./traffic-report.ts";

const SOURCES = join(ROOT, "bench", "xdp");
const BUILT = join(ROOT, "build", "bench");
/** Compiler and flags. */
export const COMPILER = ["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror"] as const;
/** Debian keeps the kernel's headers of one architecture beside those of the others. */
export const BPF_COMPILER: readonly string[] = [
  ...["clang", "-target", "bpf", "-O2", "-g", "-Wall", "-Werror"],
  `-I/usr/include/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`,
];

/** Of the addon: what the loop's datagrams are grouped by, and what its frames leave by. */
const OF_ADDON = ["grouping", "xsk-socket", "errors"].map((name) => `../../native/${name}`);

/** Programs by what they are made of. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  frames: ["main", "run", "waiting", "templates", "netns", "options", "sessions"],
  diversion: ["diversion", "netns", "sessions"],
  gro: ["gro-main", "netns"],
  redirect: ["redirect"],
  "kernel-bridge": ["kernel-bridge", "sessions"],
  "loop-io": ["loop-io-main", "loop-io", "loop-io-frames", "netns", "sessions", ...OF_ADDON],
};
const BPF_OBJECTS = ["frames", "redirect"] as const;

/** What was built; a BPF object is "frames.bpf.o". */
export function built(name: string): string {
  return join(BUILT, name);
}

/** Compiles bench/xdp/ when its sources are newer than what was compiled. Needs clang and libbpf. */
export function buildFramesTool(): void {
  const sources = [...readdirSync(SOURCES), ...OF_ADDON.flatMap((part) => [`${part}.cc`, `${part}.h`])];
  const newest = Math.max(...sources.map((name) => statSync(join(SOURCES, name)).mtimeMs));
  mkdirSync(BUILT, { recursive: true });
  for (const name of BPF_OBJECTS)
    make(`${name}.bpf.o`, newest, [...BPF_COMPILER, "-c", join(SOURCES, `${name}.bpf.c`)]);
  for (const [name, parts] of Object.entries(PROGRAMS)) {
    const sources = parts.map((part) => join(SOURCES, `${part}.cc`));
    make(name, newest, [...COMPILER, ...sources, "-lbpf"]);
  }
}

function make(name: string, newest: number, [compiler, ...words]: readonly string[]): void {
  const target = built(name);
  if (existsSync(target) && statSync(target).mtimeMs > newest) return;
  const unfinished = `${target}.${process.pid}`;
  try {
    execFileSync(compiler!, [...words, "-o", unfinished], { stdio: ["ignore", "inherit", "inherit"] });
  } catch (error) {
    const packages = "g++, clang and libbpf-dev (Debian packages)";
    throw new Error(`bench/xdp/ cannot be built, which needs ${packages}: ${(error as Error).message}`);
  }
  renameSync(unfinished, target);
}

/**
 * Lets the far ends of the LAC's devices take redirected frames before a gateway looks: it would choose generic mode for
 * all of them. The sinks come later.
 */
export function takeRedirectedFrames(network: Network): void {
  const ends = [
    ["subscribers", SUBSCRIBER_DEVICE],
    ["lns", CORE_DEVICE],
  ] as const;
  const words = ends.flatMap(([role, device]) => [namespacePath(placeIn(network, role)), device]);
  execFileSync(built("gro"), words, { stdio: ["ignore", "inherit", "inherit"] });
}

/** One run: `direction`, sizes and either a rate in each direction or a window. */
export interface Load {
  readonly direction: "up" | "down" | "both";
  /** Octets of the IP packets: "64", or several with their shares of twelve: "64:7,594:4,1492:1". */
  readonly sizes: string;
  readonly milliseconds: number;
  readonly framesPerSecond?: number;
  readonly window?: number;
  /** Nobody else gets the processors of who is measured and of the generator while they want them. */
  readonly freeCore?: boolean;
  /** Nobody else gets the generator's processor while it wants it. */
  readonly freeGenerator?: boolean;
  /**
   * Who is measured; a LAC when absent. An LNS has a far host on the access side, which sends "up" without PPP; a PTA has it in the
   * LNSes' place. Through a wire frames come out as they went in.
   */
  readonly role?: "lns" | "pta" | "wire";
}

/** The devices of a run, in the LAC's namespace and at its ends, and its addresses. */
export interface Cabling {
  readonly subscribers: string;
  readonly access: string;
  readonly core: string;
  /** The LNSes', or a far host's. */
  readonly far: { readonly role: "subscribers" | "lns"; readonly device: string };
  /** IPv4 when absent. */
  readonly outside?: Outside;
}

export const USUAL_CABLING: Cabling = {
  subscribers: SUBSCRIBER_DEVICE,
  access: ACCESS_DEVICE,
  core: CORE_DEVICE,
  far: { role: "lns", device: CORE_DEVICE },
};

/** The processor that the generator has to itself, and those that are left for what is measured. */
const GENERATORS_PROCESSOR = "0";
export function othersProcessors(processors: number): string | undefined {
  return processors > 1 ? `1-${processors - 1}` : undefined;
}

/** Where bench/xdp/'s programs and the sessions are, and the namespaces of a network. */
interface FramesPlaces {
  readonly programs: string;
  readonly sessions: string;
  readonly netns: (role: "subscribers" | "lac" | "lns") => string;
}

/** The words of a command line for one run. */
export function framesWords(
  { programs, sessions, netns }: FramesPlaces,
  load: Load,
  { subscribers, access, core, far, outside = OVER_IPV4 } = USUAL_CABLING,
): readonly string[] {
  const options: Record<string, string> = {
    programs,
    sessions,
    "subscriber-netns": netns("subscribers"),
    "subscriber-device": subscribers,
    "lac-netns": netns("lac"),
    "access-device": access,
    "core-device": core,
    "lns-netns": netns(far.role),
    "lns-device": far.device,
    "lac-address": outside.lac,
    peers: outside.lnses.join(","),
    processor: GENERATORS_PROCESSOR,
    direction: load.direction,
    sizes: load.sizes,
    milliseconds: `${load.milliseconds}`,
    ...(load.framesPerSecond !== undefined && { rate: `${load.framesPerSecond}` }),
    ...(load.window !== undefined && { window: `${load.window}` }),
    ...(load.role !== undefined && { role: load.role }),
  };
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
}

/** One run through a network, over the sessions in the file. Rejects with what the tool complains about. */
export function runFrames(
  network: Network,
  sessions: string,
  load: Load,
  cabling?: Cabling,
): Promise<TrafficReport> {
  const netns: FramesPlaces["netns"] = (role) => namespacePath(placeIn(network, role));
  const places = { programs: built("frames.bpf.o"), sessions, netns };
  const before = load.freeCore === true || load.freeGenerator === true ? AHEAD_OF_OTHERS : [];
  return runTool([...before, built("frames"), ...framesWords(places, load, cabling)]);
}
