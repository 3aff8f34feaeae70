import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { emitChap } from "../../src/wire/chap.ts";
import { emitLcp } from "../../src/wire/lcp.ts";
import { emitMsChapFailure, emitMsChapSuccess } from "../../src/wire/ms-chap.ts";
import { emitPap, parsePap } from "../../src/wire/pap.ts";
import { emitPpp, PPP_CHAP, PPP_IPCP, PPP_LCP, PPP_PAP } from "../../src/wire/ppp.ts";
import { blankPppSecrets } from "../../src/wire/ppp-secrets.ts";

const EAP = 0xc227;

/** The frame without its secrets, from the middle of other octets, which must stay. */
function blanked(frame: Uint8Array): Uint8Array {
  const around = concatBytes(Uint8Array.of(0xaa, 0xbb), frame, Uint8Array.of(0xcc));
  blankPppSecrets(around, 2, 2 + frame.length);
  expect([around[0], around[1], around.at(-1)]).toEqual([0xaa, 0xbb, 0xcc]);
  return around.slice(2, 2 + frame.length);
}

/** Whether `secret` is still somewhere in it. */
function shows(bytes: Uint8Array, secret: Uint8Array): boolean {
  return Buffer.from(bytes).includes(Buffer.from(secret));
}

/** Nothing that chance or a name would bring about. */
const secret = fc
  .uint8Array({ minLength: 8, maxLength: 60 })
  .map((octets) => octets.map((octet) => octet | 0x80));
const name = fc.string({ maxLength: 40 }).map(utf8);
const identifier = fc.nat(255);

describe("PPP frames without their secrets", () => {
  it("have no PAP password, and the name", () => {
    fc.assert(
      fc.property(identifier, name, secret, (id, peerId, password) => {
        const packet = emitPap({ kind: "authenticate-request", identifier: id, peerId, password });
        const kept = blanked(emitPpp(PPP_PAP, packet));
        expect(shows(kept, password)).toBe(false);
        expect(parsePap(kept.subarray(2))).toMatchObject({
          identifier: id,
          peerId,
          password: new Uint8Array(0),
        });
      }),
    );
  });

  it.each(["challenge", "response"] as const)("have no CHAP value in a %s, and the name", (kind) => {
    fc.assert(
      fc.property(identifier, name, secret, (id, who, value) => {
        const kept = blanked(emitPpp(PPP_CHAP, emitChap({ kind, identifier: id, value, name: who })));
        expect(shows(kept, value)).toBe(false);
        expect(kept.slice(kept.length - who.length)).toEqual(who);
      }),
    );
  });

  it("have no number of MS-CHAPv2 in Success and Failure, and the text", () => {
    const proof = `S=${"0123456789ABCDEF0123".repeat(2)}`;
    const success = emitMsChapSuccess(proof, "welcome");
    const failure = emitMsChapFailure(new Uint8Array(16).fill(0xab), "wrong password");
    for (const [kind, message] of [["success", success] as const, ["failure", failure] as const]) {
      const kept = blanked(emitPpp(PPP_CHAP, emitChap({ kind, identifier: 1, message })));
      expect(toHex(kept)).not.toMatch(/(?:4[1-6]|3[0-9]){16}/);
      expect(Buffer.from(kept).toString()).toMatch(/M=w/);
    }
  });

  it("have none in a packet that a Protocol-Reject gives back, however deep", () => {
    fc.assert(
      fc.property(secret, fc.integer({ min: 1, max: 4 }), (password, depth) => {
        const request = {
          kind: "authenticate-request",
          identifier: 1,
          peerId: utf8("bob"),
          password,
        } as const;
        let frame = emitPpp(PPP_PAP, emitPap(request));
        for (let i = 0; i < depth; i++) {
          const rejected = {
            rejectedProtocol: (frame[0]! << 8) | frame[1]!,
            rejectedInformation: frame.slice(2),
          };
          frame = emitPpp(PPP_LCP, emitLcp({ kind: "protocol-reject", identifier: i, ...rejected }));
        }
        expect(shows(blanked(frame), password)).toBe(false);
      }),
    );
  });

  it("have none in protocols that we do not know, nor in what is cut or padded", () => {
    fc.assert(
      fc.property(
        secret,
        fc.constantFrom(PPP_PAP, PPP_CHAP, EAP, 0xc025),
        fc.nat(255),
        (octets, protocol, code) => {
          for (const length of [0, 4, 5, 6, 1000]) {
            const header = Uint8Array.of(code, 1, length >> 8, length & 0xff);
            const frame = emitPpp(protocol, concatBytes(header, Uint8Array.of(200), octets));
            // texts of the server's are kept as far as they are part of the packet
            const isText = protocol !== EAP && protocol !== 0xc025 && code > 1 && code < 5 && length === 1000;
            if (!isText) expect(shows(blanked(frame), octets)).toBe(false);
          }
        },
      ),
    );
  });

  it("are as they were where there is no secret in them", () => {
    const frames = [
      emitPpp(PPP_LCP, emitLcp({ kind: "configure-request", identifier: 1, options: [] })),
      emitPpp(PPP_LCP, emitLcp({ kind: "terminate-request", identifier: 1, data: utf8("bye") })),
      emitPpp(PPP_IPCP, fromHex("0101000a0306 64400002")),
      emitPpp(PPP_PAP, emitPap({ kind: "authenticate-nak", identifier: 1, message: utf8("wrong") })),
      Uint8Array.of(0xff),
      new Uint8Array(0),
    ];
    for (const frame of frames) expect(blanked(frame)).toEqual(frame);
  });
});
