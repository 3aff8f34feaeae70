import { describe, expect, it } from "vitest";
import { macOf } from "../../src/cli/arguments.ts";
import { inOrder } from "../../src/cli/words.ts";
import { OperationError } from "../../src/gateway/operation-error.ts";
import { sampleOperations } from "../control/sample-operations.ts";
import { serve } from "../control/serve.ts";
import { FakeProcess } from "./fakes.ts";

describe("the words of the command line", () => {
  it.each([
    ["", "show"],
    ["--json", "show --json"],
    ["--socket X", "show --socket X"],
    ["--socket=X --json", "show --socket=X --json"],
    ["--watch 5", "show --watch 5"],
    ["--socket X show lns --json", "show lns --json --socket X"],
    ["--socket=X test tunnel --lns a", "test tunnel --lns a --socket=X"],
    ["why alice --socket X", "why alice --socket X"],
    ["--help", "--help"],
    ["-V", "-V"],
    ["--socket", "show --socket"],
  ])("%j are read as %j", (typed, read) => {
    expect(inOrder(typed.split(" ").filter((word) => word !== "")).join(" ")).toBe(read);
  });

  it.each([
    ["lockout", "lockout needs another word: clear, as in: lacewing lockout clear"],
    ["lockout --socket X", "lockout needs another word: clear, as in: lacewing lockout clear"],
    ["--socket X lockout", "lockout needs another word: clear, as in: lacewing lockout clear"],
    ["test --socket=X", "test needs another word: tunnel, as in: lacewing test tunnel"],
    ["config --socket X", "config needs another word: show, as in: lacewing config show"],
    ["completion --socket X", "missing required argument 'shell'"],
    ["drain --socket X", "missing required argument 'on|off'"],
    ["test tunel --socket X", "unknown command 'tunel'"],
    ["completion bash --socket X", "unknown option '--socket'"],
  ])("that are missing are spoken of, and not the socket: %s", async (typed, text) => {
    const process = new FakeProcess();
    expect(await process.run(...typed.split(" "))).toBe(2);
    expect(process.err).toMatch(new RegExp(`^error: ${text.replace("|", ".")}\n`));
  });

  it("may have the socket between the two of a command", async () => {
    const socket = await serve();
    const process = new FakeProcess();
    expect(await process.run("lockout", "--socket", socket, "clear", "lns2")).toBe(0);
    expect(process.out).toBe("lns2: calls go there again\n");
  });

  it("may be none, or the socket alone: it tells how the gateway is", async () => {
    const socket = await serve();
    const process = new FakeProcess();
    expect(await process.run("--socket", socket)).toBe(0);
    expect(process.out).toMatch(/^lac1 {2}engine xdp/);
    const why = new FakeProcess();
    expect(await why.run("--socket", socket, "why", "s1")).toBe(0);
    expect(why.out).toMatch(/^The LNS refused the call/);
  });
});

describe("what is typed for something", () => {
  it.each([
    ["02:00:5E:10:00:01", "02:00:5e:10:00:01"],
    ["02-00-5e-10-00-01", "02:00:5e:10:00:01"],
    ["0200.5e10.0001", "02:00:5e:10:00:01"],
    ["02005e100001", undefined],
    ["02:00-5e:10:00:01", undefined],
    ["02:00:5e:10:00", undefined],
    ["alice", undefined],
  ])("MAC address %s", (text, mac) => {
    expect(macOf(text)).toBe(mac);
  });

  it.each([
    ["show tunnel abc", 'there is no tunnel "abc". A tunnel is a number from 1 to 65535, as in 4711;'],
    ["show session 12", 'there is no session "12". A session is s and its number, as in s12;'],
    ["why s99999999999999999999", "there is no session s99999999999999999999. A session is s and its number"],
    ["end 12", "A session is s and its number, as in s12; `lacewing show sessions` lists them."],
    ["end --tunnel lns1", "A tunnel is a number from 1 to 65535, as in 4711"],
    ["end --tunnel 99999", "A tunnel is a number from 1 to 65535, as in 4711"],
    ["show sessions --mac 02:00", "six pairs of hexadecimal digits, as in 02:00:5e:10:00:01"],
    ["show sessions --since yesterday", "How long ago, as in 90s, 15m, 2h or 1d, or a time"],
    ["show sessions --limit 0", "a whole number from 1, as in 500"],
    ["show sessions --state great", "Allowed choices are authenticating, calling, network, open"],
    [
      "show tunnels --state open",
      "tunnels are not open; they are wait-ctl-reply, wait-ctl-conn, established",
    ],
    ["show --watch no", "Seconds between two looks are from 0.1 to 86400, as in 5."],
    ["drain", "(lacewing drain --help shows what there is)"],
    ["test tunel", "(lacewing test --help shows what there is)"],
  ])("%s: wrong usage, with what is wanted, before any gateway is asked", async (line, text) => {
    const process = new FakeProcess();
    expect(await process.run(...line.split(" "))).toBe(2);
    expect(process.err).toContain(text);
    expect(process.out).toBe("");
  });
});

describe("what the gateway refuses", () => {
  async function refused(line: string, version = "1.2.3"): Promise<readonly [number, string]> {
    const process = new FakeProcess({ version });
    const code = await process.run(...line.split(" "), "--socket", await serve());
    return [code, process.err];
  }

  it("is wrong usage where it does not understand, and a failure where there is nothing of that name", async () => {
    expect(await refused(`why ${"x".repeat(300)}`)).toEqual([
      2,
      expect.stringMatching(/^lacewing: user: "x{59}… is not what is wanted here: 1 to 256 characters\n$/),
    ]);
    expect(await refused("show session s9")).toEqual([1, "lacewing: there is no session s9\n"]);
  });

  it("is said to be of another version where it is", async () => {
    const [code, err] = await refused("show session s9", "1.3.0");
    expect(code).toBe(1);
    expect(err).toContain(
      "lacewing: the gateway is version 1.2.3, this command 1.3.0: use the command that came with it, or restart it",
    );
  });

  it("does nothing to the terminal, whomever it quotes", async () => {
    const refuse = () => Promise.reject(new OperationError("no-such", "nobody is \u009b2J\u202e\nhere"));
    const process = new FakeProcess();
    const socket = await serve(sampleOperations({ why: refuse }));
    expect(await process.run("why", "alice", "--socket", socket)).toBe(1);
    expect(process.err).toBe("lacewing: nobody is \uFFFD2J\uFFFD\nhere\n");
  });
});
