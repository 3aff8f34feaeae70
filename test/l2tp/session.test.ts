import { describe, expect, it } from "vitest";
import { fromHex, utf8 } from "../../src/base/bytes.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import { describeCause } from "../../src/l2tp/outputs.ts";
import { emitAvps } from "../../src/wire/l2tp-avp.ts";
import { emitMessage, type L2tpMessage } from "../../src/wire/l2tp-messages.ts";
import { seededRandom } from "../support/seeded-random.ts";
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
  PEER_TUNNEL,
  Played,
  SCCRP,
  SCCRQ,
  sent,
  trace,
} from "./scripted-peer.ts";

const ICRP = { kind: "ICRP", assignedSessionId: PEER_SESSION } as const;
const CDN = { kind: "CDN", assignedSessionId: PEER_SESSION, resultCode: { result: 3 } } as const;

/** A call that the peer, as LNS, has accepted. */
function accepted() {
  const { played, tunnel } = callerUp();
  const placed = played.endpoint.placeCall(0, tunnel, CALL);
  played.watch(placed.outputs);
  played.say(ICRP, placed.session);
  return { played, tunnel, session: placed.session! };
}

/** A call that the peer, as LAC, has offered. */
function offered(message: L2tpMessage = ICRQ) {
  const { played, tunnel } = calledUp();
  const { session } = only(played.say(message), "call-offered");
  return { played, tunnel, session };
}

/** One that is up, on either side. */
function connected(side: "lac" | "lns") {
  if (side === "lac") {
    const call = accepted();
    call.played.watch(call.played.endpoint.connectCall(0, call.tunnel, call.session, CONNECTION));
    return call;
  }
  const call = offered();
  call.played.watch(call.played.endpoint.acceptCall(1, call.tunnel, call.session));
  call.played.say(ICCN, call.session);
  return call;
}

