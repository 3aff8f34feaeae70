import type { Logger } from "../base/logger.ts";
import type { Dataplane } from "../channel/dataplane.ts";
import { startLoopDataplane } from "./loop/engine.ts";
import { DEFAULT_LOOP_OPTIONS, type LoopOptions, workersOf } from "./loop/options.ts";
import { startXdpDataplane } from "./xdp/start.ts";

/** `auto`: `xdp` where the kernel and our privileges allow it, else `loop`. */
type EngineName = "auto" | "loop" | "xdp";

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
  const loop = await startLoopDataplane({ ...rest, workers: workersOf(workers) }, logger);
  const above =
    engine === "loop" ? loop : startXdpDataplane(loop, { ...DEFAULT_LOOP_OPTIONS, ...rest, logger });
  if (typeof above !== "string") {
    logger.info({ engine: above.engine }, "data plane started");
    return above;
  }
  const why = { engine: loop.engine, wanted: engine, reason: above };
  if (engine === "xdp") logger.error(why, "data plane started on another engine than configured");
  else logger.info(why, "data plane started");
  return loop;
}
