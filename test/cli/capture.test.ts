import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { sampleOperations } from "../control/sample-operations.ts";
import { serve } from "../control/serve.ts";
import { readPcapng } from "../support/pcapng.ts";
import { FakeProcess } from "./fakes.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "lacewing-capture-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A capture of a gateway that ends nothing by itself. */
async function start(...words: string[]) {
  const operations = sampleOperations();
  const command = new FakeProcess();
  const code = command.run("capture", ...words, "--socket", await serve(operations));
  const captured = (): boolean => operations.orders.some((order) => (order as string[])[0] === "capture");
  return { operations, command, code, captured };
}

describe("capture", () => {
  it("writes a file for its owner alone, until Ctrl-C, and says how much there was", async () => {
    const path = join(folder(), "a.pcapng");
    const { operations, command, code } = await start("1", "-w", path);
    await expect.poll(() => command.err).toContain("capturing session s1");
    await expect.poll(() => statSync(path).size).toBeGreaterThan(100);
    command.signals.emit("SIGINT", "SIGINT");
    expect(await code).toBe(0);
    expect(command.err).toBe(
      `capturing session s1 to ${path}, at most 67.1MB or 10m00s; Ctrl-C ends it. There may be passwords in it.\n` +
        `1 frame, 64B to ${path}, 3 frames more not kept: ended by SIGINT\n`,
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readPcapng(readFileSync(path))).toMatchObject({
      packets: [{ lengthBytes: 1500 }],
      statistics: [{ dropped: 3, comment: "ended by SIGINT" }],
    });
    expect(operations.orders).toContainEqual(["endCapture", "c1", "ended by SIGINT"]);
    expect(command.signals.listenerCount("SIGINT")).toBe(0);
  });

  it("asks for what is wanted, and says who asks", async () => {
    const words = ["--tunnel", "--limit", "100", "--limit", "1.5MB", "--duration", "2m", "--rate", "64KiB"];
    const path = join(folder(), "a.pcapng");
    const { operations, command, code } = await start("s1", ...words, "--snap", "96", "--write", path);
    await expect.poll(() => command.err).toContain("at most 100 frames or 1.50MB or 2m00s");
    operations.endCapture("c1", "the session has ended");
    expect(await code).toBe(0);
    expect(command.err).toContain(": the session has ended\n");
    const request = { session: "s1", legs: "tunnel", frames: 100, octets: 1.5e6, seconds: 120, rate: 65_536 };
    expect(operations.orders[0]).toEqual([
      "capture",
      { ...request, snap: 96 },
      expect.stringMatching(/^the local socket, lacewing\/1\.2\.3 \(\w+, process \d+\)$/),
    ]);
  });

  it("goes to standard output as it comes, and ends when nobody reads it any more", async () => {
    const { operations, command, code } = await start("s1", "-w", "-");
    const first = await new Promise<Buffer>((resolve) => command.octets.once("data", resolve));
    expect(first.readUInt32LE(0)).toBe(0x0a0d0d0a);
    expect(command.out).toBe("");
    command.octets.emit("error", Object.assign(new Error("broken pipe"), { code: "EPIPE" }));
    expect(await code).toBe(0);
    expect(command.err).toContain("to standard output: its reader has gone\n");
    await expect.poll(() => operations.orders.at(-1)).toEqual(["captureEnded", "its reader has gone"]);
  });

  it("does not write to a terminal", async () => {
    const { stdout } = new FakeProcess().context;
    const command = new FakeProcess({ stdout: { ...stdout, isTTY: true } });
    expect(await command.run("capture", "s1", "-w", "-")).toBe(2);
    expect(command.err).toContain("not for a terminal");
  });

  it("leaves alone what is there, links included, and goes on capturing nothing", async () => {
    const there = folder();
    writeFileSync(join(there, "kept"), "mine");
    symlinkSync(join(there, "nowhere"), join(there, "link"));
    for (const name of ["kept", "link"]) {
      const { operations, command, code } = await start("s1", "-w", join(there, name));
      expect(await code).toBe(2);
      expect(command.err).toContain("is there already");
      await expect.poll(() => operations.orders.at(-1)).toEqual(["captureEnded", "its reader has gone"]);
    }
    expect(readFileSync(join(there, "kept"), "utf8")).toBe("mine");
  });

  it("makes no file of what the gateway refuses", async () => {
    const path = join(folder(), "a.pcapng");
    const { command, code } = await start("s9", "-w", path);
    expect(await code).toBe(1);
    expect(command.err).toBe("lacewing: there is no session s9 (it may have ended)\n");
    expect(() => statSync(path)).toThrow("ENOENT");
  });

  it.each([
    ["s1", "required option"],
    ["-w x", "a session (s12) or --interface"],
    ["s1 --interface acc0 -w x", "a session (s12) or --interface"],
    ["alice -w x", "A session is s and its number"],
    ["s1 --access --both -w x", "one of --access, --tunnel, --both"],
    ["--interface acc0 --tunnel -w x", "an interface has no legs"],
    ["s1 --filter icmp -w x", "--filter goes with --interface"],
    ["s1 --limit 0 -w x", "frames (1000) or octets (10MB, 64KiB), from 1 to"],
    ["s1 --limit 10XB -w x", "Allowed"],
    ["s1 --duration 2d -w x", "from 1 to 86400"],
    ["s1 --rate fast -w x", "octets a second"],
    ["s1 --snap 10 -w x", "from 64 to 65535"],
  ])("%s is wrong usage", async (line, complaint) => {
    const command = new FakeProcess();
    expect(await command.run("capture", ...line.split(" "), "--socket", "/nowhere")).toBe(2);
    expect(command.err).toContain(complaint);
  });
});
