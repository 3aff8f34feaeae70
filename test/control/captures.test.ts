import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { silentLogger } from "../../src/base/logger.ts";
import { ResponseSink } from "../../src/control/capture-stream.ts";
import { startControlServer } from "../../src/control/server.ts";
import { readPcapng } from "../support/pcapng.ts";
import { sampleOperations } from "./sample-operations.ts";
import { fetchFrom, order, serve, temporaryFolder } from "./serve.ts";

/** Asks for a capture; resolves when the answer begins. */
function begin(socketPath: string, path: string, headers = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, agent: false, headers }, resolve).on("error", reject).end();
  });
}

async function all(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const CAPTURE = "/v1/sessions/s1/capture";

describe("a capture over the API", () => {
  it("begins at once, grows, and ends well when it is ended by its id", async () => {
    const operations = sampleOperations();
    const socket = await serve(operations);
    const agent = { "User-Agent": "curl/8\xe9" };
    const response = await begin(socket, `${CAPTURE}?leg=access&frames=10&seconds=60`, agent);
    expect(response).toMatchObject({
      statusCode: 200,
      headers: {
        "content-type": "application/vnd.tcpdump.pcap",
        "content-disposition": 'attachment; filename="s1.pcapng"',
        "cache-control": "no-store",
        "lacewing-capture": "c1",
      },
    });
    const ended = all(response);
    await order(socket, "/v1/captures/end", { capture: "c1", reason: "seen enough" });
    const capture = readPcapng(await ended);
    expect(capture).toMatchObject({
      application: "Lacewing 1.2.3",
      interfaces: [{ name: "acc0", snapBytes: 65_535 }],
      packets: [{ lengthBytes: 1500, direction: "in" }],
      statistics: [{ received: 4, dropped: 3, comment: "seen enough" }],
    });
    expect(operations.orders).toEqual([
      [
        "capture",
        {
          session: "s1",
          legs: "access",
          frames: 10,
          octets: 2 ** 26,
          seconds: 60,
          rate: 2 ** 21,
          snap: 65_535,
        },
        "the local socket, curl/8",
      ],
      ["endCapture", "c1", "seen enough"],
      ["captureEnded", "seen enough"],
    ]);
  });

  it("ends when its reader goes away", async () => {
    const operations = sampleOperations();
    const response = await begin(await serve(operations), CAPTURE);
    response.destroy();
    await expect.poll(() => operations.orders.at(-1)).toEqual(["captureEnded", "its reader has gone"]);
  });

  it("that has ended waits for a reader who takes nothing, but not for ever", async () => {
    const socketPath = `${temporaryFolder()}/sink.sock`;
    const answered = new Promise<ServerResponse>((resolve) => {
      const server = createServer((_, response) => resolve(response)).listen(socketPath);
      onTestFinished(() => void server.close());
    });
    const reader = begin(socketPath, "/");
    const response = await answered;
    const sink = new ResponseSink(response, 50);
    sink.begin({ id: "c1", end: () => {} }, "s1.pcapng");
    sink.write(new Uint8Array(1 << 22));
    const closed = once(response, "close");
    sink.end();
    const answer = await reader;
    await closed;
    await expect(all(answer)).rejects.toThrow("aborted");
  });

  it("is not begun before the answer to what was asked before it on its connection", async () => {
    const operations = sampleOperations();
    const socketPath = await serve(operations);
    const socket = connect(socketPath);
    onTestFinished(() => void socket.destroy());
    let answers = "";
    socket.setEncoding("latin1").on("data", (text: string) => {
      answers += text;
    });
    socket.write(`GET ${CAPTURE} HTTP/1.1\r\nHost: lacewing\r\n\r\n`.repeat(2));
    await expect.poll(() => answers).toContain("Lacewing-Capture: c1");
    await order(socketPath, "/v1/captures/end", { capture: "c1", reason: "seen enough" });
    await expect.poll(() => answers).toContain("HTTP/1.1 400");
    expect(operations.orders.filter((asked) => (asked as string[])[0] === "capture")).toHaveLength(1);
  });

  it("is whole when the gateway stops", async () => {
    const socketPath = `${temporaryFolder()}/lacewing.sock`;
    const options = { socketPath, version: "1", logger: silentLogger };
    const server = await startControlServer(sampleOperations(), options);
    const ended = all(await begin(socketPath, CAPTURE));
    await server.close();
    expect(readPcapng(await ended).statistics[0]?.comment).toBe("the gateway is stopping");
  });

  it.each([
    ["/v1/sessions/s9/capture", 404],
    ["/v1/sessions/9/capture", 400],
    [`${CAPTURE}?leg=all`, 400],
    [`${CAPTURE}?frames=0`, 400],
    [`${CAPTURE}?octets=1e99`, 400],
    [`${CAPTURE}?seconds=86401`, 400],
    [`${CAPTURE}?rate=999999999999`, 400],
    [`${CAPTURE}?snap=1`, 400],
    [`${CAPTURE}?snap=64&snap=65`, 400],
    [`${CAPTURE}?token=x`, 400],
  ])("that cannot be is refused with a word: %s", async (path, status) => {
    const answer = await fetchFrom(await serve(), path);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ error: { message: expect.any(String) } });
  });

  it("is not begun by a page of another site", async () => {
    const operations = sampleOperations();
    const headers = { "Sec-Fetch-Site": "cross-site" };
    expect((await fetchFrom(await serve(operations), CAPTURE, { headers })).status).toBe(403);
    expect(operations.orders).toEqual([]);
  });

  it("is not begun by HEAD, nor by an order", async () => {
    const operations = sampleOperations();
    const socket = await serve(operations);
    expect((await fetchFrom(socket, CAPTURE, { method: "HEAD" })).status).toBe(200);
    expect((await fetchFrom(socket, CAPTURE, { method: "POST" })).status).toBe(405);
    expect(operations.orders).toEqual([]);
  });
});
