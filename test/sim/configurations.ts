import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config, Destination, SessionLimits } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";

const loaded = new Map<string, Config>();

/** A checked configuration of YAML text with a users file beside it; each is read once in the life of the process. */
export function configOf(yaml: string, users: string): Config {
  const key = `${yaml}\n---\n${users}`;
  const known = loaded.get(key);
  if (known !== undefined) return known;
  const directory = mkdtempSync(join(tmpdir(), "lacewing-sim-"));
  try {
    writeFileSync(join(directory, "users.yaml"), users, { mode: 0o600 });
    const path = join(directory, "gateway.yaml");
    writeFileSync(path, yaml, { mode: 0o600 });
    const config = loadConfig(path);
    loaded.set(key, config);
    return config;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const MAX_CPES = 6;
/** Realms: that of the first LNS, that of all of them, and the one that a LAC terminates itself. */
const REALMS = ["a.example", "b.example", "here.example"] as const;

export function userName(cpe: number, realm: string): string {
  return `u${cpe}@${realm}`;
}

export function passwordOf(cpe: number): string {
  return `password ${cpe}`;
}

/** Every CPE has an account in every realm; those of odd numbers have a fixed address. */
export const USERS = Array.from({ length: MAX_CPES }, (_, i) => i + 1)
  .flatMap((cpe) =>
    REALMS.map((realm, r) => {
      const fixed = cpe % 2 === 1 ? `, address: 100.64.${r}.${200 + cpe}` : "";
      return `- { name: ${userName(cpe, realm)}, password: ${passwordOf(cpe)}${fixed} }\n`;
    }),
  )
  .join("");

type AuthenticationMethod = "chap" | "ms-chap-v2" | "pap";

/** Towards subscribers, peers and LNSes; drawn for each gateway. */
export interface Policies {
  readonly access: AuthenticationMethod;
  readonly peers: {
    readonly helloIntervalMs: number;
    readonly hideAvps: boolean;
    readonly receiveWindow: number;
    readonly proxy: "accept" | "renegotiate";
    readonly authentication: readonly AuthenticationMethod[];
    readonly replayAuthentication: "never" | "always";
    readonly sequencing: "never" | "follow" | "required" | "always";
  };
  readonly group: {
    readonly strategy: "weight" | "sessions";
    readonly lockoutMs: number;
    readonly lockoutOnCdn: boolean;
  };
  /** The members' of the group, in turn. */
  readonly preferences: readonly number[];
  readonly weights: readonly number[];
  /** Of everybody's sessions. */
  readonly limits: SessionLimits;
  /** As a switch: calls go to the LNSes whatever their realm is. */
  readonly byPeer: boolean;
}

/** A configuration with other policies; reading one for each mix takes too long. */
export function withPolicies(config: Config, policies: Policies): Config {
  const { limits, preferences, weights } = policies;
  const switches = config.lnsGroups.size > 0 && config.access.length === 0;
  const destination: Destination | undefined =
    switches && policies.byPeer ? { kind: "lns", lns: GROUP, ...limits } : undefined;
  return {
    ...config,
    access: config.access.map((access) => ({ ...access, authentication: [policies.access] })),
    l2tp: {
      ...config.l2tp,
      peers: config.l2tp.peers.map((peer) => ({
        ...peer,
        ...policies.peers,
        ...(peer.role === "lac" && destination !== undefined && { destination }),
      })),
    },
    lnsGroups: new Map(
      [...config.lnsGroups].map(([name, group]) => {
        const members = group.members.map((member, i) => ({
          ...member,
          preference: preferences[i % preferences.length]!,
          weight: weights[i % weights.length]!,
        }));
        return [name, { ...group, ...policies.group, members }];
      }),
    ),
    realms: new Map(
      [...config.realms].map(([realm, to]) => [realm, to.kind === "refuse" ? to : { ...to, ...limits }]),
    ),
  };
}

export type UnitMode = "device" | "shared";

function unit(name: string, third: number, mode: UnitMode): string {
  const device = mode === "shared" ? `mode: shared, name: ${name}` : `name: "${name}%d"`;
  return `${name}: { ${device}, address: 100.64.${third}.1, pool: 100.64.${third}.10-100.64.${third}.40 }`;
}

/** The name of a gateway's group of LNSes. */
const GROUP = "pool";

/** A gateway that another one speaks with. */
export interface Neighbour {
  readonly name: string;
  readonly address: string;
}

function lns({ name, address }: Neighbour): string {
  return `    - { name: ${name}, address: ${address}, secret: shared }`;
}

function lac({ name }: Neighbour): string {
  return `    - { name: ${name}, role: lac, host-name: ${name}, secret: shared }`;
}

function group(lnses: readonly Neighbour[]): string {
  return `lns-groups: { ${GROUP}: { members: [${lnses.map(({ name }) => `{ peer: ${name} }`).join(", ")}] } }`;
}

/** A LAC that calls the first LNS for one realm and any of them for another, and terminates a third realm itself. */
export function lacYaml({ name, address }: Neighbour, lnses: readonly Neighbour[], mode: UnitMode): string {
  return `
name: ${name}
access: [{ interface: acc0 }]
l2tp:
  listen: [{ address: ${address} }]
  peers:
${lnses.map(lns).join("\n")}
${group(lnses)}
realms:
  a.example: { lns: ${lnses[0]!.name} }
  b.example: { lns: ${GROUP} }
  here.example: { terminate: here }
units:
  ${unit("here", 2, mode)}
users-file: users.yaml
`;
}

/** A tunnel switch: what LACs bring goes on to any of the LNSes. */
export function switchYaml(
  { name, address }: Neighbour,
  lacs: readonly Neighbour[],
  lnses: readonly Neighbour[],
): string {
  return `
name: ${name}
l2tp:
  listen: [{ address: ${address} }]
  peers:
${[...lacs.map(lac), ...lnses.map(lns)].join("\n")}
${group(lnses)}
realms:
  a.example: { lns: ${GROUP} }
  b.example: { lns: ${GROUP} }
`;
}

export function lnsYaml({ name, address }: Neighbour, lacs: readonly Neighbour[], mode: UnitMode): string {
  return `
name: ${name}
l2tp:
  listen: [{ address: ${address} }]
  peers:
${lacs.map(lac).join("\n")}
realms:
  a.example: { terminate: subs }
  b.example: { terminate: subs }
units:
  ${unit("subs", 9, mode)}
users-file: users.yaml
`;
}
