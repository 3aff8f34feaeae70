import { describe, expect, it } from "vitest";
import { readU16 } from "../../src/base/bytes.ts";
import {
  acknowledge,
  createTransport,
  enqueue,
  enqueueUrgent,
  expire,
  flush,
  noteWaiting,
  setPeerWindow,
} from "../../src/l2tp/transport.ts";
import {
  CALL,
  CONNECTION,
  called,
  calledUp,
  caller,
  callerUp,
  ICCN,
  ICRQ,
  only,
  PEER_SESSION,
  Played,
  SCCCN,
  SCCRP,
  SCCRQ,
  sent,
  trace,
} from "./scripted-peer.ts";

/** Where Ns is in a control message. */
const NS_AT = 8;

const HELLO = { kind: "HELLO" } as const;

describe("the conversations of RFC 2661 appendix B", () => {
  it("B.1: lock-step tunnel establishment, as the one who calls", () => {
    const played = caller();
    const opened = played.endpoint.openTunnel(0, "lns");
    expect(trace(played.watch(opened.outputs))).toEqual(["SCCRQ 0/0"]);
    played.tunnelId = opened.tunnel!;
    expect(trace(played.say(SCCRP))).toEqual(["tunnel-up", "SCCCN 1/1"]);
    expect(trace(played.acknowledge(2))).toEqual([]);
  });

  it("B.1: lock-step tunnel establishment, as the one who is called", () => {
    const played = called();
    const outputs = played.say(SCCRQ);
    expect(trace(outputs)).toEqual(["SCCRP 0/1"]);
    played.tunnelId = sent(outputs, "SCCRP").message.assignedTunnelId;
    expect(trace(played.say(SCCCN))).toEqual(["tunnel-up"]);
    expect(played.endpoint.deadline()).toBe(1);
    expect(trace(played.at(1))).toEqual(["ZLB 1/2"]);
  });

  it("B.2: a lost ICRP is sent again, and the repeated ICRQ before it is acknowledged", () => {
    const { played, tunnel } = calledUp();
    const { session } = only(played.say(ICRQ), "call-offered");
    // lost on its way
    expect(trace(played.endpoint.acceptCall(played.now, tunnel, session))).toEqual(["ICRP 1/3"]);
    played.now = 900;
    expect(trace(played.sayAs(2, 1, ICRQ))).toEqual([]);
    expect(trace(played.at(901))).toEqual(["ZLB 2/3"]);
    expect(trace(played.at(1001))).toEqual(["ICRP 1/3"]);
    expect(trace(played.say(ICCN, session))).toEqual(["call-connected"]);
    expect(trace(played.at(1002))).toEqual(["ZLB 2/4"]);
  });
});

