import { setImmediate as otherWork } from "node:timers/promises";
import type { Logger } from "../base/logger.ts";
import type { Operations } from "../gateway/operations.ts";
import { ControlAddresses } from "./addresses.ts";
import { type Admission, type AppParts, buildApp, type Page } from "./app.ts";
import { EventStreams } from "./event-streams.ts";
import {
  type ListenAddress,
  type Listener,
  type ListenerLimits,
  listenOnAddress,
  listenOnSocket,
} from "./listeners.ts";
import { Metrics } from "./metrics.ts";
import { LoopWatch } from "./probes.ts";

export interface ControlServerOptions {
  readonly socketPath: string;
  /** Where else it is spoken. */
  readonly addresses?: readonly ListenAddress[];
  /** The program's. */
  readonly version: string;
  readonly logger: Logger;
  readonly page?: Page | undefined;
  /** Of each listener; what an operator gets when absent. */
  readonly limits?: ListenerLimits;
}

/** An open HTTP API. */
export interface ControlServer {
  /** Speaks on these addresses from now on, beside the socket; returns what could not be done. */
  reconfigure(addresses: readonly ListenAddress[]): Promise<readonly string[]>;
  /** Ends it and removes the socket; requests that are under way are cut off. */
  close(): Promise<void>;
}

/**
 * Lets operators' tools ask and order: src/control/routes.ts. Rejects with a ControlError, and nothing is open then. An
 * address that the host does not have yet is no reason to: it is served on when it comes.
 */
export async function startControlServer(
  operations: Operations,
  options: ControlServerOptions,
): Promise<ControlServer> {
  const { socketPath, addresses = [], version, logger, page, limits } = options;
  const events = new EventStreams(operations.events, process.pid.toString(36) + Date.now().toString(36));
  const metrics = new Metrics(operations, version, () => events.size);
  const watch = new LoopWatch();
  const parts: AppParts = { operations, version, logger, events, metrics, watch, page };
  const appFor = (isAdmitted?: Admission) => buildApp(parts, isAdmitted);
  const elsewhere = new ControlAddresses(
    (address) => listenOnAddress(address, appFor, logger, limits),
    logger,
  );
  let socket: Listener | undefined;
  const close = async (): Promise<void> => {
    metrics.close();
    watch.close();
    await operations.endCaptures("the gateway is stopping");
    // their readers get the end before their connections are cut
    await otherWork();
    const closed = [socket?.close(), elsewhere.close()];
    events.close();
    await Promise.all(closed);
  };
  try {
    socket = await listenOnSocket(socketPath, buildApp(parts), logger, limits);
    await elsewhere.start(addresses);
  } catch (error) {
    await close();
    throw error;
  }
  return { close, reconfigure: (next) => elsewhere.reconfigure(next) };
}
