import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openPage } from "../../lab/page.ts";
import { lacSession, sampleOperations } from "../control/sample-operations.ts";
import { fetchFrom, serve, temporaryFolder } from "../control/serve.ts";
import { eventually } from "../support/eventually.ts";

/** The door to what listens on a socket; its port, and the token of its address. */
async function door(socketPath: string): Promise<{ port: number; headers: Record<string, string> }> {
  const page = await openPage(socketPath);
  onTestFinished(() => page.close());
  const { hostname, port, hash, search } = new URL(page.url);
  expect([hostname, search]).toEqual(["127.0.0.1", ""]);
  return { port: Number(port), headers: { Authorization: `Bearer ${hash.replace("#token=", "")}` } };
}

describe("the lab's way to a gateway's page", () => {
  it("gives the page to everybody, and what the gateway knows to who has the token", async () => {
    const page = { serve: (path: string) => (path === "/" ? new Response("the page") : undefined) };
    const { port, headers } = await door(await serve(sampleOperations(), { page }));
    expect(await fetchFrom(port, "/")).toMatchObject({ status: 200, text: "the page" });
    for (const path of ["/v1/sessions", "/v1", "/metrics"])
      expect((await fetchFrom(port, path)).status).toBe(401);
    const { json } = await fetchFrom(port, "/v1/sessions/s1", { headers });
    expect(json).toMatchObject({ id: lacSession.id });
  });

  it("passes orders on", async () => {
    const operations = sampleOperations();
    const { port, headers } = await door(await serve(operations));
    const body = JSON.stringify({ draining: true });
    const json = { "Content-Type": "application/json" };
    expect((await fetchFrom(port, "/v1/drain", { headers: json, body })).status).toBe(401);
    expect((await fetchFrom(port, "/v1/drain", { headers: { ...json, ...headers }, body })).status).toBe(200);
    expect(operations.orders).toEqual([["drain", true, undefined]]);
  });

  it("says that a gateway is away", async () => {
    const { port, headers } = await door(join(temporaryFolder(), "nobody.sock"));
    expect((await fetchFrom(port, "/v1/status", { headers })).status).toBe(502);
  });

  it("leaves the gateway when its asker leaves", async () => {
    let listeners = 0;
    const socket = join(temporaryFolder(), "stream.sock");
    const gateway = createServer((_, answer) => {
      listeners += 1;
      answer.on("close", () => {
        listeners -= 1;
      });
      answer.writeHead(200).write(": events\n\n");
    }).listen(socket);
    onTestFinished(() => void gateway.close());
    const { port, headers } = await door(socket);
    const leaving = new AbortController();
    const answer = await fetch(`http://127.0.0.1:${port}/v1/events`, { headers, signal: leaving.signal });
    expect([answer.status, listeners]).toEqual([200, 1]);
    leaving.abort();
    await eventually("nobody listens any more", () => listeners === 0);
  });
});
