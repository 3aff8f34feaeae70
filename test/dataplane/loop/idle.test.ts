import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { startLoopDataplane } from "../../../src/dataplane/loop/engine.ts";

const run = promisify(execFile);

const SESSIONS = 64_000;
const TUNNELS = 16;
/** How long it is watched: a timer that fires once a second would show. */
const WATCHED_MS = 1100;

function threads(): Set<string> {
  return new Set(readdirSync("/proc/self/task"));
}

/** How often a thread has begun to wait for something. */
function waits(thread: string): number {
  const status = readFileSync(`/proc/self/task/${thread}/status`, "utf8");
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)![1]);
}

describe("an idle loop engine", () => {
  it("sleeps, however many sessions it has, and says at once how idle each is", async () => {
    const before = threads();
    const dataplane = await startLoopDataplane();
    const workers = [...threads()].filter((thread) => !before.has(thread));
    const port = await dataplane.openPort({ kind: "udp", address: "127.0.0.1", udpPort: 17_123 });
    const peer = dataplane.addPeer({
      kind: "udp",
      port,
      address: "127.0.0.2",
      udpPort: 1701,
      pathMtuBytes: 1500,
      addressControl: true,
      lengthBit: true,
      checksum: true,
      oversize: "fragment",
    });
    const channels = Array.from({ length: SESSIONS }, (_, i) => {
      const tunnel = 1 + (i % TUNNELS);
      const session = 1 + Math.floor(i / TUNNELS);
      const ids = { localTunnelId: tunnel, remoteTunnelId: tunnel };
      const sessions = { localSessionId: session, remoteSessionId: session };
      return dataplane.addChannel({ kind: "l2tp", peer, ...ids, ...sessions });
    });
    for (let i = 0; i < SESSIONS; i += 2) void dataplane.bridge(channels[i]!, channels[i + 1]!);
    await dataplane.unbridge(channels[0]!);

    const asleep = workers.map(waits);
    await sleep(WATCHED_MS);
    const woken = workers.map((thread, i) => waits(thread) - asleep[i]!);
    expect(Math.max(...woken)).toBe(0);
    // and this is what it would have looked like
    await dataplane.closePort(
      await dataplane.openPort({ kind: "udp", address: "127.0.0.1", udpPort: 17_124 }),
    );
    expect(workers.some((thread, i) => waits(thread) > asleep[i]!)).toBe(true);

    const started = performance.now();
    let frames = 0;
    for (const channel of channels) frames += dataplane.framesIn(channel) + dataplane.userFrames(channel);
    expect(frames).toBe(0);
    expect(performance.now() - started).toBeLessThan(1000);
    await dataplane.close();
  });

  it("states what it has taken for its tables", async () => {
    const small = await startLoopDataplane({ maxChannels: 1024 });
    const large = await startLoopDataplane({ maxChannels: 65_536 });
    const { bytes, bytesPerChannel } = large.preallocated;
    expect(bytes - small.preallocated.bytes).toBeCloseTo(bytesPerChannel * (65_536 - 1024), -4);
    const units = await startLoopDataplane({ maxChannels: 1024, unitAreaBytes: 1 << 20, workers: 2 });
    const fewer = await startLoopDataplane({ maxChannels: 1024, unitAreaBytes: 1 << 19, workers: 2 });
    expect(units.preallocated.bytes - fewer.preallocated.bytes).toBe(2 << 19);
    for (const engine of [small, large, units, fewer]) await engine.close();
  });

  it("does not keep a process from ending that has not closed it", async () => {
    const engine = new URL("../../../dist/src/dataplane/loop/engine.js", import.meta.url);
    const script = `
      import(${JSON.stringify(engine.href)})
        .then(({ startLoopDataplane }) => startLoopDataplane({ maxChannels: 64 }))
        .then(() => setImmediate(() => process.exit(3)));
    `;
    await expect(run(process.execPath, ["-e", script], { timeout: 20_000 })).rejects.toMatchObject({
      code: 3,
    });
  });
});
