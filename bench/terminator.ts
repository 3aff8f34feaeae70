import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PASSWORD } from "./dial.ts";
import type { GatewayChild } from "./gateway-child.ts";
import { type Place, TUNNEL_SECRET } from "./namespaces.ts";
import type { Site } from "./site.ts";

/** Everybody's name, where it need not be told apart. */
export const USER = "bench@bench";

interface TerminatorSettings {
  readonly place: Place;
  /** Names that are let in; USER alone when absent. */
  readonly users?: readonly string[];
  /** Access interfaces, as PTA. */
  readonly access?: readonly string[];
  /** As LNS: the address that it is called at, and who calls. */
  readonly l2tp?: { readonly address: string; readonly lac: string };
  /** As taskset(1) lists them, all when absent. */
  readonly processors?: string | undefined;
}

/** Lacewing as who terminates sessions on one shared device. HELLO and echo run as they do by default. */
export function startTerminator(
  site: Site,
  name: string,
  { place, users = [USER], access = [], l2tp, processors }: TerminatorSettings,
): Promise<GatewayChild> {
  const lines = users.map((name) => `- { name: "${name}", password: "${PASSWORD}" }\n`);
  writeFileSync(join(site.directory, "users.yaml"), lines.join(""), { mode: 0o600 });
  const ports = access.length === 0 ? [] : ["access:", ...access.map((device) => `  - interface: ${device}`)];
  if (l2tp !== undefined)
    ports.push(
      "l2tp:",
      `  listen: [{ address: ${l2tp.address} }]`,
      "  peers:",
      `    - { name: lac, address: ${l2tp.lac}, role: lac, secret: ${TUNNEL_SECRET} }`,
    );
  return site.gateway(name, place, `${ports.join("\n")}\n${TERMINATION}`, { processors });
}

const TERMINATION = `name: bench
data-plane: { engine: loop }
realms:
  bench: { terminate: subscribers }
units:
  subscribers: { mode: shared, name: subscribers, address: 100.64.0.1, pool: 100.64.0.0/14 }
users-file: users.yaml
`;
