/**
 * What `npm start` shows: a subscriber gets online through a LAC and an LNS, in network namespaces.
 *
 *   --once   check that the subscriber reaches the far host and the far host the subscriber, then end
 *   --json   one JSON object as the last line of standard output
 */
import { parseArgs } from "node:util";

import { Lab, type LabReport } from "./lab.ts";
import { openPage } from "./page.ts";
import { showStatus } from "./status.ts";

const { values } = parseArgs({
  options: { once: { type: "boolean", default: false }, json: { type: "boolean", default: false } },
});

/** Aborted by a signal, and by a process of the lab that ends of itself: `failure` says which. */
const interrupted = new AbortController();
let failure: string | undefined;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
}

function fail(message: string): void {
  failure ??= message;
  interrupted.abort(new Error(message));
}

const say = (line: string): void => {
  if (!values.json) console.log(line);
};

function explain(report: LabReport): void {
  say(`  ping both ways     ${report.pingLossPercent} % lost`);
  say(`  TCP download       ${Math.round(report.tcpMbitPerSecond)} Mbit/s`);
  say("");
}

/** Until it is interrupted. */
async function show(lab: Lab): Promise<void> {
  const pages = await Promise.all([openPage(lab.sockets.lac), openPage(lab.sockets.lns)]);
  const [lac, lns] = pages;
  try {
    say("Lacewing runs; Ctrl-C ends it and leaves nothing behind.");
    say(`  page: ${lac.url}`);
    say(`  the LNS's: ${lns.url}`);
    await showStatus(lab, interrupted.signal, say);
  } finally {
    for (const page of pages) page.close();
  }
}

async function main(): Promise<void> {
  const lab = new Lab(say, fail);
  try {
    const report = await lab.run(interrupted.signal);
    explain(report);
    if (!values.once && !interrupted.signal.aborted) await show(lab);
    if (failure !== undefined) throw new Error(failure);
    if (values.json) console.log(JSON.stringify(report));
    process.exitCode = report.ok ? 0 : 1;
  } catch (error) {
    // what happens after an interruption follows from it
    const cause = interrupted.signal.aborted ? (interrupted.signal.reason as unknown) : error;
    const message = cause instanceof Error ? cause.message : String(cause);
    console.error(`lacewing lab: ${message}`);
    if (values.json) console.log(JSON.stringify({ ok: false, error: message }));
    process.exitCode = 1;
  } finally {
    await lab.close();
  }
}

if (process.getuid?.() !== 0) {
  console.error("lacewing lab: needs root, for network namespaces: sudo npm start");
  process.exitCode = 1;
} else {
  await main();
}
