import { deserialize, serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, utf8 } from "../../src/base/bytes.ts";
import { verifyChapMd5 } from "../../src/ppp/chap.ts";
import { PppClient } from "../../src/ppp/client.ts";
import type { AuthenticationMethod } from "../../src/ppp/lcp.ts";
import type { LinkOutput } from "../../src/ppp/link-types.ts";
import { verifyMsChapV2 } from "../../src/ppp/ms-chap-v2.ts";
import type { ProxiedSession } from "../../src/ppp/proxy.ts";
import { PppServer, type PppServerConfig, type PppServerOutput } from "../../src/ppp/server.ts";
import { PPP_LCP } from "../../src/wire/ppp.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { frame, framesOf, identifierOf, sent } from "./frames.ts";
import { CLIENT, GRANT, SERVER } from "./pair.ts";
import { attemptOf } from "./peer.ts";

const LNS: PppServerConfig = { ...SERVER, link: "l2tp" };

/** A client that a LAC has brought to the point where the LNS has to answer. */
function throughLac(method: AuthenticationMethod): { client: PppClient; session: ProxiedSession } {
  const lac = new PppServer({ ...SERVER, authentication: [method] }, seededRandom(21));
  const client = new PppClient(CLIENT, seededRandom(22));
  const toClient = framesOf(lac.start(0));
  const toLac = framesOf(client.start(0));
  for (;;) {
    const down = toClient.shift();
    if (down !== undefined) toLac.push(...framesOf(client.receive(0, down)));
    const up = toLac.shift();
    if (up === undefined) continue;
    const outputs = lac.receive(0, up);
    toClient.push(...framesOf(outputs));
    if (!outputs.some((output) => output.kind === "authenticate")) continue;
    lac.hold(0, attemptOf(outputs));
    const { lcp, authentication } = lac.proxy()!;
    return { client, session: { lcp, authentication } };
  }
}

/** Passes frames between the two until both are silent; what is no frame is returned. Attempts are accepted. */
function talk(
  server: PppServer,
  client: PppClient,
  first: readonly PppServerOutput[],
): (PppServerOutput | LinkOutput)[] {
  const events: (PppServerOutput | LinkOutput)[] = [];
  const toServer: Uint8Array[] = [];
  let outputs = first;
  for (;;) {
    for (const output of outputs) {
      if (output.kind === "send") {
        const replies = client.receive(0, output.frame);
        toServer.push(...framesOf(replies));
        events.push(...replies.filter((reply) => reply.kind !== "send"));
      } else events.push(output);
    }
    const asked = outputs.find((output) => output.kind === "authenticate");
    const next = toServer.shift();
    if (asked?.kind === "authenticate") {
      const { credentials } = asked;
      const proof =
        credentials.method === "ms-chap-v2" ? verifyMsChapV2(credentials, utf8("wonderland")) : undefined;
      outputs = server.accept(0, asked.attempt, GRANT, proof);
      if (next !== undefined) toServer.unshift(next);
    } else if (next !== undefined) outputs = server.receive(0, next);
    else return events;
  }
}

function ups(events: readonly { kind: string }[]): number {
  return events.filter((event) => event.kind === "network-up").length;
}

