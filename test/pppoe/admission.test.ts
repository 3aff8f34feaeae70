import { describe, expect, it } from "vitest";
import { AccessConcentrator } from "../../src/pppoe/access-concentrator.ts";
import type { AccessConcentratorOutput } from "../../src/pppoe/access-concentrator-types.ts";
import { type AdmissionLimits, DEFAULT_ADMISSION_LIMITS } from "../../src/pppoe/admission.ts";
import { PADI, PADO, PADR, PADS } from "../../src/wire/pppoe.ts";
import { findTag, TAG_AC_COOKIE, TAG_SERVICE_NAME, textTag } from "../../src/wire/pppoe-tags.ts";
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

function admission(change: Partial<AdmissionLimits>): {
  readonly limits: { readonly admission: AdmissionLimits };
} {
  return { limits: { admission: { ...DEFAULT_ADMISSION_LIMITS, ...change } } };
}

const padi = (n: number) => fromHost({ code: PADI, host: hostMac(n) });

/** All that the concentrator does by itself until `until`. */
function wait(ac: AccessConcentrator, until: number): readonly AccessConcentratorOutput[] {
  const outputs: AccessConcentratorOutput[] = [];
  while (ac.deadline() <= until) outputs.push(...ac.timeout(ac.deadline()));
  return outputs;
}

/** Who the PADOs among outputs are for, and the PADRs that they would send. */
function padrs(outputs: readonly AccessConcentratorOutput[]): readonly Uint8Array[] {
  return frames(outputs).map(({ destination, packet }) => {
    const cookie = findTag(packet.tags, TAG_AC_COOKIE)!;
    return fromHost({ code: PADR, host: destination, tags: [ANY, { type: TAG_AC_COOKIE, value: cookie }] });
  });
}

