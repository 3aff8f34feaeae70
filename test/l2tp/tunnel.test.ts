import { describe, expect, it } from "vitest";
import { fromHex, utf8 } from "../../src/base/bytes.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import { describeCause, type L2tpOutput } from "../../src/l2tp/outputs.ts";
import { parseL2tp } from "../../src/wire/l2tp.ts";
import { emitAvps } from "../../src/wire/l2tp-avp.ts";
import { challengeResponse, hideValue } from "../../src/wire/l2tp-hiding.ts";
import type { L2tpMessage } from "../../src/wire/l2tp-messages.ts";
import { seededRandom } from "../support/seeded-random.ts";
import {
  CALL,
  called,
  calledUp,
  caller,
  callerUp,
  ICRQ,
  only,
  PEER,
  PEER_TUNNEL,
  Played,
  SCCCN,
  SCCRP,
  SCCRQ,
  sent,
  trace,
} from "./scripted-peer.ts";

const secret = utf8("sesame");
const CHALLENGE = fromHex("00112233445566778899aabbccddeeff");

const TIE_BREAKER = fromHex("0000000000000001");

/** We have sent an SCCRQ to a peer that is about to send us one. */
function bothCall(more: { readonly secret?: string; readonly tieBreaker?: boolean } = {}) {
  const peer = { name: "both", remote: PEER, accept: true, hostName: "peer.example", ...more };
  const played = new Played(new L2tpEndpoint({ hostName: "us", peers: [peer] }, seededRandom(1)));
  const { tunnel, outputs } = played.endpoint.openTunnel(0, "both");
  return { played, tunnel: tunnel!, ours: sent(outputs, "SCCRQ").message.tieBreaker };
}

/** The tunnels that datagrams go to. */
function tunnelIds(outputs: readonly L2tpOutput[]): readonly number[] {
  return outputs.flatMap((output) => {
    const packet = output.kind === "send" ? parseL2tp(output.datagram) : "not sent";
    return typeof packet === "string" ? [] : [packet.header.tunnelId];
  });
}

