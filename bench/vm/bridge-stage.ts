import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BareLacAnswer } from "../bare-lac.ts";
import { bareSessions, sessionsText } from "../bare-sessions.ts";
import { mustBeReady } from "../bare-stage.ts";
import { framesWords, type Load } from "../frames-tool.ts";
import { ACCESS_DEVICE, LAC_ADDRESS, LNS_ADDRESS } from "../namespaces.ts";
import { ROOT } from "../root.ts";
import type { TrafficReport } from "../traffic-report.ts";
import { Machine, SHARE } from "./machine.ts";

/** Who joins PPPoE and L2TP sessions: the kernel by PPPIOCBRIDGECHAN, or one of our engines. */
export type Joiner = "kernel" | "loop" | "xdp";

const SESSIONS = 20;
const TOOLS = "/lacewing/build/bench";
const SETUP_MS = 60_000;
const RUN_MS = 60_000;

/** The kernel's bridges and those of our engines in one VM, each in networks of its own, with the same sessions. */
export class BridgeStage {
  readonly #machine: Machine;

  private constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Rejects with LeftOut where there is no VM. */
  static async open(): Promise<BridgeStage> {
    const machine = await Machine.boot();
    try {
      writeFileSync(join(machine.directory, "sessions"), sessionsText(bareSessions(SESSIONS)));
      copyFileSync(join(ROOT, "bench", "vm", "networks.sh"), join(machine.directory, "networks.sh"));
      await machine.run(["bash", `${SHARE}/networks.sh`, "kernel", "loop", "xdp"], SETUP_MS);
      const where = [`${SHARE}/sessions`, ACCESS_DEVICE, LAC_ADDRESS, LNS_ADDRESS];
      const inside = (joiner: Joiner): string[] => ["ip", "netns", "exec", `${joiner}-lac`];
      const bridge = [...inside("kernel"), `${TOOLS}/kernel-bridge`, ...where];
      await machine.start(bridge, (line) => line === "ready", SETUP_MS);
      for (const engine of ["loop", "xdp"] as const) {
        const lac = [...inside(engine), "node", "/lacewing/dist/bench/bare-lac.js", engine, ...where];
        const said = await machine.start(lac, (line) => line.startsWith("{"), SETUP_MS);
        mustBeReady(JSON.parse(said) as BareLacAnswer);
      }
      return new BridgeStage(machine);
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  async send(joiner: Joiner, load: Load): Promise<TrafficReport> {
    const words = framesWords(
      {
        programs: `${TOOLS}/frames.bpf.o`,
        sessions: `${SHARE}/sessions`,
        netns: (role) => `/run/netns/${joiner}-${role}`,
      },
      load,
    );
    return JSON.parse(await this.#machine.run([`${TOOLS}/frames`, ...words], RUN_MS)) as TrafficReport;
  }

  close(): Promise<void> {
    return this.#machine.close();
  }
}
