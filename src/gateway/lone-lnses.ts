import type { Config } from "../config/config.ts";
import { destinations } from "../config/placed-destinations.ts";
import type { Path } from "../config/yaml-source.ts";

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
  for (const { path, to } of destinations(config)) {
    if (to.kind !== "lns" || config.lnsGroups.has(to.lns)) continue;
    callers.set(to.lns, [...(callers.get(to.lns) ?? []), callerAt(path, config)]);
  }
  return [...callers].map(([peer, names]) => ({ peer, callers: [...new Set(names)] }));
}

function callerAt([block, name, peer]: Path, { l2tp }: Destinations): string {
  switch (block) {
    case "realms":
      return `realm ${String(name)}`;
    case "services":
      return `service ${String(name)}`;
    case "lines":
      return "some lines";
    case "l2tp":
      return `peer ${l2tp.peers[Number(peer)]?.name}`;
    default:
      return "whoever is left";
  }
}
