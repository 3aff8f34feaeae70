/**
 * The benchmark's LNSes, one process in the namespace of the core: the least that a LAC can call, at every address of
 * the command line. They take every call, adopt what the LAC negotiated, and let every user in. "ready" is said by a
 * message when they listen.
 */
import { Scheduler } from "../src/base/scheduler.ts";
import { systemClock, systemRandom, timerAlarm } from "../src/io/system.ts";
import { Datagrams } from "./datagrams.ts";
import { LnsCalls } from "./lns-calls.ts";

const alarm = timerAlarm(systemClock, () => scheduler.run(systemClock.now()));
const scheduler: Scheduler = new Scheduler(alarm);

function listen(address: string): void {
  const datagrams = new Datagrams(address, (from, datagram) =>
    calls.receive(systemClock.now(), from, datagram),
  );
  const calls: LnsCalls = new LnsCalls(systemRandom(), scheduler, (to, datagram) =>
    datagrams.send(to, datagram),
  );
}

for (const address of process.argv.slice(2)) listen(address);
process.on("disconnect", () => process.exit());
process.send?.("ready");
