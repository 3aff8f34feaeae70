import { describe, expect, it } from "vitest";
import { fromUtf8, toHex, utf8 } from "../../src/base/bytes.ts";
import { Secret } from "../../src/base/secret.ts";
import { PppClient } from "../../src/ppp/client.ts";
import { ntResponse, verifyMsChapV2 } from "../../src/ppp/ms-chap-v2.ts";
import type { PppServer, PppServerConfig, PppServerOutput } from "../../src/ppp/server.ts";
import { emitChap, parseChap } from "../../src/wire/chap.ts";
import { emitMsChapV2Response } from "../../src/wire/ms-chap.ts";
import { emitPpp, PPP_CHAP, PPP_LCP, parsePpp } from "../../src/wire/ppp.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { ackOf, frame, framesOf, sent } from "./frames.ts";
import { CLIENT, GRANT, Pair } from "./pair.ts";
import { attemptOf, newServer, openLcp } from "./peer.ts";

const MS_CHAP: Partial<PppServerConfig> = { authentication: ["ms-chap-v2"] };
const PEER_CHALLENGE = Uint8Array.from({ length: 16 }, (_, i) => i);

/** The Response to the challenge among `outputs`. */
function response(
  outputs: readonly PppServerOutput[],
  name = "alice@isp",
  password = "wonderland",
): Uint8Array {
  const [challenge] = framesOf(outputs).map((octets) => parseChap(parsePpp(octets)!.information)!);
  if (challenge === undefined || !("value" in challenge)) throw new Error("no challenge");
  const exchange = {
    challenge: challenge.value,
    peerChallenge: PEER_CHALLENGE,
    name: utf8(name),
    password: utf8(password),
  };
  const value = emitMsChapV2Response({ peerChallenge: PEER_CHALLENGE, ntResponse: ntResponse(exchange) });
  const { identifier } = challenge;
  return emitPpp(PPP_CHAP, emitChap({ kind: "response", identifier, value, name: utf8(name) }));
}

/** Verifies the attempt among `outputs` and accepts or rejects it. */
function decide(server: PppServer, outputs: readonly PppServerOutput[], now = 0): readonly PppServerOutput[] {
  const asked = outputs.find((output) => output.kind === "authenticate");
  if (asked?.kind !== "authenticate" || asked.credentials.method !== "ms-chap-v2")
    throw new Error("nobody was asked");
  const proof = verifyMsChapV2(asked.credentials, utf8("wonderland"));
  return proof === undefined
    ? server.reject(now, asked.attempt, "wrong password")
    : server.accept(now, asked.attempt, GRANT, proof);
}

describe("a server and a client with MS-CHAPv2", () => {
  it("come up", () => {
    const pair = new Pair({ seed: 1, server: MS_CHAP });
    pair.start();
    pair.run(1_000);
    expect([...pair.clientEnd.up]).toEqual(["ipv4"]);
    expect([...pair.serverEnd.up]).toEqual(["ipv4"]);
  });

  it("part when the password is wrong; the user is told the text, not the form that it comes in", () => {
    const pair = new Pair({ seed: 2, server: MS_CHAP, client: { password: new Secret("wrong") } });
    pair.start();
    pair.run(20_000);
    expect(pair.clientEnd.downs).toEqual([
      expect.objectContaining({ kind: "authentication-failed", message: "wrong password" }),
    ]);
  });

  it("go on the same when restored after every single input", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const options = {
        seed,
        server: MS_CHAP,
        loss: 0.2,
        duplicate: 0.2,
        maxDelayMs: 4_000,
        healedAtMs: 60_000,
      };
      const [whole, restored] = [new Pair(options), new Pair({ ...options, restore: true })];
      for (const pair of [whole, restored]) {
        pair.start();
        pair.run(200_000);
      }
      expect(restored.transcript()).toEqual(whole.transcript());
      expect([...whole.clientEnd.up]).toEqual(["ipv4"]);
    }
  });
});

