/** Where the HTTP API is spoken: a Unix socket always, and addresses where the configuration says so. */

import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TLSSocket } from "node:tls";
import type { HttpBindings } from "@hono/node-server";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import type { Logger } from "../base/logger.ts";
import { pathOfNamedFile, readNamedFile } from "../config/named-file.ts";
import { tokenTest } from "./access-token.ts";
import type { Admission } from "./app.ts";
import { ControlError } from "./control-error.ts";
import { type GuestLimits, Guests } from "./guests.ts";
import { clearSocketPath } from "./socket-path.ts";

/** An address that the API is spoken on, as configured; files are relative to the configuration's folder. */
export interface ControlAddress {
  readonly address: string;
  readonly port: number;
  readonly tokenFile?: string;
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string };
}

type App = Hono<{ Bindings: HttpBindings }>;

/** What somebody may take of a listener. */
export interface ListenerLimits extends GuestLimits {
  /** Until a request is complete, or TLS is up. */
  readonly requestMs: number;
}

export const LISTENER_LIMITS: ListenerLimits = {
  connections: 256,
  strangersOfOneAddress: 32,
  newcomerMs: 500,
  requestMs: 5000,
};

const MAX_HEADER_BYTES = 8192;
/** Nothing has moved on a connection for so long: a test of a tunnel takes the longest. */
const IDLE_MS = 60_000;
/** Of who does not name one, as HTTP/1.0 may: load balancers that look whether we are ready. */
const HOST = "localhost";
/** Nobody but the owner and the group may connect: mode 0660. */
const UMASK = 0o117;

/** An open server. */
export interface Listener {
  /** Hangs up on everybody at once. */
  close(): Promise<void>;
}

/** Rejects with a ControlError when somebody listens there, or it cannot be opened. */
export async function listenOnSocket(
  path: string,
  app: App,
  logger: Logger,
  limits = LISTENER_LIMITS,
): Promise<Listener> {
  await clearSocketPath(path);
  const serverOptions = optionsWith(limits);
  const server = createAdaptorServer({
    fetch: app.fetch,
    hostname: HOST,
    createServer,
    serverOptions,
  }) as Server;
  const guests = new Guests(server, limits, { asStrangers: false, byTls: false });
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
  return listener(server, guests);
}

/**
 * `appFor`: the API for those who are admitted, or for everybody where certificates do the work. Rejects with a
 * ControlError when a file cannot be read or the address cannot be had.
 */
export async function listenOnAddress(
  { address, port, tokenFile, tls }: ControlAddress,
  folder: string,
  appFor: (isAdmitted?: Admission) => App,
  logger: Logger,
  limits = LISTENER_LIMITS,
): Promise<Listener> {
  const where = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  if (tokenFile === undefined && tls?.clientCaFile === undefined)
    throw new ControlError("control-open", `${where}: neither a token nor client certificates are asked for`);
  const token = tokenFile === undefined ? undefined : readToken(folder, tokenFile);
  const isHolder = token === undefined ? undefined : tokenTest(token);
  const { fetch } = appFor(
    isHolder === undefined
      ? undefined
      : ({ headers, socket }) => {
          if (!isHolder(headers.authorization)) return false;
          guests.recognised(socket);
          return true;
        },
  );
  const serverOptions = optionsWith(limits);
  const server =
    tls === undefined
      ? (createAdaptorServer({ fetch, hostname: HOST, createServer, serverOptions }) as Server)
      : (createAdaptorServer({
          fetch,
          hostname: HOST,
          createServer: createTlsServer,
          serverOptions: { ...serverOptions, ...tlsOptions(tls, folder, limits) },
        }) as Server);
  const guests: Guests = new Guests(server, limits, { asStrangers: true, byTls: tls !== undefined });
  server.on("secureConnection", (socket: TLSSocket) => {
    guests.greeted(socket);
    // who has no certificate of our authority does not get so far
    if (tls?.clientCaFile !== undefined) guests.recognised(socket);
  });
  await listening(server, where, () => server.listen(port, address));
  server.on("error", (error) =>
    logger.error({ address, port, reason: error.message }, "control address failed"),
  );
  return listener(server, guests);
}

function optionsWith({ requestMs }: ListenerLimits): ServerOptions {
  return {
    maxHeaderSize: MAX_HEADER_BYTES,
    requestTimeout: requestMs,
    headersTimeout: requestMs,
    connectionsCheckingInterval: requestMs,
  };
}

function tlsOptions(
  { certFile, keyFile, clientCaFile }: NonNullable<ControlAddress["tls"]>,
  folder: string,
  { requestMs }: ListenerLimits,
) {
  const read = (path: string): string => readControlFile(folder, path);
  return {
    cert: read(certFile),
    key: read(keyFile),
    minVersion: "TLSv1.2" as const,
    // two minutes otherwise: some hundred who connect and say nothing would keep everybody else out
    handshakeTimeout: requestMs,
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

function listener(server: Server, guests: Guests): Listener {
  server.setTimeout(IDLE_MS, (socket) => socket.destroy());
  return {
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        guests.dismiss();
      }),
  };
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
