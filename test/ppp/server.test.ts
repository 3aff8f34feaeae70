import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { verifyChapMd5 } from "../../src/ppp/chap.ts";
import { PPP_CHAP, PPP_IPCP, PPP_IPV6CP, PPP_LCP } from "../../src/wire/ppp.ts";
import { ackOf, frame, framesOf, identifierOf, sent } from "./frames.ts";
import { GRANT } from "./pair.ts";
import {
  acceptedServer,
  attemptOf,
  chapResponse,
  newServer,
  openLcp,
  PEER_OPTIONS,
  papRequest,
} from "./peer.ts";

describe("the authenticating side, with CHAP", () => {
  it("challenges with 16 random octets, ten times 3 s apart, and gives up", () => {
    const server = newServer();
    const challenge = framesOf(openLcp(server))[0]!;
    expect(challenge.slice(6, 7)).toEqual(Uint8Array.of(16));
    const times: number[] = [];
    while (times.length < 9) {
      const at = server.deadline();
      expect(framesOf(server.timeout(at))).toEqual([challenge]);
      times.push(at / 1_000);
    }
    expect(times).toEqual([3, 6, 9, 12, 15, 18, 21, 24, 27]);
    expect(sent(server.timeout(30_000))).toEqual(['LCP terminate-request "authentication timed out"']);
    expect(server.receive(30_000, frame(PPP_LCP, 6, 0))).toMatchObject([
      { kind: "down", cause: { kind: "authentication-timeout", lastSent: "CHAP Challenge", times: 10 } },
    ]);
  });

  it("asks the owner with what verifyChapMd5 wants, and only once", () => {
    const server = newServer();
    const response = chapResponse(openLcp(server));
    const asked = server.receive(0, response);
    expect(asked).toHaveLength(1);
    const output = asked[0]!;
    if (output.kind !== "authenticate" || output.credentials.method !== "chap-md5")
      return expect.unreachable();
    const { name, identifier, challenge, response: value } = output.credentials;
    expect(name).toBe("alice@isp");
    expect(verifyChapMd5(identifier, utf8("wonderland"), challenge, value)).toBe(true);
    expect(verifyChapMd5(identifier, utf8("wonderlane"), challenge, value)).toBe(false);
    expect(server.receive(100, response)).toEqual([]);
    expect(server.deadline()).toBe(30_000);
  });

  it("sends the same Success again when a Response is repeated", () => {
    const server = newServer();
    const response = chapResponse(openLcp(server));
    const accepted = server.accept(0, attemptOf(server.receive(0, response)), GRANT);
    expect(sent(accepted)).toEqual(["CHAP success", "IPCP configure-request [ip-address=10.0.0.1]"]);
    expect(framesOf(server.receive(0, response))).toEqual([framesOf(accepted)[0]]);
  });

  it("ignores a Response to another challenge", () => {
    const server = newServer();
    const response = chapResponse(openLcp(server));
    response[3] = response[3]! + 1;
    expect(server.receive(0, response)).toEqual([]);
  });
});

describe("the authenticating side, with PAP", () => {
  it("waits 30 s for a request", () => {
    const server = newServer({ authentication: ["pap"], timers: { ...newTimers(), echoIntervalMs: 0 } });
    openLcp(server);
    expect(server.deadline()).toBe(30_000);
    expect(sent(server.timeout(30_000))).toEqual(['LCP terminate-request "authentication timed out"']);
  });

  it("asks once while the verdict is pending, and acknowledges the newest request", () => {
    const server = newServer({ authentication: ["pap"] });
    openLcp(server);
    const attempt = attemptOf(server.receive(0, papRequest(1)));
    expect(server.receive(3_000, papRequest(2))).toEqual([]);
    const accepted = server.accept(4_000, attempt, GRANT);
    expect(identifierOf(framesOf(accepted)[0]!)).toBe(2);
    expect(sent(server.receive(5_000, papRequest(3)))).toEqual(["PAP authenticate-ack"]);
  });

  it("is not led to accept one user by the verdict on another", () => {
    const server = newServer({ authentication: ["pap"] });
    openLcp(server);
    const attempt = attemptOf(server.receive(0, papRequest(1)));
    server.receive(0, papRequest(2, "x", "mallory@isp"));
    expect(identifierOf(framesOf(server.accept(0, attempt, GRANT))[0]!)).toBe(1);
  });

  it("tells a wrong password once and ends", () => {
    const server = newServer({ authentication: ["pap"] });
    openLcp(server);
    const attempt = attemptOf(server.receive(0, papRequest(1, "wrong")));
    expect(sent(server.reject(100, attempt, "Login incorrect"))).toEqual([
      'PAP authenticate-nak "Login incorrect"',
      'LCP terminate-request "authentication failed"',
    ]);
    expect(server.receive(200, papRequest(2, "wrong"))).toEqual([]);
    expect(server.reject(200, attempt, "Login incorrect")).toEqual([]);
    expect(server.receive(300, frame(PPP_LCP, 6, 0))).toMatchObject([
      { kind: "down", cause: { kind: "authentication-failed", message: "Login incorrect" } },
    ]);
  });

  it("pays no attention to a method that was not agreed on", () => {
    const server = newServer({ authentication: ["pap"] });
    openLcp(server);
    expect(server.receive(0, frame(PPP_CHAP, 2, 1, `10${"00".repeat(16)}61`))).toEqual([]);
  });
});

