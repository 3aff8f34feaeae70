import { describe, expect, it } from "vitest";
import type { GatewayEvent } from "../../src/gateway/events.ts";
import { EventReader } from "../../web/src/client/sse.ts";
import { eventWords } from "../../web/src/text/event-words.ts";

const STREAM =
  'retry: 2000\n: events\n\nid: a-1\nevent: tunnel-up\ndata: {"tunnel":7}\n\n: still here\n\nid: a-2\nevent: gap\ndata: {}\n\n';

describe("the stream of events", () => {
  it("is read the same, wherever it is cut", () => {
    const whole = [
      { id: "a-1", event: "tunnel-up", data: '{"tunnel":7}' },
      { id: "a-2", event: "gap", data: "{}" },
    ];
    for (let cut = 0; cut <= STREAM.length; cut++) {
      const reader = new EventReader();
      expect([...reader.read(STREAM.slice(0, cut)), ...reader.read(STREAM.slice(cut))]).toEqual(whole);
    }
  });

  it("does not grow without end", () => {
    const reader = new EventReader();
    for (let i = 0; i < 40; i++) reader.read("data: x".padEnd(100_000, "x"));
    expect(reader.read("\n\n").at(0)?.data.length ?? 0).toBeLessThan(1_200_000);
  });
});

describe("an event in words", () => {
  const facts = {
    session: "s7",
    user: "alice@isp.example",
    role: "lac",
    origin: "acc0",
    mac: "02:00:5e:10:00:01",
    lns: "lns1",
    address: null,
  } as const;
  const ended = {
    kind: "session-down",
    cause: "hung-up",
    reason: "the subscriber hung up",
    openSeconds: 61,
    octetsIn: 0,
    octetsOut: 0,
    framesIn: 0,
    framesOut: 0,
    ...facts,
  } as const;
  const by = { result: 2, by: "peer" } as const;

  it.each<[GatewayEvent, string, string]>([
    [
      { kind: "session-up", setupMs: 12.4, ...facts },
      "good",
      "alice@isp.example online after 12 ms, at lns1",
    ],
    [
      { ...ended, wasUp: true },
      "plain",
      "alice@isp.example offline after 1 min 01 s: the subscriber hung up",
    ],
    [
      { ...ended, user: null, wasUp: false },
      "bad",
      "02:00:5e:10:00:01 did not get in: the subscriber hung up",
    ],
    [
      { kind: "tunnel-up", tunnel: 7, peer: "lns1", address: "192.0.2.1", setupMs: null },
      "good",
      "lns1, tunnel 7 up, with 192.0.2.1",
    ],
    [
      { kind: "tunnel-down", tunnel: 7, peer: "", wasUp: false, reason: "no answer", sessions: 0, ...by },
      "bad",
      "tunnel 7 did not come up: no answer",
    ],
    [
      { kind: "tunnel-not-answering", tunnel: 7, peer: "lns1", reason: "HELLO sent 2 times" },
      "bad",
      "lns1, tunnel 7 does not answer: HELLO sent 2 times",
    ],
    [
      { kind: "tunnel-answers", tunnel: 7, peer: "lns1", afterSeconds: 4.2 },
      "good",
      "lns1, tunnel 7 answers again, after 4 s",
    ],
    [
      { kind: "call-down", tunnel: 7, peer: "lns1", connected: false, reason: "no resources", ...by },
      "bad",
      "lns1, tunnel 7 call ended: no resources",
    ],
    [
      { kind: "lns-locked-out", peer: "lns2", reason: "no answer", seconds: 300 },
      "bad",
      "lns2 locked out for 5 min 00 s: no answer",
    ],
    [{ kind: "lns-back", peer: "lns2" }, "good", "lns2 takes calls again"],
  ])("is one line: %j", (event, tone, line) => {
    const words = eventWords(event);
    expect([words.tone, `${words.who} ${words.what}`]).toEqual([tone, line]);
    expect(words.href).toMatch(/^#\//);
  });
});
