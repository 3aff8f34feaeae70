import { once } from "node:events";
import { request } from "node:https";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../src/base/logger.ts";
import { Secret } from "../../src/base/secret.ts";
import { ControlAddresses } from "../../src/control/addresses.ts";
import { LISTENER_LIMITS, type ListenAddress } from "../../src/control/listeners.ts";
import { startControlServer } from "../../src/control/server.ts";
import { hasOpenssl, makeCertificate } from "../support/certificates.ts";
import { freePort } from "./free-port.ts";
import { rawClient } from "./raw-client.ts";
import { sampleOperations } from "./sample-operations.ts";
import { fetchFrom, serve, temporaryFolder } from "./serve.ts";

const TOKEN = "0123456789abcdefghij";
const token = new Secret(TOKEN);

/** Serves on an address; returns its port. */
async function serveOn(
  more: Omit<ListenAddress, "address" | "port">,
  limits = LISTENER_LIMITS,
): Promise<number> {
  const port = await freePort();
  const addresses = [{ address: "127.0.0.1", port, ...more }];
  const page = { serve: () => new Response("page") };
  await serve(sampleOperations(), { addresses, page, limits });
  return port;
}

it("an address that the host does not have is waited for, and the socket served on meanwhile", async () => {
  const said: unknown[] = [];
  const warn = (fields: object, text: string) => said.push({ ...fields, text });
  // of documentation: nobody's
  const addresses = [{ address: "192.0.2.254", port: 9180, token }];
  const socketPath = await serve(sampleOperations(), { addresses, logger: { ...silentLogger, warn } });
  expect((await fetchFrom(socketPath, "/v1/status")).status).toBe(200);
  const text = "the address of the HTTP API is not there yet; waiting for it";
  expect(said).toEqual([{ address: "192.0.2.254", port: 9180, text }]);
});

it("an address that has come is tried again while somebody else has the port there, which is told once", async () => {
  const errors: unknown[] = [];
  const answers = ["EADDRNOTAVAIL", "EADDRINUSE", "EADDRINUSE"];
  const opened = new Promise<void>((resolve) => {
    const open = async () => {
      const code = answers.shift();
      if (code !== undefined) throw new Error(code, { cause: { code } });
      resolve();
      return { retire: () => {}, close: async () => {} };
    };
    const error = (fields: object) => errors.push(fields);
    const addresses = new ControlAddresses(open, { ...silentLogger, error });
    onTestFinished(() => addresses.close());
    void addresses.start([{ address: "192.0.2.254", port: 9180, token }]);
  });
  // the wait itself does not keep the process
  const awake = setInterval(() => {}, 1000);
  await opened;
  clearInterval(awake);
  expect(errors).toEqual([{ address: "192.0.2.254", port: 9180, reason: "EADDRINUSE" }]);
}, 20_000);

