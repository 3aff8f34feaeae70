import type { Server } from "node:http";
import type { Logger } from "../base/logger.ts";
import type { Operations } from "../gateway/operations.ts";
import { type AppParts, buildApp, type Page } from "./app.ts";
import { EventStreams } from "./event-streams.ts";
import { type ControlAddress, listenOnAddress, listenOnSocket } from "./listeners.ts";
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
  const { socketPath, addresses = [], folder = ".", version, logger, page } = options;
  const events = new EventStreams(operations.events, process.pid.toString(36) + Date.now().toString(36));
  const metrics = new Metrics(operations, version, () => events.size);
  const watch = new LoopWatch();
  const parts: AppParts = { operations, version, logger, events, metrics, watch, page };
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    metrics.close();
    watch.close();
    const closed = servers.map(closeServer);
    events.close();
    await Promise.all(closed);
  };
  try {
    servers.push(await listenOnSocket(socketPath, buildApp(parts), logger));
    for (const address of addresses) {
      const appFor = (isAdmitted?: Parameters<typeof buildApp>[1]) => buildApp(parts, isAdmitted);
      servers.push(await listenOnAddress(address, folder, appFor, logger));
      logger.info({ address: address.address, port: address.port }, "HTTP API open");
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}
