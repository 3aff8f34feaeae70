/**
 * The benchmark's LNSes, one process in the namespace of the core: the least that a LAC can call, at every address of
 * the command line. They take every call, adopt what the LAC negotiated, and let every user in. They say by a message
 * when they listen, and answer every message with the calls that there are, by address.
 */
import { Scheduler } from "../src/base/scheduler.ts";
import { systemClock, systemRandom, timerAlarm } from "../src/io/system.ts";
import { Datagrams } from "./datagrams.ts";
import { type CallNames, LnsCalls } from "./lns-calls.ts";

export type LnsAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "calls"; readonly byAddress: readonly (readonly CallNames[])[] };

const alarm = timerAlarm(systemClock, () => scheduler.run(systemClock.now()));
const scheduler: Scheduler = new Scheduler(alarm);

function listen(address: string): LnsCalls {
  const datagrams = new Datagrams(address, (from, datagram) =>
    calls.receive(systemClock.now(), from, datagram),
  );
  const calls: LnsCalls = new LnsCalls(systemRandom(), scheduler, (to, datagram) =>
    datagrams.send(to, datagram),
  );
  return calls;
}

function tell(answer: LnsAnswer): void {
  process.send?.(answer);
}

const lnses = process.argv.slice(2).map(listen);
process.on("message", () => tell({ kind: "calls", byAddress: lnses.map((calls) => calls.names()) }));
process.on("disconnect", () => process.exit());
tell({ kind: "ready" });
