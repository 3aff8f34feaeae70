/** Where the HTTP API is spoken: a Unix socket always, and addresses where the configuration says so. */

import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { HttpBindings } from "@hono/node-server";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import type { Logger } from "../base/logger.ts";
import { pathOfNamedFile, readNamedFile } from "../config/named-file.ts";
import { tokenTest } from "./access-token.ts";
import { ControlError } from "./control-error.ts";
import { clearSocketPath } from "./socket-path.ts";

/** An address that the API is spoken on, as configured; files are relative to the configuration's folder. */
export interface ControlAddress {
  readonly address: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string };
}

type App = Hono<{ Bindings: HttpBindings }>;

const MAX_HEADER_BYTES = 8192;
/** Beyond, connections are closed at once; a fourth of them may be streams of events. */
const MAX_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 5000;
/** Nothing has moved on a connection for so long: a test of a tunnel takes the longest. */
const IDLE_MS = 60_000;
/** Nobody but the owner and the group may connect: mode 0660. */
const UMASK = 0o117;

const SERVER_OPTIONS: ServerOptions = {
  maxHeaderSize: MAX_HEADER_BYTES,
  requestTimeout: REQUEST_TIMEOUT_MS,
  headersTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: REQUEST_TIMEOUT_MS,
};

/** Rejects with a ControlError when somebody listens there, or it cannot be opened. */
export async function listenOnSocket(path: string, app: App, logger: Logger): Promise<Server> {
  await clearSocketPath(path);
  const server = bounded(
    createAdaptorServer({ fetch: app.fetch, createServer, serverOptions: SERVER_OPTIONS }) as Server,
  );
  await listening(server, path, () => {
    // listen() binds before it returns: at no time does the socket have another mode
    const before = process.umask(UMASK);
    try {
      server.listen(path);
    } finally {
      process.umask(before);
    }
  });
  server.on("error", (error) => logger.error({ path, reason: error.message }, "control socket failed"));
  return server;
}

/**
 * `appFor`: the API for those whose Authorization header passes, or for everybody where certificates do the work. Rejects
 * with a ControlError when a file cannot be read or the address cannot be had.
 */
export async function listenOnAddress(
  { address, port, tokenFile, tls }: ControlAddress,
  folder: string,
  appFor: (isAdmitted?: (authorization: string | undefined) => boolean) => App,
  logger: Logger,
): Promise<Server> {
  const where = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  if (tokenFile === undefined && tls?.clientCaFile === undefined)
    throw new ControlError("control-open", `${where}: neither a token nor client certificates are asked for`);
  const token = tokenFile === undefined ? undefined : readToken(folder, tokenFile);
  const app = appFor(token === undefined ? undefined : tokenTest(token));
  const server = bounded(
    tls === undefined
      ? (createAdaptorServer({ fetch: app.fetch, createServer, serverOptions: SERVER_OPTIONS }) as Server)
      : (createAdaptorServer({
          fetch: app.fetch,
          createServer: createTlsServer,
          serverOptions: { ...SERVER_OPTIONS, ...tlsOptions(tls, folder) },
        }) as Server),
  );
  await listening(server, where, () => server.listen(port, address));
  server.on("error", (error) =>
    logger.error({ address, port, reason: error.message }, "control address failed"),
  );
  return server;
}

function tlsOptions({ certFile, keyFile, clientCaFile }: NonNullable<ControlAddress["tls"]>, folder: string) {
  const read = (path: string): string => readControlFile(folder, path);
  return {
    cert: read(certFile),
    key: read(keyFile),
    minVersion: "TLSv1.2" as const,
    // two minutes otherwise: some hundred who connect and say nothing would keep everybody else out
    handshakeTimeout: REQUEST_TIMEOUT_MS,
    ...(clientCaFile !== undefined && {
      ca: read(clientCaFile),
      requestCert: true,
      rejectUnauthorized: true,
    }),
  };
}

function readToken(folder: string, path: string): string {
  const file = readNamedFile(folder, path);
  if (!file.ok) throw new ControlError("control-token", `${path} ${file.reason}`);
  if (file.exposed !== undefined)
    throw new ControlError("control-token", `${path} is a secret, but its ${file.exposed}`);
  const token = file.text.trim();
  if (!/^[\x21-\x7e]{16,255}$/.test(token))
    throw new ControlError(
      "control-token",
      `${path} does not have a token as its only line; allowed: 16 to 255 characters without blanks`,
    );
  return token;
}

function readControlFile(folder: string, path: string): string {
  try {
    return readFileSync(pathOfNamedFile(folder, path) ?? path, "utf8");
  } catch (error) {
    throw new ControlError("control-tls", `${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function bounded(server: Server): Server {
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(IDLE_MS, (socket) => socket.destroy());
  return server;
}

function listening(server: Server, where: string, listen: () => void): Promise<void> {
  return new Promise((done, reject) => {
    const fail = (error: Error): void =>
      reject(
        new ControlError("control-listen", `cannot listen on ${where}: ${error.message}`, { cause: error }),
      );
    server.once("error", fail);
    server.once("listening", () => {
      server.off("error", fail);
      done();
    });
    listen();
  });
}
