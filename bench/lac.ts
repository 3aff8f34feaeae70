/**
 * The benchmark's LAC, a process of its own in the namespace of the LAC: the least that can call an LNS, with its
 * subscribers. Its parent speaks with it by messages: see LacRequest and LacAnswer.
 */
import { Scheduler } from "../src/base/scheduler.ts";
import { systemClock, systemRandom, timerAlarm } from "../src/io/system.ts";
import { L2TP_UDP_PORT } from "../src/wire/l2tp.ts";
import { Datagrams } from "./datagrams.ts";
import { type LacCallNames, LacCalls } from "./lac-calls.ts";

export type LacRequest =
  /** Answered when all are up. */
  | { readonly kind: "call"; readonly count: number }
  | { readonly kind: "hang-up" }
  | { readonly kind: "names" };

export type LacAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "hung-up" }
  | { readonly kind: "named"; readonly calls: readonly LacCallNames[] }
  | {
      readonly kind: "called";
      readonly up: number;
      readonly failed: number;
      readonly elapsedMs: number;
      readonly setupMs: { readonly p50: number; readonly p99: number };
    };

const USUAL_TUNNELS = "4";
const AT_ONCE = 256;

const [local = "", lns = "", user = "", password = "", tunnels = USUAL_TUNNELS] = process.argv.slice(2);
const alarm = timerAlarm(systemClock, () => scheduler.run(systemClock.now()));
const scheduler: Scheduler = new Scheduler(alarm);
const datagrams = new Datagrams(local, (from, datagram) => calls.receive(systemClock.now(), from, datagram));
const calls: LacCalls = new LacCalls(
  { lns: { address: lns, port: L2TP_UDP_PORT }, tunnels: Number(tunnels), atOnce: AT_ONCE, user, password },
  systemRandom(),
  scheduler,
  (to, datagram) => datagrams.send(to, datagram),
);

async function call(count: number): Promise<LacAnswer> {
  const started = systemClock.now();
  const failedBefore = calls.failed;
  await calls.call(started, count);
  const sorted = calls.setupTimesMs.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return {
    kind: "called",
    up: sorted.length,
    failed: calls.failed - failedBefore,
    elapsedMs: systemClock.now() - started,
    setupMs: { p50: at(0.5), p99: at(0.99) },
  };
}

function tell(answer: LacAnswer): void {
  process.send?.(answer);
}

process.on("message", (request: LacRequest) => {
  if (request.kind === "call") {
    void call(request.count).then(tell);
  } else if (request.kind === "names") {
    tell({ kind: "named", calls: calls.names() });
  } else {
    calls.hangUp(systemClock.now());
    tell({ kind: "hung-up" });
  }
});
process.on("disconnect", () => process.exit());
tell({ kind: "ready" });