describe("retransmission", () => {
  it("of SCCRQ happens twice, and a dead LNS costs seven seconds", () => {
    const played = caller();
    played.endpoint.openTunnel(0, "lns");
    expect(played.silentUntil(100_000)).toEqual(["1000 SCCRQ 0/0", "3000 SCCRQ 0/0", "7000 tunnel-down"]);
    expect(played.endpoint.deadline()).toBe(Number.POSITIVE_INFINITY);
    expect(played.endpoint.tunnels()).toEqual([]);
  });

  it("says what was sent, how often, and that nothing came back", () => {
    const played = caller();
    played.endpoint.openTunnel(0, "lns");
    played.at(1000);
    played.at(3000);
    expect(only(played.at(7000), "tunnel-down")).toMatchObject({
      wasUp: false,
      cause: { by: "timeout", sent: "SCCRQ", times: 3, waitedFor: "SCCRP", silentMs: null },
    });
  });

  it("of all else happens five times, a second doubling to eight apart", () => {
    const { played, tunnel } = callerUp();
    const { session } = played.endpoint.placeCall(0, tunnel, CALL);
    expect(played.silentUntil(40_000)).toEqual([
      "1000 ICRQ 2/1",
      "3000 tunnel-unanswered",
      "3000 ICRQ 2/1",
      "7000 ICRQ 2/1",
      "15000 ICRQ 2/1",
      "23000 ICRQ 2/1",
      "31000 tunnel-down",
    ]);
    expect(session).toBeDefined();
  });

  it("begins again at one second once the peer has acknowledged something", () => {
    const { played, tunnel } = callerUp();
    played.watch(played.endpoint.placeCall(0, tunnel, CALL).outputs);
    played.watch(played.endpoint.placeCall(0, tunnel, CALL).outputs);
    expect(trace(played.at(1000))).toEqual(["ICRQ 2/1"]);
    played.now = 2500;
    expect(trace(played.acknowledge(3))).toEqual(["ICRQ 3/1"]);
    expect(played.endpoint.deadline()).toBe(3500);
  });

  it("carries the newest Nr", () => {
    const { played, tunnel } = callerUp();
    played.endpoint.placeCall(0, tunnel, CALL);
    played.sayAs(1, 2, HELLO);
    played.sayAs(2, 2, HELLO);
    expect(trace(played.at(1000))).toEqual(["ICRQ 2/3"]);
  });

  it("continues after a timeout with everything that was outstanding, within the congestion window", () => {
    const { played, tunnel } = callerUp();
    for (let i = 0; i < 4; i++) played.endpoint.placeCall(0, tunnel, CALL);
    expect(trace(played.at(1000))).toEqual(["ICRQ 2/1"]);
    // the peer has kept the second one, which came early
    expect(trace(played.acknowledge(4))).toEqual(["ICRQ 4/1", "ICRQ 5/1"]);
  });

  it("stops at an Nr that acknowledges everything, and takes no notice of one that cannot be", () => {
    const { played, tunnel } = callerUp();
    played.endpoint.placeCall(0, tunnel, CALL);
    played.acknowledge(9);
    played.acknowledge(60_000);
    expect(played.endpoint.deadline()).toBe(1000);
    played.acknowledge(3);
    expect(played.endpoint.deadline()).toBeGreaterThan(50_000);
  });
});

describe("fast retransmission", () => {
  /** Six messages, 2 to 7, under way to a peer that took four at first. */
  const underWay = (window = 16) => {
    const { played, tunnel } = callerUp({}, window);
    for (let i = 0; i < 12; i++) played.endpoint.placeCall(0, tunnel, CALL);
    const outputs = played.acknowledge(5);
    expect(trace(outputs)).toEqual([5, 6, 7, 8, 9, 10].map((ns) => `ICRQ ${ns}/1`));
    return { played, tunnel };
  };

  it("sends the first unacknowledged message again at the third repeated acknowledgement", () => {
    const { played } = underWay();
    expect(trace(played.acknowledge(5))).toEqual([]);
    expect(trace(played.acknowledge(5))).toEqual([]);
    expect(trace(played.acknowledge(5))).toEqual(["ICRQ 5/1"]);
    expect(played.endpoint.transportCounters()).toMatchObject({ retransmitted: 1, fastRetransmissions: 1 });
  });

  it("is like any retransmission to the windows, and happens once for one loss", () => {
    const { played } = underWay();
    for (let i = 0; i < 3; i++) played.acknowledge(5);
    for (let i = 0; i < 10; i++) expect(trace(played.acknowledge(5))).toEqual([]);
    // the peer had the others: half of six is what the window may grow to at once
    expect(trace(played.acknowledge(11))).toEqual(["ICRQ 11/1", "ICRQ 12/1", "ICRQ 13/1"]);
  });

  it("goes on at once with the next that is missing", () => {
    const { played } = underWay();
    for (let i = 0; i < 3; i++) played.acknowledge(5);
    expect(trace(played.acknowledge(8))).toEqual(["ICRQ 8/1", "ICRQ 9/1", "ICRQ 10/1"]);
    // answers to what it had already
    for (let i = 0; i < 5; i++) expect(trace(played.acknowledge(8))).toEqual([]);
    expect(played.endpoint.transportCounters().fastRetransmissions).toBe(1);
  });

  it("needs less where less is under way, and nothing tells of the loss of a single message", () => {
    const { played, tunnel } = callerUp({}, 16);
    played.endpoint.placeCall(0, tunnel, CALL);
    for (let i = 0; i < 5; i++) expect(trace(played.acknowledge(2))).toEqual([]);
    played.endpoint.placeCall(0, tunnel, CALL);
    expect(trace(played.acknowledge(2))).toEqual(["ICRQ 2/1"]);
  });

  it("takes no notice of the Nr of messages that are no ZLBs", () => {
    const { played } = underWay();
    for (let i = 0; i < 5; i++) expect(trace(played.sayAs(1 + i, 5, HELLO))).toEqual([]);
  });

  it("leaves the timeout as it is", () => {
    const { played } = underWay();
    played.now = 500;
    for (let i = 0; i < 3; i++) played.acknowledge(5);
    expect(played.silentUntil(31_000)[0]).toBe("1500 ICRQ 5/1");
  });
});

