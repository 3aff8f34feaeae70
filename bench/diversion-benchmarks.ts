import { execFileSync } from "node:child_process";
import { BareStage } from "./bare-stage.ts";
import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import { built } from "./frames-tool.ts";
import {
  ACCESS_DEVICE,
  addCoreDevice,
  CORE_DEVICE,
  LNS_ADDRESS,
  macOf,
  namespaceOf,
  namespacePath,
  SUBSCRIBER_DEVICE,
} from "./namespaces.ts";
import { runTool } from "./run-tool.ts";

/** Frames a second, one session after the other. */
const RATE = 60_000;
/** How long the old way may still be taken, from when the command that changes it is started. */
const MOST_MS = 100;
const OTHER_MAC = "02:00:00:00:ff:01";
const OTHER_DEVICE = "net1";

/** What bench/xdp/diversion.cc prints. */
interface Diversion {
  readonly sent: number;
  readonly lost: number;
  /** Came out otherwise than before. */
  readonly diverted: number;
  readonly commandMs: number;
  /** From the command's start to when the last frame was sent that did not take the new way. */
  readonly effectMs: number;
}

/** How soon very many sessions follow their LNS to another link-layer address, and to another device. */
export function diversionScene({ diverted }: Extent): Scene<DiversionStage> {
  const name = (what: string): string => `changes/xdp/lac/${what}/${diverted / 1000}k-sessions`;
  return {
    name: "diversion",
    benchmarks: [
      benchmark(name("neighbour"), (stage) => stage.changeNeighbour()),
      benchmark(name("route"), (stage) => stage.changeRoute()),
    ],
    open: () => DiversionStage.open(diverted),
  };
}

function benchmark(
  name: string,
  change: (stage: DiversionStage) => Promise<Diversion>,
): Benchmark<DiversionStage> {
  return {
    figures: [{ name, unit: "ms", better: "lower", floor: MOST_MS }],
    warmUp: async (stage) => void (await change(stage)),
    async run(stage) {
      const { sent, lost, diverted, commandMs, effectMs } = await change(stage);
      if (diverted === 0) throw new Error(`${name}: nothing has changed for any of ${sent} frames`);
      const remark = `${lost} of ${sent} frames lost; ip took ${commandMs.toFixed(1)} ms`;
      return { values: [effectMs], remark };
    },
  };
}

/** An xdp engine whose LNS can be reached by two devices, and has two addresses on the first. */
class DiversionStage {
  readonly #bare: BareStage;
  readonly #devices = [CORE_DEVICE, OTHER_DEVICE].map((name) => ({
    name,
    mac: macOf("lns", name),
    moved: false,
  }));
  #route = 0;

  private constructor(bare: BareStage) {
    this.#bare = bare;
  }

  static async open(sessions: number): Promise<DiversionStage> {
    const bare = await BareStage.open("xdp", sessions, () => {
      addCoreDevice(OTHER_DEVICE);
      // nobody has to be asked: what is measured is how soon an answer has its effect
      for (const device of [CORE_DEVICE, OTHER_DEVICE])
        ip("neighbour", "replace", LNS_ADDRESS, "lladdr", macOf("lns", device), "dev", device);
      execFileSync(built("gro"), [namespacePath("lns"), OTHER_DEVICE]);
    });
    return new DiversionStage(bare);
  }

  /** On the device that the route leads to. */
  changeNeighbour(): Promise<Diversion> {
    const device = this.#devices[this.#route]!;
    device.moved = !device.moved;
    const mac = device.moved ? OTHER_MAC : device.mac;
    return this.#divert(["neighbour", "replace", LNS_ADDRESS, "lladdr", mac, "dev", device.name]);
  }

  changeRoute(): Promise<Diversion> {
    this.#route = 1 - this.#route;
    return this.#divert(["route", "replace", `${LNS_ADDRESS}/32`, "dev", this.#devices[this.#route]!.name]);
  }

  close(): Promise<void> {
    return this.#bare.close();
  }

  #divert(change: readonly string[]): Promise<Diversion> {
    const from = [namespacePath("subscribers"), SUBSCRIBER_DEVICE, macOf("lac", ACCESS_DEVICE)];
    const to = [namespacePath("lns"), `${CORE_DEVICE},${OTHER_DEVICE}`];
    const command = [
      built("diversion"),
      this.#bare.sessions,
      `${RATE}`,
      ...from,
      ...to,
      "--",
      "ip",
      "-n",
      namespaceOf("lac"),
      ...change,
    ];
    return runTool<Diversion>(command);
  }
}

function ip(...words: readonly string[]): void {
  execFileSync("ip", ["-n", namespaceOf("lac"), ...words]);
}
