import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { md4 } from "../../src/ppp/md4.ts";
import {
  authenticatorResponse,
  desKey,
  ntPasswordHash,
  ntResponse,
  verifyMsChapV2,
  withoutDomain,
} from "../../src/ppp/ms-chap-v2.ts";

describe("MD4", () => {
  // RFC 1320, A.5 Test suite
  it.each([
    ["", "31d6cfe0d16ae931b73c59d7e0c089c0"],
    ["a", "bde52cb31de33e46245e05fbdbd6fb24"],
    ["abc", "a448017aaf21d8525fc10ae87aa6729d"],
    ["message digest", "d9130a8164549fe818874806e1c7014b"],
    ["abcdefghijklmnopqrstuvwxyz", "d79e1c308aa5bbcdeea8ed63df412da9"],
    ["ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "043f8582f241db351ce627e153e7f0e4"],
    ["1234567890".repeat(8), "e33b4ddc9c38f2199c3e7b164fcc0536"],
  ])("of %j is what RFC 1320 says", (message, digest) => {
    expect(toHex(md4(utf8(message)))).toBe(digest);
  });
});

/** RFC 2759 §9.2. */
const EXAMPLE = {
  challenge: fromHex("5B5D7C7D7B3F2F3E3C2C602132262628"),
  peerChallenge: fromHex("21402324255E262A28295F2B3A337C7E"),
  name: utf8("User"),
  password: utf8("clientPass"),
};
const RESPONSE = fromHex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
const AUTHENTICATOR = "S=407A5589115FD0D6209F510FE9C04566932CDA56";

describe("MS-CHAPv2", () => {
  it("hashes, answers and proves itself as in the RFC's example", () => {
    expect(toHex(ntPasswordHash(EXAMPLE.password))).toBe("44ebba8d5312b8d611474411f56989ae");
    expect(toHex(md4(ntPasswordHash(EXAMPLE.password)))).toBe("41c00c584bd2d91c4017a2a12fa59f3f");
    expect(toHex(ntResponse(EXAMPLE))).toBe(toHex(RESPONSE));
    expect(authenticatorResponse(EXAMPLE, RESPONSE)).toBe(AUTHENTICATOR);
  });

  it("spreads keys as in the RFC's example, but for the parity that DES ignores", () => {
    const parityless = (hex: string): string => toHex(fromHex(hex).map((octet) => octet & 0xfe));
    expect(toHex(desKey(fromHex("FC156AF7EDCD6C")))).toBe(parityless("FD0B5B5E7F6E34D9"));
    expect(toHex(desKey(fromHex("0EDDE3337D427F")))).toBe(parityless("0E6E796737EA08FE"));
  });

  it("takes the user name without its domain", () => {
    expect(toHex(ntResponse({ ...EXAMPLE, name: utf8("BIGCO\\User") }))).toBe(toHex(RESPONSE));
    expect(withoutDomain(utf8("A\\B\\User"))).toEqual(utf8("User"));
    expect(withoutDomain(utf8("user@isp"))).toEqual(utf8("user@isp"));
  });

  it("hashes passwords beyond ASCII as UTF-16", () => {
    expect(ntPasswordHash(utf8("pä€"))).toEqual(md4(fromHex("7000e400ac20")));
  });

  it("believes the right response and no other", () => {
    const { challenge, peerChallenge, name, password } = EXAMPLE;
    const credentials = { challenge, peerChallenge, nameBytes: name, ntResponse: RESPONSE };
    expect(verifyMsChapV2(credentials, password)).toBe(AUTHENTICATOR);
    expect(verifyMsChapV2(credentials, utf8("clientpass"))).toBeUndefined();
    expect(verifyMsChapV2({ ...credentials, nameBytes: utf8("user") }, password)).toBeUndefined();
    expect(verifyMsChapV2({ ...credentials, challenge: peerChallenge }, password)).toBeUndefined();
    expect(verifyMsChapV2({ ...credentials, ntResponse: RESPONSE.subarray(1) }, password)).toBeUndefined();
  });
});
