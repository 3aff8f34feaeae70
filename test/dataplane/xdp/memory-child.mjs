/**
 * Starts a loop, and the program above it when there is no address space left for its tables; says as JSON why that
 * cannot be, and on which engine a port is open after it: test/dataplane/xdp/refusals.test.ts.
 *
 *     node memory-child.mjs DIST
 */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const dist = process.argv[2];
const { startLoopDataplane } = await import(`${dist}/dataplane/loop/engine.js`);
const { startXdpDataplane } = await import(`${dist}/dataplane/xdp/start.js`);
const { silentLogger } = await import(`${dist}/base/logger.js`);

const SMALL = { maxChannels: 64, maxPeers: 64, maxUnits: 4, workers: 1 };
/** Less than the tables of so many channels take, and enough for all else. */
const CHANNELS = 1_000_000;
const ROOM_BYTES = 32 << 20;
const limit = (bytes) => execFileSync("prlimit", ["--pid", String(process.pid), `--as=${bytes}:`]);

const loop = await startLoopDataplane(SMALL);
loop.onPunt(() => {});
const [, used] = /VmSize:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
limit(Number(used) * 1024 + ROOM_BYTES);
const above = startXdpDataplane(loop, { ...SMALL, maxPorts: 4, maxChannels: CHANNELS, logger: silentLogger });
limit("unlimited");
const dataplane = typeof above === "string" ? loop : above;
await dataplane.openPort({ kind: "udp", address: "127.0.0.1", udpPort: 0 });
process.stdout.write(`${JSON.stringify({ reason: above, engine: dataplane.engine })}\n`);
await dataplane.close();
