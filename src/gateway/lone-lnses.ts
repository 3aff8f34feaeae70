import type { Config, Destination } from "../config/config.ts";

/** An LNS that somebody's calls go to and to no other, though others may have it in a group, too. */
export interface LoneLns {
  readonly peer: string;
  /** Whose calls: "realm isp.example", "some lines". */
  readonly callers: readonly string[];
}

type Destinations = Pick<Config, "services" | "lines" | "realms" | "default" | "l2tp" | "lnsGroups">;

/** The peers that destinations name themselves, without a group of which another could stand in. */
export function loneLnses(config: Destinations): readonly LoneLns[] {
  const callers = new Map<string, string[]>();
  for (const [caller, to] of destinations(config)) {
    if (to.kind !== "lns" || config.lnsGroups.has(to.lns)) continue;
    callers.set(to.lns, [...(callers.get(to.lns) ?? []), caller]);
  }
  return [...callers].map(([peer, names]) => ({ peer, callers: [...new Set(names)] }));
}

function* destinations({
  services,
  lines,
  realms,
  default: other,
  l2tp,
}: Destinations): Iterable<readonly [caller: string, to: Destination]> {
  for (const [realm, to] of realms) yield [`realm ${realm}`, to];
  for (const [service, to] of services) yield [`service ${service}`, to];
  for (const { to } of lines) yield ["some lines", to];
  for (const { name, destination } of l2tp.peers)
    if (destination !== undefined) yield [`peer ${name}`, destination];
  yield ["whoever is left", other];
}
