import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromUtf8, utf8 } from "../../src/base/bytes.ts";
import { NEVER } from "../../src/base/time.ts";
import { AccessConcentrator } from "../../src/pppoe/access-concentrator.ts";
import { DEFAULT_ADMISSION_LIMITS } from "../../src/pppoe/admission.ts";
import { newSessionIds } from "../../src/pppoe/session-ids.ts";
import { PADI, PADO, PADR, PADS, PADT } from "../../src/wire/pppoe.ts";
import {
  accessLineTag,
  maxPayloadTag,
  TAG_AC_COOKIE,
  TAG_AC_NAME,
  TAG_AC_SYSTEM_ERROR,
  TAG_GENERIC_ERROR,
  TAG_HOST_UNIQ,
  TAG_PPP_MAX_PAYLOAD,
  TAG_RELAY_SESSION_ID,
  TAG_SERVICE_NAME,
  TAG_SERVICE_NAME_ERROR,
  textTag,
} from "../../src/wire/pppoe-tags.ts";
import { seededRandom } from "../support/seeded-random.ts";
import {
  AC_MAC,
  acConfig,
  call,
  codes,
  concentrator,
  cookieFor,
  events,
  frames,
  fromHost,
  hostMac,
} from "./support.ts";

const ANY = textTag(TAG_SERVICE_NAME, "");
const UNIQ = { type: TAG_HOST_UNIQ, value: Uint8Array.of(1, 0, 2) };
const RELAY = { type: TAG_RELAY_SESSION_ID, value: Uint8Array.of(9, 9) };
const NO_ADMISSION = { ...DEFAULT_ADMISSION_LIMITS, initialStarting: 1e6, maxStarting: 1e6, maxSetUps: 1e6 };
const GENEROUS = { perSecond: 1e6, burst: 1e6 };

