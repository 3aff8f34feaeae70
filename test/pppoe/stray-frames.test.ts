import { describe, expect, it } from "vitest";
import { PADT } from "../../src/wire/pppoe.ts";
import { AC_MAC, call, codes, concentrator, frames, hostMac } from "./support.ts";

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
