import { connect, type NetConnectOpts, type Socket, type TcpNetConnectOpts } from "node:net";
import { onTestFinished } from "vitest";

/** A connection to a Unix socket or a port of this host, and what has come on it so far. */
export interface RawClient {
  readonly socket: Socket;
  readonly text: () => string;
  /** Resolves, with everything that has come, when the other end hangs up, by a reset too. */
  readonly over: Promise<string>;
}

/** Says `octets`, and nothing more; it is gone when the test is over. */
export function rawClient(
  where: string | number | TcpNetConnectOpts,
  octets: string | Uint8Array = "",
): RawClient {
  const chunks: Buffer[] = [];
  const text = () => Buffer.concat(chunks).toString("latin1");
  const socket = connect(optionsFor(where), () => void socket.write(octets));
  const over = new Promise<string>((resolve) => socket.on("close", () => resolve(text())));
  socket.on("data", (chunk) => void chunks.push(chunk));
  // a server that hangs up on unread octets resets the connection
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  return { socket, text, over };
}

function optionsFor(where: string | number | TcpNetConnectOpts): NetConnectOpts {
  if (typeof where === "string") return { path: where };
  return typeof where === "number" ? { port: where, host: "127.0.0.1" } : where;
}

/** "HTTP/1.1 404 Not Found": each line of an answer's beginning. */
export const statusLines = (text: string): string[] =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => status!);
