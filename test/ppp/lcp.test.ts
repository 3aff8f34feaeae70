import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { PPP_LCP } from "../../src/wire/ppp.ts";
import { ackOf, frame, framesOf, identifierOf, sent, show } from "./frames.ts";
import { attemptOf, newServer, openLcp, PEER_OPTIONS, papRequest } from "./peer.ts";

describe("LCP negotiation", () => {
  it("sends ten Configure-Requests, 3 s apart and the same, and then gives up and says so", () => {
    const server = newServer();
    const log = server.start(0).map((output) => ({ at: 0, output }));
    while (server.deadline() !== Number.POSITIVE_INFINITY) {
      const at = server.deadline();
      for (const output of server.timeout(at)) log.push({ at, output });
    }
    const requests = log.filter(({ output }) => output.kind === "send");
    expect(requests.map(({ at }) => at)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27].map((s) => s * 1_000));
    expect(new Set(requests.map(({ output }) => toHex(framesOf([output])[0]!))).size).toBe(1);
    expect(sent([requests[0]!.output])).toEqual(["LCP configure-request [mru=1492 auth=c223/5 magic]"]);
    expect(log.at(-1)).toEqual({
      at: 30_000,
      output: {
        kind: "down",
        cause: {
          kind: "configure-timeout",
          lastSent: "LCP Configure-Request",
          times: 10,
          text: "LCP: Configure-Request sent 10 times without an acceptable answer",
        },
      },
    });
  });

  it("answers no Echo-Request before it is open", () => {
    const server = newServer();
    expect(server.receive(0, frame(PPP_LCP, 9, 1, "11223344"))).toEqual([]);
    server.start(0);
    expect(server.receive(0, frame(PPP_LCP, 9, 1, "11223344"))).toEqual([]);
    server.receive(0, frame(PPP_LCP, 1, 1, PEER_OPTIONS));
    expect(server.receive(0, frame(PPP_LCP, 9, 1, "11223344"))).toEqual([]);
  });

  it("does nothing when timeout() comes early", () => {
    const server = newServer();
    server.start(0);
    expect(server.timeout(2_999)).toEqual([]);
    expect(sent(server.timeout(3_000))).toHaveLength(1);
  });

  it("takes only the first valid reply to the newest request", () => {
    const server = newServer();
    const [request] = framesOf(server.start(0));
    const wrongIdentifier = ackOf(request!);
    wrongIdentifier[3] = wrongIdentifier[3]! + 1;
    const wrongOptions = ackOf(request!);
    wrongOptions[9] = 0;
    server.receive(0, frame(PPP_LCP, 1, 1, PEER_OPTIONS));
    expect(server.receive(0, wrongIdentifier)).toEqual([]);
    expect(server.receive(0, wrongOptions)).toEqual([]);
    expect(sent(server.receive(0, ackOf(request!)))).toEqual(["CHAP challenge"]);
    expect(server.receive(0, ackOf(request!))).toEqual([]);
  });

  it.each([
    ["accepts an MRU within the limit", "pppoe", "010405d4", "configure-ack [mru=1492]"],
    ["accepts an absent MRU", "pppoe", "", "configure-ack []"],
    ["Naks an MRU above the limit down", "pppoe", "010405dc", "configure-nak [mru=1492]"],
    ["Naks a useless MRU up", "pppoe", "01040010", "configure-nak [mru=128]"],
    ["Naks an MRU of impossible length", "pppoe", "0103ff", "configure-nak [mru=1492]"],
    [
      "rejects ACCM, PFC and ACFC on PPPoE",
      "pppoe",
      "020600000000 0702 0802",
      "configure-reject [accm pfc acfc]",
    ],
    ["accepts ACCM, PFC and ACFC on L2TP", "l2tp", "020600000000 0702 0802", "configure-ack [accm pfc acfc]"],
    ["rejects FCS alternatives and multilink", "pppoe", "090302 110405dc", "configure-reject [type9 type17]"],
    ["rejects quality reports", "pppoe", "0408c025000003e8", "configure-reject [quality]"],
    ["rejects before it Naks", "pppoe", "010405dc 0702", "configure-reject [pfc]"],
    ["will not authenticate itself", "pppoe", "0304c023", "configure-reject [auth=c023]"],
    ["Naks a magic number of zero", "pppoe", "050600000000", "configure-nak [magic]"],
  ] as const)("%s", (_name, link, options, reply) => {
    const server = newServer({ link });
    server.start(0);
    expect(sent(server.receive(0, frame(PPP_LCP, 1, 9, options)))).toEqual([`LCP ${reply}`]);
  });

  it("ignores a Configure-Request whose options do not add up", () => {
    const server = newServer();
    server.start(0);
    expect(server.receive(0, frame(PPP_LCP, 1, 9, "010805d4"))).toEqual([]);
  });

  it.each([
    ["the next method when one that nobody speaks is asked for", "0304c227", "auth=c223/5"],
    ["the next when MS-CHAPv1 is asked for", "0305c22380", "auth=c223/5"],
    ["PAP when PAP is asked for", "0304c023", "auth=c023"],
    ["the next when the wish is of impossible length", "0303c0", "auth=c223/5"],
  ])("goes on to %s", (_name, nak, expected) => {
    const server = newServer({ authentication: ["ms-chap-v2", "chap-md5", "pap"] });
    const [request] = framesOf(server.start(0));
    const again = server.receive(0, frame(PPP_LCP, 3, identifierOf(request!), nak));
    expect(sent(again)).toEqual([`LCP configure-request [mru=1492 ${expected} magic]`]);
    expect(identifierOf(framesOf(again)[0]!)).not.toBe(identifierOf(request!));
  });

  it("goes through its methods in order, and ends the link of a peer that wants none of them", () => {
    const server = newServer({ authentication: ["pap", "ms-chap-v2", "chap-md5"] });
    let outputs = server.start(0);
    const asked: string[] = [];
    for (let i = 0; i < 3; i++) {
      asked.push(...sent(outputs));
      outputs = server.receive(0, frame(PPP_LCP, 3, identifierOf(framesOf(outputs)[0]!), "0304c227"));
    }
    expect(asked.map((text) => /auth=(\S+)/.exec(text)?.[1])).toEqual(["c023", "c223/129", "c223/5"]);
    expect(sent(outputs).at(-1)).toBe('LCP terminate-request "authentication is required"');
    expect(server.receive(0, frame(PPP_LCP, 6, 0))).toMatchObject([
      { kind: "down", cause: { kind: "authentication-refused" } },
    ]);
  });

  it("sends no more than the line takes to a peer that names no MRU", () => {
    const server = newServer({ maxMruBytes: 1492 });
    openLcp(server, new Uint8Array(0));
    expect(server.sendableBytes()).toBe(1492);
  });

  it("takes a smaller MRU from a Nak and leaves out what is rejected", () => {
    const server = newServer();
    const [first] = framesOf(server.start(0));
    const second = server.receive(0, frame(PPP_LCP, 3, identifierOf(first!), "01040578"));
    expect(sent(second)).toEqual(["LCP configure-request [mru=1400 auth=c223/5 magic]"]);
    const identifier = identifierOf(framesOf(second)[0]!);
    const third = server.receive(0, frame(PPP_LCP, 4, identifier, "01040578"));
    expect(sent(third)).toEqual(["LCP configure-request [auth=c223/5 magic]"]);
  });

  it("ends the link of a peer that rejects authentication", () => {
    const server = newServer({ authentication: ["pap"] });
    const [request] = framesOf(server.start(0));
    server.receive(0, frame(PPP_LCP, 4, identifierOf(request!), "0304c023"));
    server.timeout(3_000);
    expect(server.timeout(6_000)).toMatchObject([
      { kind: "down", cause: { kind: "authentication-refused" } },
    ]);
  });

  it("turns to Rejects after five Naks, and gives up on a peer that never yields", () => {
    const server = newServer();
    server.start(0);
    const replies: string[] = [];
    for (let identifier = 1; identifier <= 20; identifier++)
      replies.push(...sent(server.receive(0, frame(PPP_LCP, 1, identifier, "010405dc"))));
    expect(replies.slice(0, 5)).toEqual(Array(5).fill("LCP configure-nak [mru=1492]"));
    expect(replies.slice(5)).toEqual(Array(15).fill("LCP configure-reject [mru=1500]"));
    expect(sent(server.receive(0, frame(PPP_LCP, 1, 21, "010405dc")))).toEqual(["LCP terminate-request"]);
    expect(server.receive(0, frame(PPP_LCP, 6, 0))).toMatchObject([
      { kind: "down", cause: { kind: "not-converging", refusals: 21 } },
    ]);
  });

  it("does not count a repeated request towards the Naks: our Nak may have been lost", () => {
    const server = newServer();
    server.start(0);
    for (let i = 0; i < 8; i++)
      expect(sent(server.receive(0, frame(PPP_LCP, 1, 1, "010405dc")))).toEqual([
        "LCP configure-nak [mru=1492]",
      ]);
  });

  it("finds out that the line is looped back", () => {
    const server = newServer();
    let frames = framesOf(server.start(0));
    for (let i = 0; i < 50 && frames.length > 0; i++) {
      const outputs = frames.flatMap((octets) => server.receive(0, octets));
      const down = outputs.find((output) => output.kind === "down");
      if (down !== undefined) {
        expect(down).toMatchObject({ cause: { kind: "loop-detected" } });
        return;
      }
      frames = framesOf(outputs);
    }
    expect.unreachable("no loop was detected");
  });
});

