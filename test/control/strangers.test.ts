import { type ClientRequest, request } from "node:http";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../src/base/logger.ts";
import { Secret } from "../../src/base/secret.ts";
import { LISTENER_LIMITS, type ListenAddress } from "../../src/control/listeners.ts";
import { startControlServer } from "../../src/control/server.ts";
import { hasOpenssl, makeCertificate } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "./free-port.ts";
import { rawClient, statusLines } from "./raw-client.ts";
import { sampleOperations } from "./sample-operations.ts";
import { fetchFrom, serve, temporaryFolder } from "./serve.ts";

const TOKEN = "0123456789abcdefghij";
const WITH_TOKEN = { Authorization: `Bearer ${TOKEN}` };
const LIMITS = { ...LISTENER_LIMITS, connections: 40, strangersOfOneAddress: 8, newcomerMs: 0 };

async function serveStrangers(limits = LIMITS, more: Partial<ListenAddress> = {}): Promise<number> {
  const port = await freePort();
  const addresses = [{ address: "0.0.0.0", port, token: new Secret(TOKEN), ...more }];
  await serve(sampleOperations(), { addresses, limits });
  return port;
}

/** Asks for events with the token, and listens. */
function listenToEvents(port: number): Promise<ClientRequest> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path: "/v1/events", agent: false, headers: WITH_TOKEN });
    asked.on("response", (response) => {
      response.on("error", () => {}).resume();
      resolve(asked);
    });
    asked.on("error", reject).end();
    onTestFinished(() => void asked.destroy());
  });
}

describe("strangers, who have shown no token,", () => {
  it("keep nobody out who has one, however many there are and whatever they do", async () => {
    const port = await serveStrangers();
    const silent = Array.from({ length: 100 }, () => rawClient(port));
    const slow = Array.from({ length: 100 }, () => rawClient(port, "GET /v1/status HTTP/1.1\r\nHost: x\r\n"));
    expect((await fetchFrom(port, "/v1/status", { headers: WITH_TOKEN })).status).toBe(200);
    const gone = () => [...silent, ...slow].filter(({ socket }) => socket.closed).length;
    await eventually("all but a few are hung up on", () => gone() === 200 - LIMITS.strangersOfOneAddress + 1);
    expect((await fetchFrom(port, "/v1/status", { headers: WITH_TOKEN })).status).toBe(200);
  });

  it("are told why when one has to go, and it is who came first", async () => {
    const port = await serveStrangers();
    const first = rawClient(port);
    await eventually("it is connected", () => first.socket.readyState === "open");
    for (let i = 0; i < LIMITS.strangersOfOneAddress; i++) rawClient(port);
    const answer = await first.over;
    expect(statusLines(answer)).toEqual(["503"]);
    expect(answer).toMatch(/^Retry-After: 10\r$/m);
    expect(answer).toContain('{"error":{"code":"busy","message":"too many connections on which nobody has');
  });

  it("may all say something when they come at once, but for those who are beyond what can be borne", async () => {
    const port = await serveStrangers({ ...LIMITS, newcomerMs: 60_000 });
    const request = `GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
    const many = Array.from({ length: LIMITS.connections }, () => rawClient(port, request));
    await eventually("all are answered", () => many.every(({ text }) => text() !== ""));
    expect(new Set(many.flatMap(({ text }) => statusLines(text())))).toEqual(new Set(["200"]));
  });

  it("of one address leave room for those of others", async () => {
    const port = await serveStrangers();
    const other = rawClient({ port, host: "127.0.0.1", localAddress: "127.0.0.2" });
    await eventually("it is connected", () => other.socket.readyState === "open");
    const many = Array.from({ length: 60 }, () => rawClient(port));
    await many[0]!.over;
    expect((await fetchFrom(port, "/healthz")).status).toBe(200);
    expect(other.socket.closed).toBe(false);
  });

  it("of very many addresses leave room for who has a token", async () => {
    const port = await serveStrangers();
    const many = Array.from({ length: 100 }, (_, i) =>
      rawClient({ port, host: "127.0.0.1", localAddress: `127.0.1.${i + 1}` }),
    );
    expect(statusLines(await many[0]!.over)).toEqual(["503"]);
    expect((await fetchFrom(port, "/v1/status", { headers: WITH_TOKEN })).status).toBe(200);
  });

  it("are none any more once they have shown it", async () => {
    const port = await serveStrangers();
    const events = await listenToEvents(port);
    let isOver = false;
    events.on("close", () => {
      isOver = true;
    });
    const many = Array.from({ length: 60 }, () => rawClient(port));
    await Promise.all(many.slice(0, 50).map(({ over }) => over));
    expect(isOver).toBe(false);
  });

  it("do not become known by a wrong one", async () => {
    const port = await serveStrangers();
    const wrong = "GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\n\r\n";
    const answer = await rawClient(port, wrong).over;
    expect(statusLines(answer)).toEqual(["401"]);
    expect(answer).toMatch(/^Connection: close\r$/im);
  });
});

describe("those who may ask", () => {
  it("are told so when there are as many as may", async () => {
    const port = await serveStrangers({ ...LIMITS, connections: 4 });
    for (let i = 0; i < 4; i++) await listenToEvents(port);
    expect(await fetchFrom(port, "/v1/status", { headers: WITH_TOKEN })).toMatchObject({
      status: 503,
      json: { error: { code: "busy", message: "as many are connected as may" } },
    });
  });
});

describe.skipIf(!hasOpenssl)("by TLS", () => {
  const { cert, key } = hasOpenssl ? makeCertificate("gateway") : { cert: "", key: "" };
  const certificates = { cert, key: new Secret(key) };

  it("strangers have no more places, and one who has shown a certificate keeps his", async () => {
    const withCertificate = await serveStrangers(LIMITS, {
      certificates: { ...certificates, clientCa: cert },
    });
    const to = { port: withCertificate, host: "127.0.0.1", rejectUnauthorized: false };
    const known = connectTls({ ...to, cert, key });
    known.on("error", () => {}).resume();
    onTestFinished(() => void known.destroy());
    // by TLS 1.3 a client is done before the server has looked at its certificate: an answer says that it has
    known.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((resolve) => known.once("data", resolve));
    const many = Array.from({ length: 30 }, () => rawClient(withCertificate));
    await Promise.all(many.slice(0, 20).map(({ over }) => over));
    expect(known.closed).toBe(false);
  });

  it("nobody who has not said anything yet keeps the gateway from stopping", async () => {
    const port = await freePort();
    const server = await startControlServer(sampleOperations(), {
      socketPath: join(temporaryFolder(), "lacewing.sock"),
      version: "1",
      logger: silentLogger,
      addresses: [{ address: "127.0.0.1", port, token: new Secret(TOKEN), certificates }],
    });
    const silent = rawClient(port);
    await eventually("it is connected", () => silent.socket.readyState === "open");
    // accepted too: who came later is answered
    expect(await tlsStatus(port)).toBe(200);
    const before = performance.now();
    await server.close();
    await silent.over;
    expect(performance.now() - before).toBeLessThan(1000);
  });

  function tlsStatus(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false }, () =>
        socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
      );
      socket.once("data", (chunk) => resolve(Number(chunk.toString().split(" ")[1])));
      socket.once("error", reject);
    });
  }
});
