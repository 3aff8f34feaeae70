import { describe, expect, it } from "vitest";
import { AccessConcentrator } from "../../src/pppoe/access-concentrator.ts";
import { newSessionIds } from "../../src/pppoe/session-ids.ts";
import { PADR, PADS, PADT } from "../../src/wire/pppoe.ts";
import {
  TAG_AC_COOKIE,
  TAG_AC_SYSTEM_ERROR,
  TAG_GENERIC_ERROR,
  TAG_SERVICE_NAME,
  textTag,
} from "../../src/wire/pppoe-tags.ts";
import { seededRandom } from "../support/seeded-random.ts";
import {
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
const GENEROUS = { perSecond: 1e6, burst: 1e6 };

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

it("two hosts in two VLANs may have the same session id, and each ends his own", () => {
  const small = { ...concentrator().snapshot() };
  const pool = { ...small.ids.pool, min: 5, max: 5, nextFresh: 5, freshLeft: 1 };
  const ac = new AccessConcentrator(acConfig(), seededRandom(1), { ...small, ids: { pool, next: 5 } });
  const vlans = [1, 2].map((tci) => [{ tpid: 0x8100, tci }]);
  const calls = vlans.map((vlanTags) => call(ac, 0, { vlanTags }));
  expect(calls.map(({ sessionId }) => sessionId)).toEqual([5, 5]);
  for (const { session } of calls) ac.confirm(0, session);
  expect(call(ac, 1, { host: hostMac(2), vlanTags: vlans[0]! }).sessionId).toBe(0);
  expect(ac.counters().padsRefused["no-session-id"]).toBe(1);
  const padt = fromHost({ code: 0xa7, sessionId: 5, vlanTags: vlans[1]!, tags: [] });
  expect(ac.receive(2, padt)).toMatchObject([{ kind: "session-closed", session: calls[1]!.session }]);
  ac.ended(2, calls[1]!.session);
  expect(ac.sessions().map(({ session }) => session)).toEqual([calls[0]!.session]);
  expect(call(ac, 3, { vlanTags: vlans[1]! }).sessionId).toBe(5);
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
