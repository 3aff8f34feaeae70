import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, utf8 } from "../../src/base/bytes.ts";
import type { CallRequest } from "../../src/l2tp/outputs.ts";
import type { AccessLineAvps } from "../../src/wire/l2tp-access-line.ts";
import { emitAvps } from "../../src/wire/l2tp-avp.ts";
import { emitMessage, type RelayedAvp } from "../../src/wire/l2tp-messages.ts";
import {
  CALL,
  CONNECTION,
  calledUp,
  callerUp,
  ICCN,
  ICRQ,
  only,
  PEER_SESSION,
  sent,
  trace,
} from "./scripted-peer.ts";

const ICRP = { kind: "ICRP", assignedSessionId: PEER_SESSION } as const;

/** A session that stands, with us as the LAC. */
function asLac(call: Partial<CallRequest> = {}) {
  const { played, tunnel } = callerUp();
  const placed = played.endpoint.placeCall(0, tunnel, { ...CALL, ...call });
  played.watch(placed.outputs);
  const session = placed.session!;
  played.say(ICRP, session);
  played.watch(played.endpoint.connectCall(0, tunnel, session, CONNECTION));
  return { played, tunnel, session };
}

/** A session that stands, with us as the LNS. */
function asLns(icrq: Partial<typeof ICRQ> & { connectSpeedUpdateEnable?: true } = {}) {
  const { played, tunnel } = calledUp();
  const { session, call } = only(played.say({ ...ICRQ, ...icrq }), "call-offered");
  played.watch(played.endpoint.acceptCall(1, tunnel, session));
  played.say(ICCN, session);
  return { played, tunnel, session, call };
}

describe("the subscriber's line", () => {
  const accessLine: AccessLineAvps = {
    agentCircuitId: "dslam-7 atm 1/1:8.35",
    agentRemoteId: "alice",
    actualDataRateUpstream: 40_000_000,
    actualDataRateDownstream: 10_000_000_000,
    actualInterleavingDelayDownstream: 8,
    accessLoopEncapsulation: { dataLink: 1, encapsulation1: 1, encapsulation2: 0 },
    ancpAccessLineType: 5,
    interworkingFunction: true,
  };

  it("is told in ICRQ", () => {
    const { played, tunnel } = callerUp();
    const { outputs } = played.endpoint.placeCall(0, tunnel, { ...CALL, accessLine });
    expect(sent(outputs, "ICRQ").message.accessLine).toEqual(accessLine);
  });

  it("is read from ICRQ", () => {
    const { played } = calledUp();
    expect(only(played.say({ ...ICRQ, accessLine }), "call-offered").call.accessLine).toEqual(accessLine);
  });
});