describe("a call", () => {
  it("is offered, requested, confirmed and ended", () => {
    const ac = concentrator();
    const vlanTags = [
      { tpid: 0x88a8, tci: 0x6007 },
      { tpid: 0x8100, tci: 0x0064 },
    ];
    const asked = [textTag(TAG_SERVICE_NAME, "gold"), UNIQ, RELAY];

    const [offer] = frames(ac.receive(0, fromHost({ code: PADI, vlanTags, tags: asked })));
    expect(offer).toMatchObject({ destination: hostMac(1), source: AC_MAC, vlanTags });
    const cookie = offer!.packet.tags.find(({ type }) => type === TAG_AC_COOKIE)!;
    expect(offer!.packet).toEqual({
      code: PADO,
      sessionId: 0,
      tags: [asked[0], textTag(TAG_AC_NAME, "lacewing"), cookie, UNIQ, RELAY],
    });

    const requested = ac.receive(20, fromHost({ code: PADR, vlanTags, tags: [...asked, cookie] }));
    expect(requested).toEqual([
      {
        kind: "session-requested",
        session: expect.any(Number),
        sessionId: expect.any(Number),
        remoteMac: hostMac(1),
        tags: vlanTags,
        serviceName: "gold",
        hostUniq: UNIQ.value,
      },
    ]);
    const { session, sessionId } = requested[0] as { session: number; sessionId: number };

    const [pads] = frames(ac.confirm(30, session));
    expect(pads).toMatchObject({ destination: hostMac(1), source: AC_MAC, vlanTags });
    expect(pads!.packet).toEqual({
      code: PADS,
      sessionId,
      tags: [asked[0], textTag(TAG_AC_NAME, "lacewing"), UNIQ, RELAY],
    });

    const closed = ac.close(40, session, "maintenance");
    expect(events(closed)).toEqual([]);
    expect(frames(closed)[0]!.packet).toEqual({
      code: PADT,
      sessionId,
      tags: [textTag(TAG_GENERIC_ERROR, "maintenance"), RELAY],
    });
    expect(ac.close(41, session)).toEqual([]);
    ac.ended(42, session);
    expect(ac.sessions()).toEqual([]);
    expect(ac.deadline()).toBe(NEVER);
  });

  it("tells the access line and the agreed payload", () => {
    const ac = concentrator({ limits: { maxPayloadBytes: 1500, portMtuBytes: 1508 } });
    const subOptions = [
      { type: 1, value: utf8("eth 1/7") },
      { type: 2, value: utf8("cpe") },
    ];
    const { outputs, sessionId } = call(ac, 0, {
      tags: [ANY, maxPayloadTag(1600), accessLineTag(subOptions)],
    });
    expect(outputs[0]).toMatchObject({
      maxPayloadBytes: 1500,
      line: { circuitId: "eth 1/7", remoteId: "cpe", subOptions },
    });
    expect(frames(ac.confirm(1, sessionId))[0]!.packet.tags).toContainEqual(maxPayloadTag(1500));
  });

  it.each([
    [1492, 1500],
    [1500, 1492],
    [1500, 1400],
  ])("on a port that carries %d octets agrees on nothing special when asked for %d", (ours, theirs) => {
    const ac = concentrator({ limits: { maxPayloadBytes: ours, portMtuBytes: 1508 } });
    const { outputs, sessionId } = call(ac, 0, { tags: [ANY, maxPayloadTag(theirs)] });
    expect(outputs[0]).not.toHaveProperty("maxPayloadBytes");
    const types = frames(ac.confirm(1, sessionId))[0]!.packet.tags.map(({ type }) => type);
    expect(types).not.toContain(TAG_PPP_MAX_PAYLOAD);
  });

  it("repeated before its confirmation is requested once, and after it answered with the same session", () => {
    const ac = concentrator();
    const { padr, sessionId } = call(ac, 0);
    expect(ac.receive(1, padr)).toEqual([]);
    ac.confirm(2, sessionId);
    const again = ac.receive(3, padr);
    expect(events(again)).toEqual([]);
    expect(frames(again)[0]!.packet).toMatchObject({ code: PADS, sessionId });
    expect(ac.sessions()).toHaveLength(1);
  });

  it("repeated while its session is being closed opens no other", () => {
    const ac = concentrator();
    const { padr, sessionId } = call(ac, 0);
    ac.confirm(1, sessionId);
    ac.close(2, sessionId);
    expect(ac.receive(3, padr)).toEqual([]);
    expect(ac.counters().discarded.closing).toBe(1);
  });

  it("that the owner refuses is told why, and its id is free", () => {
    const ac = concentrator();
    const { sessionId } = call(ac, 0);
    const [pads] = frames(ac.refuse(1, sessionId, "tunnel down"));
    expect(pads!.packet).toMatchObject({ code: PADS, sessionId: 0 });
    expect(pads!.packet.tags).toContainEqual(textTag(TAG_AC_SYSTEM_ERROR, "tunnel down"));
    expect(ac.sessions()).toEqual([]);
    expect(ac.confirm(2, sessionId)).toEqual([]);
  });

  it("is ended with as much of a long text as people read, whole characters only", () => {
    const text = `${"é".repeat(90)}${"😀".repeat(400)}`;
    const said = `${"é".repeat(90)}${"😀".repeat(5)}`;
    const ac = concentrator();
    const [pads] = frames(ac.refuse(1, call(ac, 0).sessionId, text));
    expect(pads!.packet.tags).toContainEqual(textTag(TAG_AC_SYSTEM_ERROR, said));
    const { sessionId } = call(ac, 2);
    ac.confirm(3, sessionId);
    const [padt] = frames(ac.close(4, sessionId, text));
    expect(padt!.packet.tags).toEqual([textTag(TAG_GENERIC_ERROR, said)]);
  });

  it("that the owner never answers ends once, at its deadline", () => {
    const ac = concentrator({ limits: { confirmTimeoutMs: 5_000 } });
    const { session, sessionId } = call(ac, 1_000);
    expect(ac.deadline()).toBeLessThanOrEqual(6_000);
    expect(ac.timeout(5_999)).toEqual([]);
    const outputs = ac.timeout(6_000);
    expect(frames(outputs)[0]!.packet).toMatchObject({ code: PADS, sessionId: 0 });
    expect(events(outputs)).toEqual([{ kind: "session-closed", session, sessionId, by: "unconfirmed" }]);
    expect(ac.deadline()).toBe(NEVER);
    expect(ac.timeout(60_000)).toEqual([]);
    expect(ac.confirm(60_000, sessionId)).toEqual([]);
  });
});