describe("an incoming call at the LAC", () => {
  it("is offered, accepted and connected, with everything that is known about it", () => {
    const { played, tunnel } = callerUp();
    const call = {
      callSerialNumber: 77,
      bearerType: 1,
      physicalChannelId: 5,
      callingNumber: "eth1:02:00:00:00:00:01",
      calledNumber: "internet",
      subAddress: "7",
    };
    const placed = played.watch(played.endpoint.placeCall(0, tunnel, call).outputs);
    const icrq = sent(placed, "ICRQ");
    expect(icrq).toMatchObject({ tunnelId: PEER_TUNNEL, sessionId: 0 });
    const session = icrq.message.assignedSessionId;
    expect(icrq.message).toEqual({ kind: "ICRQ", assignedSessionId: session, ...call });
    expect(only(played.say(ICRP, session), "call-accepted")).toEqual({
      kind: "call-accepted",
      tunnel,
      session,
      remoteTunnelId: PEER_TUNNEL,
      remoteSessionId: PEER_SESSION,
    });
    const iccn = sent(
      played.endpoint.connectCall(0, tunnel, session, {
        txConnectSpeed: 20e9,
        rxConnectSpeed: 1e6,
        framingType: 1,
        proxyLcp: { initialReceived: fromHex("01"), lastSent: fromHex("02"), lastReceived: fromHex("03") },
        proxyAuth: { type: 2, name: utf8("bob"), challenge: fromHex("aa"), id: 300, response: fromHex("bb") },
        privateGroupId: "vpn",
        sequencingRequired: true,
      }),
      "ICCN",
    );
    expect(iccn.sessionId).toBe(PEER_SESSION);
    expect(iccn.message).toEqual({
      kind: "ICCN",
      // as fast as 32 bits can say
      txConnectSpeed: 0xffff_ffff,
      rxConnectSpeed: 1e6,
      framingType: 1,
      initialReceivedLcp: fromHex("01"),
      lastSentLcp: fromHex("02"),
      lastReceivedLcp: fromHex("03"),
      proxyAuthenType: 2,
      proxyAuthenName: utf8("bob"),
      proxyAuthenChallenge: fromHex("aa"),
      proxyAuthenId: 300 & 0xff,
      proxyAuthenResponse: fromHex("bb"),
      privateGroupId: "vpn",
      sequencingRequired: true,
    });
    expect(played.endpoint.sessions(tunnel)).toEqual([
      {
        tunnel,
        session,
        remoteSessionId: PEER_SESSION,
        side: "lac",
        stage: "established",
        callSerialNumber: 77,
      },
    ]);
  });

  it("waits for its tunnel to come up", () => {
    const played = caller();
    const { tunnel } = played.endpoint.openTunnel(0, "lns");
    const { session, outputs } = played.endpoint.placeCall(0, tunnel!, CALL);
    expect(outputs).toEqual([]);
    played.tunnelId = tunnel!;
    played.nr = 1;
    expect(trace(played.say({ ...SCCRP, receiveWindowSize: 16 }))).toEqual([
      "tunnel-up",
      "SCCCN 1/1",
      "ICRQ 2/1",
    ]);
    expect(played.endpoint.sessions(tunnel!)).toMatchObject([{ session, stage: "wait-reply" }]);
  });

  it.each([
    ["CDN", emitMessage(CDN)],
    ["ICRP", emitMessage(ICRP)],
    ["ICRP that would have been refused", emitMessage(ICRP).subarray(0, 8)],
  ])(
    "takes no notice of a late %s for the call that had its id before, while its own ICRQ waits",
    (_, body) => {
      const { played, tunnel } = callerUp({}, 1);
      played.watch(played.endpoint.placeCall(0, tunnel, CALL).outputs);
      const { session } = played.endpoint.placeCall(0, tunnel, CALL);
      expect(trace(played.sayBody(1, 2, body, session))).toEqual([]);
      expect(trace(played.acknowledge())).toEqual(["ICRQ 3/2"]);
    },
  );

  it("ends with the tunnel that never came up, and is told with it", () => {
    const played = caller();
    const { tunnel } = played.endpoint.openTunnel(0, "lns");
    const { session } = played.endpoint.placeCall(0, tunnel!, CALL);
    played.at(1000);
    played.at(3000);
    const outputs = played.at(7000);
    expect(outputs.map((output) => output.kind)).toEqual(["tunnel-down"]);
    expect(only(outputs, "tunnel-down").sessions).toEqual([{ session, stage: "set-up", unanswered: true }]);
  });

  it("that is given up before the tunnel is up ends without a CDN, and nobody is said to have sent one", () => {
    const played = caller();
    const { tunnel } = played.endpoint.openTunnel(0, "lns");
    const { session } = played.endpoint.placeCall(0, tunnel!, CALL);
    const outputs = played.endpoint.closeSession(1, tunnel!, session!, { result: 1 });
    expect(outputs.map(({ kind }) => kind)).toEqual(["session-down"]);
    const { cause } = only(outputs, "session-down");
    expect(cause).toEqual({ by: "unplaced", result: 1 });
    expect(describeCause("CDN", cause)).toMatch(/^given up before it was placed, result 1 /);
  });

  it("ends when the LNS refuses it, before and after it has told its id", () => {
    const { played, tunnel } = callerUp();
    const { session } = played.endpoint.placeCall(0, tunnel, CALL);
    const resultCode = { result: 2, error: 4, message: "full" };
    const outputs = played.say({ ...CDN, resultCode }, session);
    expect(only(outputs, "session-down")).toEqual({
      kind: "session-down",
      tunnel,
      session,
      stage: "set-up",
      unanswered: true,
      cause: { by: "peer", ...resultCode },
    });
    const second = accepted();
    expect(only(second.played.say(CDN, second.session), "session-down").stage).toBe("set-up");
  });

  it("ends after 60 seconds without an answer, and says so", () => {
    const { played, tunnel } = callerUp({ helloIntervalMs: 100_000 });
    const placed = played.endpoint.placeCall(0, tunnel, CALL);
    played.watch(placed.outputs);
    played.acknowledge();
    expect(played.endpoint.deadline()).toBe(60_000);
    const outputs = played.at(60_000);
    const { cause } = only(outputs, "session-down");
    expect(describeCause("CDN", cause)).toBe("ICRQ sent once, no ICRP, last heard 60.0 s ago");
    expect(sent(outputs, "CDN")).toMatchObject({
      sessionId: 0,
      message: { resultCode: { result: 10 }, assignedSessionId: placed.session },
    });
  });

  it("that is given up before its ICRP names itself in the CDN, and takes no notice of the ICRP", () => {
    const { played, tunnel } = callerUp();
    const { session } = played.endpoint.placeCall(0, tunnel, CALL);
    const outputs = played.endpoint.closeSession(0, tunnel, session!, { result: 1 });
    expect(sent(outputs, "CDN")).toMatchObject({ sessionId: 0, message: { assignedSessionId: session } });
    expect(only(outputs, "session-down")).toMatchObject({ stage: "set-up", cause: { by: "us", result: 1 } });
    expect(trace(played.say(ICRP, session))).toEqual([]);
    expect(played.endpoint.connectCall(0, tunnel, session!, CONNECTION)).toEqual([]);
  });

  it("is refused a session id of 0", () => {
    const { played, tunnel } = callerUp();
    const { session } = played.endpoint.placeCall(0, tunnel, CALL);
    const outputs = played.say({ ...ICRP, assignedSessionId: 0 }, session);
    expect(only(outputs, "session-down").cause).toMatchObject({ by: "us", result: 2, error: 3 });
  });

  it("is not placed when the tunnel is full, or unknown", () => {
    const { played, tunnel } = callerUp({ maxSessions: 2 });
    expect(played.endpoint.placeCall(0, tunnel, CALL).session).toBeDefined();
    expect(played.endpoint.placeCall(0, tunnel, CALL).session).toBeDefined();
    expect(played.endpoint.placeCall(0, tunnel, CALL).session).toBeUndefined();
    expect(played.endpoint.placeCall(0, tunnel + 1, CALL).session).toBeUndefined();
  });

  it("gets the id that has been free for longest", () => {
    const { played, tunnel } = callerUp();
    const first = played.endpoint.placeCall(0, tunnel, CALL).session!;
    played.endpoint.closeSession(0, tunnel, first, { result: 1 });
    const seen = new Set<number>();
    for (let i = 0; i < 65_534; i++) {
      const { session } = played.endpoint.placeCall(0, tunnel, CALL);
      seen.add(session!);
      played.endpoint.closeSession(0, tunnel, session!, { result: 1 });
    }
    expect(seen.size).toBe(65_534);
    expect(seen.has(first)).toBe(false);
    expect(played.endpoint.placeCall(0, tunnel, CALL).session).toBe(first);
  });
});

