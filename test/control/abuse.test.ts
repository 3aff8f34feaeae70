import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { seededRandom } from "../support/seeded-random.ts";
import { lacSession, sampleOperations } from "./sample-operations.ts";
import { fetchFrom, serve } from "./serve.ts";

/** A connection that says `text`, and nothing more. */
function say(path: string, text: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(text, () => resolve(socket)));
    socket.on("error", reject);
    onTestFinished(() => void socket.destroy());
  });
}

/** Everything that comes back until the server hangs up. */
function answerTo(path: string, octets: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(path, () => socket.end(octets));
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    // a server that hangs up on unread octets resets the connection
    socket.on("error", () => resolve(text));
    socket.on("close", () => resolve(text));
  });
}

describe("the API, abused,", () => {
  it("answers others while somebody does not read a long answer", async () => {
    const sessions = Array.from({ length: 1000 }, () => lacSession);
    const page = { total: 1000, matched: 1000, next: null, sessions };
    const path = await serve(sampleOperations({ sessions: async () => page }));
    for (let i = 0; i < 20; i++) {
      const socket = await say(path, "GET /v1/sessions?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n");
      socket.pause();
    }
    expect((await fetchFrom(path, "/v1/status")).status).toBe(200);
  });

  it("answers others while hundreds have begun a request and say nothing more", async () => {
    const path = await serve();
    for (let i = 0; i < 200; i++) await say(path, "GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    expect((await fetchFrom(path, "/v1/status")).status).toBe(200);
  });

  it("takes no more connections than it can bear, and goes on", async () => {
    const path = await serve();
    const sockets: Socket[] = [];
    for (let i = 0; i < 300; i++) {
      const socket = connect(path);
      socket.on("error", () => {}).resume();
      onTestFinished(() => void socket.destroy());
      sockets.push(socket);
    }
    await new Promise((resolve) => sockets.at(-1)?.once("close", resolve));
    for (const socket of sockets.slice(0, 100)) socket.destroy();
    await expect
      .poll(() =>
        fetchFrom(path, "/v1/status").then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
  });

  it("answers whatever comes with a refusal, or hangs up, and never fails", async () => {
    const failures: unknown[] = [];
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (fields: object) => void failures.push(fields),
    };
    const path = await serve(sampleOperations(), { logger });
    const random = seededRandom(4);
    const pick = <Item>(items: readonly Item[]): Item => items[random.uint32() % items.length]!;
    const junk = () => Buffer.from(random.bytes(random.uint32() % 64)).toString("latin1");
    for (let i = 0; i < 300; i++) {
      const method = pick(["GET", "POST", "PUT", "OPTIONS", "HEAD", "TRACE", "get", "X"]);
      const target = pick([
        "/v1/sessions",
        "/v1/end",
        "/v1/why",
        "/metrics",
        "/v1/events/..",
        "*",
        "//",
        "http://x/",
      ]);
      const search = pick(["", `?${junk()}`, "?limit=1&limit=2", "?user=%ff%fe", "?user=%", "?__proto__=1"]);
      const headers = pick([
        "",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Expect: 100-continue\r\n",
      ]);
      const type = pick(["", "Content-Type: application/json\r\n"]);
      const body = pick(["", "{}", '{"user":', `5\r\n${junk()}`, '{"__proto__":{"session":"s1"}}']);
      const text = `${method} ${target}${search} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}${type}\r\n${body}`;
      const answer = await answerTo(path, Buffer.from(text, "latin1"));
      expect(answer, text).toMatch(/^(|HTTP\/1\.1 (100|200|4\d\d|503) )/);
    }
    expect(failures).toEqual([]);
    expect((await fetchFrom(path, "/v1/status")).status).toBe(200);
  });
});
