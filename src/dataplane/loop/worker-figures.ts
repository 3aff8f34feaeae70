import type { WorkerFigures } from "../../channel/dataplane.ts";
import type { Crew } from "./crew.ts";
import type { PuntDelivery } from "./punt-delivery.ts";
import type { Readings } from "./readings.ts";

/** Where each of the figures is kept; none of them goes when a thread does. */
interface Sources {
  readonly crew: Pick<Crew, "roll">;
  readonly readings: Pick<Readings, "framesReceived" | "dropsOf">;
  readonly punts: Pick<PuntDelivery, "taken">;
}

/** All threads that there ever were, and the control plane's. */
export function loopFigures({ crew, readings, punts }: Sources, open: boolean): readonly WorkerFigures[] {
  const threads = crew.roll().map((each, worker) => ({
    engine: "loop",
    worker,
    ...each,
    frames: readings.framesReceived(worker),
    punts: punts.taken(worker),
    drops: readings.dropsOf(worker),
  }));
  const drops = readings.dropsOf("control");
  return [
    ...threads,
    { engine: "loop", worker: "control", running: open, deaths: 0, frames: 0, punts: 0, drops },
  ];
}