describe("an incoming call at the LNS", () => {
  it("is offered to the owner, accepted and connected, with everything that the LAC says", () => {
    const { played, tunnel } = calledUp();
    const call = { callSerialNumber: 9, callingNumber: "5551234", bearerType: 2 };
    const offer = only(played.say({ ...ICRQ, ...call }), "call-offered");
    expect(offer).toEqual({
      kind: "call-offered",
      outgoing: false,
      tunnel,
      session: offer.session,
      remoteTunnelId: PEER_TUNNEL,
      remoteSessionId: PEER_SESSION,
      call: { ...call, avps: expect.any(Array) },
    });
    const reply = sent(played.endpoint.acceptCall(1, tunnel, offer.session), "ICRP");
    expect(reply).toMatchObject({ sessionId: PEER_SESSION, message: { assignedSessionId: offer.session } });
    const iccn = {
      ...ICCN,
      rxConnectSpeed: 5,
      lastSentLcp: fromHex("0102"),
      proxyAuthenType: 3,
      proxyAuthenId: 0x07,
      proxyAuthenName: utf8("alice"),
      proxyAuthenResponse: utf8("wonder"),
      sequencingRequired: true,
    } as const;
    expect(only(played.say(iccn, offer.session), "call-connected").connection).toEqual({
      txConnectSpeed: 1_000_000,
      rxConnectSpeed: 5,
      framingType: 1,
      proxyLcp: { lastSent: fromHex("0102") },
      proxyAuth: { type: 3, id: 7, name: utf8("alice"), response: utf8("wonder") },
      sequencingRequired: true,
      avps: expect.any(Array),
    });
  });

  it("is connected without proxies when the LAC sends none", () => {
    const { played, tunnel, session } = offered();
    played.endpoint.acceptCall(1, tunnel, session);
    expect(only(played.say(ICCN, session), "call-connected").connection).toEqual({
      ...CONNECTION,
      avps: expect.any(Array),
    });
  });

  it("is refused by the owner", () => {
    const { played, tunnel, session } = offered();
    const outputs = played.endpoint.closeSession(1, tunnel, session, {
      result: 2,
      error: 7,
      message: "elsewhere",
    });
    expect(sent(outputs, "CDN")).toMatchObject({
      sessionId: PEER_SESSION,
      message: { assignedSessionId: session, resultCode: { result: 2, error: 7, message: "elsewhere" } },
    });
    only(outputs, "session-down");
    expect(played.endpoint.acceptCall(1, tunnel, session)).toEqual([]);
  });

  it("is refused when there are too many", () => {
    const { played } = calledUp({ maxSessions: 1 });
    only(played.say(ICRQ), "call-offered");
    const outputs = played.say({ ...ICRQ, assignedSessionId: 33 });
    expect(sent(outputs, "CDN")).toMatchObject({ sessionId: 33, message: { resultCode: { result: 4 } } });
  });

  it("is found by the LAC's id at an endpoint that goes on from a snapshot", () => {
    const { played, session } = offered();
    const config = {
      hostName: "us.example",
      peers: [{ name: "lac", accept: true, hostName: "peer.example" }],
    };
    const restored = new Played(new L2tpEndpoint(config, seededRandom(8), played.endpoint.snapshot()));
    Object.assign(restored, { tunnelId: played.tunnelId, ns: played.ns, nr: played.nr, now: played.now });
    expect(only(restored.say(CDN), "session-down")).toMatchObject({ session });
  });

  it("is cancelled by a LAC that has not heard our id", () => {
    const { played, tunnel, session } = offered();
    expect(only(played.say(CDN), "session-down")).toMatchObject({
      session,
      cause: { by: "peer", result: 3 },
    });
    expect(played.endpoint.acceptCall(1, tunnel, session)).toEqual([]);
  });

  it("ends after 60 seconds when its ICCN does not come", () => {
    const { played, tunnel, session } = offered();
    played.watch(played.endpoint.acceptCall(1, tunnel, session));
    played.acknowledge();
    played.at(2);
    const outputs = played.at(60_001);
    expect(only(outputs, "session-down").cause).toMatchObject({
      by: "timeout",
      sent: "ICRP",
      waitedFor: "ICCN",
    });
    expect(sent(outputs, "CDN").message.resultCode.result).toBe(10);
  });

  it("is ended, not doubled, by an ICRQ with the id of one that is there", () => {
    const { played, session } = offered();
    const outputs = played.say(ICRQ);
    expect(only(outputs, "session-down")).toMatchObject({
      session,
      cause: { by: "us", result: 2, error: 5 },
    });
    expect(sent(outputs, "CDN").sessionId).toBe(PEER_SESSION);
    only(played.say(ICRQ), "call-offered");
  });

  it("is ended by one with its id whatever session the header names", () => {
    const { played, tunnel, session } = offered();
    expect(only(played.say(ICRQ, 4711), "session-down")).toMatchObject({ session });
    expect(played.endpoint.sessions(tunnel)).toEqual([]);
  });

  it("is ignored with an id of 0", () => {
    const { played } = calledUp();
    expect(trace(played.say({ ...ICRQ, assignedSessionId: 0 }))).toEqual([]);
  });
});