describe("opening a tunnel", () => {
  it("says who we are, and learns who and where the peer is", () => {
    const played = caller({ localHostName: "alias.example" }, { vendorName: "Ours" });
    const opened = played.open();
    const { message, tunnelId } = sent(opened.outputs, "SCCRQ");
    expect(message).toMatchObject({
      hostName: "alias.example",
      vendorName: "Ours",
      assignedTunnelId: opened.tunnel,
    });
    expect(message.challenge).toBeUndefined();
    expect(tunnelId).toBe(0);
    expect(only(opened.outputs, "send").to).toEqual(PEER);
    const up = played.say({ ...SCCRP, vendorName: "Theirs" });
    expect(only(up, "tunnel-up")).toEqual({
      kind: "tunnel-up",
      tunnel: opened.tunnel,
      remoteTunnelId: PEER_TUNNEL,
      peerName: "lns",
      peerHostName: "peer.example",
      peerVendorName: "Theirs",
      initiator: true,
      remote: PEER,
    });
    expect(sent(up, "SCCCN").tunnelId).toBe(PEER_TUNNEL);
    expect(played.endpoint.tunnels()).toMatchObject([{ phase: "established", peerHostName: "peer.example" }]);
  });

  it("follows an answer from another port for the rest of the tunnel's life", () => {
    const played = caller();
    played.open();
    played.from = { ...PEER, port: 40_000 };
    const up = played.say(SCCRP);
    expect(only(up, "tunnel-up").remote).toEqual(played.from);
    expect(only(up, "send").to).toEqual(played.from);
    played.from = PEER;
    played.say({ kind: "HELLO" });
    expect(played.endpoint.discards()["wrong-source"]).toBe(1);
  });

  it("follows an answer from another address only if the peer's policy says so", () => {
    const elsewhere = { ...PEER, address: "198.51.100.9" };
    for (const followAddress of [false, true]) {
      const played = caller({ followAddress });
      played.open();
      played.from = elsewhere;
      const up = played.say(SCCRP);
      expect(trace(up)).toEqual(followAddress ? ["tunnel-up", "SCCCN 1/1"] : []);
      if (followAddress) expect(only(up, "tunnel-up").remote).toEqual(elsewhere);
    }
  });

  it.each([
    ["another Host Name than is expected", { ...SCCRP, hostName: "impostor" }, 4],
    ["a challenge that we have no secret for", { ...SCCRP, challenge: CHALLENGE }, 4],
    ["protocol version 2", { ...SCCRP, protocolVersion: 0x0200 }, 5],
    ["a tunnel id of 0", { ...SCCRP, assignedTunnelId: 0 }, 2],
  ] as const)("ends when the answer has %s", (_, reply, result) => {
    const played = caller({ hostName: "peer.example" });
    played.open();
    const outputs = played.say(reply);
    expect(only(outputs, "tunnel-down")).toMatchObject({ wasUp: false, cause: { by: "us", result } });
    expect(sent(outputs, "StopCCN").message.resultCode.result).toBe(result);
  });

  it("ends when the peer refuses, with the peer's reason", () => {
    const played = caller();
    played.open();
    const resultCode = { result: 4, error: 0, message: "who are you?" };
    const outputs = played.say({ kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode });
    const { cause } = only(outputs, "tunnel-down");
    expect(cause).toEqual({ by: "peer", ...resultCode });
    expect(describeCause("StopCCN", cause)).toBe(
      'StopCCN from the peer, result 4 (requester is not authorized to establish a control channel): "who are you?"',
    );
  });

  it("that is refused acknowledges the refusal to the tunnel that it names, where it came from", () => {
    const played = caller();
    played.open();
    played.from = { ...PEER, port: 40_000 };
    const stop = { kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 4 } } as const;
    played.say(stop);
    const acknowledgement = played.at(1);
    expect(trace(acknowledgement)).toEqual(["ZLB 1/1"]);
    expect(only(acknowledgement, "send").to).toEqual(played.from);
    expect(tunnelIds(acknowledgement)).toEqual([PEER_TUNNEL]);
  });

  it("that is answered by what we cannot accept stops the tunnel that the answer names", () => {
    const played = caller();
    played.open();
    played.from = { ...PEER, port: 40_000 };
    const outputs = played.sayBody(
      0,
      1,
      emitAvps([
        { mandatory: true, hidden: false, vendorId: 0, type: 0, value: fromHex("0002") },
        { mandatory: true, hidden: false, vendorId: 0, type: 9, value: fromHex("01f4") },
        { mandatory: true, hidden: false, vendorId: 9, type: 1, value: fromHex("ff") },
      ]),
    );
    expect(trace(outputs)).toEqual(["tunnel-down", "StopCCN 1/1"]);
    expect(only(outputs.slice(1), "send").to).toEqual(played.from);
    expect(tunnelIds(outputs)).toEqual([0x01f4]);
  });

  it("ends after 60 seconds with a peer that acknowledges and does not answer", () => {
    const played = caller();
    const opened = played.open();
    played.acknowledge(1);
    expect(played.endpoint.deadline()).toBe(60_000);
    const outputs = played.at(60_000);
    expect(only(outputs, "tunnel-down").cause).toMatchObject({
      by: "timeout",
      sent: "SCCRQ",
      waitedFor: "SCCRP",
    });
    expect(sent(outputs, "StopCCN").message.assignedTunnelId).toBe(opened.tunnel);
  });

  it("that was given up names the peer's tunnel once it is known", () => {
    const played = caller();
    played.open();
    expect(trace(played.endpoint.closeTunnel(0, played.tunnelId, { result: 1 }))).toEqual([
      "tunnel-down",
      "StopCCN 1/0",
    ]);
    played.from = { ...PEER, port: 40_000 };
    played.say(SCCRP);
    const again = played.at(1000);
    expect(sent(again, "StopCCN").tunnelId).toBe(PEER_TUNNEL);
    expect(again).toMatchObject([{ to: played.from }]);
  });

  it("that was given up acknowledges a refusal that crosses our StopCCN to the tunnel that it names", () => {
    const played = caller();
    played.open();
    played.watch(played.endpoint.closeTunnel(0, played.tunnelId, { result: 1 }));
    played.say({ kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 4 } });
    expect(tunnelIds(played.at(1))).toEqual([PEER_TUNNEL]);
  });

  it("that nobody answered in time stops the tunnel of an answer that comes late", () => {
    const played = caller();
    played.open();
    expect(played.silentUntil(20_000)).toEqual(["1000 SCCRQ 0/0", "3000 SCCRQ 0/0", "7000 tunnel-down"]);
    expect(played.endpoint.unacknowledgedCloses()).toBe(0);
    const outputs = played.say(SCCRP);
    expect(sent(outputs, "StopCCN")).toMatchObject({
      tunnelId: PEER_TUNNEL,
      ns: 1,
      nr: 1,
      message: { resultCode: { result: 1 } },
    });
    played.acknowledge();
    expect(played.silentUntil(100_000)).toEqual([]);
    expect(played.endpoint.tunnels()).toEqual([]);
  });

  it("is our owner's mistake with a peer that is not configured, or has no address", () => {
    expect(() => caller().endpoint.openTunnel(0, "nobody")).toThrow(/nobody/);
    expect(() => called().endpoint.openTunnel(0, "lac")).toThrow(/lac/);
  });

  it("has a limit", () => {
    const { endpoint } = caller({}, { maxTunnels: 2 });
    expect(endpoint.openTunnel(0, "lns").tunnel).toBeDefined();
    expect(endpoint.openTunnel(0, "lns").tunnel).toBeDefined();
    expect(endpoint.openTunnel(0, "lns")).toEqual({ tunnel: undefined, outputs: [] });
  });
});

