import { describe, expect, it } from "vitest";
import { LocalUsers } from "../../src/aaa/local-users.ts";
import { fromHex, utf8 } from "../../src/base/bytes.ts";
import { Secret } from "../../src/base/secret.ts";
import { chapMd5Response } from "../../src/ppp/chap.ts";
import { authenticatorResponse, ntResponse } from "../../src/ppp/ms-chap-v2.ts";

const alice = { name: "alice@isp.example", password: new Secret("swordfish"), address: "192.0.2.7" };
const users = new LocalUsers([alice, { name: "constructor", password: new Secret("x") }]);

const pap = (name: string, password: string) =>
  users.verify({ method: "pap", name, nameBytes: utf8(name), password: utf8(password) });

describe("a local user", () => {
  it("is let in by PAP with its password", () => {
    expect(pap("alice@isp.example", "swordfish")).toEqual({ ok: true, user: alice });
  });

  it.each(["", "swordfis", "swordfish1", "Swordfish"])("is not let in by PAP with %j", (password) => {
    expect(pap("alice@isp.example", password)).toEqual({ ok: false, reason: "wrong password" });
  });

  it("is let in by CHAP with the response to the challenge, and to no other", () => {
    const challenge = fromHex("00112233445566778899aabbccddeeff");
    const response = chapMd5Response(7, utf8("swordfish"), challenge);
    const { name } = alice;
    const nameBytes = utf8(name);
    const attempt = { method: "chap-md5", name, nameBytes, identifier: 7, challenge, response } as const;
    expect(users.verify(attempt)).toEqual({ ok: true, user: alice });
    const wrong = { ok: false, reason: "wrong password" };
    expect(users.verify({ ...attempt, identifier: 8 })).toEqual(wrong);
    expect(users.verify({ ...attempt, challenge: challenge.slice(1) })).toEqual(wrong);
    expect(users.verify({ ...attempt, response: response.slice(1) })).toEqual(wrong);
    expect(users.verify({ ...attempt, response: new Uint8Array(0) })).toEqual(wrong);
  });

  it.each(["alice@isp.example", "BIGCO\\alice@isp.example"])(
    "is let in by MS-CHAPv2 as %s, and shown that its password is known here",
    (name) => {
      const challenge = fromHex("00112233445566778899aabbccddeeff");
      const peerChallenge = fromHex("ffeeddccbbaa99887766554433221100");
      const exchange = { challenge, peerChallenge, name: utf8(name), password: utf8("swordfish") };
      const response = ntResponse(exchange);
      const attempt = {
        method: "ms-chap-v2",
        name,
        nameBytes: utf8(name),
        identifier: 7,
        challenge,
        peerChallenge,
        ntResponse: response,
      } as const;
      expect(users.verify(attempt)).toEqual({
        ok: true,
        user: alice,
        authenticatorResponse: authenticatorResponse(exchange, response),
      });
      const wrong = { ok: false, reason: "wrong password" };
      expect(users.verify({ ...attempt, challenge: peerChallenge })).toEqual(wrong);
      expect(users.verify({ ...attempt, ntResponse: response.toReversed() })).toEqual(wrong);
      expect(users.verify({ ...attempt, name: "bob" })).toEqual({ ok: false, reason: "unknown user" });
    },
  );

  it("has no domain before its name but with MS-CHAPv2", () => {
    expect(pap("BIGCO\\alice@isp.example", "swordfish")).toEqual({ ok: false, reason: "unknown user" });
  });

  it("is known by its whole name only", () => {
    for (const name of ["alice", "ALICE@isp.example", "toString", ""])
      expect(pap(name, "swordfish")).toEqual({ ok: false, reason: "unknown user" });
    // what stands in for an unknown user's password opens nothing
    expect(pap("bob", "nobody")).toEqual({ ok: false, reason: "unknown user" });
  });

  it("is not let in without authentication", () => {
    expect(users.verify({ method: "none" })).toEqual({ ok: false, reason: "no authentication" });
  });
});
