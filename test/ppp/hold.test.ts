import { describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import { PppServer } from "../../src/ppp/server.ts";
import { PPP_IPCP, PPP_LCP } from "../../src/wire/ppp.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { ackOf, frame, framesOf, sent } from "./frames.ts";
import { GRANT, SERVER } from "./pair.ts";
import { attemptOf, chapResponse, newServer, openLcp, PEER_OPTIONS, papRequest } from "./peer.ts";

/** A LAC's server that holds a PAP attempt. */
function heldPap(): { server: PppServer; attempt: number } {
  const server = newServer({ authentication: ["pap"] });
  openLcp(server);
  const attempt = attemptOf(server.receive(0, papRequest(1)));
  expect(server.hold(0, attempt)).toEqual([]);
  return { server, attempt };
}

describe("a held attempt", () => {
  it("gives what the proxy AVPs of PAP want", () => {
    const { server } = heldPap();
    const held = server.proxy()!;
    expect(toHex(held.lcp.initialReceivedConfReq!)).toBe(toHex(PEER_OPTIONS));
    expect(toHex(held.lcp.lastReceivedConfReq)).toBe(toHex(PEER_OPTIONS));
    expect(toHex(held.lcp.lastSentConfReq)).toMatch(/^010405d4 ?0304c0230506/);
    expect(held.authentication).toEqual({
      type: "pap",
      name: utf8("alice@isp"),
      identifier: 1,
      response: utf8("wonderland"),
    });
    expect(held.frame).toEqual(papRequest(1));
  });

  it("gives what the proxy AVPs of CHAP want", () => {
    const server = newServer();
    const challenged = openLcp(server);
    const response = chapResponse(challenged);
    server.hold(0, attemptOf(server.receive(0, response)));
    const held = server.proxy()!;
    expect(held.frame).toEqual(response);
    if (held.authentication?.type !== "chap-md5") return expect.unreachable();
    expect(held.authentication.identifier).toBe(response[3]);
    expect(held.authentication.challenge).toEqual(framesOf(challenged)[0]!.slice(7, 23));
    expect(held.authentication.response).toEqual(response.slice(7, 23));
  });

  it("keeps the first Configure-Request apart from the acknowledged one", () => {
    const server = newServer({ authentication: ["pap"] });
    const [request] = framesOf(server.start(0));
    server.receive(0, frame(PPP_LCP, 1, 1, "010405dc"));
    server.receive(0, frame(PPP_LCP, 1, 2, "010405d4"));
    server.receive(0, ackOf(request!));
    server.hold(0, attemptOf(server.receive(0, papRequest(1))));
    expect(toHex(server.proxy()!.lcp.initialReceivedConfReq!)).toBe("010405dc");
    expect(toHex(server.proxy()!.lcp.lastReceivedConfReq)).toBe("010405d4");
  });

  it("is the newest: repetitions are not answered but kept", () => {
    const { server } = heldPap();
    expect(server.receive(3_000, papRequest(2))).toEqual([]);
    expect(server.proxy()!.frame).toEqual(papRequest(2));
    expect(server.receive(6_000, papRequest(3, "changed"))).toEqual([]);
    expect(server.proxy()!.authentication).toMatchObject({ identifier: 3, response: utf8("changed") });
  });

  it("sends no new challenge", () => {
    const server = newServer({ timers: { ...SERVER.timers, echoIntervalMs: 0 } });
    server.hold(0, attemptOf(server.receive(0, chapResponse(openLcp(server)))));
    expect(server.deadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it("has Echo-Requests answered", () => {
    const { server } = heldPap();
    expect(sent(server.receive(0, frame(PPP_LCP, 9, 1, "11223344")))).toEqual(["LCP echo-reply"]);
  });

  it("has the acknowledged Configure-Request acknowledged again, without leaving Opened", () => {
    const { server } = heldPap();
    const again = frame(PPP_LCP, 1, 1, PEER_OPTIONS);
    expect(server.receive(0, again)).toEqual([{ kind: "send", frame: ackOf(again) }]);
    expect(server.proxy()).toBeDefined();
  });

  it.each([
    ["network control", frame(PPP_IPCP, 1, 1, "030600000000")],
    ["an unknown protocol", frame(0x80fd, 1, 1)],
    ["an unknown LCP code", frame(PPP_LCP, 99, 1)],
    ["a Configure-Ack", frame(PPP_LCP, 2, 1)],
    ["a Terminate-Ack", frame(PPP_LCP, 6, 1)],
    ["an Identification", frame(PPP_LCP, 12, 1, "11223344")],
  ])("leaves %s to the LNS", (_name, octets) => {
    const { server } = heldPap();
    expect(server.receive(0, octets)).toEqual([]);
    expect(server.proxy()).toBeDefined();
  });

  it("is void when the peer begins LCP anew", () => {
    const { server, attempt } = heldPap();
    const anew = server.receive(0, frame(PPP_LCP, 1, 1, "010405d4 0506 99999999"));
    expect(anew[0]).toEqual({ kind: "authenticate-void", attempt });
    expect(server.proxy()).toBeUndefined();
    server.receive(0, ackOf(framesOf(anew)[0]!));
    expect(attemptOf(server.receive(0, papRequest(2)))).not.toBe(attempt);
  });

  it("ends with the link", () => {
    const { server, attempt } = heldPap();
    const outputs = server.receive(0, frame(PPP_LCP, 5, 1));
    expect(outputs.map((output) => output.kind)).toEqual(["authenticate-void", "send", "down"]);
    expect(server.accept(0, attempt, GRANT)).toEqual([]);
  });

  it("can still be rejected, when no LNS takes it", () => {
    const { server, attempt } = heldPap();
    expect(sent(server.reject(0, attempt, "no LNS"))[0]).toBe('PAP authenticate-nak "no LNS"');
  });

  it("survives a snapshot", () => {
    const { server } = heldPap();
    const restored = new PppServer(
      { ...SERVER, authentication: ["pap"] },
      seededRandom(9),
      server.snapshot(),
    );
    expect(restored.proxy()).toEqual(server.proxy());
    expect(restored.receive(0, papRequest(2))).toEqual([]);
    expect(restored.proxy()!.frame).toEqual(papRequest(2));
    expect(server.proxy()!.frame).toEqual(papRequest(1));
  });

  it("leaves a snapshot alone that was taken before", () => {
    const { server } = heldPap();
    const snapshot = server.snapshot();
    const before = structuredClone(snapshot);
    server.receive(0, papRequest(2));
    server.receive(0, frame(PPP_LCP, 1, 1, "010405d4 0506 99999999"));
    expect(snapshot).toEqual(before);
  });
});
