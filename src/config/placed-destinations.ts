import type { Config, Destination } from "./config.ts";
import type { Path } from "./yaml-source.ts";

/** A destination, and where in the file it is. */
export interface PlacedDestination {
  readonly path: Path;
  readonly to: Destination;
}

/** Whatever subscribers and calls may be sent to. */
export function destinations({
  realms,
  services,
  lines,
  l2tp,
  default: rest,
}: Pick<Config, "realms" | "services" | "lines" | "l2tp" | "default">): readonly PlacedDestination[] {
  return [
    ...[...realms].map(([name, to]) => ({ path: ["realms", name], to })),
    ...[...services].map(([name, to]) => ({ path: ["services", name], to })),
    ...lines.map(({ to }, i) => ({ path: ["lines", i, "to"], to })),
    ...l2tp.peers.flatMap(({ destination: to }, i) =>
      to === undefined ? [] : [{ path: ["l2tp", "peers", i, "destination"], to }],
    ),
    { path: ["default"], to: rest },
  ];
}