describe("windows", () => {
  it("open slowly: one message, then two for each that was acknowledged", () => {
    const { played, tunnel } = callerUp({}, 64);
    // SCCRQ and SCCCN have been acknowledged
    let outputs = 0;
    for (let i = 0; i < 50; i++) outputs += played.endpoint.placeCall(0, tunnel, CALL).outputs.length;
    expect(outputs).toBe(3);
    expect(played.acknowledge(5)).toHaveLength(6);
    expect(played.acknowledge(11)).toHaveLength(12);
  });

  it("are never larger than the peer's", () => {
    const { played, tunnel } = callerUp({}, 4);
    let inFlight = 0;
    for (let i = 0; i < 50; i++) inFlight += played.endpoint.placeCall(0, tunnel, CALL).outputs.length;
    let acknowledged = 2;
    for (let i = 0; i < 10; i++) {
      expect(inFlight).toBeLessThanOrEqual(4);
      acknowledged += inFlight;
      inFlight = played.acknowledge(acknowledged).length;
    }
    expect(inFlight).toBe(4);
  });

  it("of a peer that offers none are four", () => {
    const played = caller();
    const { tunnel } = played.endpoint.openTunnel(0, "lns");
    played.tunnelId = tunnel!;
    played.nr = 1;
    played.say(SCCRP);
    played.acknowledge(2);
    let inFlight = 0;
    for (let i = 0; i < 50; i++) inFlight += played.endpoint.placeCall(0, tunnel!, CALL).outputs.length;
    for (let acknowledged = 2, round = 0; round < 5; round++) {
      acknowledged += inFlight;
      inFlight = played.acknowledge(acknowledged).length;
    }
    expect(inFlight).toBe(4);
  });

  it("of ours are offered as configured, 128 by default", () => {
    expect(sent(caller().endpoint.openTunnel(0, "lns").outputs, "SCCRQ").message.receiveWindowSize).toBe(128);
    const narrow = caller({ receiveWindow: 8 });
    expect(sent(narrow.endpoint.openTunnel(0, "lns").outputs, "SCCRQ").message.receiveWindowSize).toBe(8);
  });
});

describe("the health of a tunnel", () => {
  const counters = { retransmitted: 0, fastRetransmissions: 0, duplicates: 0 };
  const message = () => ({ label: "ICRQ", sessionId: 0, datagram: new Uint8Array(20) });

  it("is the time until messages are acknowledged, of those that were sent once", () => {
    const transport = createTransport(4);
    enqueue(transport, message());
    flush(transport, 0, 7, counters);
    acknowledge(transport, 40, 1, true, counters);
    expect(transport.health.roundTripMs).toBe(40);
    enqueue(transport, message());
    flush(transport, 100, 7, counters);
    acknowledge(transport, 220, 2, true, counters);
    expect(transport.health.roundTripMs).toBe(50);
    enqueue(transport, message());
    flush(transport, 300, 7, counters);
    expire(transport, 1300, 5);
    flush(transport, 1300, 7, counters);
    acknowledge(transport, 1310, 3, true, counters);
    expect(transport.health).toMatchObject({ roundTripMs: 50, retransmitted: 1 });
  });

  it("is how often the peer's window was full while something waited", () => {
    const transport = createTransport(4);
    setPeerWindow(transport, 1);
    enqueue(transport, message());
    flush(transport, 0, 7, counters);
    noteWaiting(transport, false);
    expect(transport.health.windowStalls).toBe(0);
    noteWaiting(transport, true);
    noteWaiting(transport, true);
    expect(transport.health).toMatchObject({ windowStalls: 1, isStalled: true });
    acknowledge(transport, 10, 1, true, counters);
    noteWaiting(transport, true);
    expect(transport.health).toMatchObject({ windowStalls: 1, isStalled: false });
  });
});

