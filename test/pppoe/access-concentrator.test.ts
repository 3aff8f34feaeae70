import { describe, expect, it } from "vitest";
import { fromUtf8, utf8 } from "../../src/base/bytes.ts";
import { NEVER } from "../../src/base/time.ts";
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
import { AC_MAC, call, concentrator, cookieFor, events, frames, fromHost, hostMac } from "./support.ts";

const ANY = textTag(TAG_SERVICE_NAME, "");
const UNIQ = { type: TAG_HOST_UNIQ, value: Uint8Array.of(1, 0, 2) };
const RELAY = { type: TAG_RELAY_SESSION_ID, value: Uint8Array.of(9, 9) };

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
