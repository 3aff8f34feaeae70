import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fromHex, utf8 } from "../../src/base/bytes.ts";
import { chapMd5Response, verifyChapMd5 } from "../../src/ppp/chap.ts";
import { type ChapPacket, parseChap } from "../../src/wire/chap.ts";
import { PPP_CHAP, parsePpp } from "../../src/wire/ppp.ts";
import { readPcap } from "../support/pcap.ts";

/** Octets of Ethernet and PPPoE before the PPP frame. */
const HEADERS = 14 + 6;

function capturedChap(): ChapPacket[] {
  const file = readFileSync(new URL("../vectors/pppoe-chap.pcap", import.meta.url));
  return readPcap(file).flatMap((ethernet) => {
    const ppp = parsePpp(ethernet.subarray(HEADERS));
    const packet = ppp?.protocol === PPP_CHAP ? parseChap(ppp.information) : undefined;
    return packet === undefined ? [] : [packet];
  });
}

describe("CHAP with MD5", () => {
  it("agrees with Debian's pppd on the response to a challenge", () => {
    const [challenge, response] = capturedChap();
    if (challenge?.kind !== "challenge" || response?.kind !== "response") return expect.unreachable();
    if (!("value" in challenge) || !("value" in response)) return expect.unreachable();
    const { identifier, value } = challenge;
    expect(response.identifier).toBe(identifier);
    expect(chapMd5Response(identifier, utf8("wonder"), value)).toEqual(response.value);
  });

  it("believes the right response and no other", () => {
    const secret = utf8("wonder");
    const challenge = fromHex("000102030405060708090a0b0c0d0e0f");
    const response = chapMd5Response(1, secret, challenge);
    expect(verifyChapMd5(1, secret, challenge, response)).toBe(true);
    expect(verifyChapMd5(2, secret, challenge, response)).toBe(false);
    expect(verifyChapMd5(1, utf8("Wonder"), challenge, response)).toBe(false);
    expect(verifyChapMd5(1, secret, challenge.slice(1), response)).toBe(false);
    expect(verifyChapMd5(1, secret, challenge, response.slice(1))).toBe(false);
    expect(verifyChapMd5(1, secret, challenge, new Uint8Array(0))).toBe(false);
  });
});
