import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_ADMISSION_LIMITS } from "../../src/pppoe/admission.ts";
import { PADI, PADO, PADR, PADS, PADT } from "../../src/wire/pppoe.ts";
import { TAG_HOST_UNIQ, TAG_SERVICE_NAME, textTag } from "../../src/wire/pppoe-tags.ts";
import { AC_MAC, call, codes, concentrator, events, fromHost, hostMac } from "./support.ts";

const ANY = textTag(TAG_SERVICE_NAME, "");
const NO_ADMISSION = { ...DEFAULT_ADMISSION_LIMITS, initialStarting: 1e6, maxStarting: 1e6, maxSetUps: 1e6 };
const GENEROUS = { perSecond: 1e6, burst: 1e6 };

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
