import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { chapMd5Response } from "../../src/ppp/chap.ts";
import { PppClient, type PppClientConfig } from "../../src/ppp/client.ts";
import { emitChap } from "../../src/wire/chap.ts";
import { emitPpp, PPP_CHAP, PPP_IPCP, PPP_LCP, PPP_PAP } from "../../src/wire/ppp.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { ackOf, frame, framesOf, identifierOf, sent } from "./frames.ts";
import { CLIENT } from "./pair.ts";

const ASK_PAP = "010405d4 0304c023";
const ASK_CHAP = "010405d4 0305c22305";

/** A client whose LCP has opened with these options of the server. */
function opened(options: string, config: Partial<PppClientConfig> = {}) {
  const client = new PppClient({ ...CLIENT, ...config }, seededRandom(31));
  const [request] = framesOf(client.start(0));
  client.receive(0, frame(PPP_LCP, 1, 1, options));
  return { client, outputs: client.receive(0, ackOf(request!)) };
}

function challenge(identifier: number): Uint8Array {
  const value = Uint8Array.from({ length: 16 }, (_, i) => i);
  return emitPpp(PPP_CHAP, emitChap({ kind: "challenge", identifier, value, name: utf8("isp") }));
}

describe("the side that is asked", () => {
  it("repeats its PAP request every 3 s, ten times, and says so", () => {
    const { client, outputs } = opened(ASK_PAP);
    expect(sent(outputs)).toEqual(["PAP authenticate-request"]);
    for (let i = 1; i <= 9; i++) expect(framesOf(client.timeout(i * 3_000))).toEqual(framesOf(outputs));
    expect(sent(client.timeout(30_000))[0]).toBe('LCP terminate-request "authentication timed out"');
    expect(client.receive(30_000, frame(PPP_LCP, 6, 0))).toMatchObject([
      { kind: "down", cause: { lastSent: "PAP Authenticate-Request", times: 10 } },
    ]);
  });

  it("answers a challenge with the hash of identifier, secret and challenge", () => {
    const { client } = opened(ASK_CHAP);
    const [response] = framesOf(client.receive(0, challenge(5)));
    const value = Uint8Array.from({ length: 16 }, (_, i) => i);
    expect(response!.slice(7, 23)).toEqual(chapMd5Response(5, utf8("wonderland"), value));
    expect(response!.slice(23)).toEqual(utf8("alice@isp"));
  });

  it("repeats its Response until the verdict is there, and answers a later challenge without going down", () => {
    const { client } = opened(ASK_CHAP);
    const first = framesOf(client.receive(0, challenge(5)));
    expect(framesOf(client.timeout(3_000))).toEqual(first);
    expect(sent(client.receive(4_000, frame(PPP_CHAP, 3, 6)))).toEqual([]);
    expect(sent(client.receive(4_000, frame(PPP_CHAP, 3, 5)))).toEqual([
      "IPCP configure-request [ip-address=0.0.0.0 primary-dns=0.0.0.0 secondary-dns=0.0.0.0]",
    ]);
    expect(sent(client.receive(5_000, challenge(6)))).toEqual(["CHAP response"]);
  });

  it("tells what the server said when it refuses", () => {
    const { client, outputs } = opened(ASK_PAP);
    const identifier = identifierOf(framesOf(outputs)[0]!);
    expect(sent(client.receive(0, frame(PPP_PAP, 3, identifier, "026e6f")))).toEqual([
      'LCP terminate-request "authentication failed"',
    ]);
    expect(client.receive(0, frame(PPP_LCP, 6, 0))).toEqual([
      {
        kind: "down",
        cause: { kind: "authentication-failed", message: "no", text: "the server refused us: no" },
      },
    ]);
  });

  it.each([
    ["MS-CHAPv1", "0305c22380"],
    ["EAP", "0304c227"],
  ])("Naks %s away towards what it can do", (_name, option) => {
    const client = new PppClient(CLIENT, seededRandom(31));
    client.start(0);
    expect(sent(client.receive(0, frame(PPP_LCP, 1, 1, option)))).toEqual([
      "LCP configure-nak [auth=c223/5]",
    ]);
  });

  it("takes the address and the name servers that it is given, and does without those that are rejected", () => {
    const { outputs, client } = opened("010405d4");
    const first = identifierOf(framesOf(outputs)[0]!);
    const second = client.receive(0, frame(PPP_IPCP, 4, first, "830600000000"));
    expect(sent(second)).toEqual(["IPCP configure-request [ip-address=0.0.0.0 primary-dns=0.0.0.0]"]);
    const third = client.receive(
      0,
      frame(PPP_IPCP, 3, identifierOf(framesOf(second)[0]!), "03060a000009 8106c0000235"),
    );
    expect(sent(third)).toEqual(["IPCP configure-request [ip-address=10.0.0.9 primary-dns=192.0.2.53]"]);
    client.receive(0, frame(PPP_IPCP, 1, 1, "03060a000001"));
    expect(client.receive(0, ackOf(framesOf(third)[0]!))).toEqual([
      {
        kind: "network-up",
        protocol: "ipv4",
        localAddress: "10.0.0.9",
        remoteAddress: "10.0.0.1",
        dns: ["192.0.2.53"],
        mruBytes: 1492,
      },
    ]);
  });

  it("does not come up without an address", () => {
    const { outputs, client } = opened("010405d4");
    client.receive(0, frame(PPP_IPCP, 1, 1, "03060a000001"));
    expect(sent(client.receive(0, ackOf(framesOf(outputs)[0]!)))).toEqual(["IPCP terminate-request"]);
    expect(sent(client.receive(0, frame(PPP_IPCP, 6, 0)))).toEqual([
      'LCP terminate-request "no network protocol"',
    ]);
  });

  it("keeps no password in its state once it is let in", () => {
    const { client, outputs } = opened(ASK_PAP);
    client.receive(0, frame(PPP_PAP, 2, identifierOf(framesOf(outputs)[0]!), "00"));
    expect(client.snapshot().authentication).toEqual({ kind: "accepted", method: "pap" });
  });
});
