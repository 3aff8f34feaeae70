import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex } from "../../src/base/bytes.ts";
import { emitL2tp, parseL2tp } from "../../src/wire/l2tp.ts";
import {
  controlBody,
  controlNr,
  controlNs,
  controlSessionId,
  controlTunnelId,
  L2TP_CONTROL_HEADER_BYTES,
  notL2tpControl,
  writeControlHeader,
} from "../../src/wire/l2tp-control-header.ts";

const u16 = fc.integer({ min: 0, max: 0xffff });

describe("the header of a control message", () => {
  it("is that of the value form", () => {
    const body = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(u16, u16, u16, u16, body, (tunnelId, sessionId, ns, nr, payload) => {
        const bytes = concatBytes(new Uint8Array(L2TP_CONTROL_HEADER_BYTES), payload);
        writeControlHeader(bytes, tunnelId, sessionId, ns, nr);
        const flags = { control: true, lengthBit: true, priority: false };
        expect(bytes).toEqual(emitL2tp({ ...flags, tunnelId, sessionId, sequence: { ns, nr } }, payload));
        const padded = concatBytes(bytes, fromHex("ffff"));
        expect(notL2tpControl(padded)).toBeUndefined();
        expect([
          controlTunnelId(padded),
          controlSessionId(padded),
          controlNs(padded),
          controlNr(padded),
        ]).toEqual([tunnelId, sessionId, ns, nr]);
        expect(controlBody(padded)).toEqual(payload);
      }),
    );
  });

  it("is refused for the reason for which the value form refuses it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, looksGood) => {
        if (looksGood && bytes.length > 4) bytes.set([bytes[0]! | 0xc8, 2, 0, bytes.length]);
        const parsed = parseL2tp(bytes);
        const reason = notL2tpControl(bytes);
        if (typeof parsed === "string") expect(reason).toBe(parsed);
        else expect(reason).toBe(parsed.header.control ? undefined : "not-control");
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["without its length", "88020001000000000000"],
    ["without sequence numbers", "c002000800010000"],
    ["with an offset", "ca02000e0001000000000000 0000"],
  ])("has fixed flags: one %s is none", (_, hex) => {
    expect(notL2tpControl(fromHex(hex))).toBe("bad-flags");
  });
});
