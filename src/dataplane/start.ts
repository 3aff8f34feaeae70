import { availableParallelism } from "node:os";
import type { Logger } from "../base/logger.ts";
import type { Dataplane } from "../channel/dataplane.ts";
import { startLoopDataplane } from "./loop/engine.ts";
import type { LoopOptions } from "./loop/options.ts";

/** `auto`: `xdp` where the kernel and our privileges allow it, else `loop`. */
export type EngineName = "auto" | "loop" | "xdp";

export interface DataplaneOptions extends Partial<Omit<LoopOptions, "workers">> {
  readonly engine: EngineName;
  /** `auto`: one less than there are processors, and one at least. */
  readonly workers: number | "auto";
  readonly logger: Logger;
}

/**
 * Starts the engine that was asked for, or `loop` where that cannot be: the log says which one runs, and why it is
 * another. Rejects as startLoopDataplane() does.
 */
export async function startDataplane(options: DataplaneOptions): Promise<Dataplane> {
  const { engine, workers, logger, ...rest } = options;
  return startLoopDataplane({ ...rest, workers: workers === "auto" ? spareProcessors() : workers });
}

/** The control plane has a thread, too. */
function spareProcessors(): number {
  return Math.max(1, availableParallelism() - 1);
}