describe("being called", () => {
  it("answers to where the call came from, and counts on SCCCN", () => {
    const played = called();
    played.from = { address: "192.0.2.77", port: 55_555, localAddress: "192.0.2.1", portKey: 9 };
    const outputs = played.say(SCCRQ);
    expect(only(outputs, "send").to).toEqual(played.from);
    const { message, tunnelId } = sent(outputs, "SCCRP");
    expect(tunnelId).toBe(PEER_TUNNEL);
    played.tunnelId = message.assignedTunnelId;
    expect(only(played.say(SCCCN), "tunnel-up")).toMatchObject({
      peerName: "lac",
      initiator: false,
      remoteTunnelId: PEER_TUNNEL,
      remote: played.from,
    });
  });

  it("makes one tunnel of an SCCRQ that comes again and again", () => {
    const played = called();
    played.say(SCCRQ);
    for (played.now = 100; played.now < 900; played.now += 100) played.sayAs(0, 0, SCCRQ);
    expect(played.endpoint.tunnels()).toHaveLength(1);
    expect(trace(played.at(1000))).toEqual(["SCCRP 0/1"]);
  });

  it("tells peers apart by Host Name and address, exact names first", () => {
    const peers = [
      { name: "anyone", accept: true, acceptFrom: ["192.0.2.2"] },
      { name: "a", accept: true, hostName: "a.example" },
      { name: "b", accept: true, hostName: "b.example", acceptFrom: ["198.51.100.1"] },
      { name: "c", hostName: "c.example", remote: PEER },
    ];
    const whoIs = (hostName: string) => {
      const played = new Played(new L2tpEndpoint({ hostName: "us", peers }, seededRandom(1)));
      played.say({ ...SCCRQ, hostName });
      return played.endpoint.tunnels()[0]?.peerName;
    };
    expect(whoIs("a.example")).toBe("a");
    expect(whoIs("b.example")).toBe("anyone");
    expect(whoIs("c.example")).toBe("anyone");
    expect(whoIs("d.example")).toBe("anyone");
  });

  it.each([
    ["of a peer that is not known", { ...SCCRQ, hostName: "stranger" }, 4],
    ["with a challenge that we have no secret for", { ...SCCRQ, challenge: CHALLENGE }, 4],
    ["with protocol version 3", { ...SCCRQ, protocolVersion: 0x0300 }, 5],
  ] as const)("refuses an SCCRQ %s and keeps nothing of it", (_, request, result) => {
    const played = called();
    const outputs = played.say(request);
    expect(trace(outputs)).toEqual(["StopCCN 0/1", "tunnel-refused"]);
    expect(sent(outputs, "StopCCN")).toMatchObject({
      tunnelId: PEER_TUNNEL,
      message: { resultCode: { result } },
    });
    expect(only(outputs, "tunnel-refused")).toMatchObject({ from: PEER, peerHostName: request.hostName });
    expect(played.endpoint.tunnels()).toEqual([]);
    expect(played.endpoint.deadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it("answers strangers at a limited rate, and never their acknowledgements", () => {
    const played = called();
    let answers = 0;
    for (let i = 0; i < 1000; i++)
      answers += played.sayAs(0, 0, { ...SCCRQ, hostName: `s${i}` }).length > 0 ? 1 : 0;
    expect(answers).toBe(100);
    played.tunnelId = 1234;
    expect(played.sayAs(0, 1, { kind: "HELLO" })).toEqual([]);
    expect(played.acknowledge(1)).toEqual([]);
    expect(played.endpoint.discards()).toMatchObject({ refused: 1000, unanswered: 900, "unknown-tunnel": 2 });
  });

  it("is cancelled by a StopCCN from a peer that has not heard from us", () => {
    const played = called();
    played.say(SCCRQ);
    const outputs = played.say({ kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 6 } });
    expect(only(outputs, "tunnel-down")).toMatchObject({ wasUp: false, cause: { by: "peer", result: 6 } });
  });

  it("gives the oldest tunnel up that has not gone on, when too many are being opened", () => {
    const played = called({}, { maxHalfOpenTunnels: 3 });
    for (let i = 1; i <= 5; i++) played.sayAs(0, 0, { ...SCCRQ, assignedTunnelId: i });
    expect(
      played.endpoint
        .tunnels()
        .map((tunnel) => tunnel.remoteTunnelId)
        .sort(),
    ).toEqual([3, 4, 5]);
    expect(played.endpoint.discards()["half-open"]).toBe(2);
  });

  it("never gives up one that has come up", () => {
    const { played, tunnel } = calledUp({}, 16, { maxHalfOpenTunnels: 2 });
    played.tunnelId = 0;
    for (let i = 1; i <= 5; i++) played.sayAs(0, 0, { ...SCCRQ, assignedTunnelId: i });
    expect(played.endpoint.tunnels().map((each) => each.tunnel)).toContain(tunnel);
    expect(played.endpoint.tunnels()).toHaveLength(3);
  });

  it("takes a peer that has restarted and uses the same id, once it is up", () => {
    const { played, tunnel } = calledUp();
    played.say(ICRQ);
    played.at(2);
    const again = new Played(played.endpoint);
    again.now = 5000;
    const reply = sent(again.say({ ...SCCRQ, firmwareRevision: 2 }), "SCCRP");
    expect(again.endpoint.tunnels()).toHaveLength(2);
    again.tunnelId = reply.message.assignedTunnelId;
    const outputs = again.say(SCCCN);
    expect(trace(outputs)).toEqual(["tunnel-down", "tunnel-up"]);
    expect(only(outputs, "tunnel-down")).toMatchObject({ tunnel, cause: { by: "replaced" }, sessions: [{}] });
  });

  it("takes a peer that calls again with the same octets after it has stopped its tunnel", () => {
    const { played } = calledUp();
    played.say({ kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 6 } });
    played.at(30);
    const again = new Played(played.endpoint);
    again.now = 1000;
    const reply = sent(again.say({ ...SCCRQ, receiveWindowSize: 16 }), "SCCRP");
    again.tunnelId = reply.message.assignedTunnelId;
    expect(trace(again.say(SCCCN))).toEqual(["tunnel-up"]);
  });

  it("takes a peer that has crashed and calls again with the same octets, and no other, once it is up", () => {
    const { played, tunnel } = calledUp();
    const again = new Played(played.endpoint);
    const request = { ...SCCRQ, receiveWindowSize: 16 };
    again.now = 2000;
    const reply = sent(again.say(request), "SCCRP");
    again.sayAs(0, 0, request);
    expect(again.endpoint.tunnels()).toHaveLength(2);
    again.tunnelId = reply.message.assignedTunnelId;
    expect(only(again.say(SCCCN), "tunnel-down")).toMatchObject({ tunnel, cause: { by: "replaced" } });
  });

  it("lets a tunnel of another peer stand that has the same id there: one proves itself only for its own", () => {
    const peers = [
      { name: "lac", accept: true, hostName: "peer.example" },
      { name: "anybody", accept: true },
    ];
    const { played } = calledUp({}, 16, { peers });
    Object.assign(played, { tunnelId: 0, ns: 0, nr: 0 });
    const reply = sent(played.say({ ...SCCRQ, hostName: "stranger.example" }), "SCCRP");
    played.tunnelId = reply.message.assignedTunnelId;
    expect(trace(played.say(SCCCN))).toEqual(["tunnel-up"]);
  });

  it("lets a tunnel of somebody else stand that has got the id of the one to be replaced", () => {
    const { played, tunnel: standing } = calledUp();
    played.from = { ...PEER, port: 4000 };
    Object.assign(played, { tunnelId: 0, ns: 0, nr: 0 });
    const { assignedTunnelId: id } = sent(played.say(SCCRQ), "SCCRP").message;
    // what it was to replace has ended meanwhile, and its id has come round
    const state = played.endpoint.snapshot();
    const tunnels = { ...state.tunnels, [id]: { ...state.tunnels[id]!, replaces: standing } };
    const peers = [{ name: "lac", accept: true, hostName: "peer.example" }];
    const endpoint = new L2tpEndpoint({ hostName: "us", peers }, seededRandom(9), { ...state, tunnels });
    const later = Object.assign(new Played(endpoint), { from: played.from, tunnelId: id, ns: 1, nr: 1 });
    expect(trace(later.say(SCCCN))).toEqual(["tunnel-up"]);
  });

  it("lets a tunnel stand whose SCCRQ the network has doubled, and still knows what a restart replaces", () => {
    for (const restored of [false, true]) {
      const config = { peers: [{ name: "lac", accept: true, hostName: "peer.example", retransmissions: 9 }] };
      const { played, tunnel } = calledUp({ retransmissions: 9, helloIntervalMs: 1e6 });
      const doubled = new Played(played.endpoint);
      doubled.now = 500;
      sent(doubled.sayAs(0, 0, { ...SCCRQ, receiveWindowSize: 16 }), "SCCRP");
      const lines = doubled.silentUntil(70_000);
      expect(lines.at(-1)).toBe("60500 tunnel-down");
      expect(lines.filter((line) => line.includes("StopCCN"))).toEqual([]);
      expect(doubled.endpoint.tunnels()).toMatchObject([{ tunnel, phase: "established" }]);
      const endpoint = restored
        ? new L2tpEndpoint({ hostName: "us", ...config }, seededRandom(3), doubled.endpoint.snapshot())
        : doubled.endpoint;
      const again = new Played(endpoint);
      again.now = 71_000;
      again.tunnelId = 0;
      const reply = sent(again.say({ ...SCCRQ, firmwareRevision: 2 }), "SCCRP");
      again.tunnelId = reply.message.assignedTunnelId;
      expect(only(again.say(SCCCN), "tunnel-down")).toMatchObject({ tunnel, cause: { by: "replaced" } });
    }
  });

  it("gives up its own SCCRQ to a peer whose Tie Breaker comes, once that peer has proved itself", () => {
    const { played, tunnel } = bothCall({ secret: "sesame" });
    const outputs = played.say({ ...SCCRQ, tieBreaker: TIE_BREAKER });
    expect(trace(outputs)).toEqual(["SCCRP 0/1"]);
    const { message } = sent(outputs, "SCCRP");
    played.tunnelId = message.assignedTunnelId;
    const up = played.say({ ...SCCCN, challengeResponse: challengeResponse(3, secret, message.challenge!) });
    expect(trace(up)).toEqual(["tunnel-down", "tunnel-up"]);
    expect(only(up, "tunnel-down")).toMatchObject({ tunnel, cause: { by: "tie-breaker" } });
    expect(played.endpoint.tunnels()).toHaveLength(1);
  });

  it("does not give it up to somebody who only has the peer's name", () => {
    const { played, tunnel } = bothCall({ secret: "sesame" });
    const stranger = new Played(played.endpoint);
    stranger.from = { ...PEER, address: "203.0.113.66" };
    const { message } = sent(stranger.say({ ...SCCRQ, tieBreaker: TIE_BREAKER }), "SCCRP");
    stranger.tunnelId = message.assignedTunnelId;
    const outputs = stranger.say({ ...SCCCN, challengeResponse: new Uint8Array(16) });
    expect(only(outputs, "tunnel-down")).toMatchObject({ tunnel: message.assignedTunnelId });
    expect(played.endpoint.tunnels()).toContainEqual(
      expect.objectContaining({ tunnel, phase: "wait-ctl-reply" }),
    );
  });

  it("sends a Tie Breaker only by policy", () => {
    expect(bothCall().ours).toBeUndefined();
    expect(bothCall({ tieBreaker: true }).ours).toHaveLength(8);
  });

  it.each([
    ["higher", fromHex("ffffffffffffffff")],
    ["absent", undefined],
  ])("makes no tunnel of an SCCRQ whose Tie Breaker is %s, and says nothing: ours wins", (_, tieBreaker) => {
    const { played, tunnel } = bothCall({ tieBreaker: true });
    expect(trace(played.say({ ...SCCRQ, ...(tieBreaker && { tieBreaker }) }))).toEqual([]);
    expect(played.endpoint.tunnels()).toMatchObject([{ tunnel, phase: "wait-ctl-reply" }]);
    expect(played.endpoint.discards()["lost-tie"]).toBe(1);
  });

  it("gives up its own SCCRQ when the peer's Tie Breaker is lower, with the calls that wait for it", () => {
    const { played, tunnel } = bothCall({ tieBreaker: true });
    const { session } = played.endpoint.placeCall(0, tunnel, CALL);
    const reply = sent(played.say({ ...SCCRQ, tieBreaker: TIE_BREAKER }), "SCCRP");
    played.tunnelId = reply.message.assignedTunnelId;
    expect(only(played.say(SCCCN), "tunnel-down")).toMatchObject({
      tunnel,
      cause: { by: "tie-breaker" },
      sessions: [{ session, stage: "set-up", unanswered: true }],
    });
  });

  it("discards both when the Tie Breakers are equal", () => {
    const { played, tunnel, ours } = bothCall({ tieBreaker: true });
    const outputs = played.say({ ...SCCRQ, tieBreaker: ours! });
    expect(trace(outputs)).toEqual(["tunnel-down"]);
    expect(only(outputs, "tunnel-down")).toMatchObject({ tunnel, cause: { by: "tie-breaker" } });
    expect(played.endpoint.tunnels()).toEqual([]);
  });

  it("is cancelled by a StopCCN whose ids are hidden", () => {
    const played = called({ secret: "sesame", authenticate: false });
    played.say(SCCRQ);
    const randomVector = fromHex("0011");
    const hidden = hideValue(9, fromHex("01f4"), secret, randomVector);
    const avp = { mandatory: true, hidden: false, vendorId: 0 };
    const stop = emitAvps([
      { ...avp, type: 0, value: fromHex("0004") },
      { ...avp, type: 36, value: randomVector },
      { ...avp, hidden: true, type: 9, value: hidden },
      { ...avp, type: 1, value: fromHex("0001") },
    ]);
    expect(PEER_TUNNEL).toBe(0x01f4);
    const down = only(played.sayBody(1, 0, stop), "tunnel-down");
    expect(down.cause).toMatchObject({ by: "peer", result: 1 });
  });

  it("and calling at once makes two tunnels when nobody sends a tie breaker", () => {
    const { played } = bothCall();
    expect(trace(played.say(SCCRQ))).toEqual(["SCCRP 0/1"]);
    expect(played.endpoint.tunnels()).toHaveLength(2);
  });
});

describe("tunnel authentication", () => {
  it("as the one who calls: proves the secret and has it proved", () => {
    const played = caller({ secret: "sesame" });
    const opened = played.open();
    const { challenge } = sent(opened.outputs, "SCCRQ").message;
    expect(challenge).toHaveLength(16);
    const reply = {
      ...SCCRP,
      challenge: CHALLENGE,
      challengeResponse: challengeResponse(2, secret, challenge!),
    };
    const outputs = played.say(reply);
    expect(sent(outputs, "SCCCN").message.challengeResponse).toEqual(challengeResponse(3, secret, CHALLENGE));
    only(outputs, "tunnel-up");
  });

  it("as the one who is called: proves the secret and has it proved", () => {
    const played = called({ secret: "sesame" });
    const outputs = played.say({ ...SCCRQ, challenge: CHALLENGE });
    const { message } = sent(outputs, "SCCRP");
    expect(message.challengeResponse).toEqual(challengeResponse(2, secret, CHALLENGE));
    played.tunnelId = message.assignedTunnelId;
    const up = played.say({ ...SCCCN, challengeResponse: challengeResponse(3, secret, message.challenge!) });
    only(up, "tunnel-up");
  });

  it.each([
    ["another secret", challengeResponse(2, utf8("wrong"), CHALLENGE)],
    ["no response", undefined],
  ])("as the one who calls: %s ends the tunnel", (_, response) => {
    const played = caller({ secret: "sesame" });
    played.open();
    const outputs = played.say({ ...SCCRP, ...(response && { challengeResponse: response }) });
    expect(sent(outputs, "StopCCN").message.resultCode.result).toBe(4);
    expect(only(outputs, "tunnel-down").cause).toMatchObject({ by: "us", result: 4 });
  });

  it.each([
    ["another secret", (challenge: Uint8Array) => challengeResponse(3, utf8("wrong"), challenge)],
    ["the response of another message", (challenge: Uint8Array) => challengeResponse(2, secret, challenge)],
    ["no response", () => undefined],
  ])("as the one who is called: %s ends the tunnel", (_, respond) => {
    const played = called({ secret: "sesame" });
    const { message } = sent(played.say(SCCRQ), "SCCRP");
    played.tunnelId = message.assignedTunnelId;
    const response = respond(message.challenge!);
    const outputs = played.say({ ...SCCCN, ...(response && { challengeResponse: response }) });
    expect(sent(outputs, "StopCCN").message.resultCode.result).toBe(4);
    expect(only(outputs, "tunnel-down")).toMatchObject({ wasUp: false, cause: { by: "us", result: 4 } });
  });

  it("is answered but not asked for when the policy says so", () => {
    const played = called({ secret: "sesame", authenticate: false });
    const { message } = sent(played.say({ ...SCCRQ, challenge: CHALLENGE }), "SCCRP");
    expect(message.challenge).toBeUndefined();
    expect(message.challengeResponse).toBeDefined();
  });
});

describe("an established tunnel", () => {
  it("is tested by a HELLO after 60 seconds of silence, and ends when that is not acknowledged", () => {
    const { played } = callerUp();
    const lines = played.silentUntil(200_000);
    expect(lines).toEqual([
      "60000 HELLO 2/1",
      "61000 HELLO 2/1",
      "63000 tunnel-unanswered",
      "63000 HELLO 2/1",
      "67000 HELLO 2/1",
      "75000 HELLO 2/1",
      "83000 HELLO 2/1",
      "91000 tunnel-down",
    ]);
  });

  it("is told of as unanswered with the second repetition, and as answered again with its acknowledgement", () => {
    const { played, tunnel } = callerUp();
    played.silentUntil(62_999);
    expect(played.endpoint.tunnels()).toMatchObject([{ unansweredSince: null }]);
    expect(trace(played.at(63_000))).toEqual(["tunnel-unanswered", "HELLO 2/1"]);
    expect(played.endpoint.tunnels()).toMatchObject([{ unansweredSince: 60_000 }]);
    played.now = 64_500;
    // it is there, but has not got what we sent
    expect(trace(played.sayAs(1, 2, { kind: "HELLO" }))).toEqual([]);
    expect(played.endpoint.tunnels()).toMatchObject([{ unansweredSince: 60_000 }]);
    const outputs = played.acknowledge(3);
    expect(only(outputs, "tunnel-answered")).toEqual({
      kind: "tunnel-answered",
      tunnel,
      peerName: "lns",
      afterMs: 4500,
    });
    expect(played.endpoint.tunnels()).toMatchObject([{ unansweredSince: null }]);
  });

  it("says of what is not answered what was sent, how often, and when the peer was last heard", () => {
    const { played, tunnel } = callerUp();
    played.silentUntil(62_999);
    const outputs = played.endpoint.timeout(63_000);
    const told = only(
      outputs.filter(({ kind }) => kind !== "send"),
      "tunnel-unanswered",
    );
    expect(told).toMatchObject({ tunnel, peerName: "lns" });
    expect(describeCause("StopCCN", told.cause)).toBe(
      "HELLO sent 2 times, no acknowledgement, last heard 63.0 s ago",
    );
  });

  it("is asked after ten seconds of silence when data only leaves in it, and not while it is heard", () => {
    const { played, tunnel } = callerUp();
    expect(trace(played.endpoint.onOneSidedTraffic(9999, tunnel))).toEqual([]);
    expect(trace(played.watch(played.endpoint.onOneSidedTraffic(10_000, tunnel)))).toEqual(["HELLO 2/1"]);
    // what is under way asks already
    expect(played.endpoint.onOneSidedTraffic(10_500, tunnel)).toEqual([]);
    played.now = 10_600;
    played.acknowledge();
    expect(played.endpoint.onOneSidedTraffic(20_500, tunnel)).toEqual([]);
    played.endpoint.onTraffic(20_600, tunnel);
    expect(played.endpoint.onOneSidedTraffic(30_599, tunnel)).toEqual([]);
    expect(trace(played.endpoint.onOneSidedTraffic(30_600, tunnel))).toEqual(["HELLO 3/1"]);
    expect(played.endpoint.onOneSidedTraffic(0, 4711)).toEqual([]);
  });

  it("sends no HELLO while data is heard", () => {
    const { played, tunnel } = callerUp({ helloIntervalMs: 10_000 });
    for (let now = 5000; now <= 60_000; now += 5000) {
      expect(played.silentUntil(now)).toEqual([]);
      expect(played.endpoint.onTraffic(now, tunnel)).toEqual([]);
    }
    expect(played.silentUntil(70_000)).toEqual(["70000 HELLO 2/1"]);
  });

  it("sends no HELLO while the peer is heard", () => {
    const { played } = callerUp({ helloIntervalMs: 10_000 });
    played.now = 9000;
    played.acknowledge();
    expect(played.endpoint.deadline()).toBe(19_000);
    expect(trace(played.at(19_000))).toEqual(["HELLO 2/1"]);
    expect(trace(played.acknowledge(3))).toEqual([]);
    expect(played.endpoint.deadline()).toBe(29_000);
  });

  it.each([
    ["SCCRQ", SCCRQ],
    ["SCCRP", SCCRP],
    ["SCCCN", SCCCN],
  ] as const)("ends with a state machine error when %s comes", (_, message) => {
    const { played } = calledUp();
    const outputs = played.say(message);
    expect(sent(outputs, "StopCCN").message.resultCode).toMatchObject({ result: 7 });
  });

  it("takes StopCCN, acknowledges it as often as it comes, and is forgotten after 31 seconds", () => {
    const { played, tunnel } = calledUp();
    only(played.say(ICRQ), "call-offered");
    played.at(10);
    const stop: L2tpMessage = { kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 6 } };
    expect(only(played.say(stop), "tunnel-down")).toMatchObject({
      tunnel,
      wasUp: true,
      cause: { by: "peer", result: 6 },
      sessions: [{ stage: "set-up" }],
    });
    expect(trace(played.at(11))).toEqual(["ZLB 1/4"]);
    played.now = 5000;
    expect(trace(played.sayAs(3, 1, stop))).toEqual([]);
    expect(trace(played.at(5001))).toEqual(["ZLB 1/4"]);
    expect(played.silentUntil(31_009)).toEqual([]);
    expect(played.endpoint.tunnels()).toMatchObject([{ phase: "closing", sessions: 0 }]);
    played.at(31_010);
    expect(played.endpoint.tunnels()).toEqual([]);
    expect(played.endpoint.deadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ["it has a longer retransmission cycle, as we are told", { peerRetransmissionCycleMs: 60_000 }, 60_001],
    ["our own is longer, in which we repeat a StopCCN", { retransmissions: 7 }, 47_001],
    ["it has a shorter one", { peerRetransmissionCycleMs: 5000, retransmissions: 1 }, 31_001],
  ])("is kept for a peer that stopped it, if %s", (_, peer, until) => {
    const { played } = calledUp(peer);
    played.say({ kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 1 } });
    played.at(2);
    played.silentUntil(until - 1);
    expect(played.endpoint.tunnels()).toMatchObject([{ phase: "closing" }]);
    played.silentUntil(until);
    expect(played.endpoint.tunnels()).toEqual([]);
  });

  it("is kept when nobody acknowledges its StopCCN, and says nothing more", () => {
    const { played, tunnel } = callerUp({ retransmissions: 1 });
    played.endpoint.closeTunnel(0, tunnel, { result: 1 });
    expect(played.silentUntil(30_999)).toEqual(["1000 StopCCN 2/1"]);
    expect(played.endpoint.tunnels()).toMatchObject([{ phase: "closing" }]);
    expect(played.endpoint.unacknowledgedCloses()).toBe(0);
    played.silentUntil(31_000);
    expect(played.endpoint.tunnels()).toEqual([]);
  });

  it("puts up with unknown AVPs that have the M bit, where the policy says so, and counts them", () => {
    const { played } = calledUp({ unknownMandatoryAvp: "ignore" });
    const avps = [{ vendor: 9, type: 1, mandatory: true, value: fromHex("ff") }];
    only(played.say({ ...ICRQ, avps }), "call-offered");
    expect(played.endpoint.discards()["ignored-avp"]).toBe(1);
    const strict = calledUp().played;
    expect(sent(strict.say({ ...ICRQ, avps }), "CDN").message.resultCode).toMatchObject({
      result: 2,
      error: 8,
    });
  });

  it("sends nothing of its own any more once the peer has stopped it", () => {
    const { played, tunnel } = calledUp();
    const { session } = only(played.say(ICRQ), "call-offered");
    expect(trace(played.endpoint.acceptCall(played.now, tunnel, session))).toEqual(["ICRP 1/3"]);
    played.say({ kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 6 } });
    expect(played.silentUntil(100_000)).toEqual(["2 ZLB 2/4"]);
  });

  it("sends one StopCCN when it is closed, until that is acknowledged, and takes no more calls", () => {
    const { played, tunnel } = callerUp();
    played.endpoint.placeCall(0, tunnel, CALL);
    const outputs = played.watch(played.endpoint.closeTunnel(0, tunnel, { result: 6 }));
    expect(trace(outputs)).toEqual(["tunnel-down", "StopCCN 3/1"]);
    expect(sent(outputs, "StopCCN").message.assignedTunnelId).toBe(tunnel);
    expect(played.endpoint.placeCall(0, tunnel, CALL)).toEqual({ session: undefined, outputs: [] });
    expect(played.endpoint.closeTunnel(0, tunnel, { result: 1 })).toEqual([]);
    expect(played.endpoint.unacknowledgedCloses()).toBe(1);
    expect(trace(played.at(1000))).toEqual(["ICRQ 2/1"]);
    played.acknowledge(4);
    expect(played.endpoint.unacknowledgedCloses()).toBe(0);
    expect(played.silentUntil(100_000)).toEqual([]);
    expect(played.endpoint.tunnels()).toEqual([]);
  });

  it("crosses StopCCNs without telling its end twice", () => {
    const { played, tunnel } = callerUp();
    played.watch(played.endpoint.closeTunnel(0, tunnel, { result: 1 }));
    const stop: L2tpMessage = { kind: "StopCCN", assignedTunnelId: PEER_TUNNEL, resultCode: { result: 1 } };
    expect(trace(played.say(stop))).toEqual([]);
    expect(trace(played.at(1))).toEqual(["ZLB 3/2"]);
  });

  it.each([
    ["of an unknown type", [true, 0, "0063"], 8, "unknown message type 99"],
    ["with an unknown vendor AVP", [true, 3561, "00"], 8, "vendor 3561 attribute 0"],
  ] as const)("ends with a mandatory message %s", (_, [mandatory, vendorId, hex], error, text) => {
    const { played } = calledUp();
    const hello = { mandatory: true, hidden: false, vendorId: 0, type: 0, value: fromHex("0006") };
    const avp = { mandatory, hidden: false, vendorId, type: 0, value: fromHex(hex) };
    const outputs = played.sayBody(2, 1, emitAvps(vendorId === 0 ? [avp] : [hello, avp]));
    expect(sent(outputs, "StopCCN").message.resultCode).toEqual({ result: 2, error, message: text });
  });

  it.each([
    ["an unknown message type", [{ vendorId: 0, hex: "0063" }]],
    [
      "an unknown vendor AVP",
      [
        { vendorId: 0, hex: "0006" },
        { vendorId: 3561, hex: "00" },
      ],
    ],
  ])("puts up with %s without the M bit", (_, avps) => {
    const { played } = calledUp();
    const body = emitAvps(
      avps.map(({ vendorId, hex }) => ({
        mandatory: false,
        hidden: false,
        vendorId,
        type: 0,
        value: fromHex(hex),
      })),
    );
    expect(trace(played.sayBody(2, 1, body))).toEqual([]);
    expect(trace(played.at(2))).toEqual(["ZLB 1/3"]);
  });

  it("ends when AVPs do not add up", () => {
    const { played } = calledUp();
    const outputs = played.sayBody(2, 1, fromHex("8008 0000 0000 0006 80"));
    expect(sent(outputs, "StopCCN").message.resultCode).toMatchObject({ result: 2, error: 2 });
  });

  it("hides what may be hidden when the policy says so, and opens it", () => {
    const { played, tunnel } = callerUp({ secret: "sesame", authenticate: false, hideAvps: true });
    const { outputs } = played.endpoint.placeCall(0, tunnel, { ...CALL, callingNumber: "5551234" });
    const datagram = Buffer.from(only(outputs, "send").datagram);
    expect(datagram.includes("5551234")).toBe(false);
    expect(sent(outputs, "ICRQ", secret).message.callingNumber).toBe("5551234");
    // which everybody can read
    expect(
      sent(caller({ secret: "sesame", hideAvps: true }).open().outputs, "SCCRQ").message.vendorName,
    ).toBe("Lacewing");
  });

  it("opens what the peer hides, in SCCRQ too", () => {
    const played = called({ secret: "sesame", authenticate: false });
    played.hiding = { secret, randomVector: fromHex("0102030405060708090a0b0c0d0e0f10") };
    const { message } = sent(played.say({ ...SCCRQ, challenge: CHALLENGE }), "SCCRP");
    expect(message.challengeResponse).toEqual(challengeResponse(2, secret, CHALLENGE));
    played.tunnelId = message.assignedTunnelId;
    played.say(SCCCN);
    const offered = only(played.say({ ...ICRQ, calledNumber: "100" }), "call-offered");
    expect(offered.call).toMatchObject({ callSerialNumber: 1, calledNumber: "100" });
  });
});