describe("the AC-Cookie", () => {
  function padrWith(cookie: Uint8Array, host = 1, vlan?: number): Uint8Array {
    const vlanTags = vlan === undefined ? [] : [{ tpid: 0x8100, tci: vlan }];
    return fromHost({
      code: PADR,
      host: hostMac(host),
      vlanTags,
      tags: [ANY, { type: TAG_AC_COOKIE, value: cookie }],
    });
  }

  it("is good for sixty seconds", () => {
    const ac = concentrator();
    const cookie = cookieFor(ac, 0)!;
    expect(ac.receive(60_001, padrWith(cookie))).toEqual([]);
    expect(ac.counters().discarded["expired-cookie"]).toBe(1);
    expect(ac.receive(60_000, padrWith(cookie))).toHaveLength(1);
  });

  it("is good for the host and VLAN that it was given to, whatever the priority", () => {
    const ac = concentrator();
    const cookie = cookieFor(ac, 0, { vlanTags: [{ tpid: 0x8100, tci: 7 }] })!;
    for (const padr of [padrWith(cookie, 2, 7), padrWith(cookie, 1, 8), padrWith(cookie, 1)])
      expect(ac.receive(1, padr)).toEqual([]);
    expect(ac.counters().discarded["forged-cookie"]).toBe(3);
    expect(ac.receive(1, padrWith(cookie, 1, 0xe007))).toHaveLength(1);
  });

  it("cannot be made up, changed, cut or left out", () => {
    const ac = concentrator();
    const cookie = cookieFor(ac, 0)!;
    for (let i = 0; i < cookie.length; i++) {
      const changed = Uint8Array.from(cookie);
      changed[i]! ^= 1;
      expect(ac.receive(1, padrWith(changed))).toEqual([]);
    }
    expect(ac.receive(1, padrWith(cookie.slice(1)))).toEqual([]);
    expect(ac.receive(1, fromHost({ code: PADR }))).toEqual([]);
    expect(ac.counters().discarded).toMatchObject({ "forged-cookie": cookie.length + 1, "no-cookie": 1 });
  });

  it("of a concentrator with the same configured key is good, with another's is not", () => {
    const key = new Uint8Array(16).fill(5);
    const cookie = cookieFor(concentrator({ cookieKey: key }, 1), 0)!;
    expect(concentrator({ cookieKey: key }, 2).receive(1, padrWith(cookie))).toHaveLength(1);
    expect(concentrator({}, 3).receive(1, padrWith(cookie))).toEqual([]);
  });

  it("differs between two calls of one host in one millisecond", () => {
    const ac = concentrator({ limits: { maxSessionsPerMac: 2 } });
    const [a, b] = [call(ac, 0), call(ac, 0)];
    expect(a.sessionId).not.toBe(0);
    expect(b.sessionId).not.toBe(0);
    expect(ac.sessions()).toHaveLength(2);
  });
});

describe("Service-Names", () => {
  const LISTED = { offered: ["gold", "silver"], acceptUnlisted: false, acceptEmpty: true };

  it.each([
    ["gold", LISTED, ["gold", "silver"]],
    ["", LISTED, ["", "gold", "silver"]],
    ["lead", LISTED, undefined],
    ["", { ...LISTED, acceptEmpty: false }, undefined],
    ["lead", { ...LISTED, acceptUnlisted: true }, ["lead", "gold", "silver"]],
  ])("%j under %j is offered %j", (asked, services, offered) => {
    const ac = concentrator({ services });
    const [pado] = frames(ac.receive(0, fromHost({ code: PADI, tags: [textTag(TAG_SERVICE_NAME, asked)] })));
    const names = pado?.packet.tags.filter(({ type }) => type === TAG_SERVICE_NAME);
    expect(names?.map(({ value }) => fromUtf8(value))).toEqual(offered);
    expect(ac.counters().discarded["unknown-service"]).toBe(offered === undefined ? 1 : 0);
  });

  it("that are not served are refused by a PADS", () => {
    const ac = concentrator({ services: LISTED });
    const cookie = { type: TAG_AC_COOKIE, value: cookieFor(ac, 0)! };
    const lead = textTag(TAG_SERVICE_NAME, "lead");
    const outputs = ac.receive(1, fromHost({ code: PADR, tags: [lead, cookie, UNIQ] }));
    expect(events(outputs)).toEqual([]);
    const { packet } = frames(outputs)[0]!;
    expect(packet).toMatchObject({ code: PADS, sessionId: 0 });
    expect(packet.tags).toEqual(expect.arrayContaining([lead, UNIQ]));
    expect(packet.tags.map(({ type }) => type)).toContain(TAG_SERVICE_NAME_ERROR);
  });

  it.each([[[]], [[ANY, ANY]]])("must be asked for exactly once: %j", (tags) => {
    const ac = concentrator();
    expect(ac.receive(0, fromHost({ code: PADI, tags }))).toEqual([]);
    expect(ac.counters().discarded["bad-service-name"]).toBe(1);
  });
});

