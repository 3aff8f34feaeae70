import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Config } from "../../src/config/config.ts";
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

export const MAX_CPES = 6;
/** Realms: those of the two LNSes, and the one that a LAC terminates itself. */
export const REALMS = ["a.example", "b.example", "here.example"] as const;

export function lacAddress(number: number): string {
  return `10.0.0.${number + 1}`;
}

export function lnsAddress(number: number): string {
  return `10.0.0.${number + 11}`;
}

export const SWITCH_NAME = "lts0";
export const SWITCH_ADDRESS = "10.0.0.9";

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

export interface Policies {
  readonly helloIntervalMs: number;
  readonly hideAvps: boolean;
  readonly receiveWindow: number;
  readonly proxy: "accept" | "renegotiate";
  readonly authentication: readonly ("chap" | "pap")[];
  readonly replayAuthentication: "never" | "always";
}

/** A configuration with other policies towards subscribers and peers; reading one for each mix takes too long. */
export function withPolicies(config: Config, policies: Policies): Config {
  const { authentication, ...towardsPeers } = policies;
  return {
    ...config,
    access: config.access.map((access) => ({ ...access, authentication })),
    l2tp: {
      ...config.l2tp,
      peers: config.l2tp.peers.map((peer) => ({ ...peer, ...towardsPeers, authentication })),
    },
  };
}

export type UnitMode = "device" | "shared";

function unit(name: string, third: number, mode: UnitMode): string {
  const device = mode === "shared" ? `mode: shared, name: ${name}` : `name: "${name}%d"`;
  return `${name}: { ${device}, address: 100.64.${third}.1, pool: 100.64.${third}.10-100.64.${third}.40 }`;
}

function lnsPeers(lnses: number): readonly string[] {
  return Array.from(
    { length: lnses },
    (_, i) => `    - { name: lns${i}, address: ${lnsAddress(i)}, secret: shared }`,
  );
}

function lacPeers(names: readonly string[]): readonly string[] {
  return names.map((name) => `    - { name: ${name}, role: lac, host-name: ${name}, secret: shared }`);
}

/** A LAC that calls the LNSes, each for a realm, or a switch for both realms, and terminates a third realm itself. */
export function lacYaml(number: number, lnses: number, isSwitched: boolean, mode: UnitMode): string {
  const peers = isSwitched
    ? [`    - { name: ${SWITCH_NAME}, address: ${SWITCH_ADDRESS}, secret: shared }`]
    : lnsPeers(lnses);
  return `
name: lac${number}
access: [{ interface: acc0 }]
l2tp:
  listen: [{ address: ${lacAddress(number)} }]
  peers:
${peers.join("\n")}
realms:
  a.example: { lns: ${isSwitched ? SWITCH_NAME : "lns0"} }
  b.example: { lns: ${isSwitched ? SWITCH_NAME : `lns${lnses - 1}`} }
  here.example: { terminate: here }
units:
  ${unit("here", 2, mode)}
users-file: users.yaml
`;
}

/** A tunnel switch between LACs of these names and the LNSes, each of which has a realm. */
export function switchYaml(lacs: readonly string[], lnses: number): string {
  return `
name: ${SWITCH_NAME}
l2tp:
  listen: [{ address: ${SWITCH_ADDRESS} }]
  peers:
${[...lacPeers(lacs), ...lnsPeers(lnses)].join("\n")}
realms:
  a.example: { lns: lns0 }
  b.example: { lns: lns${lnses - 1} }
`;
}

/** An LNS that is called by LACs of these names. */
export function lnsYaml(number: number, lacs: readonly string[], mode: UnitMode): string {
  return `
name: lns${number}
l2tp:
  listen: [{ address: ${lnsAddress(number)} }]
  peers:
${lacPeers(lacs).join("\n")}
realms:
  a.example: { terminate: subs }
  b.example: { terminate: subs }
units:
  ${unit("subs", 9, mode)}
users-file: users.yaml
`;
}