describe("connect speeds", () => {
  const speeds = { txConnectSpeed: 50e6, rxConnectSpeed: 5e9 };

  it("are updated by the LAC if its ICRQ has announced it", () => {
    const { played, tunnel, session } = asLac({ connectSpeedUpdate: true });
    const csun = sent(played.endpoint.updateSpeeds(0, tunnel, [{ session, ...speeds }]), "CSUN");
    expect(csun.sessionId).toBe(0);
    expect(csun.message.connectSpeedUpdate).toEqual([
      { sessionId: PEER_SESSION, txConnectSpeed: 50e6, rxConnectSpeed: 0xffff_ffff },
    ]);
  });

  it("are not if it has not, nor for sessions that are not there", () => {
    const { played, tunnel, session } = asLac();
    const update = [session, session + 1].map((each) => ({ session: each, ...speeds }));
    expect(played.endpoint.updateSpeeds(0, tunnel, update)).toEqual([]);
  });

  it("are updated at the LNS, for those of the sessions that are meant", () => {
    const { played, tunnel, session, call } = asLns({ connectSpeedUpdateEnable: true });
    expect(call.connectSpeedUpdate).toBe(true);
    const entry = { txConnectSpeed: 7, rxConnectSpeed: 8 };
    const connectSpeedUpdate = [
      { sessionId: session, ...entry },
      { sessionId: session + 1, ...entry },
    ];
    const outputs = played.say({ kind: "CSUN", connectSpeedUpdate });
    expect(only(outputs, "speeds-updated")).toEqual({
      kind: "speeds-updated",
      tunnel,
      speeds: [{ session, ...entry }],
    });
    expect(played.endpoint.discards().unexpected).toBe(1);
  });

  it("of a session that did not announce it are passed over", () => {
    const { played, session } = asLns();
    const connectSpeedUpdate = [{ sessionId: session, txConnectSpeed: 7, rxConnectSpeed: 8 }];
    expect(trace(played.say({ kind: "CSUN", connectSpeedUpdate }))).toEqual([]);
    expect(played.endpoint.tunnels()).toMatchObject([{ phase: "established" }]);
  });

  it("are asked for by the LNS, and the LAC's owner is told", () => {
    const lns = asLns({ connectSpeedUpdateEnable: true });
    const asked = sent(lns.played.endpoint.requestSpeeds(1, lns.tunnel, [lns.session]), "CSURQ");
    expect(asked.message.connectSpeedUpdate).toMatchObject([{ sessionId: PEER_SESSION }]);
    const { played, tunnel, session } = asLac({ connectSpeedUpdate: true });
    const connectSpeedUpdate = [{ sessionId: session, txConnectSpeed: 0, rxConnectSpeed: 0 }];
    const outputs = played.say({ kind: "CSURQ", connectSpeedUpdate });
    expect(only(outputs, "speeds-requested")).toEqual({
      kind: "speeds-requested",
      tunnel,
      sessions: [session],
    });
  });

  it("of many sessions go in messages that fit a frame", () => {
    const { played, tunnel } = callerUp({}, 1000);
    const sessions: number[] = [];
    for (let i = 0; i < 100; i++) {
      const placed = played.endpoint.placeCall(0, tunnel, { ...CALL, connectSpeedUpdate: true });
      played.watch(placed.outputs);
      sessions.push(placed.session!);
    }
    for (let at = 0; at < sessions.length; at++) {
      played.say({ ...ICRP, assignedSessionId: 1 + at }, sessions[at]);
      played.watch(played.endpoint.connectCall(0, tunnel, sessions[at]!, CONNECTION));
    }
    played.acknowledge();
    const update = sessions.map((session) => ({ session, ...speeds }));
    const outputs = played.endpoint.updateSpeeds(0, tunnel, update);
    expect(trace(outputs).map((line) => line.slice(0, 4))).toEqual(["CSUN", "CSUN"]);
    for (const output of outputs)
      if (output.kind === "send") expect(output.datagram.length).toBeLessThan(1400);
  });
});

describe("reports about an asynchronous line", () => {
  const errors = {
    crcErrors: 1,
    framingErrors: 2,
    hardwareOverruns: 3,
    bufferOverruns: 4,
    timeoutErrors: 5,
    alignmentErrors: 4_000_000_000,
  };
  const info = { sendAccm: 0xffff_ffff, receiveAccm: 0x000a_0000 };

  it("SLI goes from the LNS to the LAC", () => {
    const lns = asLns();
    const sli = sent(lns.played.endpoint.sendLinkInfo(1, lns.tunnel, lns.session, info), "SLI");
    expect(sli.sessionId).toBe(PEER_SESSION);
    const { played, tunnel, session } = asLac();
    expect(only(played.say(sli.message, session), "link-info")).toEqual({
      kind: "link-info",
      tunnel,
      session,
      info,
    });
    expect(played.endpoint.sendLinkInfo(0, tunnel, session, info)).toEqual([]);
  });

  it("WEN goes from the LAC to the LNS", () => {
    const lac = asLac();
    const wen = sent(lac.played.endpoint.sendWanError(0, lac.tunnel, lac.session, errors), "WEN");
    const { played, tunnel, session } = asLns();
    expect(only(played.say(wen.message, session), "wan-error")).toEqual({
      kind: "wan-error",
      tunnel,
      session,
      errors,
    });
    expect(played.endpoint.sendWanError(1, tunnel, session, errors)).toEqual([]);
  });
});

describe("why PPP ended", () => {
  const disconnect = { code: 3, protocol: 0xc021, direction: 1, message: "user logged out" };

  it("is sent with a CDN, beside its Result Code", () => {
    const { played, tunnel, session } = asLac();
    const cdn = sent(played.endpoint.closeSession(0, tunnel, session, { result: 1, disconnect }), "CDN");
    expect(cdn.message).toMatchObject({ resultCode: { result: 1 }, pppDisconnectCause: disconnect });
  });

  it("is told to the owner with the peer's CDN", () => {
    const { played, session } = asLns();
    const resultCode = { result: 3 };
    const message = { kind: "CDN", assignedSessionId: PEER_SESSION, resultCode } as const;
    const down = only(played.say({ ...message, pppDisconnectCause: disconnect }, session), "session-down");
    expect(down.cause).toEqual({ by: "peer", result: 3, disconnect });
  });
});