describe("receipt", () => {
  const calls = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      ...ICRQ,
      assignedSessionId: PEER_SESSION + i,
      callSerialNumber: i,
    }));

  it("out of order is answered at once and put in order, and each message acted on once", () => {
    const { played } = calledUp();
    const [a, b, c] = calls(3);
    expect(trace(played.sayAs(4, 1, c!))).toEqual(["ZLB 1/2"]);
    expect(trace(played.sayAs(3, 1, b!))).toEqual(["ZLB 1/2"]);
    expect(trace(played.sayAs(3, 1, b!))).toEqual(["ZLB 1/2"]);
    const outputs = played.sayAs(2, 1, a!);
    expect(outputs.map((each) => each.kind === "call-offered" && each.call.callSerialNumber)).toEqual([
      0, 1, 2,
    ]);
    expect(trace(played.sayAs(4, 1, c!))).toEqual([]);
    expect(trace(played.at(3))).toEqual(["ZLB 1/5"]);
  });

  it("holds 127 messages that came early, and not one more", () => {
    const { played } = calledUp();
    const list = calls(200);
    for (let i = 199; i > 0; i--) played.sayAs(2 + i, 1, list[i]!);
    const first = played.sayAs(2, 1, list[0]!);
    expect(first.filter((output) => output.kind === "call-offered")).toHaveLength(128);
  });

  it("works across the end of the sequence number space", () => {
    const { played } = calledUp();
    for (played.ns = 2; played.ns < 65_535; ) {
      played.say(HELLO);
      if (played.ns % 1000 === 0) played.at(played.now + 1);
    }
    expect(trace(played.sayAs(0, 1, ICRQ))).toEqual(["ZLB 1/65535"]);
    expect(trace(played.sayAs(65_535, 1, HELLO))).toEqual(["call-offered"]);
    expect(trace(played.at(played.now + 1))).toEqual(["ZLB 1/1"]);
  });

  it("of a ZLB is not acknowledged, so two ends never acknowledge each other in a circle", () => {
    const { played } = calledUp();
    expect(played.acknowledge()).toEqual([]);
    expect(played.endpoint.deadline()).toBeGreaterThan(50_000);
  });
});

