import { serialize } from "node:v8";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeU16 } from "../../src/base/bytes.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import { emitL2tp } from "../../src/wire/l2tp.ts";
import { emitMessage, type L2tpMessage } from "../../src/wire/l2tp-messages.ts";
import { seededRandom } from "../support/seeded-random.ts";
import {
  CALL,
  calledUp,
  callerUp,
  ICCN,
  ICRQ,
  only,
  PEER,
  PEER_SESSION,
  PEER_TUNNEL,
  type Played,
  SCCCN,
  SCCRP,
  SCCRQ,
} from "./scripted-peer.ts";

const SPOKEN: readonly L2tpMessage[] = [
  SCCRQ,
  SCCRP,
  SCCCN,
  ICRQ,
  ICCN,
  { kind: "HELLO" },
  { kind: "ICRP", assignedSessionId: PEER_SESSION },
  { kind: "CDN", assignedSessionId: PEER_SESSION, resultCode: { result: 2, error: 4, message: "full" } },
  { kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 1 } },
  { kind: "WEN", callErrors: new Uint8Array(26) },
  { kind: "SLI", accm: new Uint8Array(10) },
  {
    kind: "OCRQ",
    assignedSessionId: PEER_SESSION,
    callSerialNumber: 2,
    minimumBps: 1,
    maximumBps: 2,
    bearerType: 1,
    framingType: 1,
  },
  { ...ICRQ, connectSpeedUpdateEnable: true, accessLine: { agentCircuitId: "c", actualDataRateUpstream: 1 } },
  { kind: "CSUN", connectSpeedUpdate: [{ sessionId: 1, txConnectSpeed: 1, rxConnectSpeed: 1 }] },
  { kind: "CSURQ", connectSpeedUpdate: [{ sessionId: 1, txConnectSpeed: 0, rxConnectSpeed: 0 }] },
  { ...SCCRQ, tieBreaker: new Uint8Array(8) },
];

/** Whole messages, and what is left of them after some octets have been changed, cut off or put behind. */
const bodies = fc
  .tuple(
    fc.constantFrom(...SPOKEN.map((message) => emitMessage(message))),
    fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }),
    fc.nat(60),
    fc.uint8Array({ maxLength: 20 }),
  )
  .map(([body, changes, cut, more]) => {
    const bytes = new Uint8Array([
      ...body.subarray(0, cut < 30 ? body.length : cut),
      ...(cut % 3 === 0 ? more : []),
    ]);
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return bytes;
  });

const inputs = fc.record({
  body: bodies,
  tunnel: fc.constantFrom("ours", "none", "other"),
  session: fc.constantFrom("ours", "none", "other"),
  ahead: fc.constantFrom(0, 0, 0, 1, 3, 200, 40_000),
  wait: fc.constantFrom(0, 0, 1, 1000, 9000, 60_000),
  raw: fc.option(fc.uint8Array({ maxLength: 60 }), { nil: undefined, freq: 8 }),
});

function torment(
  played: Played,
  tunnel: number,
  list: readonly (typeof inputs extends fc.Arbitrary<infer T> ? T : never)[],
) {
  let next = played.ns;
  for (const { body, tunnel: to, session, ahead, wait, raw } of list) {
    played.now += wait;
    if (played.endpoint.deadline() <= played.now) played.at(played.now);
    const [known] = played.endpoint.sessions(tunnel);
    const sessionId = session === "ours" ? (known?.session ?? 0) : session === "none" ? 0 : 4711;
    const tunnelId = to === "ours" ? tunnel : to === "none" ? 0 : 4712;
    const header = { control: true, lengthBit: true, tunnelId, sessionId, priority: false };
    const ns = to === "none" ? 0 : (next + ahead) & 0xffff;
    const datagram = raw ?? emitL2tp({ ...header, sequence: { ns, nr: played.nr & 0xffff } }, body);
    played.watch(played.endpoint.receive(played.now, PEER, datagram));
    if (raw === undefined && to === "ours" && ahead === 0) next = (next + 1) & 0xffff;
    const [view] = played.endpoint.tunnels();
    if (view?.phase === "established" && known === undefined)
      played.endpoint.placeCall(played.now, tunnel, CALL);
    expect(played.endpoint.deadline()).toBeGreaterThanOrEqual(played.now);
  }
}