describe.each(["lac", "lns"] as const)("a connected session at the %s", (side) => {
  it("is ended by a CDN, once", () => {
    const { played, tunnel, session } = connected(side);
    expect(only(played.say(CDN, session), "session-down")).toEqual({
      kind: "session-down",
      tunnel,
      session,
      stage: "connected",
      unanswered: false,
      cause: { by: "peer", result: 3 },
    });
    expect(trace(played.say(CDN, session))).toEqual([]);
    expect(played.endpoint.sessions(tunnel)).toEqual([]);
  });

  it("is ended by its owner, and a CDN that crosses ours is not told", () => {
    const { played, tunnel, session } = connected(side);
    const outputs = played.endpoint.closeSession(1, tunnel, session, { result: 3 });
    expect(sent(outputs, "CDN")).toMatchObject({
      sessionId: PEER_SESSION,
      message: { assignedSessionId: session },
    });
    expect(only(outputs, "session-down")).toMatchObject({ stage: "connected", cause: { by: "us" } });
    expect(trace(played.say(CDN, session))).toEqual([]);
    expect(played.endpoint.closeSession(1, tunnel, session, { result: 3 })).toEqual([]);
  });

  it("is told with its tunnel, and not again", () => {
    const { played, session } = connected(side);
    const stop = { kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 6 } } as const;
    const outputs = played.say(stop);
    expect(outputs.map((output) => output.kind)).toEqual(["tunnel-down"]);
    expect(only(outputs, "tunnel-down").sessions).toEqual([
      { session, stage: "connected", unanswered: false },
    ]);
    expect(trace(played.say(CDN, session))).toEqual([]);
  });

  it("is nothing to wake up for", () => {
    const { played, tunnel } = connected(side);
    played.acknowledge();
    played.at(2);
    played.now = 30_000;
    played.acknowledge();
    expect(played.endpoint.sessions(tunnel)).toHaveLength(1);
    expect(played.endpoint.deadline()).toBe(90_000);
  });

  it("has no set-up limit", () => {
    const { played, tunnel } = connected(side);
    played.acknowledge();
    played.at(2);
    played.at(59_999);
    played.acknowledge();
    played.at(70_000);
    expect(played.endpoint.sessions(tunnel)).toMatchObject([{ stage: "established" }]);
  });

  it.each([ICRQ, ICRP, ICCN])("is ended by $kind, which has no place in it", (message) => {
    const { played, session } = connected(side);
    const outputs = played.say(message, session);
    expect(only(outputs, "session-down").cause).toMatchObject({ by: "us", result: 2, error: 5 });
    sent(outputs, "CDN");
  });

  it.each<readonly [string, L2tpMessage]>([
    ["WEN that tells no errors", { kind: "WEN" }],
    ["SLI that tells no ACCM", { kind: "SLI" }],
    side === "lac"
      ? ["WEN, which only a LAC sends", { kind: "WEN", callErrors: new Uint8Array(26) }]
      : ["SLI, which only an LNS sends", { kind: "SLI", accm: new Uint8Array(10) }],
  ])("puts up with %s", (_, message) => {
    const { played, tunnel, session } = connected(side);
    expect(played.say(message, session).filter((output) => output.kind !== "send")).toEqual([]);
    expect(played.endpoint.sessions(tunnel)).toHaveLength(1);
  });

  it("is ended by an unknown AVP with the M bit, and its tunnel is not", () => {
    const { played, session } = connected(side);
    const outputs = played.sayBody(played.ns++, played.nr, withVendorAvp("0010"), session);
    expect(only(outputs, "session-down").cause).toMatchObject({ by: "us", result: 2, error: 8 });
    expect(sent(outputs, "CDN").message.resultCode.message).toBe("vendor 9 attribute 1");
    expect(played.endpoint.tunnels()).toMatchObject([{ phase: "established" }]);
  });
});

