import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import {
  accessLineTag,
  emitTags,
  findAccessLine,
  findMaxPayload,
  findTag,
  findTextTag,
  maxPayloadTag,
  parseTags,
  TAG_HOST_UNIQ,
  TAG_PPP_MAX_PAYLOAD,
  TAG_RELAY_SESSION_ID,
  TAG_SERVICE_NAME,
  TAG_VENDOR_SPECIFIC,
  tagsBytes,
} from "../../src/wire/pppoe-tags.ts";

const LINE = "0105 0018 00000de9 01 06 6c696e652037 02 04 63706537 81 04 00002710";

describe("PPPoE tags", () => {
  it("are found by type, the first of several", () => {
    const tags = parseTags(fromHex("01010001 61 01010001 62 01030002 0102 01100000"))!;
    expect(findTextTag(tags, TAG_SERVICE_NAME)).toBe("a");
    expect(findTag(tags, TAG_HOST_UNIQ)).toEqual(Uint8Array.of(1, 2));
    expect(findTag(tags, TAG_RELAY_SESSION_ID)).toEqual(new Uint8Array(0));
    expect(findTag(tags, TAG_PPP_MAX_PAYLOAD)).toBeUndefined();
  });

  it("carry PPP-Max-Payload in two octets", () => {
    expect(toHex(emitTags([maxPayloadTag(1500)]))).toBe("0120000205dc");
    expect(findMaxPayload(parseTags(fromHex("01200002 05dc"))!)).toBe(1500);
    expect(findMaxPayload(parseTags(fromHex("01200001 05"))!)).toBeUndefined();
    expect(findMaxPayload(parseTags(fromHex("01200003 0005dc"))!)).toBeUndefined();
    expect(findMaxPayload([])).toBeUndefined();
  });

  it("carry the access line of TR-101", () => {
    const subOptions = [
      { type: 1, value: utf8("line 7") },
      { type: 2, value: utf8("cpe7") },
      { type: 0x81, value: fromHex("00002710") },
    ];
    const tags = parseTags(fromHex(LINE))!;
    expect(findAccessLine(tags)).toEqual({ circuitId: "line 7", remoteId: "cpe7", subOptions });
    expect(toHex(emitTags([accessLineTag(subOptions)]))).toBe(LINE.replaceAll(" ", ""));
  });

  it("leave out what the access node does not tell", () => {
    const tag = accessLineTag([{ type: 2, value: utf8("cpe7") }]);
    expect(findAccessLine([tag])).toEqual({
      remoteId: "cpe7",
      subOptions: [{ type: 2, value: utf8("cpe7") }],
    });
  });

  it.each([
    ["another vendor's", "00000001 0103616263"],
    ["too short for a vendor", "00000d"],
    ["a sub-option without length", "00000de9 01"],
    ["a sub-option cut off", "00000de9 0105 6162"],
  ])("give no access line from %s", (_name, value) => {
    expect(findAccessLine([{ type: TAG_VENDOR_SPECIFIC, value: fromHex(value) }])).toBeUndefined();
  });

  it("pass over another vendor's tag before the access line", () => {
    const tags = [
      { type: TAG_VENDOR_SPECIFIC, value: fromHex("00000001") },
      accessLineTag([{ type: 1, value: utf8("x") }]),
    ];
    expect(findAccessLine(tags)?.circuitId).toBe("x");
  });

  it("come back from what was written, access lines too", () => {
    const subOption = fc.record({ type: fc.nat(255), value: fc.uint8Array({ maxLength: 255 }) });
    fc.assert(
      fc.property(fc.array(subOption, { maxLength: 5 }), (subOptions) => {
        const tags = [accessLineTag(subOptions)];
        expect(emitTags(tags).length).toBe(tagsBytes(tags));
        expect(parseTags(emitTags(tags))).toEqual(tags);
        expect(findAccessLine(tags)?.subOptions).toEqual(subOptions);
      }),
    );
  });
});
