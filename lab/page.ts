/** A way from the host's browser to a gateway's page: the gateway itself is in a namespace that no browser is in. */

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { Secret } from "../src/base/secret.ts";
import { tokenTest } from "../src/control/access-token.ts";

const HOST = "127.0.0.1";

export interface PageDoor {
  /** What to open in a browser: with the token, where servers and logs do not see it. */
  readonly url: string;
  close(): void;
}

/**
 * Forwards a port of the host's loopback to a gateway's socket. Whoever has an account here can reach the port, and every
 * page that a browser is on; so what the socket gives to its owner is given here to who has the token.
 */
export async function openPage(socketPath: string): Promise<PageDoor> {
  const token = randomBytes(24).toString("base64url");
  const isAdmitted = tokenTest(new Secret(token));
  const server = createServer((asked, answer) => {
    const isOpen = !/^\/(v1|metrics)\b/.test(asked.url ?? "");
    if (isOpen || isAdmitted(asked.headers.authorization)) forward(socketPath, asked, answer);
    else refuse(asked, answer);
  });
  await new Promise<void>((opened, failed) => {
    server.once("error", failed);
    server.listen(0, HOST, opened);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${HOST}:${port}/#token=${token}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function refuse(asked: IncomingMessage, answer: ServerResponse): void {
  asked.resume();
  const error = { code: "unauthorized", message: "a token is needed here" };
  answer.writeHead(401, { "Content-Type": "application/json", "WWW-Authenticate": "Bearer" });
  answer.end(JSON.stringify({ error }));
}

function forward(socketPath: string, asked: IncomingMessage, answer: ServerResponse): void {
  const { method, url: path, headers } = asked;
  const onward = request({ socketPath, method, path, headers, agent: false }, (got) => {
    // how long a connection lasts is a matter of its two ends
    const { connection: _, "keep-alive": __, ...its } = got.headers;
    answer.writeHead(got.statusCode ?? 502, its);
    got.pipe(answer);
    got.on("error", () => answer.destroy());
  });
  onward.on("error", () => {
    // the gateway is away; in the middle of an answer there is nothing left to say
    if (answer.headersSent) answer.destroy();
    else answer.writeHead(502).end();
  });
  answer.on("close", () => onward.destroy());
  asked.pipe(onward);
}