describe("shutting down", () => {
  it("stops every tunnel with one StopCCN of result 6, and takes no new one", () => {
    const played = caller();
    const tunnels = [1, 2, 3].map(() => played.endpoint.openTunnel(0, "lns").tunnel);
    const outputs = played.endpoint.shutdown(0);
    expect(trace(outputs).filter((line) => line.startsWith("StopCCN"))).toHaveLength(3);
    expect(outputs.flatMap((each) => (each.kind === "tunnel-down" ? [each.tunnel] : [])).sort()).toEqual(
      tunnels.sort(),
    );
    const lac = called();
    lac.endpoint.shutdown(0);
    expect(sent(lac.say(SCCRQ), "StopCCN").message.resultCode.result).toBe(6);
  });
});

describe("a configuration that contradicts itself", () => {
  it.each([
    ["no Host Name", { hostName: "", peers: [] }],
    ["a Host Name that fits no AVP", { hostName: "x".repeat(1016), peers: [] }],
    ["hiding without a secret", { hostName: "us", peers: [{ name: "a", hideAvps: true }] }],
    ["authentication without a secret", { hostName: "us", peers: [{ name: "a", authenticate: true }] }],
    ["two peers of one name", { hostName: "us", peers: [{ name: "a" }, { name: "a" }] }],
    ["a window of nothing", { hostName: "us", peers: [{ name: "a", receiveWindow: 0 }] }],
  ])("is refused: %s", (_, config) => {
    expect(() => new L2tpEndpoint(config, seededRandom(1))).toThrow(/L2TP/);
  });
});
