import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, fromUtf8, utf8 } from "../../src/base/bytes.ts";
import {
  authenticatorResponseOf,
  emitMsChapFailure,
  emitMsChapSuccess,
  emitMsChapV2Response,
  msChapFailureText,
  parseMsChapV2Response,
} from "../../src/wire/ms-chap.ts";

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe("an MS-CHAPv2 Response", () => {
  it("has its parts where RFC 2759 §4 says, and Reserved and Flags zero", () => {
    const peerChallenge = new Uint8Array(16).fill(1);
    const ntResponse = new Uint8Array(24).fill(2);
    expect(emitMsChapV2Response({ peerChallenge, ntResponse })).toEqual(
      fromHex(`${"01".repeat(16)}${"00".repeat(8)}${"02".repeat(24)}00`),
    );
  });

  it("is read back as it was written", () => {
    fc.assert(
      fc.property(octets(16), octets(24), (peerChallenge, ntResponse) => {
        const response = { peerChallenge, ntResponse };
        expect(parseMsChapV2Response(emitMsChapV2Response(response))).toEqual(response);
      }),
    );
  });

  it("is none when it has not 49 octets", () => {
    for (const length of [0, 16, 48, 50])
      expect(parseMsChapV2Response(new Uint8Array(length))).toBeUndefined();
  });
});

describe("an MS-CHAPv2 Success", () => {
  const proof = `S=${"0123456789ABCDEF".repeat(2)}01234567`;

  it("carries the proof and a text", () => {
    const message = emitMsChapSuccess(proof, "Welcome");
    expect(fromUtf8(message)).toBe(`${proof} M=Welcome`);
    expect(authenticatorResponseOf(message)).toBe(proof);
  });

  it.each([
    ["no text", proof],
    ["a text at once", `${proof}M=x`],
  ])("may have %s", (_name, message) => {
    expect(authenticatorResponseOf(utf8(message))).toBe(proof);
  });

  it.each([
    ["", "nothing"],
    [proof.slice(0, -1), "39 digits"],
    [proof.toLowerCase(), "lower case"],
    [` ${proof}`, "a space before it"],
    ["M=Welcome", "no proof"],
  ])("that is %j (%s) proves nothing", (message) => {
    expect(authenticatorResponseOf(utf8(message))).toBeUndefined();
  });
});

describe("an MS-CHAPv2 Failure", () => {
  it("says wrong password, no retry, a challenge of 32 digits and version 3", () => {
    const message = emitMsChapFailure(fromHex("00112233445566778899aabbccddeeff"), "no such user");
    expect(fromUtf8(message)).toBe("E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=no such user");
    expect(msChapFailureText(message)).toBe("no such user");
  });

  it("is read whatever it is", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (message) => void msChapFailureText(message)));
    expect(msChapFailureText(utf8("E=691"))).toBe("error 691");
    expect(msChapFailureText(utf8("E=691 R=1 M="))).toBe("error 691");
    expect(msChapFailureText(utf8(`E=${"1".repeat(20)}`))).toBe(`E=${"1".repeat(20)}`);
  });
});