describe("what goes ahead of a queue of calls", () => {
  const busy = () => {
    const up = callerUp({}, 4);
    const sessions = Array.from(
      { length: 100 },
      () => up.played.endpoint.placeCall(0, up.tunnel, CALL).session!,
    );
    return { ...up, sessions };
  };

  it("a ZLB with a fresh Nr, when the window is full", () => {
    const { played } = busy();
    played.at(1);
    played.sayAs(1, 2, HELLO);
    expect(trace(played.at(2))).toEqual(["ZLB 5/2"]);
  });

  it("StopCCN, as soon as the peer's window allows, and the calls are not sent at all", () => {
    const { played, tunnel } = busy();
    expect(trace(played.endpoint.closeTunnel(0, tunnel, { result: 6 }))).toEqual([
      "tunnel-down",
      "StopCCN 5/1",
    ]);
    expect(trace(played.acknowledge(6))).toEqual([]);
  });

  it("but nothing leaves when the peer's window is full", () => {
    const { played, tunnel } = busy();
    // SCCRQ, SCCCN and three calls; then four are under way
    expect(played.acknowledge(5)).toHaveLength(4);
    expect(trace(played.endpoint.closeTunnel(0, tunnel, { result: 6 }))).toEqual(["tunnel-down"]);
    expect(trace(played.acknowledge(6))).toEqual(["StopCCN 9/1"]);
  });

  it("HELLO is not needed while messages wait to be acknowledged: they test the path", () => {
    const { played } = callerUp({ helloIntervalMs: 5000 }, 4);
    const { tunnel } = played.endpoint.tunnels()[0]!;
    for (let i = 0; i < 100; i++) played.endpoint.placeCall(0, tunnel, CALL);
    expect(played.silentUntil(10_000).filter((line) => line.includes("HELLO"))).toEqual([]);
  });

  it("HELLO, wherever it is queued, and also before our own caution lets the calls go", () => {
    const transport = createTransport(128);
    setPeerWindow(transport, 4);
    const counters = { retransmitted: 0, fastRetransmissions: 0, duplicates: 0 };
    const message = (label: string) => ({ label, sessionId: 0, datagram: new Uint8Array(20) });
    const flushed = () => flush(transport, 0, 1, counters).map((datagram) => readU16(datagram, NS_AT));
    const underWay = () => transport.unacked.map(({ label }) => label);
    for (let i = 0; i < 6; i++) enqueue(transport, message(`ICRQ ${i}`));
    // slow start: one
    expect(flushed()).toEqual([0]);
    enqueueUrgent(transport, message("HELLO"));
    expect(flushed()).toEqual([1]);
    expect(underWay()).toEqual(["ICRQ 0", "HELLO"]);
    enqueueUrgent(transport, message("HELLO 2"));
    enqueueUrgent(transport, message("HELLO 3"));
    enqueueUrgent(transport, message("HELLO 4"));
    // the peer's window holds for it, too: no more than four are under way
    expect(flushed()).toEqual([2, 3]);
    acknowledge(transport, 0, 4, true, counters);
    expect(flushed()).toEqual([4, 5, 6, 7]);
    expect(underWay()).toEqual(["HELLO 4", "ICRQ 1", "ICRQ 2", "ICRQ 3"]);
  });

  it("StopCCN, instead of the answers that have queued", () => {
    const { played, tunnel } = calledUp({}, 1);
    for (const id of [1, 2, 3]) {
      const { session } = only(played.say({ ...ICRQ, assignedSessionId: id }), "call-offered");
      played.endpoint.acceptCall(played.now, tunnel, session);
    }
    played.endpoint.closeTunnel(played.now, tunnel, { result: 6 });
    expect(trace(played.acknowledge(2))).toEqual(["StopCCN 2/5"]);
    expect(trace(played.acknowledge(3))).toEqual([]);
  });

  it("the next call that is still wanted, when those before it have been given up", () => {
    const { played, tunnel, sessions } = busy();
    for (const session of sessions.slice(3, 99))
      played.endpoint.closeSession(0, tunnel, session, { result: 3 });
    expect(trace(played.acknowledge(5))).toEqual(["ICRQ 5/1"]);
  });

  it("the ICCN of a call that was accepted", () => {
    const { played, tunnel, sessions } = busy();
    const reply = { kind: "ICRP", assignedSessionId: PEER_SESSION } as const;
    played.sayAs(1, 2, reply, sessions[0]);
    expect(trace(played.endpoint.connectCall(0, tunnel, sessions[0]!, CONNECTION))).toEqual([]);
    expect(trace(played.acknowledge(3))).toEqual(["ICCN 5/2", "ICRQ 6/2"]);
  });

  it("and a call that is given up while it waits is never sent", () => {
    const { played, tunnel, sessions } = busy();
    for (const session of sessions.slice(4))
      expect(trace(played.endpoint.closeSession(0, tunnel, session, { result: 3 }))).toEqual([
        "session-down",
      ]);
    // the fourth had to wait, too
    expect(trace(played.acknowledge(5))).toEqual(["ICRQ 5/1"]);
    expect(trace(played.acknowledge(6))).toEqual([]);
  });
});

it("a played peer counts only what it has seen without a gap", () => {
  const played = new Played(caller().endpoint);
  played.watch(played.endpoint.openTunnel(0, "lns").outputs);
  expect(played.nr).toBe(1);
});
