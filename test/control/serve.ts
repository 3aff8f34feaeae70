import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { silentLogger } from "../../src/base/logger.ts";
import { type ControlServerOptions, startControlServer } from "../../src/control/server.ts";
import type { Operations } from "../../src/gateway/operations.ts";
import { sampleOperations } from "./sample-operations.ts";

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-control-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Serves until the test is over; returns the socket's path. */
export async function serve(
  operations: Operations = sampleOperations(),
  more: Partial<ControlServerOptions> = {},
): Promise<string> {
  const socketPath = join(temporaryFolder(), "run", "lacewing.sock");
  const server = await startControlServer(operations, {
    socketPath,
    version: "1.2.3",
    logger: silentLogger,
    ...more,
  });
  onTestFinished(() => server.close());
  return more.socketPath ?? socketPath;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly json: unknown;
}

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request over a Unix socket, or to a port of this host. */
export function fetchFrom(
  where: string | number,
  path: string,
  { method, headers, body }: Sent = {},
): Promise<Answer> {
  const to = typeof where === "string" ? { socketPath: where } : { host: "127.0.0.1", port: where };
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...to,
        path,
        agent: false,
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: headers ?? {},
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json: response.headers["content-type"] === "application/json" ? JSON.parse(text) : undefined,
          }),
        );
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

const JSON_TYPE = { "Content-Type": "application/json" };

/** An order: POST with a body. */
export function order(where: string | number, path: string, body: unknown): Promise<Answer> {
  return fetchFrom(where, path, { headers: JSON_TYPE, body: JSON.stringify(body) });
}
