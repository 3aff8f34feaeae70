import { setImmediate as otherWork } from "node:timers/promises";
import type { Logger } from "../base/logger.ts";
import type { Operations } from "../gateway/operations.ts";
import { type Admission, type AppParts, buildApp, type Page } from "./app.ts";
import { EventStreams } from "./event-streams.ts";
import {
  type ControlAddress,
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
  readonly addresses?: readonly ControlAddress[];
  /** What the files of `addresses` are relative to. */
  readonly folder?: string;
  /** The program's. */
  readonly version: string;
  readonly logger: Logger;
  readonly page?: Page | undefined;
  /** Of each listener; what an operator gets when absent. */
  readonly limits?: ListenerLimits;
}

/** An open HTTP API. */
export interface ControlServer {
  /** Ends it and removes the socket; requests that are under way are cut off. */
  close(): Promise<void>;
}

/** Lets operators' tools ask and order: src/control/routes.ts. Rejects with a ControlError, and nothing is open then. */
export async function startControlServer(
  operations: Operations,
  options: ControlServerOptions,
): Promise<ControlServer> {
  const { socketPath, addresses = [], folder = ".", version, logger, page, limits } = options;
  const events = new EventStreams(operations.events, process.pid.toString(36) + Date.now().toString(36));
  const metrics = new Metrics(operations, version, () => events.size);
  const watch = new LoopWatch();
  const parts: AppParts = { operations, version, logger, events, metrics, watch, page };
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    metrics.close();
    watch.close();
    await operations.endCaptures("the gateway is stopping");
    // their readers get the end before their connections are cut
    await otherWork();
    const closed = listeners.map((listener) => listener.close());
    events.close();
    await Promise.all(closed);
  };
  try {
    listeners.push(await listenOnSocket(socketPath, buildApp(parts), logger, limits));
    for (const address of addresses) {
      const appFor = (isAdmitted?: Admission) => buildApp(parts, isAdmitted);
      listeners.push(await listenOnAddress(address, folder, appFor, logger, limits));
      logger.info({ address: address.address, port: address.port }, "HTTP API open");
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}