describe("the server with MS-CHAPv2", () => {
  it("asks for it under algorithm 0x81 and accepts with its own proof", () => {
    const server = newServer(MS_CHAP);
    expect(sent(server.start(0))).toEqual(["LCP configure-request [mru=1492 auth=c223/129 magic]"]);
    const other = newServer(MS_CHAP);
    const accepted = decide(other, other.receive(0, response(openLcp(other))));
    expect(sent(accepted)[0]).toMatch(/^CHAP success "S=[0-9A-F]{40} M=Welcome"$/);
  });

  it("sends the same Success again when the Response is repeated", () => {
    const server = newServer(MS_CHAP);
    const octets = response(openLcp(server));
    const accepted = decide(server, server.receive(0, octets));
    expect(framesOf(server.receive(3_000, octets))).toEqual(framesOf(accepted).slice(0, 1));
  });

  it("refuses with an error that allows no retry and offers no change of the password", () => {
    const server = newServer(MS_CHAP);
    const outputs = decide(server, server.receive(0, response(openLcp(server), "alice@isp", "wrong")));
    expect(sent(outputs)[0]).toMatch(/^CHAP failure "E=691 R=0 C=[0-9A-F]{32} V=3 M=wrong password"$/);
  });

  it("leaves the Windows domain out of what is hashed, but tells it with the name", () => {
    const server = newServer(MS_CHAP);
    const asked = server.receive(0, response(openLcp(server), "BIGCO\\alice@isp"));
    expect(asked).toMatchObject([{ credentials: { name: "BIGCO\\alice@isp" } }]);
    expect(sent(decide(server, asked))[0]).toMatch(/^CHAP success/);
  });

  it("ignores a Response of MD5's length and a Change-Password packet", () => {
    const server = newServer(MS_CHAP);
    const challenged = openLcp(server);
    const identifier = framesOf(challenged)[0]![3]!;
    const short = emitChap({ kind: "response", identifier, value: PEER_CHALLENGE, name: utf8("alice") });
    expect(server.receive(0, emitPpp(PPP_CHAP, short))).toEqual([]);
    expect(server.receive(0, frame(PPP_CHAP, 7, identifier, new Uint8Array(582)))).toEqual([]);
    expect(sent(decide(server, server.receive(0, response(challenged))))[0]).toMatch(/^CHAP success/);
  });

  it("is not accepted without the proof: that is a bug of ours", () => {
    const server = newServer(MS_CHAP);
    const attempt = attemptOf(server.receive(0, response(openLcp(server))));
    expect(() => server.accept(0, attempt, GRANT)).toThrow(/authenticator response/);
  });

  it("gives a LAC proxy LCP only, and nothing to replay", () => {
    const server = newServer(MS_CHAP);
    server.hold(0, attemptOf(server.receive(0, response(openLcp(server)))));
    const held = server.proxy()!;
    expect(toHex(held.lcp.lastSentConfReq)).toContain("0305c22381");
    expect(held).toMatchObject({ authentication: undefined, frame: undefined });
  });
});