describe("AVPs for a tunnel switch", () => {
  const secret = "sesame";
  const vendorAvp: RelayedAvp = { vendor: 9, type: 1, mandatory: false, value: fromHex("c0ffee") };
  /** Sixty thousand octets, and something that is read all the same. */
  const BEYOND = [
    ...new Array<number>(60).fill(9).map((vendorId) => ({
      vendorId,
      type: 2,
      mandatory: false,
      hidden: false,
      value: new Uint8Array(1000),
    })),
    { vendorId: 0, type: 22, mandatory: true, hidden: false, value: utf8("last") },
  ];
  const calledNumber: RelayedAvp = { vendor: 0, type: 21, mandatory: true, value: utf8("100") };

  it("of ICRQ and ICCN are handed over as they came, but for what another tunnel has of its own", () => {
    const { played, tunnel } = calledUp();
    const offer = only(played.say({ ...ICRQ, calledNumber: "100", avps: [vendorAvp] }), "call-offered");
    expect(offer.call.avps?.map(({ vendor, type }) => [vendor, type])).toEqual([
      [0, 15],
      [0, 21],
      [9, 1],
    ]);
    expect(offer.call.avps?.slice(1)).toEqual([calledNumber, vendorAvp]);
    played.watch(played.endpoint.acceptCall(1, tunnel, offer.session));
    const avps = [vendorAvp];
    const { connection } = only(played.say({ ...ICCN, avps }, offer.session), "call-connected");
    expect(connection.avps?.at(-1)).toEqual(vendorAvp);
  });

  it("are handed over in the clear, and hidden again", () => {
    const { played } = calledUp({ secret, authenticate: false });
    played.hiding = { secret: utf8(secret), randomVector: fromHex("0102") };
    const { call } = only(played.say({ ...ICRQ, avps: [calledNumber, vendorAvp] }), "call-offered");
    const asCame = [calledNumber, vendorAvp].map((avp) => ({ ...avp, hidden: true }));
    expect(call.avps?.slice(-2)).toEqual(asCame);

    const next = callerUp({ secret, authenticate: false, hideAvps: true });
    const { outputs } = next.played.endpoint.placeCall(0, next.tunnel, { ...CALL, avps: call.avps! });
    const datagram = only(outputs, "send").datagram;
    expect(Buffer.from(datagram).includes(Buffer.from(vendorAvp.value))).toBe(false);
    const again = calledUp({ secret, authenticate: false }).played;
    const offer = again.sayBody(again.ns, again.nr, datagram.subarray(12));
    expect(only(offer, "call-offered").call.avps?.slice(-2)).toEqual(asCame);
  });

  it.each([
    ["hidden, whatever the policy is, where the owner says so and there is a secret", secret, false],
    ["in the clear where there is none", undefined, true],
  ])("go out %s", (_, withSecret, isClear) => {
    const next = callerUp({
      ...(withSecret && { secret: withSecret }),
      authenticate: false,
      hideAvps: false,
    });
    const call = { ...CALL, avps: [calledNumber, vendorAvp], hide: true };
    const { session, outputs } = next.played.endpoint.placeCall(0, next.tunnel, call);
    const icrq = only(outputs, "send").datagram;
    const reply = next.played.say({ kind: "ICRP", assignedSessionId: 77 }, session);
    expect(only(reply, "call-accepted").session).toBe(session);
    const connection = { txConnectSpeed: 1, framingType: 1, avps: [vendorAvp], hide: true };
    const connected = next.played.endpoint.connectCall(0, next.tunnel, session!, connection);
    const iccn = only(connected, "send").datagram;
    for (const datagram of [icrq, iccn])
      expect(Buffer.from(datagram).includes(Buffer.from(vendorAvp.value))).toBe(isClear);
  });

  it("are left out where the message would become too large for the next LNS", () => {
    const large: RelayedAvp = { vendor: 9, type: 2, mandatory: false, value: new Uint8Array(1000) };
    for (const hideAvps of [false, true]) {
      const { played, tunnel } = callerUp({ secret, authenticate: false, hideAvps });
      const avps = [...new Array<RelayedAvp>(80).fill(large), vendorAvp];
      const { outputs } = played.endpoint.placeCall(0, tunnel, { ...CALL, avps });
      expect(only(outputs, "send").datagram.length).toBeLessThanOrEqual(4096);
      const { message } = sent(outputs, "ICRQ", utf8(secret));
      expect(message).toMatchObject({ callSerialNumber: 1 });
    }
  });

  it("hold on to no more of a large message than a call may need", () => {
    const large: RelayedAvp = { vendor: 9, type: 2, mandatory: false, value: new Uint8Array(1000) };
    const body = concatBytes(emitMessage({ ...ICRQ, avps: [calledNumber] }), emitAvps(BEYOND));
    const { played } = calledUp();
    const { call } = only(played.sayBody(played.ns, played.nr, body), "call-offered");
    expect(call.avps?.filter(({ vendor }) => vendor === 9)).toEqual(new Array(4).fill(large));
    const holds = new Set(call.avps?.map(({ value }) => value.buffer));
    let octets = 0;
    for (const { byteLength } of holds) octets += byteLength;
    expect(octets).toBeLessThanOrEqual(4096);
    expect(call.callingNumber).toBe("last");
  });

  it("are not sent twice, nor is the id of another tunnel's session", () => {
    const { played, tunnel } = callerUp();
    const avps: readonly RelayedAvp[] = [
      { vendor: 0, type: 14, mandatory: true, value: fromHex("4711") },
      { vendor: 0, type: 15, mandatory: true, value: fromHex("00000001") },
      { vendor: 0, type: 22, mandatory: true, value: utf8("theirs") },
      { vendor: 3561, type: 1, mandatory: false, value: utf8("theirs") },
      { vendor: 3561, type: 2, mandatory: false, value: utf8("remote") },
    ];
    const call = { ...CALL, callingNumber: "ours", accessLine: { agentCircuitId: "ours" }, avps };
    const { session, outputs } = played.endpoint.placeCall(0, tunnel, call);
    expect(sent(outputs, "ICRQ").message).toEqual({
      kind: "ICRQ",
      assignedSessionId: session,
      callSerialNumber: 1,
      callingNumber: "ours",
      accessLine: { agentCircuitId: "ours", agentRemoteId: "remote" },
    });
    expect(Buffer.from(only(outputs, "send").datagram).includes("theirs")).toBe(false);
  });
});