describe("an address with a token", () => {
  it("answers who has it", async () => {
    const port = await serveOn({ token });
    for (const path of ["/v1/status", "/metrics", "/v1/openapi.json"])
      expect((await fetchFrom(port, path, { headers: { Authorization: `Bearer ${TOKEN}` } })).status).toBe(
        200,
      );
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN}x`,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    TOKEN,
  ])("refuses who shows %j", async (authorization) => {
    const port = await serveOn({ token });
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    for (const path of [
      "/v1/sessions",
      "/v1/sessions/s1/capture",
      "/v1/events",
      "/metrics",
      "/v1/openapi.json",
      "/v1/nothing",
      "/v1//status",
    ])
      expect(await fetchFrom(port, path, { headers })).toMatchObject({
        status: 401,
        headers: { "www-authenticate": "Bearer" },
        json: { error: { code: "unauthorized" } },
      });
    const order = { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: "{}" };
    expect((await fetchFrom(port, "/v1/end", order)).status).toBe(401);
  });

  it("tells everybody whether it is well, and serves the page that asks for the token", async () => {
    const port = await serveOn({ token });
    for (const path of ["/healthz", "/readyz", "/"]) expect((await fetchFrom(port, path)).status).toBe(200);
  });

  it("is not opened without one", async () => {
    await expect(serveOn({})).rejects.toThrow("neither a token nor client certificates");
  });
});

describe("addresses of a gateway that is given others", () => {
  /** A server that can be told others, and how an address answers who has a token. */
  async function change(before: readonly ListenAddress[]) {
    const socketPath = join(temporaryFolder(), "lacewing.sock");
    const server = await startControlServer(sampleOperations(), {
      socketPath,
      version: "1",
      logger: silentLogger,
      addresses: before,
    });
    onTestFinished(() => server.close());
    return { server, socketPath };
  }

  async function status(port: number, shown: string): Promise<number | string> {
    try {
      return (await fetchFrom(port, "/v1/status", { headers: { Authorization: `Bearer ${shown}` } })).status;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? "";
    }
  }

  it("are opened and closed, and one that is the same goes on with those who are there", async () => {
    const [kept, gone, come] = await Promise.all([freePort(), freePort(), freePort()]);
    const at = (port: number): ListenAddress => ({ address: "127.0.0.1", port, token });
    const { server } = await change([at(kept), at(gone)]);
    const there = await listenToEvents(kept);
    const leaving = await listenToEvents(gone);
    expect(await server.reconfigure([at(come), { ...at(kept), token: new Secret(TOKEN) }])).toEqual([]);
    expect(await Promise.all([kept, gone, come].map((port) => status(port, TOKEN)))).toEqual([
      200,
      "ECONNREFUSED",
      200,
    ]);
    await leaving.over;
    expect(there.socket.closed).toBe(false);
  });

  it("ask for another token, and who came by the old one is hung up on", async () => {
    const port = await freePort();
    const { server } = await change([{ address: "127.0.0.1", port, token }]);
    const listener = await listenToEvents(port);
    const other = "jihgfedcba9876543210";
    expect(await server.reconfigure([{ address: "127.0.0.1", port, token: new Secret(other) }])).toEqual([]);
    expect([await status(port, TOKEN), await status(port, other)]).toEqual([401, 200]);
    await listener.over;
  });

  it("that cannot be had are told, and had by the next change if they can be then", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const { port } = squatter.address() as AddressInfo;
    const { server, socketPath } = await change([]);
    const wanted = [{ address: "127.0.0.1", port, token }];
    expect(await server.reconfigure(wanted)).toEqual([
      expect.stringContaining(`control.listen: cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`),
    ]);
    expect((await fetchFrom(socketPath, "/v1/status")).status).toBe(200);
    squatter.close();
    await once(squatter, "close");
    expect(await server.reconfigure(wanted)).toEqual([]);
    expect(await status(port, TOKEN)).toBe(200);
  });

  /** An event stream that has begun. */
  async function listenToEvents(port: number): Promise<{ socket: Socket; over: Promise<unknown> }> {
    const socket = connect(port, "127.0.0.1");
    const over = once(socket, "close");
    socket.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    await once(socket, "data");
    socket.resume();
    return { socket, over };
  }
});

describe.skipIf(!hasOpenssl)("an address with client certificates", () => {
  const pairs = new Map(hasOpenssl ? ["ours", "other"].map((name) => [name, makeCertificate(name)]) : []);
  const certificates = () => {
    const { cert, key } = pairs.get("ours")!;
    return { cert, key: new Secret(key), clientCa: cert };
  };

  function ask(port: number, name?: string): Promise<number> {
    const identity = name === undefined ? {} : pairs.get(name);
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: "127.0.0.1", port, path: "/v1/status", agent: false, rejectUnauthorized: false, ...identity },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      asked.on("error", reject);
      asked.end();
    });
  }

  it("answers who has one from the authority, and nobody else", async () => {
    const port = await serveOn({ certificates: certificates() });
    expect(await ask(port, "ours")).toBe(200);
    await expect(ask(port)).rejects.toThrow();
    await expect(ask(port, "other")).rejects.toThrow();
    await expect(fetchFrom(port, "/v1/status")).rejects.toThrow();
  });

  it("keeps no place for who connects and says nothing", async () => {
    const limits = { ...LISTENER_LIMITS, requestMs: 200 };
    const port = await serveOn({ certificates: certificates() }, limits);
    await rawClient(port).over;
  });
});
