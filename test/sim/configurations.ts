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
  readonly helloSeconds: number;
  readonly hideAvps: boolean;
  readonly receiveWindow: number;
  readonly proxy: "accept" | "renegotiate";
  readonly authentication: "chap" | "pap";
  readonly replay: "never" | "always";
  readonly units: "device" | "shared";
}

function peerOptions({ helloSeconds, hideAvps, receiveWindow, authentication }: Policies): string {
  return `secret: shared, hello-interval: ${helloSeconds}s, hide-avps: ${hideAvps}, receive-window: ${receiveWindow}, authentication: [${authentication}]`;
}

function unit(name: string, third: number, { units }: Policies): string {
  const device = units === "shared" ? `mode: shared, name: ${name}` : `name: "${name}%d"`;
  return `${name}: { ${device}, address: 100.64.${third}.1, pool: 100.64.${third}.10-100.64.${third}.40 }`;
}

/** A LAC that calls both LNSes, each for a realm, and terminates a third realm itself. */
export function lacYaml(number: number, lnses: number, policies: Policies): string {
  const peers = Array.from(
    { length: lnses },
    (_, i) =>
      `    - { name: lns${i}, address: ${lnsAddress(i)}, ${peerOptions(policies)}, replay-authentication: ${policies.replay} }`,
  );
  return `
name: lac${number}
access: [{ interface: acc0, authentication: [${policies.authentication}] }]
l2tp:
  listen: [{ address: ${lacAddress(number)} }]
  peers:
${peers.join("\n")}
realms:
  a.example: { lns: lns0 }
  b.example: { lns: lns${lnses - 1} }
  here.example: { terminate: here }
units:
  ${unit("here", 2, policies)}
users-file: users.yaml
`;
}

export function lnsYaml(number: number, lacs: number, policies: Policies): string {
  const peers = Array.from(
    { length: lacs },
    (_, i) =>
      `    - { name: lac${i}, role: lac, host-name: lac${i}, ${peerOptions(policies)}, proxy: ${policies.proxy} }`,
  );
  return `
name: lns${number}
l2tp:
  listen: [{ address: ${lnsAddress(number)} }]
  peers:
${peers.join("\n")}
realms:
  a.example: { terminate: subs }
  b.example: { terminate: subs }
units:
  ${unit("subs", 0, policies).replace("100.64.0.10-", "100.64.9.10-").replace("100.64.0.40", "100.64.9.40")}
users-file: users.yaml
`;
}
