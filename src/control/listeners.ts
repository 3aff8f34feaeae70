/** Where the HTTP API is spoken: a Unix socket always, and addresses where the configuration says so. */

import { createServer, type Server, type ServerOptions } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TLSSocket } from "node:tls";
import type { HttpBindings } from "@hono/node-server";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import type { Logger } from "../base/logger.ts";
import type { ControlAddress } from "../config/config.ts";
import type { Certificates } from "../config/control-checks.ts";
import { tokenTest } from "./access-token.ts";
import type { Admission } from "./app.ts";
import { ControlError } from "./control-error.ts";
import { type GuestLimits, Guests } from "./guests.ts";
import { clearSocketPath } from "./socket-path.ts";

/** An address that the API is spoken on, and what it needs. */
export type ListenAddress = Pick<ControlAddress, "address" | "port" | "token" | "certificates">;

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
/** Who is to go has so long to be answered. */
const RETIRE_MS = 1000;
/** Nobody but the owner and the group may connect: mode 0660. */
const UMASK = 0o117;

/** An open server. */
export interface Listener {
  /**
   * Takes nobody any more, so that another one may have the address, and hangs up on everybody a while later: one of them may
   * have ordered it, and is to have his answer.
   */
  retire(): void;
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
 * ControlError when nobody would have to prove himself, or the address cannot be had.
 */
export async function listenOnAddress(
  { address, port, token, certificates }: ListenAddress,
  appFor: (isAdmitted?: Admission) => App,
  logger: Logger,
  limits = LISTENER_LIMITS,
): Promise<Listener> {
  const where = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  if (token === undefined && certificates?.clientCa === undefined)
    throw new ControlError("control-open", `${where}: neither a token nor client certificates are asked for`);
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
    certificates === undefined
      ? (createAdaptorServer({ fetch, hostname: HOST, createServer, serverOptions }) as Server)
      : (createAdaptorServer({
          fetch,
          hostname: HOST,
          createServer: createTlsServer,
          serverOptions: { ...serverOptions, ...tlsOptions(certificates, limits) },
        }) as Server);
  const guests: Guests = new Guests(server, limits, { asStrangers: true, byTls: certificates !== undefined });
  server.on("secureConnection", (socket: TLSSocket) => {
    guests.greeted(socket);
    // who has no certificate of our authority does not get so far
    if (certificates?.clientCa !== undefined) guests.recognised(socket);
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

function tlsOptions({ cert, key, clientCa }: Certificates, { requestMs }: ListenerLimits) {
  return {
    cert,
    key: Buffer.from(key.octets()),
    minVersion: "TLSv1.2" as const,
    // two minutes otherwise: some hundred who connect and say nothing would keep everybody else out
    handshakeTimeout: requestMs,
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  };
}

function listener(server: Server, guests: Guests): Listener {
  server.setTimeout(IDLE_MS, (socket) => socket.destroy());
  return {
    retire() {
      server.close();
      setTimeout(() => guests.dismiss(), RETIRE_MS).unref();
    },
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
