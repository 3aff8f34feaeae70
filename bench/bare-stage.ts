import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { BareLacAnswer, BareLacRequest } from "./bare-lac.ts";
import { bareSessions, sessionsText } from "./bare-sessions.ts";
import { LeftOut } from "./benchmark.ts";
import { Child } from "./child.ts";
import { type Load, othersProcessors, runFrames, takeRedirectedFrames } from "./frames-tool.ts";
import { ACCESS_DEVICE, LAC_ADDRESS, LNS_ADDRESSES } from "./namespaces.ts";
import { compiled } from "./root.ts";
import { Site } from "./site.ts";
import type { Alternated, SlicePlan } from "./slices.ts";
import type { TrafficReport } from "./traffic-report.ts";

const START_MS = 60_000;
const PATIENCE_MS = 10_000;

/** Rejects with LeftOut where the engine is not what was asked for. */
export function mustBeReady(answer: BareLacAnswer): void {
  if (answer.kind === "refused") throw new LeftOut(`there is no such engine here: ${answer.reason}`);
  if (answer.kind !== "ready") throw new Error("the data plane does not say that it is ready");
  for (const { name, mode, reason } of answer.interfaces)
    if (mode !== "native") throw new LeftOut(`${name} is forwarded by ${mode ?? "the loop"}: ${reason}`);
}

/** A data plane alone in the LAC's place, whose bridges nobody has called for: what is measured is the engine. */
export class BareStage {
  /** The file of its sessions. */
  readonly sessions: string;
  readonly #site: Site;
  readonly #lac: Child;

  private constructor(site: Site, lac: Child, sessions: string) {
    this.#site = site;
    this.#lac = lac;
    this.sessions = sessions;
  }

  /** Rejects with LeftOut where the engine is another than was asked for. `prepare`: before the engine starts. */
  static open(engine: "loop" | "xdp", sessions: number, prepare = () => {}): Promise<BareStage> {
    return Site.open(async (site) => {
      if (engine === "xdp") takeRedirectedFrames("own");
      prepare();
      const file = join(site.directory, "sessions");
      writeFileSync(file, sessionsText(bareSessions(sessions)));
      const where = [file, ACCESS_DEVICE, LAC_ADDRESS, LNS_ADDRESSES.join(",")];
      const words = [process.execPath, compiled("bench/bare-lac"), engine, ...where];
      const processors = othersProcessors(availableParallelism());
      const lac = site.run(new Child("the data plane", "lac", words, { ipc: true, processors }));
      const ready = await lac.ask<BareLacAnswer>(undefined, START_MS);
      mustBeReady(ready);
      return new BareStage(site, lac, file);
    });
  }

  traffic(load: Load): Promise<TrafficReport> {
    return runFrames("own", this.sessions, load);
  }

  /** Sends `load`, and meanwhile has bridges made and undone by turns with rest: what then went through. */
  async whileChanging(
    plan: SlicePlan,
    load: Load,
  ): Promise<{ readonly report: TrafficReport; readonly alternated: Alternated }> {
    const answer = this.#lac.ask<BareLacAnswer>(plan satisfies BareLacRequest, PATIENCE_MS);
    const [report, alternated] = await Promise.all([this.traffic(load), answer]);
    if (alternated.kind !== "alternated") throw new Error("the data plane does not do what it was told");
    return { report, alternated };
  }

  close(): Promise<void> {
    return this.#site.close();
  }
}
