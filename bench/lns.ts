/**
 * The benchmark's LNS, a process of its own in the namespace of the core: the least that a LAC can call. It takes
 * every call, adopts what the LAC negotiated, lets every user in, and hands its socket to the traffic tool for
 * the time of a run.
 *
 * Its parent speaks with it by messages: see LnsRequest and LnsAnswer.
 */
import { Scheduler } from "../src/base/scheduler.ts";
import { systemClock, systemRandom, timerAlarm } from "../src/io/system.ts";
import { Datagrams } from "./datagrams.ts";
import { LnsCalls } from "./lns-calls.ts";
import type { TrafficReport } from "./traffic-report.ts";
import { runTraffic } from "./traffic-tool.ts";

export type LnsRequest =
  /** Leaves the socket to the traffic tool, with these options; answered when it has ended. */
  { readonly kind: "traffic"; readonly options: readonly string[] };

export type LnsAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "traffic-done"; readonly report: TrafficReport }
  | { readonly kind: "traffic-failed"; readonly reason: string };

const alarm = timerAlarm(systemClock, () => scheduler.run(systemClock.now()));
const scheduler: Scheduler = new Scheduler(alarm);
const datagrams = new Datagrams(process.argv[2] ?? "", (from, datagram) =>
  calls.receive(systemClock.now(), from, datagram),
);
const calls: LnsCalls = new LnsCalls(systemRandom(), scheduler, (to, datagram) =>
  datagrams.send(to, datagram),
);

async function traffic(options: readonly string[]): Promise<LnsAnswer> {
  datagrams.pause();
  try {
    return { kind: "traffic-done", report: await runTraffic(options, datagrams.fd) };
  } catch (error) {
    return { kind: "traffic-failed", reason: (error as Error).message };
  } finally {
    datagrams.resume();
  }
}

function tell(answer: LnsAnswer): void {
  process.send?.(answer);
}

process.on("message", (request: LnsRequest) => {
  void traffic(request.options).then(tell);
});
process.on("disconnect", () => process.exit());
tell({ kind: "ready" });