describe("an outgoing call", () => {
  const OCRQ = {
    kind: "OCRQ",
    assignedSessionId: PEER_SESSION,
    callSerialNumber: 3,
    minimumBps: 1000,
    maximumBps: 9000,
    bearerType: 1,
    framingType: 1,
    calledNumber: "100",
  } as const;

  it("is offered to the owner if the peer may ask for it, and connected by OCRP and OCCN", () => {
    const { played, tunnel } = calledUp({ outgoingCalls: true });
    const offer = only(played.say(OCRQ), "call-offered");
    expect(offer).toMatchObject({
      outgoing: true,
      remoteSessionId: PEER_SESSION,
      call: {
        callSerialNumber: 3,
        bearerType: 1,
        calledNumber: "100",
        outgoing: { minimumBps: 1000, maximumBps: 9000, framingType: 1 },
      },
    });
    const { session } = offer;
    const reply = sent(played.watch(played.endpoint.acceptCall(1, tunnel, session)), "OCRP");
    expect(reply).toMatchObject({ sessionId: PEER_SESSION, message: { assignedSessionId: session } });
    const connected = sent(played.watch(played.endpoint.connectCall(1, tunnel, session, CONNECTION)), "OCCN");
    expect(connected.message).toEqual({ kind: "OCCN", ...CONNECTION });
    expect(played.endpoint.sessions(tunnel)).toMatchObject([{ side: "lac", stage: "established" }]);
    const cdn = { kind: "CDN", assignedSessionId: PEER_SESSION, resultCode: { result: 3 } } as const;
    expect(only(played.say(cdn), "session-down")).toMatchObject({ session, stage: "connected" });
  });

  it("is refused for good if the peer may not", () => {
    const { played } = calledUp();
    expect(sent(played.say(OCRQ), "CDN")).toMatchObject({
      sessionId: PEER_SESSION,
      message: { resultCode: { result: 5 } },
    });
  });

  it("ends when its owner does not connect it in time", () => {
    const { played, tunnel } = calledUp({ outgoingCalls: true, helloIntervalMs: 1e6 });
    const { session } = only(played.say(OCRQ), "call-offered");
    played.watch(played.endpoint.acceptCall(1, tunnel, session));
    played.acknowledge();
    const down = only(played.at(60_001), "session-down");
    expect(down.cause).toMatchObject({ by: "timeout", sent: "OCRP", waitedFor: "decision of ours" });
  });
});
