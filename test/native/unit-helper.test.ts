/** The helper that enters network namespaces for the gateway, before honest and hostile clients. */

import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, lstatSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { addon } from "../../src/io/native.ts";
import { netlinkErrno } from "../../src/wire/rtnetlink.ts";
import { setLinkRequest } from "../../src/wire/rtnetlink-link.ts";
import { eventually } from "../support/eventually.ts";
import { UnitHelper } from "../support/unit-helper.ts";
import { ip, openDescriptors, root } from "./support.ts";

const PROGRAM = fileURLToPath(new URL("../../build/Release/lacewing-units", import.meta.url));
const CLIENT = fileURLToPath(new URL("unit-client.py", import.meta.url));
const CAP_NET_ADMIN = 1n << 12n;
const CAP_SYS_ADMIN = 1n << 21n;
/** As many tuns as one answer can have, of which the helper may have 512 descriptors under way. */
const MOST_TUNS = 128;

type Answer = readonly [error: string | 0 | null, text: string, descriptors: number];

const hex = (tuns: number, name: string): string => Buffer.from([tuns, ...Buffer.from(name)]).toString("hex");
const capabilities = (set: bigint): string => set.toString(16).padStart(16, "0");

describe.skipIf(!root)("the helper for units in other namespaces", () => {
  const space = `lw-units-${process.pid}`;
  const device = `lwu${process.pid}`;
  let scratch: string;
  let helper: UnitHelper;
  let ours: UnitHelper;
  let atFirst: number;

  /** A hostile client, as a user without capabilities. */
  function client<T>(what: string, ...words: readonly (string | number)[]): T {
    return as("nobody", helper.socket, what, ...words);
  }

  function as<T>(user: string, socket: string, what: string, ...words: readonly (string | number)[]): T {
    const identity = [`--reuid=${user}`, `--regid=${user === "nobody" ? "nogroup" : user}`, "--clear-groups"];
    const program = ["python3", join(scratch, "client.py"), socket, what, ...words.map(String)];
    const output = execFileSync("setpriv", [...identity, ...program], {
      encoding: "utf8",
      // Debian's Python, without what the sanitizers' run preloads
      env: { PATH: "/usr/bin:/bin" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return JSON.parse(output) as T;
  }

  beforeAll(async () => {
    // the checkout may be in a place that nobody can read
    scratch = mkdtempSync(join(tmpdir(), "lacewing-client-"));
    execFileSync("chmod", ["0755", scratch]);
    copyFileSync(CLIENT, join(scratch, "client.py"));
    ip("netns", "add", space);
    ip("netns", "add", `${space}-b`);
    [helper, ours] = await Promise.all([UnitHelper.start("nobody"), UnitHelper.start("root", space)]);
    atFirst = helper.descriptors();
  });

  afterEach(async () => {
    // who was answered may be faster than the helper is at closing its own
    await eventually("the helper keeps nothing open", () => helper.descriptors() === atFirst);
  });

  afterAll(async () => {
    await helper?.close();
    await ours?.close();
    ip("netns", "del", space);
    ip("netns", "del", `${space}-b`);
    rmSync(scratch, { recursive: true, force: true });
  });

  it("hands over what a device in a namespace is made of and set up with", async () => {
    const before = openDescriptors();
    const files = await addon.askUnitHelper({ socketPath: ours.socket, netns: space, tuns: 2 });
    expect(files.tuns).toHaveLength(2);
    const { fds, ifindex } = addon.openTun({ name: device, queues: 2, vnetHeader: true, files });
    const up = setLinkRequest(1, { ifindex, mtuBytes: 1400, up: true });
    expect(netlinkErrno(addon.netlinkTransact(files.netlink, up))).toBe(0);
    const [link] = JSON.parse(ip("-n", space, "-j", "-d", "link", "show", device));
    expect(link).toMatchObject({ ifindex, mtu: 1400, linkinfo: { info_data: { multi_queue: true } } });
    expect(link.flags).toContain("UP");
    for (const fd of [...fds, files.netlink]) addon.close(fd);
    expect(ip("-n", space, "link")).not.toContain(device);
    expect(openDescriptors()).toBe(before);
  });

  it("has two capabilities of all that it was started with, and one of them only while it enters", () => {
    expect(helper.status("CapPrm")).toBe(capabilities(CAP_NET_ADMIN | CAP_SYS_ADMIN));
    expect(helper.status("CapEff")).toBe(capabilities(CAP_NET_ADMIN));
    expect(helper.status("CapInh")).toBe(capabilities(0n));
  });

  it("listens where its user's group may connect, and nobody else", () => {
    const group = Number(execFileSync("id", ["-g", "nobody"], { encoding: "utf8" }));
    const { gid, mode } = lstatSync(helper.socket);
    expect({ gid, mode: mode & 0o777 }).toEqual({ gid: group, mode: 0o660 });
    // what it was given for that has been given back
    expect(helper.status("Gid")).toBe("0\t0\t0\t0");
  });

  it("hands over nothing that could be used without CAP_NET_ADMIN", () => {
    expect(client("use", hex(1, space))).toEqual(["EPERM", "EPERM"]);
  });

  it("enters the namespaces that it was told of, and no other", async () => {
    const asked = addon.askUnitHelper({ socketPath: ours.socket, netns: `${space}-b`, tuns: 1 });
    await expect(asked).rejects.toMatchObject({
      code: "EACCES",
      syscall: "unit helper",
      message: expect.stringContaining("is not one of its network namespaces"),
    });
    expect(client<Answer[]>("say", hex(0, `${space}-b`))).toEqual([[0, "", 1]]);
    const missing = addon.askUnitHelper({ socketPath: helper.socket, netns: "lw-none", tuns: 1 });
    await expect(missing).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(client<Answer[]>("say", hex(1, "lw-none"))).toEqual([["ENOENT", "open /run/netns/lw-none", 0]]);
  });

  it("takes names, and no paths", async () => {
    const paths = [`../netns/${space}`, `/run/netns/${space}`, `./${space}`, "..", ".", "", `${space}/`];
    const odd = [`${space}\0`, `${space}\n`, ` ${space}`, "a".repeat(256)];
    const requests = [...paths, ...odd].map((name) => hex(1, name));
    for (const answer of client<Answer[]>("say", ...requests))
      expect(answer).toEqual(["EBADMSG", "that is not a request", 0]);
    const ask = (netns: string) => addon.askUnitHelper({ socketPath: ours.socket, netns, tuns: 1 });
    for (const name of paths) expect(() => ask(name)).toThrow(RangeError);
  });

  it("refuses what is too long, too much, or nothing, and goes on", () => {
    const requests = ["", "01", hex(MOST_TUNS + 1, space), hex(255, space), hex(1, space.repeat(500))];
    const answers = client<Answer[]>("say", ...requests, hex(MOST_TUNS, space));
    expect(answers.slice(0, -1).every(([error]) => error === "EBADMSG")).toBe(true);
    expect(answers.at(-1)).toEqual([0, "", 1 + MOST_TUNS]);
  });

  it("takes no descriptors from anybody", () => {
    expect(client<Answer>("carry", hex(1, space), 250)).toEqual([0, "", 2]);
  });

  it("serves its user alone, and says who else has asked", async () => {
    const asked = addon.askUnitHelper({ socketPath: helper.socket, netns: space, tuns: 1 });
    await expect(asked).rejects.toMatchObject({ code: "ECONNRESET" });
    const said = `refused: process ${process.pid} of user 0`;
    await eventually("the helper says whom it has refused", () => helper.output.includes(said));
    // somebody who is not in the group does not even get that far
    expect(() => as("daemon", helper.socket, "say", hex(1, space))).toThrow(/PermissionError/);
  });

  it("outlives a crowd that connects and says nothing", () => {
    // more do not fit its queue; each of those that have gone costs it nothing
    expect(client<number>("crowd", 1000)).toBeLessThan(100);
    expect(client<Answer[]>("say", hex(1, space))).toEqual([[0, "", 2]]);
  });

  it("hands no more over to who does not take it than it may have open itself", () => {
    const answers = client<Answer[]>("hoard", hex(MOST_TUNS, space), 10);
    const refused = answers.filter(([error]) => error === "ETOOMANYREFS");
    expect(refused.length).toBeGreaterThan(4);
    expect(answers.length - refused.length).toBeGreaterThan(2);
    expect(client<Answer[]>("say", hex(1, space))).toEqual([[0, "", 2]]);
  });

  it("says what it cannot start with", () => {
    const started = (...words: string[]): string => {
      const { status, stderr } = spawnSync(PROGRAM, words, { encoding: "utf8" });
      expect(status).toBe(1);
      return stderr;
    };
    expect(started()).toContain("usage: lacewing-units --user USER");
    expect(started("--user", "lw-nobody-has-this-name")).toContain(
      "there is no user lw-nobody-has-this-name",
    );
    expect(started("--user", "root")).toContain("systemd has passed no socket");
    expect(started("--user", "root", "a/b")).toContain('"a/b" is not the name of a network namespace');
    expect(started("--user", "root", "--socket", `/tmp/${"a".repeat(120)}`)).toContain("ENAMETOOLONG");
  });
});
