import type { Logger } from "../base/logger.ts";
import { Scheduler } from "../base/scheduler.ts";
import type { Config } from "../config/config.ts";
import { startDataplane } from "../dataplane/start.ts";
import { openFramePort } from "../io/frame-port.ts";
import type { HostNetwork } from "../io/host-network.ts";
import { openIcmpSender } from "../io/icmp-sender.ts";
import { openHostNetwork } from "../io/native-host-network.ts";
import { systemClock, systemRandom, timerAlarm } from "../io/system.ts";
import { Journal } from "../journal/journal.ts";
import { EventBus } from "./events.ts";
import { Gateway } from "./gateway.ts";
import { type ConfigReading, GatewayOperations } from "./gateway-operations.ts";
import { GatewayViews } from "./gateway-views.ts";
import type { Operations } from "./operations.ts";

/** Tunnels at one time, closing ones included: what the L2TP endpoint allows. */
const MAX_TUNNELS = 4096;

/** A gateway that runs, and what can be done with it. */
export interface RunningGateway {
  readonly operations: Operations;
  /** Resolves to the reason when the gateway cannot go on by itself; stop() is still to be called. */
  readonly failed: Promise<string>;
  /** Ends every session politely and closes everything; within 3 s. */
  stop(reason: string): Promise<void>;
}

/** Starts a gateway in the real world. Rejects, with nothing left open, when a port cannot be opened. */
export async function startGateway(
  config: Config,
  { logger, reading }: { readonly logger: Logger; readonly reading?: ConfigReading },
): Promise<RunningGateway> {
  const { engine, workers, maxChannels } = config.dataPlane;
  // every PPPoE session is a peer of its own, and every tunnel
  const maxPeers = maxChannels + MAX_TUNNELS;
  const dataplane = await startDataplane({ engine, workers, maxChannels, maxPeers, logger });
  let host: HostNetwork;
  try {
    host = openHostNetwork();
  } catch (error) {
    await dataplane.close();
    throw error;
  }
  const alarm = timerAlarm(systemClock, () => scheduler.run(systemClock.now()));
  const scheduler: Scheduler = new Scheduler(alarm);
  const icmp = openIcmpSender((error) =>
    logger.debug({ error: error.message }, "an ICMP error could not be sent"),
  );
  let fail: (reason: string) => void = () => {};
  const failed = new Promise<string>((resolve) => {
    fail = resolve;
  });
  const events = new EventBus(systemClock.wallClock);
  const around = {
    onFailure: (reason: string) => fail(reason),
    icmp,
    config,
    clock: systemClock,
    random: systemRandom(),
    logger,
    scheduler,
    dataplane,
    host,
    events,
    journal: new Journal(config.journal.sizeBytes, systemClock),
    openFramePort,
  };
  const gateway = new Gateway(around);
  const operations = new GatewayOperations(gateway, around, {
    views: new GatewayViews(gateway, around),
    events,
    reading,
  });
  const close = async (): Promise<void> => {
    alarm.cancel();
    icmp.close();
    await dataplane.close();
    host.close();
  };
  try {
    await gateway.start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    failed,
    operations,
    async stop(reason) {
      try {
        await gateway.stop(reason);
      } finally {
        await close();
      }
    },
  };
}