describe("hostile input", () => {
  it.each([
    ["a tunnel that we opened", callerUp],
    ["a tunnel that the peer opened", calledUp],
  ] as const)("never throws and never leaves anything behind: %s", (_, start) => {
    fc.assert(
      fc.property(fc.array(inputs, { maxLength: 40 }), (list) => {
        const { played, tunnel } = start({ outgoingCalls: true, accept: true, tieBreaker: true });
        torment(played, tunnel, list);
        expect(played.endpoint.tunnels().length).toBeLessThanOrEqual(2 + list.length);
        played.endpoint.shutdown(played.now);
        played.silentUntil(played.now + 200_000);
        expect(played.endpoint.tunnels()).toEqual([]);
        expect(played.endpoint.deadline()).toBe(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 400 },
    );
  });

  it("a flood of SCCRQs under an accepted name leaves no more than the half-open tunnels that may be", () => {
    const peers = [{ name: "any", accept: true }];
    const config = { hostName: "us", peers, maxHalfOpenTunnels: 64 };
    const endpoint = new L2tpEndpoint(config, seededRandom(3));
    const header = { control: true, lengthBit: true, tunnelId: 0, sessionId: 0, priority: false };
    for (let i = 0; i < 20_000; i++) {
      const body = emitMessage({ ...SCCRQ, assignedTunnelId: 1 + (i % 65_535) });
      const from = { ...PEER, port: 1024 + (i % 60_000) };
      endpoint.receive(i / 100, from, emitL2tp({ ...header, sequence: { ns: 0, nr: 0 } }, body));
    }
    expect(endpoint.tunnels()).toHaveLength(64);
    expect(endpoint.discards()["half-open"]).toBe(20_000 - 64);
    expect(JSON.stringify(endpoint.snapshot().tunnels).length).toBeLessThan(64 * 3000);
  });

  it("messages far ahead of their turn are not kept", () => {
    const { played, tunnel } = calledUp();
    for (let ns = 2 + 128; ns < 30_000; ns += 7) played.sayAs(ns, 1, ICRQ);
    const [state] = Object.values(played.endpoint.snapshot().tunnels);
    expect(Object.keys(state!.transport.early)).toHaveLength(0);
    expect(played.endpoint.sessions(tunnel)).toHaveLength(0);
  });

  it("a datagram that is none is counted by its reason", () => {
    const { played } = calledUp();
    const count = (bytes: Uint8Array) => played.endpoint.receive(2, PEER, bytes);
    count(new Uint8Array(0));
    count(Uint8Array.of(0xc8, 0x03, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0));
    count(Uint8Array.of(0x88, 0x02, 0, 0, 0, 0, 0, 0, 0, 0));
    count(Uint8Array.of(0x00, 0x02, 0, 1, 0, 1));
    const short = Uint8Array.of(0xc8, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    writeU16(short, 2, 11);
    count(short);
    expect(played.endpoint.discards()).toMatchObject({
      truncated: 1,
      "bad-version": 1,
      "bad-flags": 1,
      "not-control": 1,
      "bad-length": 1,
    });
  });

  it("from another address than the peer's is not listened to", () => {
    const { played, tunnel } = calledUp();
    played.from = { ...PEER, address: "203.0.113.66" };
    const stop = { kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 1 } } as const;
    expect(played.sayAs(2, 1, stop)).toEqual([]);
    expect(played.endpoint.tunnels()).toMatchObject([{ tunnel, phase: "established" }]);
    expect(played.endpoint.discards()["wrong-source"]).toBe(1);
  });
});

describe("a great many calls", () => {
  it("take a few octets of state each, and nothing to wake up for", { timeout: 30_000 }, () => {
    const { played, tunnel } = calledUp({}, 128);
    const octets = () => serialize(played.endpoint.snapshot()).length;
    const before = octets();
    for (let i = 0; i < 20_000; i++) {
      const { session } = only(
        played.say({ ...ICRQ, assignedSessionId: 1 + i }).filter(({ kind }) => kind !== "send"),
        "call-offered",
      );
      played.watch(played.endpoint.acceptCall(played.now, tunnel, session));
      played.say({ ...ICCN, proxyAuthenName: new Uint8Array(100) }, session);
    }
    played.acknowledge();
    played.at(played.now + 1);
    expect((octets() - before) / 20_000).toBeLessThan(200);
    // the next is the HELLO's
    expect(played.endpoint.deadline()).toBeGreaterThan(played.now + 50_000);
  });

  it("cost the same each, whether ten thousand are up or none", { timeout: 30_000 }, () => {
    const { played, tunnel } = calledUp({}, 128);
    const batch = (first: number, count: number) => {
      const start = performance.now();
      for (let i = first; i < first + count; i++) {
        const icrq = { ...ICRQ, assignedSessionId: 1 + i, callSerialNumber: i };
        for (const output of played.say(icrq)) {
          if (output.kind !== "call-offered") continue;
          played.watch(played.endpoint.acceptCall(played.now, tunnel, output.session));
          played.say(ICCN, output.session);
        }
      }
      return performance.now() - start;
    };
    batch(0, 2000);
    const few = Math.min(batch(2000, 2000), batch(4000, 2000));
    batch(6000, 44_000);
    const many = Math.min(batch(50_000, 2000), batch(52_000, 2000), batch(54_000, 2000));
    expect(played.endpoint.tunnels()).toMatchObject([{ sessions: 56_000 }]);
    expect(many).toBeLessThan(10 * few);
  });
});