describe("an LNS that adopts", () => {
  it("asks about the proxied CHAP response at once, sends nothing, and its Success is what the client waits for", () => {
    const { client, session } = throughLac("chap-md5");
    const { server, outputs } = PppServer.adopt(LNS, seededRandom(23), 0, session, "adopt");
    expect(outputs.map((output) => output.kind)).toEqual(["authenticate"]);
    const asked = outputs[0]!;
    if (asked.kind !== "authenticate" || asked.credentials.method !== "chap-md5") return expect.unreachable();
    const { identifier, challenge, response } = asked.credentials;
    expect(verifyChapMd5(identifier, utf8("wonderland"), challenge, response)).toBe(true);
    const accepted = server.accept(0, asked.attempt, GRANT);
    expect(sent(accepted)[0]).toBe("CHAP success");
    expect(identifierOf(framesOf(accepted)[0]!)).toBe(session.authentication!.identifier);
    expect(ups(talk(server, client, accepted))).toBe(2);
  });

  it("acknowledges the proxied PAP request", () => {
    const { client, session } = throughLac("pap");
    const { server, outputs } = PppServer.adopt(LNS, seededRandom(23), 0, session, "adopt");
    const accepted = server.accept(0, attemptOf(outputs), GRANT);
    expect(sent(accepted)[0]).toBe("PAP authenticate-ack");
    expect(ups(talk(server, client, accepted))).toBe(2);
  });

  it("tells a user with a wrong password so", () => {
    const { client, session } = throughLac("chap-md5");
    const { server, outputs } = PppServer.adopt(LNS, seededRandom(23), 0, session, "adopt");
    const events = talk(server, client, server.reject(0, attemptOf(outputs), "no such user"));
    expect(events).toContainEqual(
      expect.objectContaining({ cause: expect.objectContaining({ message: "no such user" }) }),
    );
  });

  it("uses the magic number that the LAC agreed on, and sends echoes from the beginning", () => {
    const { client, session } = throughLac("chap-md5");
    const { server } = PppServer.adopt(LNS, seededRandom(23), 1_000, session, "adopt");
    expect(server.deadline()).toBe(31_000);
    const echo = framesOf(server.timeout(31_000))[0]!;
    expect(echo.slice(6, 10)).toEqual(session.lcp!.lastSentConfReq.slice(-4));
    expect(sent(client.receive(31_000, echo))).toEqual(["LCP echo-reply"]);
  });

  it("challenges anew, under another identifier, when there is no usable authentication", () => {
    const { client, session } = throughLac("chap-md5");
    const authentication = {
      ...session.authentication!,
      type: "chap-md5" as const,
      challenge: new Uint8Array(0),
    };
    const { server, outputs } = PppServer.adopt(
      LNS,
      seededRandom(23),
      0,
      { ...session, authentication },
      "adopt",
    );
    expect(sent(outputs)).toEqual(["CHAP challenge"]);
    expect(identifierOf(framesOf(outputs)[0]!)).not.toBe(authentication.identifier);
    expect(ups(talk(server, client, outputs))).toBe(2);
  });

  it("waits for the next PAP request when there is no usable authentication", () => {
    const { client, session } = throughLac("pap");
    const { server, outputs } = PppServer.adopt(
      LNS,
      seededRandom(23),
      0,
      { ...session, authentication: undefined },
      "adopt",
    );
    expect(outputs).toEqual([]);
    const [again] = framesOf(client.timeout(3_000));
    expect(ups(talk(server, client, server.receive(3_000, again!)))).toBe(2);
  });

  it("challenges anew after MS-CHAPv2, for which there is no proxy authentication, and the client plays along", () => {
    const { client, session } = throughLac("ms-chap-v2");
    expect(session.authentication).toBeUndefined();
    const config = { ...LNS, authentication: ["ms-chap-v2"] as const };
    const { server, outputs } = PppServer.adopt(config, seededRandom(23), 0, session, "adopt");
    expect(sent(outputs)).toEqual(["CHAP challenge"]);
    const events = talk(server, client, outputs);
    expect(ups(events)).toBe(2);
    expect(events.map((event) => event.kind)).not.toContain("down");
  });

  it("goes on from a snapshot of the adopted session", () => {
    const { client, session } = throughLac("chap-md5");
    const { server, outputs } = PppServer.adopt(LNS, seededRandom(23), 0, session, "adopt");
    const restored = new PppServer(LNS, seededRandom(23), deserialize(serialize(server.snapshot())));
    const accepted = restored.accept(0, attemptOf(outputs), GRANT);
    expect(framesOf(accepted)[0]).toEqual(framesOf(server.accept(0, attemptOf(outputs), GRANT))[0]);
    expect(ups(talk(restored, client, accepted))).toBe(2);
  });

  it("comes back to Opened when the peer begins LCP anew", () => {
    const { session } = throughLac("pap");
    const { server, outputs } = PppServer.adopt(LNS, seededRandom(23), 0, session, "adopt");
    server.accept(0, attemptOf(outputs), GRANT);
    const client = new PppClient(CLIENT, seededRandom(24));
    const [request] = framesOf(client.start(0));
    expect(ups(talk(server, client, server.receive(0, request!)))).toBe(2);
  });
});

