/** Another configuration for a gateway that runs: what is different is done, and what need not end goes on. */

import type { Config } from "../config/config.ts";
import { applicable, type PlannedChange, planReload, type RunningLimits } from "../config/reload-plan.ts";
import type { AccessLines } from "./access-lines.ts";
import type { CallDoor } from "./call-door.ts";
import { endCause } from "./cause.ts";
import { Leaving } from "./leaving.ts";
import type { Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Tunnels } from "./tunnels.ts";
import type { UnitGroups } from "./unit-groups.ts";

/** What a reload would do. */
export interface ReloadPreview {
  readonly changes: readonly PlannedChange[];
  /** Sessions that it ends, as things are now. */
  readonly endingSessions: number;
}

/** What a reload has done. */
export interface ReloadReport extends ReloadPreview {
  /** What the system has refused, each with its place in the configuration; the rest has been done. */
  readonly problems: readonly string[];
}

/** The parts of a gateway that a reload deals with. */
export interface Reloadable {
  readonly around: Surroundings;
  readonly lines: AccessLines;
  readonly door: CallDoor;
  readonly groups: UnitGroups;
  readonly tunnels: Tunnels | undefined;
  readonly sessions: () => Iterable<Session>;
  readonly isStopping: () => boolean;
  /** Decides about new sessions as the configuration says now. */
  readonly decideAnew: () => void;
}

/** How long subscribers whose sessions end may take to say that they know, and then their peers. */
const TERMINATE_PATIENCE_MS = 1000;
const STOP_PATIENCE_MS = 1500;
/** Changes that are told in the log one by one: a users file may have thousands. */
const LOGGED = 100;

/** What reload() would do with `next`. */
export function previewReload({ around, tunnels, sessions }: Reloadable, next: Config): ReloadPreview {
  const limits = limitsOf(around);
  const leaving = new Leaving(around.config, applicable(around.config, next, limits), tunnels);
  const { changes } = planReload(around.config, next, limits);
  const ending = [...sessions()].filter((session) => !session.isOver && leaving.takes(session.view()));
  return { changes, endingSessions: ending.length };
}

/**
 * Goes on with `next`. What leaves takes no new sessions at once, and ends those that it has; then what comes is opened;
 * and only then new sessions are decided about by the new configuration, so that what it names is there.
 */
export async function reload(gateway: Reloadable, next: Config): Promise<ReloadReport> {
  const { around, lines, door, groups, tunnels } = gateway;
  const running = around.config;
  const limits = limitsOf(around);
  const { changes } = planReload(running, next, limits);
  const applied = applicable(running, next, limits);
  const leaving = new Leaving(running, applied, tunnels);
  around.config = applied;
  door.reconfigure();
  tunnels?.reconfigure();
  lines.withdraw(leaving.interfaces);
  groups.withdraw(leaving.units);
  const endingSessions = await endWhatLeaves(gateway, leaving);
  const problems: string[] = [];
  const attempt = async (what: string, done: Promise<void> | undefined): Promise<void> => {
    await done?.catch((error: Error) => problems.push(`${what}: ${error.message}`));
  };
  if (!gateway.isStopping()) {
    await attempt("access", lines.reconfigure());
    await attempt("l2tp.listen", tunnels?.settle(STOP_PATIENCE_MS));
    problems.push(...(await groups.reconfigure()));
    const { workers } = applied.dataPlane;
    if (workers !== running.dataPlane.workers)
      await attempt("data-plane.workers", around.dataplane.setWorkers?.(workers));
    // what the host refused may have been put right since
    around.dataplane.reconsider?.();
    const { sizeBytes } = applied.journal;
    if (sizeBytes !== running.journal.sizeBytes) around.journal.resize(sizeBytes);
    gateway.decideAnew();
  }
  tell(around, changes, endingSessions, problems);
  return { changes, endingSessions, problems };
}

/** An engine without threads takes any number of them. */
function limitsOf({ dataplane }: Surroundings): RunningLimits {
  return { mostWorkers: dataplane.mostWorkers ?? Number.POSITIVE_INFINITY };
}

/** Those included that were on their way when it began. */
async function endWhatLeaves({ sessions }: Reloadable, leaving: Leaving): Promise<number> {
  const cause = endCause("operator", "a change of the configuration took away what it went through");
  let count = 0;
  for (;;) {
    const left = [...sessions()].filter((session) => leaving.takes(session.view()));
    if (left.length === 0) return count;
    count += left.filter(({ isOver }) => !isOver).length;
    for (const session of left) session.leave(cause, TERMINATE_PATIENCE_MS);
    await Promise.all(left.map(({ ended }) => ended));
  }
}

function tell(
  { logger }: Surroundings,
  changes: readonly PlannedChange[],
  endedSessions: number,
  problems: readonly string[],
): void {
  for (const { text } of changes.slice(0, LOGGED)) logger.info({ change: text }, "configuration changed");
  for (const problem of problems)
    logger.error({ problem }, "a change of the configuration could not be made");
  logger.info(
    { changes: changes.length, endedSessions, problems: problems.length },
    "configuration reloaded",
  );
}
