import type { Config, Destination } from "../config/config.ts";
import type { VlanRange } from "../config/fields.ts";
import type { Carrier } from "./carrier.ts";

/** What is known of a subscriber's line before he says who he is. */
export type Whereabouts = Pick<Carrier, "serviceName" | "portName" | "vlanIds" | "destination">;

/** Where a subscriber goes, and which key of the configuration says so ("peer": that of the peer that brings him). */
export interface Decision {
  readonly to: Destination;
  readonly by: "service" | "line" | "peer" | "realm" | "default";
}

/** The realm of a user name: what follows the last @, in lower case; undefined when there is none. */
export function realmOf(userName: string): string | undefined {
  const at = userName.lastIndexOf("@");
  return at < 0 ? undefined : userName.slice(at + 1).toLowerCase();
}

/**
 * Where subscribers go: what the Service-Name says, which they ask for; or else their access line or the L2TP peer that
 * brings them, which they cannot choose; or else the realm, which anybody may type; or else the default.
 */
export class Destinations {
  readonly #services: ReadonlyMap<string, Destination>;
  readonly #lines: Config["lines"];
  readonly #realms: ReadonlyMap<string, Destination>;
  readonly #default: Destination;

  constructor(config: Pick<Config, "services" | "lines" | "realms" | "default">) {
    this.#services = config.services;
    this.#lines = config.lines;
    this.#realms = new Map([...config.realms].map(([realm, to]) => [realm.toLowerCase(), to]));
    this.#default = config.default;
  }

  choose(userName: string, from: Whereabouts): Destination {
    return this.decide(userName, from).to;
  }

  decide(userName: string, from: Whereabouts): Decision {
    const byService = from.serviceName === undefined ? undefined : this.#services.get(from.serviceName);
    if (byService !== undefined) return { to: byService, by: "service" };
    const byLine = this.#lines.find((line) => isOn(line, from));
    if (byLine !== undefined) return { to: byLine.to, by: "line" };
    if (from.destination !== undefined) return { to: from.destination, by: "peer" };
    const realm = realmOf(userName);
    const byRealm = realm === undefined ? undefined : this.#realms.get(realm);
    return byRealm === undefined ? { to: this.#default, by: "default" } : { to: byRealm, by: "realm" };
  }
}

function isOn(line: Config["lines"][number], { portName, vlanIds }: Whereabouts): boolean {
  if (portName === undefined) return false;
  if (line.interface !== undefined && line.interface !== portName) return false;
  const outer = vlanIds.length > 1 ? vlanIds[0] : undefined;
  return isAmong(line.vlans, vlanIds.at(-1)) && isAmong(line.outerVlans, outer);
}

function isAmong(ranges: readonly VlanRange[] | undefined, id: number | undefined): boolean {
  if (ranges === undefined) return true;
  return id !== undefined && ranges.some(({ first, last }) => id >= first && id <= last);
}
