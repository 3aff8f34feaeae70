import { describe, expect, it } from "vitest";
import { fromHex, utf8 } from "../../src/base/bytes.ts";
import { NEVER } from "../../src/base/time.ts";
import { discoveryAddress, PppoeClient } from "../../src/pppoe/client.ts";
import { DEFAULT_PPPOE_CLIENT_RETRY, type PppoeClientConfig } from "../../src/pppoe/client-types.ts";
import { emitDiscoveryFrame } from "../../src/pppoe/discovery-frame.ts";
import { BROADCAST_MAC } from "../../src/wire/ethernet.ts";
import { PADI, PADO, PADR, PADS, PADT } from "../../src/wire/pppoe.ts";
import {
  accessLineTag,
  maxPayloadTag,
  type PppoeTag,
  TAG_AC_COOKIE,
  TAG_AC_NAME,
  TAG_AC_SYSTEM_ERROR,
  TAG_GENERIC_ERROR,
  TAG_HOST_UNIQ,
  TAG_RELAY_SESSION_ID,
  TAG_SERVICE_NAME,
  TAG_SERVICE_NAME_ERROR,
  textTag,
} from "../../src/wire/pppoe-tags.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { DEBIAN_EXCHANGE } from "../vectors/pppoe-debian.ts";
import { AC_MAC, codes, frames, hostMac } from "./support.ts";

const COOKIE = { type: TAG_AC_COOKIE, value: Uint8Array.of(1, 2, 3) };
const RELAY = { type: TAG_RELAY_SESSION_ID, value: Uint8Array.of(9) };

function client(change: Partial<PppoeClientConfig> = {}, seed = 1): PppoeClient {
  const config = { localMac: hostMac(1), tags: [], serviceName: "", retry: DEFAULT_PPPOE_CLIENT_RETRY };
  return new PppoeClient({ ...config, ...change }, seededRandom(seed));
}

function uniqOf(host: PppoeClient): PppoeTag {
  return { type: TAG_HOST_UNIQ, value: fromHex(host.hostUniq) };
}

interface Answer {
  readonly code: number;
  readonly sessionId?: number;
  readonly tags?: readonly PppoeTag[];
  readonly source?: Uint8Array;
  readonly destination?: Uint8Array;
  readonly vlanTags?: readonly { tpid: number; tci: number }[];
}

function fromAc({ code, sessionId = 0, tags = [], ...header }: Answer): Uint8Array {
  return emitDiscoveryFrame({
    destination: hostMac(1),
    source: AC_MAC,
    vlanTags: [],
    ...header,
    packet: { code, sessionId, tags },
  });
}

function offer(host: PppoeClient, name = "ac", service = "", more: readonly PppoeTag[] = []): Uint8Array {
  const tags = [textTag(TAG_SERVICE_NAME, service), textTag(TAG_AC_NAME, name), uniqOf(host), ...more];
  return fromAc({ code: PADO, tags });
}

function online(change: Partial<PppoeClientConfig> = {}): PppoeClient {
  const host = client(change);
  host.start(0);
  host.receive(1, offer(host, "ac", "", [COOKIE, RELAY]));
  host.receive(2, fromAc({ code: PADS, sessionId: 7, tags: [uniqOf(host)] }));
  return host;
}