describe("as many sessions as may start", () => {
  const FEW = admission({ initialStarting: 2, minStarting: 2, maxStarting: 2 });

  it("keep further PADRs waiting, each host once and in order, until one has begun PPP", () => {
    const ac = concentrator(FEW);
    const [a, b] = [1, 2].map((n) => call(ac, 0, { host: hostMac(n) }));
    for (const { session } of [a!, b!]) ac.confirm(0, session);
    for (const n of [3, 4, 3, 5])
      for (const padr of padrs(ac.receive(1, padi(n)))) expect(ac.receive(1, padr)).toEqual([]);
    expect(ac.load()).toMatchObject({ starting: 2, waitingPadis: 0, waitingPadrs: 3 });
    expect(ac.counters().padrDelayed).toBe(3);
    expect(wait(ac, 50)).toEqual([]);
    ac.heard(51, a!.session);
    expect(events(wait(ac, 51))).toMatchObject([{ kind: "session-requested", remoteMac: hostMac(3) }]);
    ac.close(60, b!.session);
    expect(events(wait(ac, 60))).toMatchObject([{ kind: "session-requested", remoteMac: hostMac(4) }]);
  });

  it("are those of a host's newest offer, in its first PADR's place", () => {
    const ac = concentrator(FEW);
    const [a] = [1, 2].map((n) => {
      const { session } = call(ac, 0, { host: hostMac(n) });
      ac.confirm(0, session);
      return session;
    });
    for (const n of [3, 4, 3]) for (const padr of padrs(ac.receive(1, padi(n)))) ac.receive(1, padr);
    const [newest] = padrs(ac.receive(2, padi(3)));
    ac.receive(2, newest!);
    ac.heard(3, a!);
    const [request] = events(wait(ac, 3)) as { session: number; remoteMac: Uint8Array }[];
    expect(request?.remoteMac).toEqual(hostMac(3));
    ac.confirm(4, request!.session);
    expect(codes(ac.receive(5, newest!))).toEqual([PADS]);
  });

  it("keep PADRs waiting whose offers they had before, and forget those that waited too long", () => {
    const before = concentrator({});
    const offers = [1, 2, 3, 4].flatMap((n) => padrs(before.receive(0, padi(n))));
    const hasty = admission({ ...FEW.limits.admission, padrPatienceMs: 4_000 });
    const ac = new AccessConcentrator(acConfig(hasty), seededRandom(1), {
      ...before.snapshot(),
      admission: concentrator(FEW).snapshot().admission,
    });
    const requests = offers.flatMap((padr) => events(ac.receive(1, padr)));
    expect(requests).toHaveLength(2);
    for (const padr of offers) expect(ac.receive(2, padr)).toEqual([]);
    expect(ac.load()).toMatchObject({ starting: 2, waitingPadrs: 2 });
    expect(ac.counters().padrDelayed).toBe(2);
    ac.confirm(3, (requests[0] as { session: number }).session);
    ac.heard(4, (requests[0] as { session: number }).session);
    expect(events(wait(ac, 4))).toMatchObject([{ kind: "session-requested", remoteMac: hostMac(3) }]);
    wait(ac, 4_500);
    expect(ac.counters().discarded["waited-too-long"]).toBe(1);
    expect(ac.load().waitingPadrs).toBe(0);
  });

  it("keep a PADR that is repeated waiting in its place, for as long as it is", () => {
    const before = concentrator({});
    const offers = [1, 2].flatMap((n) => padrs(before.receive(0, padi(n))));
    const ac = new AccessConcentrator(
      acConfig(admission({ maxSetUps: 1 })),
      seededRandom(1),
      before.snapshot(),
    );
    const [request] = events(ac.receive(0, offers[0]!)) as { session: number }[];
    ac.confirm(0, request!.session);
    ac.heard(1, request!.session);
    for (let now = 1; now < 9_000; now += 1_000) {
      expect(wait(ac, now)).toEqual([]);
      expect(ac.receive(now, offers[1]!)).toEqual([]);
    }
    ac.established(9_000, request!.session);
    expect(events(wait(ac, 9_000))).toMatchObject([{ kind: "session-requested", remoteMac: hostMac(2) }]);
  });

  it("are those whose hosts are heard within a second: silent ones give their place up", () => {
    const ac = concentrator(FEW);
    for (const n of [1, 2]) ac.confirm(0, call(ac, 0, { host: hostMac(n) }).session);
    const [third] = padrs(ac.receive(1, padi(3)));
    expect(ac.receive(1, third!)).toEqual([]);
    expect(wait(ac, 999)).toEqual([]);
    expect(events(wait(ac, 1_000))).toHaveLength(1);
    expect(ac.load()).toMatchObject({ starting: 1, settingUp: 3 });
  });

  it("are bounded, and so is who may wait", () => {
    const one = { initialStarting: 1, minStarting: 1, maxStarting: 1 };
    const ac = concentrator(admission({ ...one, waitingPadis: 10, waitingPadrs: 40 }));
    for (let n = 1; n <= 1_000; n++) for (const padr of padrs(ac.receive(0, padi(n)))) ac.receive(0, padr);
    // with half of the line full of PADRs, no further PADI is answered
    expect(ac.load()).toMatchObject({ waitingPadrs: 20, waitingPadis: 10 });
    expect(ac.counters().discarded["no-room-to-wait"]).toBe(1_000 - 1 - 20 - 10);
  });
});

it("sessions that are not complete are bounded, however many have begun PPP", () => {
  const ac = concentrator(admission({ maxSetUps: 2 }));
  const [a] = [1, 2].map((n) => {
    const { session } = call(ac, 0, { host: hostMac(n) });
    ac.confirm(0, session);
    ac.heard(1, session);
    return session;
  });
  expect(ac.receive(2, padi(3))).toEqual([]);
  expect(ac.load()).toMatchObject({ starting: 0, settingUp: 2, load: 1 });
  ac.established(3, a!);
  expect(codes(wait(ac, 3))).toEqual([PADO]);
});

