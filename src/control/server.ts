import { setTimeout as delay, setImmediate as otherWork } from "node:timers/promises";
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

/** How long until an address is tried again that the host does not have yet. */
const RETRY_MS = 1000;

/** An open HTTP API. */
export interface ControlServer {
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
  const { socketPath, addresses = [], folder = ".", version, logger, page, limits } = options;
  const events = new EventStreams(operations.events, process.pid.toString(36) + Date.now().toString(36));
  const metrics = new Metrics(operations, version, () => events.size);
  const watch = new LoopWatch();
  const parts: AppParts = { operations, version, logger, events, metrics, watch, page };
  const listeners: Listener[] = [];
  const closing = new AbortController();
  const close = async (): Promise<void> => {
    closing.abort();
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
    for (const each of addresses) {
      const { address, port } = each;
      const serve = async (): Promise<boolean> => {
        const appFor = (isAdmitted?: Admission) => buildApp(parts, isAdmitted);
        const listener = await unlessAway(listenOnAddress(each, folder, appFor, logger, limits));
        if (listener === undefined) return false;
        listeners.push(listener);
        if (closing.signal.aborted) await listener.close();
        else logger.info({ address, port }, "HTTP API open");
        return true;
      };
      if (await serve()) continue;
      logger.warn({ address, port }, "the address of the HTTP API is not there yet; waiting for it");
      const fail = (error: Error): void =>
        logger.error({ address, port, reason: error.message }, "control address failed");
      void untilDone(serve, closing).catch(fail);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

/** Undefined when the host does not have the address. */
async function unlessAway(opening: Promise<Listener>): Promise<Listener | undefined> {
  try {
    return await opening;
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (code === "EADDRNOTAVAIL") return undefined;
    throw error;
  }
}

async function untilDone(attempt: () => Promise<boolean>, { signal }: AbortController): Promise<void> {
  let isDone = false;
  while (!isDone) {
    await delay(RETRY_MS, undefined, { ref: false });
    isDone = signal.aborted || (await attempt());
  }
}
