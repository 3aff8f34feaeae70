import { spawn } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type LogFields, silentLogger } from "../../src/base/logger.ts";
import { readResource } from "../../src/control/client.ts";
import { startControlServer } from "../../src/control/server.ts";
import type { Operations } from "../../src/gateway/operations.ts";
import {
  lacSession,
  sampleChannels,
  sampleOperations,
  sampleStatus,
  sampleTunnels,
} from "./sample-operations.ts";
import { temporaryFolder } from "./serve.ts";

function socketPath(): string {
  return join(temporaryFolder(), "run", "lacewing.sock");
}

async function serve(
  operations: Operations = sampleOperations(),
  path = socketPath(),
  logger = silentLogger,
): Promise<string> {
  const server = await startControlServer(operations, { socketPath: path, version: "1.2.3", logger });
  onTestFinished(() => server.close());
  return path;
}

/** Sends raw octets and gives everything that comes back until the server hangs up. */
function exchange(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(path, () => socket.write(text));
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    // a server that hangs up on unread octets resets the connection
    socket.on("error", (error: NodeJS.ErrnoException) =>
      ["ECONNRESET", "EPIPE"].includes(error.code ?? "") ? resolve(answer) : reject(error),
    );
    socket.on("close", () => resolve(answer));
  });
}

const statusLine = (answer: string) => answer.split("\r\n")[0];

describe("the control socket", () => {
  it("answers HTTP/1.0 without a Host, as load balancers ask", async () => {
    const path = await serve();
    for (const probe of ["/readyz", "/healthz", "/v1/status"])
      expect(statusLine(await exchange(path, `GET ${probe} HTTP/1.0\r\n\r\n`))).toBe("HTTP/1.1 200 OK");
    expect(statusLine(await exchange(path, "GET /readyz HTTP/1.1\r\n\r\n"))).toBe("HTTP/1.1 400 Bad Request");
  });

  it("answers with what the gateway shows of itself", async () => {
    const path = await serve();
    expect(await readResource(path, "sessions")).toEqual([lacSession]);
    expect(await readResource(path, "tunnels")).toEqual(sampleTunnels);
    expect(await readResource(path, "channels")).toEqual(sampleChannels);
    expect(await readResource(path, "counters")).toEqual(sampleOperations().counters());
    expect(await readResource(path, "status")).toEqual({ version: "1.2.3", ...sampleStatus });
  });

  it("answers with all of a long list, in parts", async () => {
    const page = { total: 2500, matched: 2500 };
    const operations = sampleOperations({
      sessions: async ({ cursor = "0", limit }) => {
        const first = Number(cursor);
        const count = Math.min(limit, page.total - first);
        const sessions = Array.from({ length: count }, (_, i) => ({ ...lacSession, id: `s${first + i}` }));
        return { ...page, sessions, next: first + count < page.total ? String(first + count) : null };
      },
    });
    const sessions = await readResource(await serve(operations), "sessions");
    expect(sessions.map(({ id }) => id)).toEqual(Array.from({ length: 2500 }, (_, i) => `s${i}`));
  });

  it("is for its owner and group only, in a folder that it makes", async () => {
    expect(statSync(await serve()).mode & 0o777).toBe(0o660);
  });

  it("is gone after the server was closed", async () => {
    const path = socketPath();
    const server = await startControlServer(sampleOperations(), {
      socketPath: path,
      version: "",
      logger: silentLogger,
    });
    const open = connect(path);
    // reset when the server had not accepted it yet
    open.on("error", (error) => expect(error.message).toContain("ECONNRESET"));
    const hungUp = new Promise((resolve) => open.on("close", resolve));
    await server.close();
    await hungUp;
    expect(existsSync(path)).toBe(false);
    await expect(readResource(path, "status")).rejects.toThrow(
      `${path}: nobody listens; is the gateway running?`,
    );
  });

  it("is opened where a killed process left its own", async () => {
    const path = await serve(sampleOperations(), await abandonedSocket());
    expect((await readResource(path, "status")).pid).toBe(42);
  });

  it("is not taken from a process that listens on it", async () => {
    const path = await serve();
    await expect(serve(sampleOperations(), path)).rejects.toThrow(`${path}: another process listens on it`);
    expect((await readResource(path, "status")).pid).toBe(42);
  });

  it("does not replace a file", async () => {
    const path = join(temporaryFolder(), "precious");
    writeFileSync(path, "data");
    await expect(serve(sampleOperations(), path)).rejects.toThrow(`${path} is there and is not a socket`);
    expect(existsSync(path)).toBe(true);
  });
});

describe("a request", () => {
  it.each([
    ["GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 Not Found"],
    ["GET /v1/constructor HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 Not Found"],
    ["GET /v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 Not Found"],
    ["DELETE /v1/sessions HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405 Method Not Allowed"],
    [
      "GET /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nxxx",
      "HTTP/1.1 413 Payload Too Large",
    ],
    [
      "GET /v1/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
      "HTTP/1.1 413 Payload Too Large",
    ],
    [
      `GET /v1/sessions HTTP/1.1\r\nHost: ${"x".repeat(20_000)}\r\n\r\n`,
      "HTTP/1.1 431 Request Header Fields Too Large",
    ],
    ["\0\0\0\0 nonsense\r\n\r\n", "HTTP/1.1 400 Bad Request"],
  ])("that is not for us is refused, and the next one is served: %j", async (text, status) => {
    const path = await serve();
    expect(statusLine(await exchange(path, text))).toBe(status);
    expect((await readResource(path, "status")).pid).toBe(42);
  });

  it("that fails in the gateway is logged, and tells nothing", async () => {
    const logged: LogFields[] = [];
    const failing = sampleOperations({
      sessions: () => {
        throw new Error("inner workings");
      },
    });
    const path = await serve(failing, socketPath(), {
      ...silentLogger,
      error: (fields) => void logged.push(fields),
    });
    await expect(readResource(path, "sessions")).rejects.toThrow(
      "the gateway failed to answer, which is a bug of Lacewing's (its log has the details)",
    );
    expect(logged).toMatchObject([
      { path: "/v1/sessions", reason: expect.stringContaining("inner workings") },
    ]);
  });

  it("to something that is no gateway fails with a reason", async () => {
    const path = join(temporaryFolder(), "other.sock");
    const other = createServer((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
    await new Promise<void>((resolve) => other.listen(path, resolve));
    onTestFinished(() => void other.close());
    await expect(readResource(path, "status")).rejects.toThrow(`${path} answered what is not JSON`);
  });
});

/** The path of a socket whose process was killed. */
async function abandonedSocket(): Promise<string> {
  const path = join(temporaryFolder(), "stale.sock");
  const script = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", script]);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  expect(existsSync(path)).toBe(true);
  return path;
}