describe("the number that may start", () => {
  /** Two seconds of hosts that begin PPP so long after their PADS, while others wait. */
  function windowAfter(delayMs: number): number {
    const generous = { perSecond: 1e6, burst: 1e6 };
    const { limits } = admission({ initialStarting: 100, minStarting: 10, maxStarting: 1_000 });
    const ac = concentrator({ limits: { ...limits, padiPerPort: generous } });
    const starting: { readonly at: number; readonly session: number }[] = [];
    let host = 0;
    const act = (now: number, outputs: readonly AccessConcentratorOutput[]): void => {
      const answers = padrs(outputs.filter(({ kind }) => kind === "send")).flatMap((padr) =>
        ac.receive(now, padr),
      );
      for (const output of [...outputs, ...answers])
        if (output.kind === "session-requested") {
          ac.confirm(now, output.session);
          starting.push({ at: now + delayMs, session: output.session });
        }
    };
    for (let now = 0; now < 2_000; now++) {
      for (let i = 0; i < 10 && ac.load().waitingPadrs < 100; i++) act(now, ac.receive(now, padi(++host)));
      for (let first = starting[0]; first !== undefined && first.at <= now; first = starting[0]) {
        starting.shift();
        ac.heard(now, first.session);
        ac.established(now, first.session);
      }
      if (ac.deadline() <= now) act(now, ac.timeout(now));
    }
    return ac.load().startingWindow;
  }

  it("grows while PPP begins soon after PADS, and shrinks while it does not", () => {
    expect(windowAfter(20)).toBeGreaterThan(200);
    expect(windowAfter(400)).toBeLessThan(60);
  });

  it("shrinks when the concentrator is woken late", () => {
    const ac = concentrator();
    ac.confirm(0, call(ac, 0).session);
    const before = ac.load().startingWindow;
    ac.timeout(ac.deadline() + 500);
    expect(ac.load().startingWindow).toBeLessThan(before);
  });
});

it("offers that nobody takes keep nobody waiting", () => {
  const ac = concentrator({ limits: { padiPerPort: { perSecond: 1e5, burst: 1e5 } } });
  for (let n = 1; n <= 20_000; n++) expect(codes(ac.receive(n / 5, padi(n)))).toEqual([PADO]);
  expect(
    events(padrs(ac.receive(4_000, padi(20_001))).flatMap((padr) => ac.receive(4_000, padr))),
  ).toHaveLength(1);
});

describe("the delay of PADO", () => {
  it("grows with the load", () => {
    const ac = concentrator({
      limits: { maxSessions: 10, padoDelayMs: 1_000, padiPerMac: { perSecond: 1e6, burst: 1e6 } },
    });
    expect(codes(ac.receive(0, padi(100)))).toEqual([PADO]);
    for (let n = 1; n <= 5; n++) {
      ac.receive(0, padi(n));
      const [padr] = padrs(wait(ac, 1_000));
      const [request] = events(ac.receive(1_000, padr ?? padrs(ac.receive(1_000, padi(n)))[0]!));
      const { session } = request as { session: number };
      ac.confirm(1_000, session);
      ac.heard(1_000, session);
      ac.established(1_000, session);
    }
    expect(ac.load().load).toBe(0.5);
    expect(ac.receive(2_000, padi(101))).toEqual([]);
    expect(wait(ac, 2_499)).toEqual([]);
    expect(codes(wait(ac, 2_500))).toEqual([PADO]);
  });
});

describe("draining", () => {
  it("answers no PADI, and a PADR only to an offer of before; sessions go on", () => {
    const ac = concentrator();
    const there = call(ac, 0, { host: hostMac(1) });
    ac.confirm(0, there.session);
    const cookie = cookieFor(ac, 0, { host: hostMac(2) })!;
    ac.drain(1, true);
    expect(ac.receive(2, padi(3))).toEqual([]);
    expect(ac.counters().discarded.draining).toBe(1);
    const tags = [ANY, { type: TAG_AC_COOKIE, value: cookie }];
    expect(events(ac.receive(2, fromHost({ code: PADR, host: hostMac(2), tags })))).toHaveLength(1);
    expect(ac.sessions()).toHaveLength(2);
    expect(codes(ac.receive(3, there.padr))).toEqual([PADS]);
    ac.drain(4, false);
    expect(codes(ac.receive(5, padi(3)))).toEqual([PADO]);
  });

  it("can be how it begins, and is remembered in a snapshot", () => {
    const ac = concentrator({ draining: true });
    expect(ac.receive(0, padi(1))).toEqual([]);
    expect(new AccessConcentrator(acConfig(), seededRandom(2), ac.snapshot()).receive(1, padi(2))).toEqual(
      [],
    );
  });
});
