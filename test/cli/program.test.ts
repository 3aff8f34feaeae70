import { describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../src/base/logger.ts";
import { socketOption } from "../../src/cli/process.ts";
import { readVersion } from "../../src/cli/version.ts";
import { startControlServer } from "../../src/control/server.ts";
import { ConfigFolder } from "../config/config-folder.ts";
import { sampleOperations, sampleTunnels } from "../control/sample-operations.ts";
import { FakeProcess } from "./fakes.ts";

describe("the command line", () => {
  it.each([
    [["fly"], "unknown command 'fly'"],
    [["run"], "required option '-c, --config <file>' not specified"],
    [["show", "nothing"], "Allowed choices are health, sessions, session, tunnels"],
    [["show", "sessions", "--jason"], "(Did you mean --json?)"],
  ])("that is wrong ends with code 2: %j", async (argv, text) => {
    const process = new FakeProcess();
    expect(await process.run(...argv)).toBe(2);
    expect(process.err).toContain(text);
    expect(process.out).toBe("");
  });

  it("has help and a version", async () => {
    const process = new FakeProcess();
    expect(await process.run("--help")).toBe(0);
    expect(process.out).toMatch(/^ {2}run .*^ {2}check .*^ {2}show .*^ {2}dial /ms);
    const other = new FakeProcess();
    expect(await other.run("--version")).toBe(0);
    expect(other.out).toBe("1.2.3\n");
    expect(readVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe("check", () => {
  it("ends with code 0 when nothing is wrong", async () => {
    const process = new FakeProcess();
    const path = new ConfigFolder().write("gw.yaml", "name: gw");
    expect(await process.run("check", "-c", path)).toBe(0);
    expect(process.out).toBe(`${path}: no mistakes\n`);
  });

  it("ends with code 2 and tells what is wrong", async () => {
    const process = new FakeProcess();
    const path = new ConfigFolder().write("gw.yaml", "nmae: gw");
    expect(await process.run("check", "-c", path)).toBe(2);
    expect(process.err).toContain(`${path}:1:1: unknown key "nmae" (did you mean "name"?)`);
  });
});

describe("show", () => {
  async function socket(): Promise<string> {
    const socketPath = `${new ConfigFolder().path}/lacewing.sock`;
    const server = await startControlServer(sampleOperations(), {
      socketPath,
      version: "1",
      logger: silentLogger,
    });
    onTestFinished(() => server.close());
    return socketPath;
  }

  it("prints a table", async () => {
    const process = new FakeProcess();
    expect(await process.run("show", "sessions", "--socket", await socket())).toBe(0);
    expect(process.out).toMatch(/^SESSION +ROLE .*\ns1 +lac +open +alice@isp\.example /);
  });

  it("prints JSON", async () => {
    const process = new FakeProcess();
    expect(await process.run("show", "tunnels", "--json", "--socket", await socket())).toBe(0);
    expect(JSON.parse(process.out)).toEqual(sampleTunnels);
  });

  it("asks the gateway that the environment names, unless --socket names another", async () => {
    const there = await socket();
    const named = new FakeProcess({ env: { LACEWING_SOCKET: there } });
    for (const line of ["show sessions", "reload --plan", "end --user nobody"]) {
      expect(await named.run(...line.split(" ")), named.err).toBe(0);
      expect(named.err).toBe("");
    }
    expect(await named.run("show", "status", "--socket", "/nowhere/a.sock")).toBe(1);
    expect(named.err).toContain("/nowhere/a.sock: nobody listens");
    const elsewhere = new FakeProcess({ env: { LACEWING_SOCKET: "/nowhere/b.sock" } });
    expect(await elsewhere.run("reload")).toBe(1);
    expect(elsewhere.err).toContain("/nowhere/b.sock: nobody listens");
    expect(await elsewhere.run("--socket", there, "reload", "--plan")).toBe(0);
    // empty is as if it were not there
    expect(socketOption({ env: { LACEWING_SOCKET: "" } }).defaultValue).toBe("/run/lacewing/lacewing.sock");
  });

  it("ends with code 1 when no gateway runs", async () => {
    const process = new FakeProcess();
    const path = `${new ConfigFolder().path}/none.sock`;
    expect(await process.run("show", "sessions", "--socket", path)).toBe(1);
    expect(process.err).toContain(`lacewing: ${path}: nobody listens; is the gateway running?`);
  });
});
