import { execFile, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = process.getuid?.() === 0;

/**
 * Each way: one object of 16 octets a frame is several collections of the young generation. For objects of batches,
 * LACEWING_GC_FRAMES=10000000.
 */
const FRAMES = Number(process.env.LACEWING_GC_FRAMES ?? 300_000);
const WARM_UP = 100_000;
/** For ten frames each way a millisecond, and what it takes to start. */
const PATIENCE_MS = 60_000 + FRAMES / 10;

const child = fileURLToPath(new URL("./garbage-child.mjs", import.meta.url));
const dist = new URL("../../../dist/src", import.meta.url).href;

/** A line of --trace-gc: whose heap it is about, and when, in milliseconds since that began. */
interface Collection {
  readonly isolate: string;
  readonly at: number;
}

function collections(output: string): Collection[] {
  return [...output.matchAll(/^\[\d+:(0x[0-9a-f]+)[^\]]*\]\s+(\d+) ms: /gm)].map(([, isolate, at]) => ({
    isolate: isolate!,
    at: Number(at),
  }));
}

describe.skipIf(!root)("a forwarding thread (root)", () => {
  const a = `lwga${process.pid % 1e6}`;
  const b = `lwgb${process.pid % 1e6}`;
  const ip = (...args: readonly string[]) => execFileSync("ip", args);
  const read = (name: string, file: string) => readFileSync(`/sys/class/net/${name}/${file}`, "utf8").trim();

  beforeAll(() => {
    ip("link", "add", a, "type", "veth", "peer", "name", b);
    for (const name of [a, b]) {
      ip("link", "set", name, "addrgenmode", "none");
      ip("link", "set", name, "up");
    }
  });
  afterAll(() => {
    ip("link", "del", a);
  });

  it("allocates nothing per frame: once it is warm its heap is never collected", {
    timeout: PATIENCE_MS,
  }, async () => {
    const link = (name: string) => ({ name, ifindex: Number(read(name, "ifindex")) });
    const net = `127.${1 + (process.pid % 250)}.251`;
    const setting = {
      dist,
      gateway: link(a),
      subscriber: link(b),
      mac: read(a, "address")
        .split(":")
        .map((octet) => Number.parseInt(octet, 16)),
      address: `${net}.1`,
      remote: `${net}.2`,
      udpPort: 17_011,
      warmUp: WARM_UP,
      frames: FRAMES,
    };
    const argv = ["--trace-gc", "--expose-gc", child, JSON.stringify(setting)];
    const { stdout } = await run(process.execPath, argv, { maxBuffer: 1 << 28 });
    const { from, to, forwarded } = JSON.parse(/^\{.*\}$/m.exec(stdout)![0]) as {
      from: number;
      to: number;
      forwarded: number;
    };
    expect(forwarded).toBeGreaterThanOrEqual(WARM_UP + FRAMES);
    const all = collections(stdout);
    // the child collects its main thread's before anything else
    const main = all[0]!.isolate;
    expect(all.some(({ isolate, at }) => isolate !== main && at < from)).toBe(true);
    expect(all.filter(({ isolate, at }) => isolate !== main && at >= from && at <= to)).toEqual([]);
  });
});