/** A message of a type with nothing but an unknown AVP that has the M bit. */
function withVendorAvp(type: string, ...more: readonly (readonly [number, string])[]): Uint8Array {
  const avp = { mandatory: true, hidden: false };
  return emitAvps([
    { ...avp, vendorId: 0, type: 0, value: fromHex(type) },
    { ...avp, vendorId: 9, type: 1, value: fromHex("ff") },
    ...more.map(([attribute, hex]) => ({ ...avp, vendorId: 0, type: attribute, value: fromHex(hex) })),
  ]);
}

describe("messages about no session", () => {
  const nothing = (played: Played, message: L2tpMessage, session: number) => {
    expect(trace(played.say(message, session))).toEqual([]);
    expect(played.endpoint.discards().unexpected).toBe(1);
  };

  it.each([ICRP, ICCN, CDN])("$kind means nothing", (message) => {
    nothing(calledUp().played, message, 4711);
  });

  it("an outgoing call is refused, for good", () => {
    const { played } = calledUp();
    const speeds = { minimumBps: 1, maximumBps: 2, bearerType: 1, framingType: 1 };
    const outputs = played.say({ kind: "OCRQ", assignedSessionId: 12, callSerialNumber: 1, ...speeds });
    expect(trace(outputs)).toEqual(["CDN 1/3"]);
    expect(sent(outputs, "CDN")).toMatchObject({ sessionId: 12, message: { resultCode: { result: 5 } } });
    expect(sent(outputs, "CDN").message.assignedSessionId).not.toBe(0);
  });

  it("an ICRQ with an unknown AVP that has the M bit is refused", () => {
    const { played, tunnel } = calledUp();
    const outputs = played.sayBody(2, 1, withVendorAvp("000a", [14, "0384"], [15, "00000001"]));
    expect(trace(outputs)).toEqual(["CDN 1/3"]);
    expect(sent(outputs, "CDN")).toMatchObject({
      sessionId: 0x384,
      message: { resultCode: { result: 2, error: 8 } },
    });
    expect(played.endpoint.sessions(tunnel)).toEqual([]);
  });

  it("an ICRP with an unknown AVP that has the M bit is refused by a CDN for the call that it names", () => {
    const { played, tunnel } = callerUp();
    const placed = played.endpoint.placeCall(0, tunnel, CALL);
    played.watch(placed.outputs);
    const outputs = played.sayBody(1, 3, withVendorAvp("000b", [14, "0384"]), placed.session);
    expect(sent(outputs, "CDN")).toMatchObject({
      sessionId: 0x384,
      message: { assignedSessionId: placed.session, resultCode: { result: 2, error: 8 } },
    });
  });

  it("a call before the tunnel is up ends the tunnel", () => {
    const played = called();
    played.tunnelId = sent(played.say(SCCRQ), "SCCRP").message.assignedTunnelId;
    const outputs = played.say(ICRQ);
    expect(sent(outputs, "StopCCN").message.resultCode).toMatchObject({ result: 7 });
  });
});
