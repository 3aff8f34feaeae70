import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { eventData } from "../../src/control/event-schemas.ts";
import { MAX_STREAMS } from "../../src/control/event-streams.ts";
import type { GatewayEvent } from "../../src/gateway/events.ts";
import { eventually } from "../support/eventually.ts";
import { rawClient, statusLines } from "./raw-client.ts";
import { sampleOperations } from "./sample-operations.ts";
import { fetchFrom, serve } from "./serve.ts";

const UP: GatewayEvent = {
  kind: "tunnel-up",
  tunnel: 7,
  peer: "lns1",
  address: "192.0.2.1",
  setupMs: 12,
};

/** Somebody who listens to events; what comes is kept. */
function listen(path: string, headers = ""): { readonly socket: Socket; text: () => string } {
  let text = "";
  const socket = connect(path, () => socket.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\n${headers}\r\n`));
  socket.on("data", (chunk) => {
    text += chunk.toString();
  });
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  return { socket, text: () => text };
}

const ids = (text: string): string[] => [...text.matchAll(/^id: (\S+)/gm)].map(([, id]) => id!);

describe("the stream of events", () => {
  it("is not begun by HEAD", async () => {
    const complaints = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => complaints.mockRestore());
    const path = await serve();
    const { status, headers, text } = await fetchFrom(path, "/v1/events", { method: "HEAD" });
    expect([status, headers["content-type"], text]).toEqual([200, "text/event-stream", ""]);
    expect((await fetchFrom(path, "/metrics")).text).toContain("lacewing_event_streams 0");
    expect(complaints).not.toHaveBeenCalled();
  });

  it("tells what happens from now on, as its schema says", async () => {
    const operations = sampleOperations();
    const path = await serve(operations);
    operations.events.publish({ ...UP, peer: "before" });
    const { text } = listen(path);
    await eventually("the stream begins", () => text().includes(": events"));
    operations.events.publish(UP);
    await eventually("the event comes", () => text().includes("event: tunnel-up"));
    expect(text()).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(text()).not.toContain("before");
    const data = JSON.parse(/^data: (.*)$/m.exec(text())![1]!);
    expect(eventData.parse(data)).toEqual({ at: "2026-01-02T03:04:05.678Z", ...UP });
  });

  it("goes on where it was lost", async () => {
    const operations = sampleOperations();
    const path = await serve(operations);
    const first = listen(path);
    await eventually("the stream begins", () => first.text().includes(": events"));
    operations.events.publish(UP);
    await eventually("the event comes", () => ids(first.text()).length === 1);
    first.socket.destroy();
    operations.events.publish({ ...UP, peer: "missed1" });
    operations.events.publish({ ...UP, peer: "missed2" });
    const again = listen(path, `Last-Event-ID: ${ids(first.text())[0]}\r\n`);
    await eventually("what was missed comes", () => again.text().includes("missed2"));
    expect(again.text()).toContain("missed1");
    expect(ids(again.text()).map((id) => id.split("-")[1])).toEqual(["2", "3"]);
  });

  it("says so when something is lost for good, or the id is of another process", async () => {
    const operations = sampleOperations();
    const path = await serve(operations);
    const first = listen(path);
    operations.events.publish(UP);
    await eventually("the stream begins", () => first.text().includes(": events"));
    operations.events.publish(UP);
    await eventually("an event comes", () => ids(first.text()).length > 0);
    const [id] = ids(first.text());
    for (let i = 0; i < 2000; i++) operations.events.publish(UP);
    for (const old of [id, "other-1", "nonsense", "-", `${id!.split("-")[0]}-99999999`]) {
      const { text } = listen(path, `Last-Event-ID: ${old}\r\n`);
      await eventually(`a gap after ${old}`, () => text().includes("event: gap"));
    }
  });

  it("cuts off who does not read, with a word, and goes on with the others", async () => {
    const operations = sampleOperations();
    const path = await serve(operations);
    const slow = listen(path);
    const quick = listen(path);
    await eventually("both listen", () => [slow, quick].every(({ text }) => text().includes(": events")));
    slow.socket.pause();
    const reason = "x".repeat(10_000);
    let published = 0;
    await eventually("the slow one is not waited for", async () => {
      for (let i = 0; i < 30; i++)
        operations.events.publish({ kind: "lns-locked-out", peer: `p${published++}`, reason, seconds: 1 });
      const last = `"p${published - 1}"`;
      await eventually(`${last} has come`, () => quick.text().includes(last));
      const { text } = await fetchFrom(path, "/metrics");
      return /^lacewing_event_streams 1$/m.test(text);
    });
    // at once: he has some seconds to read the last word
    slow.socket.resume();
    await eventually("the slow one is told", () => slow.text().includes("event: cut-off"));
    expect(quick.text()).not.toContain("event: cut-off");
    expect(ids(quick.text())).toHaveLength(published);
  });

  it("is for so many at a time, and for the next when one has gone", async () => {
    const path = await serve();
    const streams = Array.from({ length: MAX_STREAMS }, () => listen(path));
    await eventually("all listen", () => streams.every(({ text }) => text().includes(": events")));
    expect(await fetchFrom(path, "/v1/events")).toMatchObject({
      status: 503,
      headers: { "retry-after": "10" },
    });
    expect((await fetchFrom(path, "/v1/status")).status).toBe(200);
    streams[0]!.socket.destroy();
    await eventually("there is room again", () => {
      const { text } = listen(path);
      return eventually("an answer", () => text() !== "").then(() => text().startsWith("HTTP/1.1 200"));
    });
  });
});

describe("a thousand who listen to events", () => {
  it("are as many as may, and the others are told so; who asks is answered", async () => {
    const operations = sampleOperations();
    const path = await serve(operations);
    const listeners = Array.from({ length: 1000 }, () =>
      rawClient(path, "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n"),
    );
    const isAnswered = ({ text, socket }: (typeof listeners)[number]) => text() !== "" || socket.closed;
    await eventually("all have an answer", () => listeners.every(isAnswered));
    const statuses = listeners.flatMap(({ text }) => statusLines(text()));
    expect(statuses.filter((status) => status === "200")).toHaveLength(64);
    expect(new Set(statuses)).toEqual(new Set(["200", "503"]));
    await eventually(
      "those who were refused are gone",
      () => listeners.filter(({ socket }) => !socket.closed).length === 64,
    );
    expect((await fetchFrom(path, "/v1/status")).status).toBe(200);
    operations.events.publish({
      kind: "tunnel-up",
      tunnel: 7,
      peer: "lns1",
      address: "192.0.2.1",
      setupMs: 1,
    });
    await eventually("an event comes to all of them", () =>
      listeners.every(({ text, socket }) => socket.closed || text().includes("event: tunnel-up")),
    );
  }, 20_000);
});