describe("session limits", () => {
  it("of a MAC address make a new call replace the oldest session", () => {
    const ac = concentrator({ limits: { maxSessionsPerMac: 2, padiPerMac: GENEROUS } });
    const ids = [0, 1].map((now) => {
      const { sessionId } = call(ac, now);
      ac.confirm(now, sessionId);
      return sessionId;
    });
    const third = call(ac, 2);
    expect(codes(third.outputs)).toEqual([PADT]);
    expect(frames(third.outputs)[0]!.packet.sessionId).toBe(ids[0]);
    expect(events(third.outputs)).toMatchObject([
      { kind: "session-closed", sessionId: ids[0], by: "replaced" },
      { kind: "session-requested", sessionId: third.sessionId },
    ]);
    expect(third.sessionId).not.toBe(ids[0]);
    expect(ac.counters().sessionsReplaced).toBe(1);
    // the replaced one is over for everybody but its owner
    expect(ac.close(3, ids[0]!)).toEqual([]);
  });

  it("replace an unconfirmed request without a word to its host", () => {
    const ac = concentrator();
    const first = call(ac, 0);
    const second = call(ac, 1);
    expect(codes(second.outputs)).toEqual([]);
    expect(events(second.outputs)).toMatchObject([
      { kind: "session-closed", sessionId: first.sessionId, by: "replaced" },
      { kind: "session-requested" },
    ]);
    expect(ac.timeout(5_000)).toEqual([]);
  });

  it("of a MAC address refuse where the policy says so", () => {
    const ac = concentrator({ limits: { atMacLimit: "refuse" } });
    const first = call(ac, 0);
    const second = call(ac, 1);
    expect(second.sessionId).toBe(0);
    expect(frames(second.outputs)[0]!.packet).toMatchObject({ code: PADS, sessionId: 0 });
    expect(ac.sessions().map(({ sessionId }) => sessionId)).toEqual([first.sessionId]);
  });

  it("count one MAC address in two VLANs as two subscribers", () => {
    const ac = concentrator();
    call(ac, 0, { vlanTags: [{ tpid: 0x8100, tci: 1 }] });
    const { outputs } = call(ac, 0, { vlanTags: [{ tpid: 0x8100, tci: 2 }] });
    expect(events(outputs)).toHaveLength(1);
    expect(ac.sessions()).toHaveLength(2);
  });

  it("of the port refuse further hosts, and take one when a session is gone", () => {
    const ac = concentrator({ limits: { maxSessions: 2 } });
    const first = call(ac, 0, { host: hostMac(1) });
    ac.confirm(0, first.sessionId);
    call(ac, 0, { host: hostMac(2) });
    const third = call(ac, 0, { host: hostMac(3) });
    expect(frames(third.outputs)[0]!.packet.tags.map(({ type }) => type)).toContain(TAG_AC_SYSTEM_ERROR);
    ac.close(1, first.sessionId);
    expect(call(ac, 1, { host: hostMac(3) }).sessionId).not.toBe(0);
  });

  it("do not give out the id of a closed session before its owner is done with it", () => {
    // the whole range would take seconds: eight ids do
    const random = seededRandom(1);
    const state = { ...concentrator().snapshot(), ids: newSessionIds(random, 1, 8) };
    const ac = new AccessConcentrator(acConfig(), random, state);
    const first = call(ac, 0);
    ac.confirm(0, first.sessionId);
    ac.close(0, first.sessionId);
    const ids = new Set<number>([first.sessionId]);
    for (let n = 2; n <= 8; n++) ids.add(call(ac, 0, { host: hostMac(n) }).sessionId);
    expect([...ids].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(call(ac, 0, { host: hostMac(9) }).sessionId).toBe(0);
    ac.ended(1, first.sessionId);
    expect(call(ac, 1, { host: hostMac(9) }).sessionId).toBe(first.sessionId);
  });
});

describe("a PADT from the host", () => {
  function established() {
    const ac = concentrator();
    const vlanTags = [{ tpid: 0x8100, tci: 7 }];
    const { session, sessionId } = call(ac, 0, { vlanTags });
    ac.confirm(0, session);
    return { ac, session, sessionId, vlanTags };
  }

  it("ends its session once, with what the host says of it", () => {
    const { ac, session, sessionId, vlanTags } = established();
    const padt = fromHost({ code: PADT, sessionId, vlanTags, tags: [textTag(TAG_GENERIC_ERROR, "bye")] });
    expect(ac.receive(1, padt)).toEqual([
      { kind: "session-closed", session, sessionId, by: "peer", text: "bye" },
    ]);
    expect(ac.receive(2, padt)).toEqual([]);
    expect(ac.close(3, session)).toEqual([]);
  });

  it("is believed only from the session's host, in its VLAN, to us", () => {
    const { ac, sessionId, vlanTags } = established();
    const strangers = [
      fromHost({ code: PADT, sessionId, vlanTags, host: hostMac(2) }),
      fromHost({ code: PADT, sessionId, vlanTags: [{ tpid: 0x8100, tci: 8 }] }),
      fromHost({ code: PADT, sessionId }),
      fromHost({ code: PADT, sessionId, vlanTags, destination: hostMac(9) }),
      fromHost({ code: PADT, sessionId: (sessionId % 0xfffe) + 1, vlanTags }),
      fromHost({ code: PADT, sessionId: 0, vlanTags }),
      fromHost({ code: PADT, sessionId: 0xffff, vlanTags }),
    ];
    for (const padt of strangers) expect(ac.receive(1, padt)).toEqual([]);
    expect(ac.counters().discarded).toMatchObject({
      "wrong-source": 1,
      "bad-destination": 1,
      "unknown-session": 3,
      "bad-session-id": 2,
    });
    expect(
      ac.receive(2, fromHost({ code: PADT, sessionId, vlanTags: [{ tpid: 0x8100, tci: 0xe007 }] })),
    ).toHaveLength(1);
  });
});

describe("frames of unknown sessions", () => {
  const stray = {
    remoteMac: hostMac(1),
    localMac: AC_MAC,
    tags: [{ tpid: 0x8100, tci: 7 }],
    sessionId: 0x1234,
  };

  it("are answered by a PADT under the same tags", () => {
    const [padt] = frames(concentrator().unknownSession(0, stray));
    expect(padt).toMatchObject({ destination: hostMac(1), source: AC_MAC, vlanTags: stray.tags });
    expect(padt!.packet).toMatchObject({ code: PADT, sessionId: 0x1234 });
  });

  it("are answered in moderation, for one host and for all", () => {
    const ac = concentrator({
      limits: { strayPerMac: { perSecond: 1, burst: 2 }, strayPerPort: { perSecond: 10, burst: 20 } },
    });
    let answers = 0;
    for (let i = 0; i < 1_000; i++) answers += ac.unknownSession(0, stray).length;
    expect(answers).toBe(2);
    for (let n = 2; n < 1_000; n++)
      answers += ac.unknownSession(0, { ...stray, remoteMac: hostMac(n) }).length;
    expect(answers).toBe(20);
    expect(ac.unknownSession(1_000, stray)).toHaveLength(1);
  });

  it("of one host in two VLANs are two hosts'", () => {
    const ac = concentrator({ limits: { strayPerMac: { perSecond: 1, burst: 2 } } });
    for (let i = 0; i < 10; i++) ac.unknownSession(0, stray);
    expect(codes(ac.unknownSession(0, { ...stray, tags: [{ tpid: 0x8100, tci: 8 }] }))).toEqual([PADT]);
  });

  it("that have come up meanwhile are left alone", () => {
    const ac = concentrator();
    const { sessionId } = call(ac, 0);
    const own = { ...stray, tags: [], sessionId };
    expect(ac.unknownSession(1, own)).toEqual([]);
    ac.confirm(1, sessionId);
    expect(ac.unknownSession(1, own)).toEqual([]);
    ac.close(1, sessionId);
    expect(codes(ac.unknownSession(1, own))).toEqual([PADT]);
  });

  it.each([
    ["to another station", { localMac: hostMac(5) }],
    ["from a group", { remoteMac: Uint8Array.of(1, 0, 0x5e, 0, 0, 1) }],
    ["from nobody", { remoteMac: new Uint8Array(6) }],
    ["from ourselves", { remoteMac: AC_MAC }],
    ["of session 0", { sessionId: 0 }],
    ["of session 0xFFFF", { sessionId: 0xffff }],
  ])("%s are not answered", (_name, change) => {
    expect(concentrator().unknownSession(0, { ...stray, ...change })).toEqual([]);
  });
});

describe("a flood", () => {
  it("of PADIs from one host is answered at the host's rate", () => {
    const ac = concentrator({ limits: { padiPerMac: { perSecond: 1, burst: 5 } } });
    let answers = 0;
    for (let now = 0; now < 10_000; now++) answers += ac.receive(now, fromHost({ code: PADI })).length;
    expect(answers).toBe(5 + 9);
    expect(ac.counters()).toMatchObject({ padiReceived: 10_000, padoSent: 14 });
    expect(ac.counters().discarded["padi-rate-of-mac"]).toBe(10_000 - 14);
  });

  it("of PADIs in one VLAN does not silence the same address in another", () => {
    const ac = concentrator();
    const padi = (tci: number) => fromHost({ code: PADI, vlanTags: [{ tpid: 0x8100, tci }] });
    for (let i = 0; i < 10; i++) ac.receive(0, padi(10));
    expect(ac.receive(0, padi(10))).toEqual([]);
    expect(codes(ac.receive(0, padi(20)))).toEqual([PADO]);
  });

  it("of PADIs from a thousand hosts a second is answered, every one", () => {
    const ac = concentrator();
    let answers = 0;
    for (let now = 0; now < 5_000; now++) {
      if (now < 3_000) answers += ac.receive(now, fromHost({ code: PADI, host: hostMac(now + 1) })).length;
      if (ac.deadline() <= now) answers += ac.timeout(now).length;
    }
    expect(answers).toBe(3_000);
  });

  it("of PADIs under ever new addresses is answered at the port's rate, in bounded memory", () => {
    const ac = concentrator({
      limits: {
        padiPerPort: { perSecond: 100, burst: 200 },
        trackedMacs: 512,
        admission: NO_ADMISSION,
      },
    });
    let answers = 0;
    for (let n = 0; n < 20_000; n++)
      answers += ac.receive(n / 10, fromHost({ code: PADI, host: hostMac(n + 1) })).length;
    expect(answers).toBeGreaterThanOrEqual(395);
    expect(answers).toBeLessThanOrEqual(400);
    expect(ac.snapshot().padiBuckets.entries).toHaveLength(512);
  });

  it("of calls costs the same with ten thousand sessions as with none", () => {
    const ac = concentrator({
      limits: { padiPerMac: GENEROUS, padiPerPort: GENEROUS, admission: NO_ADMISSION },
    });
    const started = process.cpuUsage();
    for (let n = 1; n <= 10_000; n++) ac.confirm(0, call(ac, 0, { host: hostMac(n) }).sessionId);
    const spent = process.cpuUsage(started);
    expect(ac.sessions()).toHaveLength(10_000);
    // a look through all sessions for each packet takes half a minute
    expect((spent.user + spent.system) / 1000).toBeLessThan(10_000);
  });
});

describe("junk", () => {
  it.each([
    ["truncated", new Uint8Array(13)],
    ["not-discovery", Uint8Array.from([...AC_MAC, ...hostMac(1), 0x88, 0x64, 0x11, 0, 0, 1, 0, 0])],
    ["bad-version", Uint8Array.from([...AC_MAC, ...hostMac(1), 0x88, 0x63, 0x21, 9, 0, 0, 0, 0])],
    ["bad-tag", Uint8Array.from([...AC_MAC, ...hostMac(1), 0x88, 0x63, 0x11, 9, 0, 0, 0, 1, 7])],
    ["bad-source", fromHost({ code: PADI, host: Uint8Array.of(1, 0, 0x5e, 0, 0, 1) })],
    ["bad-source", fromHost({ code: PADI, host: new Uint8Array(6) })],
    ["bad-source", fromHost({ code: PADI, host: AC_MAC })],
    ["bad-destination", fromHost({ code: PADI, destination: hostMac(9) })],
    ["bad-destination", fromHost({ code: PADR, destination: new Uint8Array(6).fill(0xff) })],
    ["bad-session-id", fromHost({ code: PADI, sessionId: 1 })],
    ["bad-session-id", fromHost({ code: PADR, sessionId: 1 })],
    ["bad-code", fromHost({ code: PADO })],
    ["bad-code", fromHost({ code: PADS })],
    ["bad-code", fromHost({ code: 0 })],
    [
      "oversized-answer",
      fromHost({ code: PADI, tags: [ANY, { type: TAG_HOST_UNIQ, value: new Uint8Array(1460) }] }),
    ],
  ] as const)("is counted as %s and not answered", (reason, frame) => {
    const ac = concentrator();
    expect(ac.receive(0, frame)).toEqual([]);
    expect(ac.counters().discarded[reason]).toBe(1);
  });

  it("of every kind throws nothing, opens nothing and grows nothing", () => {
    const ac = concentrator({ limits: { trackedMacs: 16 } });
    let frame = 0;
    const valid = fromHost({ code: PADI });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 80 }),
          fc.tuple(fc.nat(), fc.nat(255), fc.nat(10)).map(([position, octet, cut]) => {
            const bytes = Uint8Array.from(valid);
            bytes[position % bytes.length] = octet;
            return bytes.slice(0, bytes.length - cut);
          }),
          fc
            .record({
              code: fc.constantFrom(PADI, PADO, PADR, PADS, PADT),
              sessionId: fc.nat(0xffff),
              tags: fc.array(
                fc.record({
                  type: fc.constantFrom(0x101, 0x103, 0x104, 0x105, 0x110, 0x120),
                  value: fc.uint8Array(),
                }),
              ),
            })
            .map(fromHost),
        ),
        (bytes) => {
          frame += 1;
          const outputs = ac.receive(frame, bytes);
          expect(events(outputs)).toEqual([]);
          expect(outputs.length).toBeLessThanOrEqual(1);
          expect(ac.sessions()).toEqual([]);
        },
      ),
      { numRuns: 2_000 },
    );
    expect(ac.snapshot().padiBuckets.entries.length).toBeLessThanOrEqual(16);
  });
});