describe("a client", () => {
  it("asks, takes the offer, and is up", () => {
    const host = client({ line: [{ type: 1, value: utf8("eth 7") }], maxPayloadBytes: 1500 });
    const asked = [
      textTag(TAG_SERVICE_NAME, ""),
      uniqOf(host),
      maxPayloadTag(1500),
      accessLineTag([{ type: 1, value: utf8("eth 7") }]),
    ];
    const [padi] = frames(host.start(0));
    expect(padi).toEqual({
      destination: BROADCAST_MAC,
      source: hostMac(1),
      vlanTags: [],
      packet: { code: PADI, sessionId: 0, tags: asked },
    });
    const [padr] = frames(host.receive(10, offer(host, "ac", "", [COOKIE, RELAY])));
    expect(padr).toMatchObject({
      destination: AC_MAC,
      packet: { code: PADR, sessionId: 0, tags: [...asked, COOKIE, RELAY] },
    });
    const pads = fromAc({ code: PADS, sessionId: 7, tags: [uniqOf(host), maxPayloadTag(1496)] });
    expect(host.receive(20, pads)).toEqual([
      { kind: "up", sessionId: 7, acMac: AC_MAC, acName: "ac", serviceName: "", maxPayloadBytes: 1496 },
    ]);
    expect(host.deadline()).toBe(NEVER);
    expect(host.receive(21, pads)).toEqual([]);
  });

  it("goes through the exchange that Debian's server had with Debian's client", () => {
    const config = {
      localMac: fromHex("0200000000bb"),
      tags: [],
      serviceName: "isp",
      retry: DEFAULT_PPPOE_CLIENT_RETRY,
    };
    const fresh = new PppoeClient(config, seededRandom(1)).snapshot();
    const host = new PppoeClient(config, seededRandom(1), { ...fresh, hostUniq: utf8("15b4") });
    const sent = (outputs: ReturnType<PppoeClient["start"]>) => outputs.find(({ kind }) => kind === "send");
    expect(sent(host.start(0))).toEqual({ kind: "send", frame: fromHex(DEBIAN_EXCHANGE.padi) });
    expect(sent(host.receive(1, fromHex(DEBIAN_EXCHANGE.pado)))).toEqual({
      kind: "send",
      frame: fromHex(DEBIAN_EXCHANGE.padr),
    });
    expect(host.receive(2, fromHex(DEBIAN_EXCHANGE.pads))).toMatchObject([
      { kind: "up", sessionId: 1, acName: "Debian AC", serviceName: "isp" },
    ]);
    expect(host.receive(3, fromHex(DEBIAN_EXCHANGE.padtOfServer))).toEqual([
      {
        kind: "down",
        cause: {
          code: "peer-closed",
          text: '"Debian AC" (02:00:00:00:00:aa) sent PADT: RP-PPPoE: Child pppd process terminated',
        },
      },
    ]);
  });

  it("asks again after 1, 2, 4 and 8 seconds and then says what it tried", () => {
    const host = client();
    expect(codes(host.start(0))).toEqual([PADI]);
    for (const at of [1_000, 3_000, 7_000, 15_000]) {
      expect(host.deadline()).toBe(at);
      expect(host.timeout(at - 1)).toEqual([]);
      expect(codes(host.timeout(at))).toEqual([PADI]);
    }
    expect(host.timeout(31_000)).toEqual([
      { kind: "down", cause: { code: "no-offer", text: "5 PADI in 31.0 s, no PADO came back" } },
    ]);
    expect(host.deadline()).toBe(NEVER);
    expect(host.timeout(99_000)).toEqual([]);
  });

  it("repeats its PADR, goes back to PADI, and gives up in the end", () => {
    const retry = { ...DEFAULT_PPPOE_CLIENT_RETRY, padrAttempts: 2, rounds: 2 };
    const host = client({ retry });
    host.start(0);
    const sent: number[] = [];
    let down: unknown;
    for (let guard = 0; guard < 20 && down === undefined; guard++) {
      const now = host.deadline();
      if (now === NEVER) break;
      const outputs = sent.at(-1) === PADR ? host.timeout(now) : host.receive(now, offer(host));
      sent.push(...codes(outputs));
      down = outputs.find(({ kind }) => kind === "down");
    }
    expect(sent).toEqual([PADR, PADR, PADI, PADR, PADR]);
    expect(down).toMatchObject({
      cause: {
        code: "no-confirmation",
        text: expect.stringMatching(
          /^2 PADI and 4 PADR in .* s, no PADS came back from "ac" \(02:00:00:00:00:ac\)$/,
        ),
      },
    });
  });

  it("takes only the concentrator and the service that it wants, and says what it passed over", () => {
    const retry = { ...DEFAULT_PPPOE_CLIENT_RETRY, padiAttempts: 1 };
    const host = client({ acName: "wanted", serviceName: "gold", retry });
    host.start(0);
    expect(host.receive(1, offer(host, "other", "gold"))).toEqual([]);
    expect(host.receive(1, offer(host, "wanted", "silver"))).toEqual([]);
    const error = textTag(TAG_GENERIC_ERROR, "full");
    expect(host.receive(1, offer(host, "wanted", "gold", [error]))).toEqual([]);
    const restored = host.snapshot();
    expect(host.timeout(1_000)).toMatchObject([
      {
        cause: {
          text: "1 PADI in 1.0 s, 3 PADO not taken, the last because 02:00:00:00:00:ac answered Generic-Error: full",
        },
      },
    ]);
    const again = new PppoeClient(
      { localMac: hostMac(1), tags: [], acName: "wanted", serviceName: "gold", retry },
      seededRandom(2),
      restored,
    );
    expect(codes(again.receive(2, offer(again, "wanted", "gold")))).toEqual([PADR]);
  });

  it("asking for any service takes an offer that does not give the empty name back", () => {
    const host = client();
    host.start(0);
    expect(codes(host.receive(1, offer(host, "ac", "isp")))).toEqual([PADR]);
  });

  it.each([
    [[textTag(TAG_SERVICE_NAME_ERROR, "")], "Service-Name-Error"],
    [[textTag(TAG_AC_SYSTEM_ERROR, "no resources")], "AC-System-Error: no resources"],
    [[textTag(TAG_GENERIC_ERROR, "try later")], "Generic-Error: try later"],
    [[], "a PADS without a session id or an error"],
  ])("that is refused with %j says so", (tags, said) => {
    const host = client();
    host.start(0);
    host.receive(1, offer(host));
    expect(host.receive(2, fromAc({ code: PADS, tags: [uniqOf(host), ...tags] }))).toEqual([
      { kind: "down", cause: { code: "refused", text: `"ac" (02:00:00:00:00:ac) answered ${said}` } },
    ]);
  });

  it("believes no answer that is for another, from another or elsewhere", () => {
    const host = client();
    const other = client({}, 2);
    host.start(0);
    const tagged = [{ tpid: 0x8100, tci: 1 }];
    const pado = (header: Partial<Answer>) =>
      fromAc({ code: PADO, tags: [textTag(TAG_AC_NAME, "x"), uniqOf(host)], ...header });
    for (const frame of [
      offer(other),
      pado({ tags: [textTag(TAG_AC_NAME, "x")] }),
      pado({ destination: hostMac(2) }),
      pado({ vlanTags: tagged }),
      pado({ sessionId: 1 }),
      fromAc({ code: PADS, sessionId: 7, tags: [uniqOf(host)] }),
      fromAc({ code: PADT, sessionId: 7 }),
      new Uint8Array(3),
    ])
      expect(host.receive(1, frame)).toEqual([]);

    host.receive(1, offer(host));
    const pads = (header: Partial<Answer>) =>
      fromAc({ code: PADS, sessionId: 7, tags: [uniqOf(host)], ...header });
    for (const frame of [
      pads({ source: hostMac(9) }),
      pads({ tags: [uniqOf(other)] }),
      pads({ vlanTags: tagged }),
      pads({ sessionId: 0xffff }),
    ])
      expect(host.receive(2, frame)).toEqual([]);
    expect(host.receive(2, pads({}))).toHaveLength(1);
  });

  it("ends by the PADT of its concentrator and of nobody else", () => {
    const host = online();
    expect(host.receive(3, fromAc({ code: PADT, sessionId: 8 }))).toEqual([]);
    expect(host.receive(3, fromAc({ code: PADT, sessionId: 7, source: hostMac(9) }))).toEqual([]);
    expect(host.receive(3, fromAc({ code: PADT, sessionId: 7 }))).toMatchObject([
      { kind: "down", cause: { code: "peer-closed" } },
    ]);
    expect(host.close(4)).toEqual([]);
  });

  it("closes with a PADT that says why, once", () => {
    const host = online();
    const outputs = host.close(3, "power off");
    expect(frames(outputs)[0]).toMatchObject({
      destination: AC_MAC,
      packet: { code: PADT, sessionId: 7, tags: [textTag(TAG_GENERIC_ERROR, "power off"), RELAY] },
    });
    expect(outputs.at(-1)).toEqual({ kind: "down", cause: { code: "closed", text: "power off" } });
    expect(host.close(4)).toEqual([]);
  });

  it("closed before it is up sends nothing", () => {
    const host = client();
    host.start(0);
    expect(host.close(1)).toEqual([{ kind: "down", cause: { code: "closed", text: "closed by us" } }]);
    expect(host.deadline()).toBe(NEVER);
  });

  it("is found among others by what an answer carries", () => {
    const host = client();
    expect(discoveryAddress(offer(host))).toEqual({ hostUniq: host.hostUniq, sessionId: 0, source: AC_MAC });
    expect(discoveryAddress(fromAc({ code: PADT, sessionId: 7 }))).toEqual({ sessionId: 7, source: AC_MAC });
    expect(discoveryAddress(new Uint8Array(20))).toBeUndefined();
  });
});
