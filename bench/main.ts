/**
 * `npm run bench`: measures, writes bench/results/, and docs/performance.md when everything was measured at full length.
 *
 *   --quick          short runs of what does not take long: two minutes in all
 *   --only PATTERN   figures whose name contains PATTERN: "*" is anything, "|" stands between alternatives
 *   --json           the results on standard output
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { apiScene } from "./api-benchmarks.ts";
import { type Extent, FULL, QUICK, type Scene } from "./benchmark.ts";
import { changeScene } from "./change-benchmarks.ts";
import { lnsCrowdScene } from "./crowd-benchmarks.ts";
import { diversionScene } from "./diversion-benchmarks.ts";
import { buildFramesTool } from "./frames-tool.ts";
import { latencyScene } from "./latency-benchmarks.ts";
import { l2tpnsScene, loopScene, sessionsScene } from "./loop-benchmarks.ts";
import { circumstances } from "./machine.ts";
import { measure } from "./measure.ts";
import { destroyNetwork, sweepDeadBenchmarks } from "./namespaces.ts";
import { type BenchOptions, matches, parseOptions } from "./options.ts";
import { performancePages } from "./report.ts";
import { meets, type Result, type ResultFile, type SceneTimes } from "./results.ts";
import { ROOT } from "./root.ts";
import { scaleScene } from "./scale-benchmarks.ts";
import { lacSetupScene, lnsSetupScene } from "./setup-benchmarks.ts";
import { tcpScene } from "./tcp-benchmarks.ts";
import { unitScene } from "./unit-benchmarks.ts";
import { kernelBridgeScene } from "./vm/bridge-benchmarks.ts";
import { ipv6XdpScene, uncheckedXdpScene, xdpScene, xdpSessionsScene } from "./xdp-benchmarks.ts";

/** Others that want a processor take it from what is measured. */
const MOST_LOAD = 0.5;
const RESULTS = join(ROOT, "bench", "results");

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** `long`: quick runs do without, unless they are told to. */
type Play = <Stage extends { close(): Promise<void> }>(
  make: (extent: Extent) => Scene<Stage>,
  options?: { readonly long?: boolean },
) => Promise<void>;

async function bench({ quick, only, json }: BenchOptions): Promise<void> {
  const extent = quick ? QUICK : FULL;
  const wanted = (name: string): boolean => only === undefined || matches(name, only);
  buildFramesTool();
  sweepDeadBenchmarks();
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  const started = circumstances(only ?? extent.name);
  if (started.loadBefore > MOST_LOAD)
    say(
      `the machine is busy (load average ${started.loadBefore}): wait for it, or these figures mean little`,
    );
  const results: Result[] = [];
  const scenes: SceneTimes[] = [];
  const leftOut: string[] = [];
  const leaveOut = (what: string, failed = false): void => {
    leftOut.push(failed ? `failed: ${what}` : what);
    say(`left out: ${leftOut.at(-1)}`);
    if (failed) process.exitCode = 1;
  };
  const play: Play = async (make, { long = false } = {}) => {
    if (long && quick && only === undefined) return;
    try {
      const scene = make(extent);
      const measured = await measure(scene, scene.runs ?? extent.runs, wanted, say, leaveOut);
      results.push(...measured.results);
      if (measured.times === undefined) return;
      scenes.push(measured.times);
      say(`${Math.round(seconds())} s so far; ${timesLine(measured.times)}`);
    } catch (error) {
      // what others have measured in a quarter of an hour is not lost with it
      leaveOut(error instanceof Error ? error.message : String(error), true);
    }
  };
  await play(loopScene);
  await play(latencyScene);
  await play(xdpScene);
  await play(sessionsScene);
  await play(lacSetupScene);
  await play(lnsSetupScene);
  await play(apiScene, { long: true });
  await play(l2tpnsScene, { long: true });
  await play(unitScene, { long: true });
  await play(kernelBridgeScene, { long: true });
  await play(tcpScene, { long: true });
  await play(uncheckedXdpScene, { long: true });
  await play(ipv6XdpScene, { long: true });
  await play(xdpSessionsScene, { long: true });
  await play(changeScene("loop"), { long: true });
  await play(changeScene("xdp"), { long: true });
  await play(diversionScene, { long: true });
  await play(lnsCrowdScene, { long: true });
  await play(scaleScene, { long: true });
  if (results.length === 0 && leftOut.length === 0) throw new Error(`no figure has a name like "${only}"`);
  const file: ResultFile = {
    ...started,
    seconds: Math.round(seconds()),
    scenes,
    ...(leftOut.length > 0 && { leftOut }),
    results,
  };
  write(file, only === undefined ? extent.name : "only");
  if (json) process.stdout.write(`${JSON.stringify(file)}\n`);
  else for (const result of results) process.stdout.write(`${line(result)}\n`);
}

function timesLine({ scene, openSeconds, warmUpSeconds, runsSeconds, closeSeconds }: SceneTimes): string {
  const parts = `${openSeconds} to open, ${warmUpSeconds} to warm up, ${runsSeconds} to run, ${closeSeconds} to close`;
  return `"${scene}": ${parts}`;
}

function write(file: ResultFile, name: string): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(file, undefined, 2)}\n`);
  if (name !== FULL.name) return;
  for (const { path, text } of performancePages(file)) {
    const page = join(ROOT, "docs", path);
    mkdirSync(dirname(page), { recursive: true });
    writeFileSync(page, text);
  }
}

function line(result: Result): string {
  const { name, value, unit, min, max, versus } = result;
  const figure = `${name.padEnd(44)} ${value.toLocaleString("en").padStart(12)} ${unit.padEnd(10)} (${min} – ${max})`;
  const asked = verdicts(value, result.better, result);
  if (versus === undefined) return figure + asked;
  return `${figure}${asked}  ${versus.ratio} of ${versus.name}${verdicts(versus.ratio, result.better, versus)}`;
}

function verdicts(
  value: number,
  better: Result["better"],
  asked: { readonly floor?: number; readonly goal?: number },
): string {
  return (["floor", "goal"] as const)
    .filter((what) => asked[what] !== undefined)
    .map((what) => `  ${what} ${asked[what]}: ${meets(value, asked[what], better) ? "met" : "MISSED"}`)
    .join("");
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    // children die with us
    destroyNetwork();
    process.exit(1);
  });
}

if (process.getuid?.() !== 0) {
  say("lacewing bench: needs root, for network namespaces: sudo npm run bench");
  process.exitCode = 1;
} else {
  try {
    await bench(parseOptions(process.argv.slice(2)));
  } catch (error) {
    say(`lacewing bench: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
