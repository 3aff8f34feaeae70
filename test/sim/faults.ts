import type { Chance } from "./chance.ts";
import { drawWeather, type Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

/** The longest time in which nothing arrives on a link. */
const LONGEST_DEAD_MS = 40_000;

/** Plans what goes wrong in the next `stormMs`; what was killed is up again before they are over. */
export function planFaults(world: World, scenario: Scenario, stormMs: number): void {
  const { timeline } = world;
  // the faults have chances of their own: a CPE more does not change them
  const chance = world.chance.fork();
  for (let count = chance.integer(1, 6); count > 0; count--) {
    const fault = chance.of(FAULTS);
    const at = chance.between(0, stormMs * 0.9);
    timeline.after(at, () => fault(world, scenario, chance, stormMs - at));
  }
}

type Fault = (world: World, scenario: Scenario, chance: Chance, leftMs: number) => void;

const FAULTS: readonly Fault[] = [
  function weatherChanges(_world, { links }, chance) {
    for (const link of links) if (chance.is(0.5)) link.weather = drawWeather(chance);
  },
  function linkDies({ timeline, trace }, { links }, chance) {
    const until = timeline.now + chance.between(1_000, LONGEST_DEAD_MS);
    trace.add("a link is dead for a while");
    chance.of(links).deadUntil = until;
  },
  function everyLinkDies({ timeline, trace }, { links }, chance) {
    const until = timeline.now + chance.between(1_000, LONGEST_DEAD_MS);
    trace.add("all links are dead for a while");
    for (const link of links) link.deadUntil = until;
  },
  function gatewayIsKilled({ timeline }, { gateways }, chance, leftMs) {
    const gateway = chance.of(gateways);
    gateway.kill();
    timeline.after(Math.min(leftMs, chance.of([1, 2_000, 30_000])), () => {
      if (gateway.life === undefined) gateway.start();
    });
  },
  function gatewayIsRestarted({ timeline }, { gateways }, chance, leftMs) {
    const gateway = chance.of(gateways);
    gateway.stop();
    // who has not ended by then is killed, as a service manager does
    timeline.after(Math.min(leftMs, 4_000), () => {
      if (gateway.isStopping) gateway.kill();
      if (gateway.life === undefined) gateway.start();
    });
  },
  function machineIsSuspended({ trace }, { gateways }, chance) {
    const gateway = chance.of(gateways);
    const ms = chance.of([500, 20_000, 300_000]);
    trace.add(`the clock of ${gateway.name} jumps ${ms} ms`);
    gateway.jump(ms);
  },
];

/** Sets wall clocks, back and forth. Nothing but what people read may come of it. */
export function setWallClocks(world: World, { gateways }: Scenario, stormMs: number): void {
  const chance = world.replacements;
  if (chance === undefined) return;
  for (const gateway of gateways)
    world.timeline.after(chance.between(0, stormMs), () =>
      gateway.setWallClock(chance.of([-1e10, -5_000, 5_000, 1e10])),
    );
}

/** The links are good again, for good. */
export function heal({ links }: Scenario): void {
  for (const link of links) {
    link.deadUntil = 0;
    link.weather = { latencyMs: link.weather.latencyMs, jitterMs: 0, loss: 0, duplication: 0 };
  }
}