describe("an LNS that renegotiates", () => {
  const good = throughLac("chap-md5").session;
  const lcp = good.lcp!;
  const cases: readonly [string, ProxiedSession, Partial<PppServerConfig>, "adopt" | "renegotiate"][] = [
    ["by policy", good, {}, "renegotiate"],
    ["when there is no proxied LCP", { ...good, lcp: undefined }, {}, "adopt"],
    ["when the LAC agreed on a method that it does not want", good, { authentication: ["pap"] }, "adopt"],
    ["when the peer's MRU is above its limit", good, { maxMruBytes: 1400 }, "adopt"],
    [
      "when the peer's options are not to its liking",
      {
        ...good,
        lcp: { ...lcp, lastReceivedConfReq: concatBytes(lcp.lastReceivedConfReq, fromHex("110405dc")) },
      },
      {},
      "adopt",
    ],
    [
      "when the LAC promised what it does not know",
      { ...good, lcp: { ...lcp, lastSentConfReq: concatBytes(lcp.lastSentConfReq, fromHex("110405dc")) } },
      {},
      "adopt",
    ],
    [
      "when the proxied options do not add up",
      { ...good, lcp: { ...lcp, lastSentConfReq: fromHex("0105") } },
      {},
      "adopt",
    ],
  ];

  it.each(cases)("%s, and the client sees a clean restart", (_name, session, config, policy) => {
    const { client } = throughLac("chap-md5");
    const { server, outputs } = PppServer.adopt({ ...LNS, ...config }, seededRandom(23), 0, session, policy);
    expect(sent(outputs)[0]).toMatch(/^LCP configure-request/);
    const events = talk(server, client, outputs);
    expect(ups(events)).toBe(2);
    expect(events.filter((event) => event.kind === "down")).toEqual([]);
  });

  it("ignores answers to the LAC's own requests", () => {
    const { server } = PppServer.adopt(LNS, seededRandom(23), 0, good, "renegotiate");
    expect(server.receive(0, frame(PPP_LCP, 2, 0, lcp.lastSentConfReq))).toEqual([]);
  });
});

describe("an LNS that never renegotiates", () => {
  const good = throughLac("chap-md5").session;
  const lcp = good.lcp!;
  const adopt = (session: ProxiedSession, config: Partial<PppServerConfig> = {}) =>
    PppServer.adopt({ ...LNS, ...config }, seededRandom(23), 0, session, "never-renegotiate");
  const withOptions = (changes: Partial<NonNullable<ProxiedSession["lcp"]>>): ProxiedSession => ({
    ...good,
    lcp: { ...lcp, ...changes },
  });

  it.each<[string, ProxiedSession, Partial<PppServerConfig>]>([
    ["a method that it does not ask for itself", good, { authentication: ["pap"] }],
    ["an MRU above its limit", good, { maxMruBytes: 1400 }],
    [
      "options of the peer's that it knows nothing of",
      withOptions({ lastReceivedConfReq: concatBytes(lcp.lastReceivedConfReq, fromHex("110405dc")) }),
      {},
    ],
    [
      "quality reports and an endpoint discriminator that were asked for",
      withOptions({ lastSentConfReq: concatBytes(lcp.lastSentConfReq, fromHex("0404c025 130300")) }),
      {},
    ],
  ])("lives with %s", (_name, session, config) => {
    const { client } = throughLac("chap-md5");
    const { server, outputs } = adopt(session, config);
    expect(outputs.map((output) => output.kind)).toEqual(["authenticate"]);
    expect(server.sendableBytes()).toBeLessThanOrEqual(config.maxMruBytes ?? 1492);
    const events = talk(server, client, server.accept(0, attemptOf(outputs), GRANT));
    expect(events.map((event) => event.kind)).not.toContain("down");
  });

  it.each<[string, ProxiedSession, string]>([
    [
      "no authentication",
      withOptions({ lastSentConfReq: fromHex("010405d4") }),
      "the subscriber need not authenticate himself",
    ],
    [
      "a method that nobody here knows",
      withOptions({ lastSentConfReq: fromHex("010405d4 0304c227") }),
      "an authentication method that we do not know",
    ],
    [
      "multilink, which the peer was invited to",
      withOptions({ lastSentConfReq: concatBytes(lcp.lastSentConfReq, fromHex("110405dc")) }),
      "the option of type 17",
    ],
    [
      "a promise that we prove who we are",
      withOptions({ lastReceivedConfReq: fromHex("010405d4 0304c023") }),
      "the subscriber was promised that we authenticate ourselves",
    ],
    [
      "an MRU that not even our own packets fit into",
      withOptions({ lastReceivedConfReq: fromHex("0104003f") }),
      "an MRU of 63 octets",
    ],
    [
      "options that do not add up",
      withOptions({ lastSentConfReq: fromHex("0105") }),
      "its options do not add up",
    ],
  ])("ends the call that has %s, sends nothing and says why", (_name, session, why) => {
    const { server, outputs } = adopt(session);
    expect(outputs).toEqual([
      {
        kind: "down",
        cause: { kind: "proxy-unfit", text: expect.stringContaining(why) },
      },
    ]);
    expect(server.deadline()).toBe(Number.POSITIVE_INFINITY);
  });

  it("negotiates where the LAC has not", () => {
    const { outputs } = adopt({ lcp: undefined, authentication: undefined });
    expect(sent(outputs)[0]).toMatch(/^LCP configure-request/);
  });
});
