/** What a changed configuration means for a gateway that runs with another one. */

import type { Config } from "./config.ts";
import { type Difference, differences } from "./difference.ts";
import { DEVICE_KEYS, type Effect, effectOf } from "./effects.ts";
import { valueText } from "./value-text.ts";

export interface PlannedChange {
  /** "l2tp.peers[lns1].dscp", "units[home]", "users-file[alice]". */
  readonly path: string;
  readonly change: "added" | "changed" | "removed";
  readonly effect: Effect;
  /** The whole of it, for people: "l2tp.peers[lns1].dscp: 0 becomes 46, at once". Secrets are not in it. */
  readonly text: string;
}

/** Where a user is in the users file, as differences() says it, and how many of them are told one by one. */
const USER = "users-file.*";
const USERS_SHOWN = 100;

/** What a process that runs cannot go beyond, whatever the file says. */
export interface RunningLimits {
  /** Forwarding threads. */
  readonly mostWorkers: number;
}

const NO_LIMITS: RunningLimits = { mostWorkers: Number.POSITIVE_INFINITY };

/** Everything that is different; nothing when the files say the same. */
export interface ReloadPlan {
  readonly changes: readonly PlannedChange[];
}

/** What becomes of a gateway that runs with `running` when it is given `next`. */
export function planReload(running: Config, next: Config, limits: RunningLimits = NO_LIMITS): ReloadPlan {
  const all = differences(running, next);
  const users = all.filter(({ place }) => place === USER);
  const others = users.length > USERS_SHOWN ? all.filter(({ place }) => place !== USER) : all;
  const changes = others.map((difference): PlannedChange => {
    const { path, change } = difference;
    if (path === WORKERS && tooManyWorkers(next, limits)) {
      const text = `${path}: ${whatChanges(difference)}, which needs a restart: at the start room was made for ${limits.mostWorkers}`;
      return { path, change, effect: "restart", text };
    }
    const effect = effectIn(difference, running, next);
    return { path, change, effect, text: `${path}: ${whatChanges(difference)}${CONSEQUENCES[effect]}` };
  });
  return { changes: others === all ? changes : [...changes, manyUsers(users)] };
}

/** So many may have changed that nobody would read all their names. */
function manyUsers(users: readonly Difference[]): PlannedChange {
  const [added, changed, removed] = (["added", "changed", "removed"] as const).map(
    (change) => users.filter((user) => user.change === change).length,
  );
  const effect = effectOf(USER);
  const text = `users-file: ${added} users added, ${changed} changed, ${removed} removed${CONSEQUENCES[effect]}`;
  return { path: "users-file", change: "changed", effect, text };
}

const WORKERS = "data-plane.workers";

/** "auto" is what suits, and that is never more than there is room for. */
function tooManyWorkers({ dataPlane: { workers } }: Config, { mostWorkers }: RunningLimits): boolean {
  return workers !== "auto" && workers > mostWorkers;
}

/** What a running gateway goes on with: `next`, but for what only a restart can change. */
export function applicable(running: Config, next: Config, limits: RunningLimits = NO_LIMITS): Config {
  const { engine, maxChannels } = running.dataPlane;
  const { workers } = tooManyWorkers(next, limits) ? running.dataPlane : next.dataPlane;
  return Object.freeze({
    ...next,
    name: running.name,
    control: Object.freeze({ ...next.control, socket: running.control.socket }),
    dataPlane: Object.freeze({ ...next.dataPlane, engine, maxChannels, workers }),
  });
}

const CONSEQUENCES: Readonly<Record<Effect, string>> = {
  live: ", at once",
  "new-sessions": ", for new sessions",
  "ends-sessions": ", which ends the sessions that go through it",
  restart: ", which needs a restart",
};

/** Things that sessions go through: they come at once, and their sessions go with them. */
const CARRIERS: ReadonlySet<string> = new Set(["access[]", "l2tp.listen[]", "l2tp.peers[]", "units.*"]);

function effectIn({ place, path, change }: Difference, running: Config, next: Config): Effect {
  if (CARRIERS.has(place)) return change === "removed" ? "ends-sessions" : "live";
  const isDeviceKey = DEVICE_KEYS.some((key) => place === `units.*.${key}`);
  if (!isDeviceKey) return effectOf(place);
  const group = [...running.units.keys()].find((name) => path.startsWith(`units[${name}].`)) ?? "";
  const isShared = [running, next].some(({ units }) => units.get(group)?.mode === "shared");
  return isShared ? "ends-sessions" : effectOf(place);
}

function whatChanges({ change, name, place, before, after }: Difference): string {
  if (change === "added") return isBlock(after) ? "added" : `set to ${valueText(after, name)}`;
  if (change === "removed") return isBlock(before) ? "removed" : "not set any more";
  // a user's password is not to be seen, and the rest of him is no use without
  if (place === USER) return "changed";
  const [old, now] = [valueText(before, name), valueText(after, name)];
  return old === now || `${old}${now}`.length > 200 ? "changed" : `${old} becomes ${now}`;
}

/** Too much to be shown in a line; a destination is not. */
function isBlock(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !("kind" in value);
}