describe("a peer that begins LCP anew", () => {
  it("takes the network down, and is authenticated again", () => {
    const { server, outputs } = acceptedServer();
    const [request] = framesOf(outputs).slice(-1);
    server.receive(0, ackOf(request!));
    const up = server.receive(0, frame(PPP_IPCP, 1, 1, "03060a000002"));
    expect(up.map((output) => output.kind)).toEqual(["send", "network-up"]);

    const anew = server.receive(1_000, frame(PPP_LCP, 1, 50, "010405d4 0506 55667788"));
    expect(anew.map((output) => output.kind)).toEqual(["network-down", "send", "send"]);
    expect(sent(anew)).toEqual([
      "LCP configure-request [mru=1492 auth=c023 magic]",
      "LCP configure-ack [mru=1492 magic]",
    ]);
    server.receive(1_000, ackOf(framesOf(anew)[0]!));
    expect(server.receive(1_000, frame(PPP_IPCP, 1, 2, "03060a000002"))).toEqual([]);
    expect(attemptOf(server.receive(1_000, papRequest(9)))).toBe(2);
  });

  it("makes a verdict on the old attempt void", () => {
    const server = newServer({ authentication: ["pap"] });
    openLcp(server);
    const old = attemptOf(server.receive(0, papRequest(1)));
    const anew = server.receive(100, frame(PPP_LCP, 1, 50, PEER_OPTIONS));
    expect(anew[0]).toEqual({ kind: "authenticate-void", attempt: old });
    server.receive(100, ackOf(framesOf(anew)[0]!));
    const attempt = attemptOf(server.receive(200, papRequest(2, "other", "bob@isp")));
    expect(server.accept(300, old, GRANT)).toEqual([]);
    expect(sent(server.accept(300, attempt, GRANT))[0]).toBe("PAP authenticate-ack");
  });
});

describe("IPCP as the side that assigns", () => {
  it.each([
    ["Naks 0.0.0.0 with the address", "030600000000", "configure-nak [ip-address=10.0.0.2]"],
    ["Naks another address", "0306c0a80001", "configure-nak [ip-address=10.0.0.2]"],
    ["acknowledges the right one", "03060a000002", "configure-ack [ip-address=10.0.0.2]"],
    ["asks for the address that was left out", "", "configure-nak [ip-address=10.0.0.2]"],
    [
      "tells name servers",
      "03060a000002 810600000000 830600000000",
      "configure-nak [primary-dns=192.0.2.53 secondary-dns=192.0.2.54]",
    ],
    ["Naks an address of impossible length", "03050a0000", "configure-nak [ip-address=10.0.0.2]"],
  ])("%s", (_name, options, reply) => {
    const { server } = acceptedServer();
    const outputs = sent(server.receive(0, frame(PPP_IPCP, 1, 1, options)));
    expect(outputs).toEqual([`IPCP ${reply}`]);
  });

  it("ignores options that do not add up", () => {
    const { server } = acceptedServer();
    expect(server.receive(0, frame(PPP_IPCP, 1, 1, "03060a0000"))).toEqual([]);
  });

  it("rejects compression, Windows name servers and old address options, and lets the peer in without them", () => {
    const { server } = acceptedServer();
    const odd = "0206002d0f01 03060a000002 820600000000 840600000000 010a0000000000000000";
    expect(sent(server.receive(0, frame(PPP_IPCP, 1, 1, odd)))).toEqual([
      "IPCP configure-reject [type2 primary-nbns=0.0.0.0 secondary-nbns=0.0.0.0 type1]",
    ]);
    expect(sent(server.receive(0, frame(PPP_IPCP, 1, 2, "03060a000002")))).toEqual([
      "IPCP configure-ack [ip-address=10.0.0.2]",
    ]);
  });

  it("never gives in to a peer that insists on another address", () => {
    const { server, outputs } = acceptedServer();
    server.receive(0, ackOf(framesOf(outputs).at(-1)!));
    const replies: string[] = [];
    for (let identifier = 1; identifier <= 21; identifier++)
      replies.push(...sent(server.receive(0, frame(PPP_IPCP, 1, identifier, "0306c0a80001"))));
    expect(replies.slice(0, 5)).toEqual(Array(5).fill("IPCP configure-nak [ip-address=10.0.0.2]"));
    expect(replies.slice(5, 20)).toEqual(Array(15).fill("IPCP configure-reject [ip-address=192.168.0.1]"));
    expect(replies.slice(20)).toEqual(["IPCP terminate-request"]);
    expect(sent(server.receive(0, frame(PPP_IPCP, 6, 0)))).toEqual([
      'LCP terminate-request "no network protocol"',
    ]);
    expect(server.receive(0, frame(PPP_LCP, 6, 0))).toMatchObject([
      { kind: "down", cause: { kind: "no-network", text: expect.stringContaining("insists") } },
    ]);
  });

  it("lets a peer in that does not want to hear our address", () => {
    const { server, outputs } = acceptedServer();
    const request = framesOf(outputs).at(-1)!;
    const second = server.receive(0, frame(PPP_IPCP, 4, identifierOf(request), "03060a000001"));
    expect(sent(second)).toEqual(["IPCP configure-request []"]);
    server.receive(0, ackOf(framesOf(second)[0]!));
    expect(server.receive(0, frame(PPP_IPCP, 1, 1, "03060a000002")).at(-1)).toMatchObject({
      kind: "network-up",
      remoteAddress: "10.0.0.2",
    });
  });

  it("limits what may be sent to the peer to its MRU", () => {
    const server = newServer({ authentication: [] });
    const asked = openLcp(
      server,
      PEER_OPTIONS.map((octet, i) => (i === 3 ? 0 : octet)),
    );
    const outputs = server.accept(0, attemptOf(asked), GRANT);
    server.receive(0, ackOf(framesOf(outputs)[0]!));
    expect(server.receive(0, frame(PPP_IPCP, 1, 1, "03060a000002")).at(-1)).toMatchObject({
      mruBytes: 0x500,
    });
  });
});

