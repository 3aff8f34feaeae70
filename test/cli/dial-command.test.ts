import { describe, expect, it } from "vitest";
import { fromUtf8 } from "../../src/base/bytes.ts";
import type { DialOptions } from "../../src/dial/dial-options.ts";
import { ConfigFolder } from "../config/config-folder.ts";
import { FakeProcess } from "./fakes.ts";

/** What `lacewing dial` with these arguments calls dial() with. */
async function dialled(...argv: string[]): Promise<DialOptions | undefined> {
  let seen: DialOptions | undefined;
  const process = new FakeProcess({
    dial: async (options) => {
      seen = options;
      return true;
    },
  });
  expect(await process.run("dial", ...argv)).toBe(0);
  return seen;
}

const ALICE = ["--interface", "sub0", "--user", "alice"];

describe("dial", () => {
  it("needs an interface, a user and a password", async () => {
    const options = await dialled(...ALICE, "--password", "swordfish");
    expect(options).toMatchObject({
      interface: "sub0",
      user: "alice",
      count: 1,
      device: "each",
      serviceName: "",
      json: false,
    });
    expect(fromUtf8(options!.password.octets())).toBe("swordfish");
    expect(Object.keys(options!)).not.toContain("ratePerSecond");
  });

  it("takes everything else", async () => {
    const file = new ConfigFolder().write("password", "from a file\n");
    const options = await dialled(
      ...["--interface", "sub0", "--user", "u%d", "--password-file", file, "--count", "100", "--rate", "2.5"],
      ...["--device", "shared", "--service-name", "isp", "--netns", "home", "--json"],
      ...["--at-once", "64"],
    );
    expect(options).toMatchObject({
      count: 100,
      ratePerSecond: 2.5,
      atOnce: 64,
      device: "shared",
      serviceName: "isp",
      netns: "home",
      json: true,
    });
    expect(fromUtf8(options!.password.octets())).toBe("from a file");
  });

  it.each([
    [ALICE, "one of --password and --password-file is needed"],
    [[...ALICE, "--password", "a", "--password-file", "b"], "cannot be used with option"],
    [[...ALICE, "--password-file", "/none"], "/none cannot be opened"],
    [[...ALICE, "--password", "a", "--count", "2"], "--user needs a %d"],
    [[...ALICE, "--password", "a", "--count", "0"], "Allowed: a whole number from 1 to 65535."],
    [[...ALICE, "--password", "a", "--rate", "0"], "Allowed: a number greater than 0."],
    [[...ALICE, "--password", "a", "--device", "some"], "Allowed choices are each, shared, none"],
    [["--user", "a", "--password", "a"], "required option '--interface <name>' not specified"],
  ])("ends with code 2 when the command line is wrong: %j", async (argv, text) => {
    const process = new FakeProcess();
    expect(await process.run("dial", ...argv)).toBe(2);
    expect(process.err).toContain(text);
  });

  it("ends with code 1 when not every session came up", async () => {
    const process = new FakeProcess({ dial: async () => false });
    expect(await process.run("dial", ...ALICE, "--password", "a")).toBe(1);
  });

  it("is told of Ctrl-C, and a second one ends the process", async () => {
    const process: FakeProcess = new FakeProcess({
      dial: async (_, { signal, write }) => {
        process.signals.emit("SIGINT", "SIGINT");
        write(`${signal.reason}\n`);
        process.signals.emit("SIGINT", "SIGINT");
        return true;
      },
    });
    expect(await process.run("dial", ...ALICE, "--password", "a")).toBe(0);
    expect(process.out).toBe("SIGINT\n");
    expect(process.events).toEqual(["exit 1"]);
  });
});
