import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";

const DEFAULT = readFileSync(new URL("../../deploy/debian/lacewing.yaml", import.meta.url), "utf8");
/** What is an example and not a sentence: a key, or an item of a list, at any depth. */
const EXAMPLE = /^# ( *(?:- )?[a-z][a-z0-9.-]*:(?: .*)?)$/;

describe("the package's default configuration", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lacewing-default-"));
    writeFileSync(join(folder, "lns1.secret"), "a secret\n", { mode: 0o600 });
    writeFileSync(join(folder, "users.yaml"), "- { name: anna, password: a password }\n", { mode: 0o600 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const load = (text: string) => {
    writeFileSync(join(folder, "lacewing.yaml"), text, { mode: 0o600 });
    return loadConfig(join(folder, "lacewing.yaml"));
  };

  it("serves nobody as it is", () => {
    expect(load(DEFAULT)).toMatchObject({ access: [], l2tp: { peers: [] } });
  });

  it("is right with everything that is commented out in it", () => {
    const lines = DEFAULT.split("\n").map((line) => EXAMPLE.exec(line)?.[1] ?? line);
    const config = load(lines.join("\n"));
    expect(config.access.map(({ interface: name }) => name)).toEqual(["eth1"]);
    expect(config.l2tp.peers.map(({ name }) => name)).toEqual(["lns1"]);
    expect(config.default).toMatchObject({ kind: "terminate", unit: "subscribers" });
    expect(config.users).toHaveLength(1);
  });
});