describe("a concentrator restored from a snapshot", () => {
  it("knows its sessions, cookies, limits and deadlines", () => {
    const config = acConfig({ limits: { padiPerMac: { perSecond: 1, burst: 3 } } });
    const before = new AccessConcentrator(config, seededRandom(1));
    const confirmed = call(before, 0);
    before.confirm(0, confirmed.sessionId);
    const requested = call(before, 0, { host: hostMac(2) });
    const cookie = { type: TAG_AC_COOKIE, value: cookieFor(before, 0, { host: hostMac(3) })! };

    const after = new AccessConcentrator(config, seededRandom(99), before.snapshot());
    expect(after.sessions()).toEqual(before.sessions());
    expect(after.load()).toEqual(before.load());
    expect(after.counters()).toEqual(before.counters());
    expect(after.deadline()).toBe(before.deadline());
    expect(frames(after.receive(1, confirmed.padr))[0]!.packet.sessionId).toBe(confirmed.sessionId);
    expect(codes(after.confirm(1, requested.sessionId))).toEqual([PADS]);
    expect(after.receive(1, fromHost({ code: PADR, host: hostMac(3), tags: [ANY, cookie] }))).toHaveLength(1);
    expect(events(call(after, 1).outputs)[0]).toMatchObject({ kind: "session-closed", by: "replaced" });
  });

  it("still knows which session of a host is the oldest, whatever the ids", () => {
    const config = acConfig({ limits: { maxSessionsPerMac: 3, padiPerMac: GENEROUS } });
    const random = seededRandom(1);
    const fresh = new AccessConcentrator(config, random).snapshot();
    const small = newSessionIds(random, 1, 9);
    const ids = { ...small, pool: { ...small.pool, nextFresh: 8 } };
    const before = new AccessConcentrator(config, random, { ...fresh, ids });
    expect([0, 1, 2].map((now) => call(before, now).sessionId)).toEqual([8, 9, 1]);
    const after = new AccessConcentrator(config, random, before.snapshot());
    expect(events(call(after, 3).outputs)[0]).toMatchObject({ by: "replaced", sessionId: 8 });
  });
});
