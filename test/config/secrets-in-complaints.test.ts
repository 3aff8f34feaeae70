/** What is wrong with a file is told without what may be a secret in it, wherever that was put by mistake. */

import { describe, expect, it } from "vitest";
import { loadConfigFile } from "../../src/config/load.ts";
import { checkWarnings, formatWarnings } from "../../src/config/warnings.ts";
import { ConfigFolder } from "./config-folder.ts";

const SECRET = "swordfish-77";

/** Ways to write a secret wrongly: in the place of a value, in a flow mapping. */
const VALUES: readonly string[] = [
  `[${SECRET}]`,
  `{ ${SECRET}: 1 }`,
  `{ a: ${SECRET} }`,
  `{ ${SECRET}: 1, ${SECRET}: 2 }`,
  `"${SECRET}`,
  `'${SECRET}' ${SECRET}`,
  `"\\q${SECRET}"`,
  `${SECRET}: x`,
  `*${SECRET}`,
  `&${SECRET} x`,
  `!${SECRET} x`,
  `!!int ${SECRET}`,
  `@${SECRET}`,
  `\`${SECRET}`,
  `%${SECRET}`,
  `${SECRET.repeat(30)}`,
  `[ ${SECRET}, ${SECRET} ]`,
  `{ ? [${SECRET}] : x }`,
  `"${SECRET}", "${SECRET}"`,
  `, ${SECRET}`,
  `"", ${SECRET}: `,
  `\t${SECRET}\n${SECRET}`,
];
/** ...and with a key that is not what it should be. */
const KEYS = (key: string): readonly string[] => [
  `${key} ${SECRET}`,
  `${key}=${SECRET}`,
  `${key}:${SECRET}`,
  `${key}x: ${SECRET}`,
  `my-${key}: ${SECRET}`,
  SECRET,
  `${SECRET}: ${key}`,
  `${key}: x, ${key}: ${SECRET}`,
  `${key}: ${SECRET}, ${SECRET}: x`,
  `${SECRET}, ${SECRET}`,
];

function entries(key: string): readonly string[] {
  return [...VALUES.map((value) => `${key}: ${value}`), ...KEYS(key)];
}

const peer = (entry: string): string =>
  `name: gw\nl2tp:\n  listen: [{ address: 10.0.0.1 }]\n  peers:\n    - { name: lac1, role: lac, ${entry} }\n`;
const inBlock = (entry: string): string =>
  `name: gw\nl2tp:\n  listen: [{ address: 10.0.0.1 }]\n  peers:\n    - name: lac1\n      role: lac\n      ${entry}\n`;

/** Complaints or, of what is right by chance, warnings. */
function saidOf(folder: ConfigFolder, yaml: string): string {
  const complaints = folder.complaints(yaml);
  if (complaints.length > 0) return complaints.join("\n");
  const loaded = loadConfigFile(folder.write("lacewing.yaml", yaml));
  return `right\n${JSON.stringify(loaded.config)}\n${formatWarnings(checkWarnings(loaded))}`;
}

describe("a wrong file", () => {
  it.each(entries("secret"))("is complained about without the secret of a peer: %j", (entry) => {
    const folder = new ConfigFolder();
    for (const yaml of [peer(entry), inBlock(entry)]) {
      const said = saidOf(folder, yaml);
      expect(said).not.toBe("");
      expect(said).not.toContain(SECRET);
    }
  });

  it.each(entries("password"))("is complained about without a user's password: %j", (entry) => {
    const folder = new ConfigFolder();
    for (const users of [
      `- { name: alice, ${entry} }\n`,
      `- name: alice\n  ${entry}\n`,
      `- ${entry}\n`,
      `alice: { ${entry} }\n`,
    ]) {
      folder.write("users.yaml", users);
      const said = saidOf(folder, "name: gw\nusers-file: users.yaml\n");
      expect(said).not.toBe("");
      expect(said).not.toContain(SECRET);
    }
  });

  it("still names the key that was meant, and all that are allowed", () => {
    expect(new ConfigFolder().complaints(peer("secrt: x"))).toEqual([
      expect.stringMatching(/unknown key "secrt" \(did you mean "secret"\?\); allowed: name, address,/),
    ]);
    expect(new ConfigFolder().complaints(peer("passwort: x"))).toEqual([
      expect.stringMatching(/^lacewing\.yaml:5:\d+: l2tp\.peers\[0\]: unknown key; allowed: name, address,/),
    ]);
  });
});
