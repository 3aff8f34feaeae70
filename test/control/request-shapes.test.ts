/** Requests that are made to be read in two ways, and answers that are given to one of them only. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type LogFields, silentLogger } from "../../src/base/logger.ts";
import { Secret } from "../../src/base/secret.ts";
import { LISTENER_LIMITS } from "../../src/control/listeners.ts";
import { startControlServer } from "../../src/control/server.ts";
import { freePort } from "./free-port.ts";
import { rawClient, statusLines } from "./raw-client.ts";
import { sampleOperations } from "./sample-operations.ts";
import { fetchFrom, serve } from "./serve.ts";

const TOKEN = "0123456789abcdefghij";
const CLOSE = "Host: x\r\nConnection: close\r\n";

let path: string;
let port: number;
let operations: ReturnType<typeof sampleOperations>;
const failures: LogFields[] = [];

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "lacewing-shapes-"));
  path = join(folder, "lacewing.sock");
  port = await freePort();
  operations = sampleOperations();
  const server = await startControlServer(operations, {
    socketPath: path,
    addresses: [{ address: "127.0.0.1", port, token: new Secret(TOKEN) }],
    version: "1",
    logger: { ...silentLogger, error: (fields) => void failures.push(fields) },
    page: { serve: (asked) => (asked === "/" ? new Response("page") : undefined) },
  });
  return async () => {
    await server.close();
    rmSync(folder, { recursive: true });
    // whatever came, nothing of it was our fault
    expect(failures).toEqual([]);
  };
});

const answerTo = (where: string | number, text: string): Promise<string> => rawClient(where, text).over;

describe("a path", () => {
  it.each([
    "/%2e%2e/%2e%2e/etc/passwd",
    "/..%2f..%2fetc/passwd",
    "/v1/../../etc/passwd",
    "/v1/%2e%2e/%2e%2e/etc/passwd",
    "/assets/../../etc/passwd",
    "/.%00/",
    "/v1/sessions%00",
    "/v1/sessions/s1%00",
    "/v1/sessions/%2e%2e",
    "/v1/sessions/s1/../s1/x",
    "//v1/status",
    "//etc/passwd",
    "/v1//status",
    "/v1/status/",
    "/v1/status;x=1",
    "/v1%2fstatus",
    "/V1/status",
    "/v1/%",
    "/v1/%zz",
    "/v1/%ff%fe",
    "/v1/__proto__",
    "/v1/sessions/constructor",
    "/v1\\status",
    "\\v1\\status",
    `/${"a/".repeat(2000)}`,
    "*",
    "",
  ])("%j leads nowhere", async (target) => {
    const [status] = statusLines(await answerTo(path, `GET ${target} HTTP/1.1\r\n${CLOSE}\r\n`));
    expect(status).toMatch(/^(400|404)$/);
  });

  it.each([
    "/v1/status",
    "/v1/status?token=0123456789abcdefghij",
    "/%761/status",
    "/v%31/status",
    "/v1/%73tatus",
    "/x/../v1/status",
    "/./v1/status",
    "/x/%2e%2e/v1/status",
    "/metrics",
    "/%6detrics",
    "/x/../metrics",
    "/metrics?x",
    "/v1/events",
    "/v1/openapi.json",
    "http://x/v1/status",
    "http://127.0.0.1/metrics",
    "http://user:pass@x/v1/status",
    "//x/v1/status",
    "///v1/status",
    "/v1/status#/healthz",
    "/healthz/../v1/status",
    "/healthz/..%2fv1/status",
  ])("%j is not a way past the token", async (target) => {
    for (const method of ["GET", "HEAD", "POST", "get"]) {
      const answer = await answerTo(port, `${method} ${target} HTTP/1.1\r\n${CLOSE}\r\n`);
      expect(statusLines(answer)[0], method).toMatch(/^(400|401|404)$/);
      expect(answer).not.toMatch(/lac1|lacewing_|openapi"/);
    }
  });

  it("in absolute form means the same as without", async () => {
    const answer = await answerTo(path, `GET http://gateway.example/v1/status HTTP/1.1\r\n${CLOSE}\r\n`);
    // or it is refused: what it must not be is something else than /v1/status
    expect(statusLines(answer)[0]).toMatch(/^(200|400|404)$/);
    if (answer.startsWith("HTTP/1.1 200")) expect(answer).toContain('"name":"lac1"');
  });
});

describe("a request that could be read as two", () => {
  const SMUGGLED =
    'POST /v1/drain HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{"draining":true}';
  const JSON_TYPE = "Content-Type: application/json\r\n";

  it.each([
    ["both lengths", `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    [
      "both lengths, the other way round",
      `Transfer-Encoding: chunked\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    ],
    ["two lengths", `Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
    ["a list of lengths", `Content-Length: 0, ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
    ["a length with a sign", `Content-Length: +0\r\n\r\n${SMUGGLED}`],
    ["a length in hexadecimal", `Content-Length: 0x0\r\n\r\n${SMUGGLED}`],
    ["a negative length", `Content-Length: -1\r\n\r\n${SMUGGLED}`],
    ["a length beyond all numbers", `Content-Length: 99999999999999999999\r\n\r\n${SMUGGLED}`],
    ["a blank before the colon", `Content-Length : 0\r\n\r\n${SMUGGLED}`],
    ["another coding", `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ["chunked, and then another coding", `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ["chunked twice", `Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ["a folded header", `Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ["a bare line feed", `X: y\n\n${SMUGGLED}`],
    ["a bare carriage return", `X: y\rContent-Length: 0\r\n\r\n${SMUGGLED}`],
    ["a chunk's size with junk", `Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${SMUGGLED}`],
    [
      "a chunk's size beyond all numbers",
      `Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n${SMUGGLED}`,
    ],
    ["a chunk that ends elsewhere", `Transfer-Encoding: chunked\r\n\r\n2\r\n{}${SMUGGLED}`],
    ["no Host", "Connection: close\r\n\r\n", "POST /v1/end HTTP/1.1\r\n"],
    ["two Hosts", `Host: y\r\n\r\n`],
    ["a NUL in a header", `X: a\0b\r\n\r\n${SMUGGLED}`],
  ])(
    "is refused once, and what comes after it is not read: %s",
    async (_, rest, first = `POST /v1/end HTTP/1.1\r\nHost: x\r\n${JSON_TYPE}`) => {
      const orders = operations.orders.length;
      const answer = await answerTo(path, first + rest);
      expect(statusLines(answer), answer).toEqual(["400"]);
      expect(operations.orders).toHaveLength(orders);
    },
  );

  it("because it has a body where there is none is one, and the connection ends with it", async () => {
    const orders = operations.orders.length;
    const head = `GET /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n`;
    expect(statusLines(await answerTo(path, head + SMUGGLED + SMUGGLED))).toEqual(["413"]);
    expect(operations.orders).toHaveLength(orders);
  });

  it("is two when it is: they are answered in their order", async () => {
    const first = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    const answer = await answerTo(path, `${first}GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n${first}`);
    // the connection ends with the refusal
    expect(statusLines(answer)).toEqual(["200", "404"]);
  });
});

describe("a request that is too much", () => {
  const ORDER = "POST /v1/end HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

  it.each([
    ["a long header", `GET /v1/status HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(100_000)}\r\n\r\n`, "431"],
    ["very many headers", `GET /v1/status HTTP/1.1\r\nHost: x\r\n${"X: y\r\n".repeat(10_000)}\r\n`, "431"],
    ["a long path", `GET /${"x".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, "431"],
    ["a large body, announced", `${ORDER}Content-Length: 1000000000\r\n\r\n{`, "413"],
    ["a large body", `${ORDER}Content-Length: 20000\r\n\r\n${" ".repeat(20_000)}`, "413"],
    ["a large chunk", `${ORDER}Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n${" ".repeat(20_000)}`, "413"],
    ["very many chunks", `${ORDER}Transfer-Encoding: chunked\r\n\r\n${"1\r\n \r\n".repeat(20_000)}`, "413"],
    [
      "a chunk's long extension",
      `${ORDER}Transfer-Encoding: chunked\r\n\r\n1;${"x".repeat(100_000)}\r\n \r\n`,
      "413",
    ],
    [
      "a long trailer",
      `${ORDER}Transfer-Encoding: chunked\r\n\r\n0\r\nX: ${"x".repeat(100_000)}\r\n\r\n`,
      "431",
    ],
    [
      "a body before whose octets it wants to be asked",
      `${ORDER}Connection: close\r\nExpect: nonsense\r\nContent-Length: 5\r\n\r\n`,
      "417",
    ],
    ["a body without a type", `POST /v1/end HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`, "415"],
    [
      "a body of another type",
      `POST /v1/end HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}`,
      "415",
    ],
    ["deep JSON", `${ORDER}Connection: close\r\nContent-Length: 16000\r\n\r\n${"[".repeat(16_000)}`, "400"],
  ])("is refused: %s", async (_, text, status) => {
    expect(statusLines(await answerTo(path, text))).toContain(status);
    expect((await fetchFrom(path, "/v1/status")).status).toBe(200);
  });

  it("without a token is refused before anything of it is read", async () => {
    for (const text of [
      `${ORDER}Content-Length: 1000000000\r\n\r\n{`,
      `${ORDER}Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n${" ".repeat(20_000)}`,
      `GET /v1/sessions?limit=nonsense HTTP/1.1\r\nHost: x\r\n\r\n`,
    ])
      expect(statusLines(await answerTo(port, text))).toEqual(["401"]);
  });

  it("that never ends is cut off, slow ones and those that say nothing", async () => {
    const hasty = await serve(sampleOperations(), { limits: { ...LISTENER_LIMITS, requestMs: 300 } });
    const slow = rawClient(hasty, "GET /v1/status HTTP/1.1\r\nX: ");
    const dribble = setInterval(() => void (slow.socket.writable && slow.socket.write("x")), 20);
    const body = rawClient(hasty, `${ORDER}Content-Length: 100\r\n\r\n{"a`);
    expect(statusLines(await body.over)).toEqual(["408"]);
    // who still sends may find the connection gone before he reads why
    expect(await slow.over).toMatch(/^(|HTTP\/1\.1 408 )/);
    clearInterval(dribble);
  });
});

describe("a page of another site", () => {
  const HEADERS = { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}` };
  const order = { method: "POST", body: '{"draining":true}' };

  it.each([
    { Origin: "https://evil.example" },
    { Origin: "null" },
    { Origin: "http://127.0.0.1:1" },
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site", Origin: "http://127.0.0.1" },
  ])("gives no orders, even with a token: %j", async (from) => {
    const orders = operations.orders.length;
    expect(await fetchFrom(port, "/v1/drain", { ...order, headers: { ...HEADERS, ...from } })).toMatchObject({
      status: 403,
      json: { error: { code: "cross-origin" } },
    });
    expect(operations.orders).toHaveLength(orders);
  });

  it("our own one does, and who is no browser", async () => {
    for (const from of [
      {},
      { Origin: `http://127.0.0.1:${port}` },
      { Origin: "https://gateway.example", "Sec-Fetch-Site": "same-origin" },
      { "Sec-Fetch-Site": "none" },
    ] as const)
      expect(
        (await fetchFrom(port, "/v1/drain", { ...order, headers: { ...HEADERS, ...from } })).status,
      ).toBe(200);
  });

  it("reads nothing, and may not even ask whether it could", async () => {
    const from = { Origin: "https://evil.example", "Access-Control-Request-Method": "POST" };
    for (const method of ["OPTIONS", "GET"])
      for (const target of ["/v1/status", "/v1/drain", "/metrics", "/healthz", "/"]) {
        const { headers } = await fetchFrom(port, target, { method, headers: from });
        expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
      }
  });

  it("whose name leads to this address all of a sudden has no token to show", async () => {
    const from = {
      Host: `evil.example:${port}`,
      Origin: `http://evil.example:${port}`,
      "Sec-Fetch-Site": "same-origin",
    };
    for (const target of ["/v1/status", "/v1/events", "/metrics"])
      expect((await fetchFrom(port, target, { headers: from })).status).toBe(401);
    expect(
      (
        await fetchFrom(port, "/v1/drain", {
          ...order,
          headers: { ...from, "Content-Type": "application/json" },
        })
      ).status,
    ).toBe(401);
  });
});
