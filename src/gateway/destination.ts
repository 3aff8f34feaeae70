import type { Config, Destination } from "../config/config.ts";

/** The realm of a user name: what follows the last @, in lower case; undefined when there is none. */
function realmOf(userName: string): string | undefined {
  const at = userName.lastIndexOf("@");
  return at < 0 ? undefined : userName.slice(at + 1).toLowerCase();
}

/** Where subscribers go: what the Service-Name says, or else the realm, or else the default. */
export class Destinations {
  readonly #services: ReadonlyMap<string, Destination>;
  readonly #realms: ReadonlyMap<string, Destination>;
  readonly #default: Destination;

  constructor(config: Pick<Config, "services" | "realms" | "default">) {
    this.#services = config.services;
    this.#realms = new Map([...config.realms].map(([realm, to]) => [realm.toLowerCase(), to]));
    this.#default = config.default;
  }

  choose(userName: string, serviceName: string | undefined): Destination {
    const byService = serviceName === undefined ? undefined : this.#services.get(serviceName);
    if (byService !== undefined) return byService;
    const realm = realmOf(userName);
    return (realm === undefined ? undefined : this.#realms.get(realm)) ?? this.#default;
  }
}