describe("the client with MS-CHAPv2", () => {
  /** A client that has answered a challenge under identifier 5. */
  function answered() {
    const client = new PppClient(CLIENT, seededRandom(31));
    const [request] = framesOf(client.start(0));
    client.receive(0, frame(PPP_LCP, 1, 1, "010405d4 0305c22381"));
    client.receive(0, ackOf(request!));
    const reply = framesOf(client.receive(0, challenge(5)));
    return { client, reply };
  }

  function challenge(identifier: number, first = 0): Uint8Array {
    const value = Uint8Array.from({ length: 16 }, (_, i) => first + i);
    return emitPpp(PPP_CHAP, emitChap({ kind: "challenge", identifier, value, name: utf8("isp") }));
  }

  function success(reply: readonly Uint8Array[], value: Uint8Array, identifier = 5): Uint8Array {
    const packet = parseChap(parsePpp(reply[0]!)!.information)!;
    if (!("value" in packet)) throw new Error("no response");
    const proof = verifyMsChapV2(
      {
        challenge: value,
        peerChallenge: packet.value.slice(0, 16),
        ntResponse: packet.value.slice(24, 48),
        nameBytes: packet.name,
      },
      utf8("wonderland"),
    );
    return frame(PPP_CHAP, 3, identifier, utf8(`${proof} M=hello`));
  }

  it("leaves when the server does not prove that it knows the password", () => {
    for (const message of [`S=${"0".repeat(40)} M=trust me`, "S=00", ""]) {
      const { client } = answered();
      expect(sent(client.receive(0, frame(PPP_CHAP, 3, 5, utf8(message))))).toEqual([
        'LCP terminate-request "the server does not show that it knows our password"',
      ]);
      expect(client.receive(0, frame(PPP_LCP, 6, 0))).toMatchObject([
        { kind: "down", cause: { kind: "authentication-failed", message: "" } },
      ]);
    }
  });

  it("answers the same challenge with the same Response, and another one anew", () => {
    const { client, reply } = answered();
    expect(framesOf(client.receive(10, challenge(5)))).toEqual(reply);
    const second = framesOf(client.receive(20, challenge(5, 1)));
    expect(toHex(second[0]!)).not.toBe(toHex(reply[0]!));
    const value = Uint8Array.from({ length: 16 }, (_, i) => 1 + i);
    expect(sent(client.receive(30, success(second, value)))[0]).toMatch(/^IPCP configure-request/);
    // one that the line has held back: what we prove, and what the server proved, is the same
    expect(framesOf(client.receive(40, challenge(5, 1)))).toEqual(second);
    expect(client.receive(50, success(second, value))).toEqual([]);
  });

  it("wants proof again for a challenge that comes later", () => {
    const { client, reply } = answered();
    client.receive(
      0,
      success(
        reply,
        Uint8Array.from({ length: 16 }, (_, i) => i),
      ),
    );
    const later = framesOf(client.receive(60_000, challenge(6, 7)));
    const value = Uint8Array.from({ length: 16 }, (_, i) => 7 + i);
    expect(client.receive(60_000, success(later, value, 6))).toEqual([]);
    client.receive(90_000, challenge(7));
    expect(sent(client.receive(90_000, frame(PPP_CHAP, 3, 7, utf8("S=forged"))))).toEqual([
      'LCP terminate-request "the server does not show that it knows our password"',
    ]);
  });

  it.each([
    ["E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=go away", "go away"],
    ["E=647 R=0 C=00112233445566778899AABBCCDDEEFF V=3", "error 647"],
    ["something else", "something else"],
  ])("reads the Failure %j", (message, told) => {
    const { client } = answered();
    client.receive(0, frame(PPP_CHAP, 4, 5, utf8(message)));
    expect(client.receive(0, frame(PPP_LCP, 6, 0))).toMatchObject([{ cause: { message: told } }]);
    expect(fromUtf8(utf8(told))).toBe(told);
  });
});

describe("a server that challenges again every ten minutes", () => {
  const rechallenging = { rechallengeIntervalMs: 600_000 };

  it("asks the owner again, without anything going down, and ends a peer that fails", () => {
    const server = newServer({
      ...MS_CHAP,
      ...rechallenging,
      timers: { ...CLIENT.timers, echoIntervalMs: 0 },
    });
    decide(server, server.receive(0, response(openLcp(server))));
    // IPCP gives up or not: here only CHAP counts
    const challenged = server.timeout(600_000).filter((output) => sent([output])[0]?.startsWith("CHAP"));
    expect(sent(challenged)).toEqual(["CHAP challenge"]);
    const again = decide(server, server.receive(600_000, response(challenged)), 600_000);
    expect(sent(again)).toEqual([expect.stringMatching(/^CHAP success/)]);
    expect(again).toHaveLength(1);
    const third = server.timeout(1_200_000).filter((output) => sent([output])[0]?.startsWith("CHAP"));
    const refused = decide(
      server,
      server.receive(1_200_000, response(third, "alice@isp", "stale")),
      1_200_000,
    );
    expect(sent(refused)[0]).toMatch(/^CHAP failure/);
  });

  it("keeps a pair up for an hour", () => {
    for (const method of ["chap-md5", "ms-chap-v2"] as const) {
      const pair = new Pair({ seed: 3, server: { authentication: [method], ...rechallenging } });
      pair.start();
      pair.run(3_700_000);
      expect([...pair.clientEnd.up]).toEqual(["ipv4"]);
      expect(pair.serverEnd.downs).toEqual([]);
      const challenges = pair.transcript().filter((line) => /server .*"frame":"c22301/.test(line));
      expect(challenges).toHaveLength(7);
    }
  });

  it("does so by default never, and never with PAP", () => {
    for (const server of [{}, { authentication: ["pap"], ...rechallenging } as const]) {
      const pair = new Pair({ seed: 3, server });
      pair.start();
      pair.run(3_700_000);
      expect(pair.transcript().filter((line) => line.includes('"kind":"authenticate"'))).toHaveLength(1);
    }
  });
});