describe("an open LCP", () => {
  it("answers Echo-Requests with its own magic number and the same data", () => {
    const server = newServer();
    const own = toHex(framesOf(server.start(0))[0]!).slice(-8);
    openAgain(server);
    const reply = framesOf(server.receive(0, frame(PPP_LCP, 9, 77, "11223344 c0ffee")));
    expect(toHex(reply[0]!)).toBe(`c0210a4d000b${own}c0ffee`);
  });

  it("never answers with more than the peer's MRU takes", () => {
    const server = newServer();
    openLcp(server, fromHex("01040080 0506 11223344"));
    const data = new Uint8Array(1_004);
    data.set(fromHex("11223344"));
    expect(framesOf(server.receive(0, frame(PPP_LCP, 9, 1, data)))[0]).toHaveLength(2 + 128);
    expect(framesOf(server.receive(0, frame(PPP_LCP, 77, 1, data)))[0]).toHaveLength(2 + 128);
  });

  it("does not take its own Echo-Request, come back, for a peer", () => {
    const server = newServer();
    const own = toHex(framesOf(server.start(0))[0]!).slice(-8);
    openAgain(server);
    expect(server.receive(0, frame(PPP_LCP, 9, 1, own))).toEqual([]);
  });

  it("passes over Discard-Request, Identification and Time-Remaining", () => {
    const server = newServer();
    openLcp(server);
    for (const code of [11, 12, 13])
      expect(server.receive(0, frame(PPP_LCP, code, 1, "11223344 00000001"))).toEqual([]);
  });

  it("remembers what the peer says that it is, in one short line, also while an attempt is held", () => {
    const server = newServer({ authentication: ["pap"] });
    const say = (text: string): void => {
      const data = concatBytes(fromHex("11223344"), utf8(text));
      expect(server.receive(0, frame(PPP_LCP, 12, 1, data))).toEqual([]);
    };
    expect(server.peerIdentification).toBeUndefined();
    server.start(0);
    say("MSRASV5.20\r\nhost");
    expect(server.peerIdentification).toBe("MSRASV5.20  host");
    openAgain(server);
    server.hold(0, attemptOf(server.receive(3_000, papRequest(1))));
    say("x".repeat(1_000));
    expect(server.peerIdentification).toBe("x".repeat(128));
    server.receive(0, frame(PPP_LCP, 12, 1, "1122"));
    expect(server.peerIdentification).toBe("x".repeat(128));
  });

  it("code-rejects what it does not know", () => {
    const server = newServer();
    openLcp(server);
    expect(sent(server.receive(0, frame(PPP_LCP, 14, 5, "ff")))).toEqual(["LCP code-reject 0e050005ff"]);
  });

  it("stops asking a peer that code-rejects Echo-Requests", () => {
    const server = newServer({ authentication: [] });
    openLcp(server);
    expect(server.deadline()).toBe(30_000);
    server.receive(0, frame(PPP_LCP, 7, 1, "09010008 00000000"));
    expect(server.deadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it("ends when the peer code-rejects what nothing works without", () => {
    const server = newServer();
    openLcp(server);
    expect(sent(server.receive(0, frame(PPP_LCP, 7, 1, "01010004")))).toEqual(["LCP terminate-request"]);
    expect(server.receive(0, frame(PPP_LCP, 6, 0))).toMatchObject([
      { kind: "down", cause: { kind: "rejected" } },
    ]);
  });

  it("is not asked for an echo while traffic flows", () => {
    const server = newServer({ authentication: [] });
    openLcp(server);
    server.onTraffic(20_000);
    expect(server.timeout(30_000)).toEqual([]);
    expect(server.deadline()).toBe(50_000);
    expect(sent(server.timeout(50_000))).toEqual(["LCP echo-request"]);
  });

  it("is not asked for an echo while the peer asks for some itself", () => {
    const server = newServer({ authentication: [] });
    openLcp(server);
    server.receive(20_000, frame(PPP_LCP, 9, 7, "01020304"));
    expect(server.deadline()).toBe(50_000);
  });

  it("acknowledges a peer's end, tells it once, and still answers when the Ack was lost", () => {
    const server = newServer();
    openLcp(server);
    const outputs = server.receive(0, frame(PPP_LCP, 5, 8, "627965"));
    expect(outputs.map((output) => output.kind)).toEqual(["send", "down"]);
    expect(framesOf(outputs).map(show)).toEqual(["LCP terminate-ack"]);
    const again = server.receive(1_000, frame(PPP_LCP, 5, 9, "627965"));
    expect(framesOf(again).map((octets) => toHex(octets))).toEqual(["c02106090004"]);
    expect(again).toHaveLength(1);
    expect(server.linkDown(2_000, "PADT")).toEqual([]);
  });

  it("sends two Terminate-Requests, 3 s apart, and then is down", () => {
    const server = newServer();
    openLcp(server);
    expect(sent(server.terminate(1_000, "maintenance"))).toEqual(['LCP terminate-request "maintenance"']);
    expect(sent(server.timeout(4_000))).toEqual(['LCP terminate-request "maintenance"']);
    expect(server.timeout(7_000)).toEqual([
      { kind: "down", cause: { kind: "terminated", text: "maintenance" } },
    ]);
  });

  it("is down at once when the lower layer is gone", () => {
    const server = newServer();
    openLcp(server);
    expect(server.linkDown(1_000, "PADT from the subscriber")).toEqual([
      { kind: "down", cause: { kind: "lower-layer-down", text: "PADT from the subscriber" } },
    ]);
    expect(server.deadline()).toBe(Number.POSITIVE_INFINITY);
  });
});

/** Opens LCP on a server whose first request is known: it is sent again, unchanged, when the timer expires. */
function openAgain(server: ReturnType<typeof newServer>): void {
  const [request] = framesOf(server.timeout(3_000));
  server.receive(3_000, frame(PPP_LCP, 1, 1, PEER_OPTIONS));
  server.receive(3_000, ackOf(request!));
}
