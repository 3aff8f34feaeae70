import { describe, expect, it } from "vitest";
import type { AccessConcentrator } from "../../src/pppoe/access-concentrator.ts";
import { PADI, PADO } from "../../src/wire/pppoe.ts";
import { call, codes, concentrator, cookieFor, fromHost, hostMac } from "./support.ts";

const padi = (n: number) => fromHost({ code: PADI, host: hostMac(n) });

describe("a host whose logins fail", () => {
  /** Calls, and fails to log in; false when the call is not answered. */
  function fails(ac: AccessConcentrator, now: number, n = 1): boolean {
    if (cookieFor(ac, now, { host: hostMac(n) }) === undefined) return false;
    const { session } = call(ac, now, { host: hostMac(n) });
    ac.confirm(now, session);
    ac.loginResult(now, session, false);
    ac.close(now, session, "authentication failed");
    ac.ended(now, session);
    return true;
  }

  const FREE = { perSecond: 1e6, burst: 1e6 };

  it("is answered later and later, up to a minute, and others are not kept waiting", () => {
    const ac = concentrator({ limits: { padiPerMac: FREE } });
    const answered: number[] = [];
    for (let now = 0; now < 300_000; now += 500) if (fails(ac, now)) answered.push(now);
    expect(answered.slice(0, 4)).toEqual([0, 500, 1_000, 1_500]);
    expect(answered.slice(4, 9)).toEqual([2_500, 4_500, 8_500, 16_500, 32_500]);
    expect(answered.slice(9)).toEqual([64_500, 124_500, 184_500, 244_500]);
    expect(codes(ac.receive(299_500, padi(2)))).toEqual([PADO]);
    expect(ac.counters().discarded["login-backoff"]).toBeGreaterThan(500);
  });

  it("is forgiven when it gets in, and forgotten after ten minutes", () => {
    const ac = concentrator({ limits: { padiPerMac: FREE } });
    for (const now of [0, 0, 0, 0, 1_000, 3_000]) expect(fails(ac, now)).toBe(true);
    const { session } = call(ac, 7_000);
    ac.confirm(7_000, session);
    ac.loginResult(20_000, session, true);
    ac.close(20_000, session);
    ac.ended(20_000, session);
    for (const from of [20_000, 621_001]) {
      for (let free = 0; free < 4; free++) expect(fails(ac, from)).toBe(true);
      expect([fails(ac, from + 500), fails(ac, from + 1_000)]).toEqual([false, true]);
    }
  });

  it("is one of a bounded number that are remembered", () => {
    const ac = concentrator({ limits: { padiPerMac: FREE, trackedMacs: 8 } });
    for (let n = 1; n <= 50; n++) for (let i = 0; i < 4; i++) fails(ac, 0, n);
    expect(ac.snapshot().logins.hosts).toHaveLength(8);
    expect(ac.receive(1, padi(50))).toEqual([]);
  });
});
