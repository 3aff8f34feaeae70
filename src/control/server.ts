import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Logger } from "../base/logger.ts";
import type { ControlSource } from "../gateway/views.ts";
import { ControlError } from "./control-error.ts";
import { type ResourceName, readers } from "./resources.ts";
import { clearSocketPath } from "./socket-path.ts";

export interface ControlServerOptions {
  readonly socketPath: string;
  /** The program's, for `status`. */
  readonly version: string;
  readonly logger: Logger;
}

/** An open control socket. */
export interface ControlServer {
  /** Ends it and removes the socket; requests that are under way are cut off. */
  close(): Promise<void>;
}

const MAX_HEADER_BYTES = 8192;
const MAX_CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 5000;
/** Nobody but the owner and the group may connect: mode 0660. */
const UMASK = 0o117;

/** Answers local tools over HTTP on a Unix socket: GET /v1/status, sessions, tunnels, lns, channels, counters. */
export async function startControlServer(
  source: ControlSource,
  options: ControlServerOptions,
): Promise<ControlServer> {
  const { socketPath, version, logger } = options;
  await clearSocketPath(socketPath);
  const resources = readers(source, version);
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
    },
    (request, response) => {
      try {
        answer(request, response, resources);
      } catch (error) {
        logger.error({ url: request.url, reason: (error as Error).stack }, "control request failed");
        send(response, 500, { error: "internal error" });
      }
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, socketPath);
  server.on("error", (error) => logger.error({ reason: error.message }, "control socket failed"));
  return { close: () => close(server) };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  resources: Readonly<Record<ResourceName, () => unknown>>,
): void {
  const name = /^\/v1\/([a-z]+)$/.exec(request.url ?? "")?.[1];
  if (name === undefined || !Object.hasOwn(resources, name)) {
    send(response, 404, {
      error: `no such resource; there are /v1/${Object.keys(resources).join(", /v1/")}`,
    });
  } else if (request.method !== "GET") {
    response.setHeader("Allow", "GET");
    send(response, 405, { error: "only GET" });
  } else if (Number(request.headers["content-length"] ?? 0) > 0 || "transfer-encoding" in request.headers) {
    send(response, 413, { error: "a request has no body" });
  } else send(response, 200, resources[name as ResourceName]());
}

/** One answer a connection: what a refused request still sends is not read. */
function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json", Connection: "close" });
  response.end(`${JSON.stringify(value)}\n`);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new ControlError("control-listen", `cannot listen on ${path}: ${error.message}`, { cause: error }),
      ),
    );
    // listen() binds before it returns: at no time does the socket have another mode
    const before = process.umask(UMASK);
    try {
      server.listen(path, () => {
        server.removeAllListeners("error");
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}