describe("network protocols", () => {
  it("that are not granted are Protocol-Rejected, and the link stays", () => {
    const { server } = acceptedServer();
    expect(sent(server.receive(0, frame(PPP_IPV6CP, 1, 1, "010a0000000000000001")))).toEqual([
      "LCP protocol-reject 8057",
    ]);
    expect(sent(server.receive(0, frame(0x80fd, 1, 1, "")))).toEqual(["LCP protocol-reject 80fd"]);
    // nobody's: such numbers end in an odd octet
    expect(sent(server.receive(0, frame(0x8020, 1, 1, "")))).toEqual(["LCP protocol-reject 8020"]);
    expect(sent(server.receive(0, frame(PPP_IPCP, 1, 1, "03060a000002")))).toHaveLength(1);
  });

  it.each([
    ["CCP", 0x80fd],
    ["ECP", 0x8053],
    ["MPLSCP", 0x8281],
    ["IPV6CP when it is off", PPP_IPV6CP],
    ["link quality reports", 0xc025],
  ])("that we don't speak are Protocol-Rejected but not for ever: %s", (_name, protocol) => {
    const { server } = acceptedServer();
    const reject = [`LCP protocol-reject ${protocol.toString(16)}`];
    const ask = (now: number): string[] => sent(server.receive(now, frame(protocol, 1, 1, "01010004")));
    for (let i = 0; i < 10; i++) expect(ask(0)).toEqual(reject);
    for (let i = 0; i < 100; i++) expect(ask(0)).toEqual([]);
    expect(ask(1_000)).toEqual(reject);
    expect(ask(1_000)).toEqual([]);
    expect(sent(server.receive(1_000, frame(PPP_IPCP, 1, 1, "03060a000002")))).toHaveLength(1);
  });

  it("are discarded before the peer was let in", () => {
    const server = newServer();
    openLcp(server);
    expect(server.receive(0, frame(PPP_IPCP, 1, 1, "030600000000"))).toEqual([]);
  });

  it("end the link when the peer rejects the last of them", () => {
    const { server } = acceptedServer();
    const outputs = server.receive(0, frame(PPP_LCP, 8, 1, "8021 01010004"));
    expect(sent(outputs)).toEqual(['LCP terminate-request "no network protocol"']);
  });

  it("Nak an interface identifier that is zero or our own, and keep to one that was assigned", () => {
    const server = newServer({ authentication: [] });
    const grant = { ipv6: { remoteIdentifier: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 9) } };
    server.accept(0, attemptOf(openLcp(server)), grant);
    expect(sent(server.receive(0, frame(PPP_IPV6CP, 1, 1, "010a0000000000000000")))).toEqual([
      "IPV6CP configure-nak [0000000000000009]",
    ]);
    expect(sent(server.receive(0, frame(PPP_IPV6CP, 1, 2, "010a0000000000000009")))).toEqual([
      "IPV6CP configure-ack [0000000000000009]",
    ]);
  });

  it("keep an interface identifier of ours that is an address already, whatever the peer would rather have", () => {
    const server = newServer({ authentication: [] });
    const localIdentifier = Uint8Array.of(0, 0, 0, 0, 0x64, 0x40, 0, 1);
    const asked = attemptOf(openLcp(server));
    const [request] = framesOf(server.accept(0, asked, { ipv6: { localIdentifier } }));
    const nak = frame(PPP_IPV6CP, 3, identifierOf(request!), "010a0000000000000009");
    expect(sent(server.receive(0, nak))).toEqual(["IPV6CP configure-request [0000000064400001]"]);
    expect(sent(server.receive(0, frame(PPP_IPV6CP, 1, 1, "010a0000000064400001")))).toEqual([
      expect.stringMatching(/^IPV6CP configure-nak \[(?!0000000064400001)/),
    ]);
  });
});

function newTimers() {
  return { restartMs: 3_000, maxConfigure: 10, maxTerminate: 2, maxFailure: 5, echoMisses: 3 };
}
