import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, utf8 } from "../../src/base/bytes.ts";
import { L2TP_CONTROL_HEADER_BYTES, writeControlHeader } from "../../src/wire/l2tp-control-header.ts";
import { emitMessage, type L2tpMessage, parseMessage } from "../../src/wire/l2tp-messages.ts";
import { blankL2tpSecrets } from "../../src/wire/l2tp-secrets.ts";

const HIDING = { secret: utf8("tunnel-secret"), randomVector: new Uint8Array(16).fill(9) };

function datagramOf(message: L2tpMessage, hidden = false): Uint8Array {
  const datagram = emitMessage(message, hidden ? HIDING : undefined, L2TP_CONTROL_HEADER_BYTES);
  writeControlHeader(datagram, 1, 2, 3, 4);
  return datagram;
}

function blanked(datagram: Uint8Array, cut = datagram.length): Uint8Array {
  const around = concatBytes(Uint8Array.of(0xaa), datagram.subarray(0, cut), Uint8Array.of(0xcc));
  blankL2tpSecrets(around, 1, 1 + cut);
  expect([around[0], around.at(-1)]).toEqual([0xaa, 0xcc]);
  return around.slice(1, 1 + cut);
}

function shows(bytes: Uint8Array, secret: Uint8Array): boolean {
  return Buffer.from(bytes).includes(Buffer.from(secret));
}

const secret = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((octets) => octets.map((octet) => octet | 0x80));

const CONTROL = { protocolVersion: 0x0100, framingCapabilities: 3, hostName: "lac", assignedTunnelId: 5 };

function messages(value: Uint8Array): readonly L2tpMessage[] {
  return [
    { kind: "SCCRQ", ...CONTROL, challenge: value },
    { kind: "SCCRP", ...CONTROL, challengeResponse: value },
    { kind: "SCCCN", challengeResponse: value },
    {
      kind: "ICCN",
      txConnectSpeed: 1,
      framingType: 1,
      proxyAuthenType: 3,
      proxyAuthenName: utf8("bob"),
      proxyAuthenChallenge: value,
      proxyAuthenResponse: value,
      avps: [{ vendor: 9, type: 1, mandatory: false, value }],
    },
  ];
}

describe("L2TP control messages without their secrets", () => {
  it("have no challenge, response, password or value of attributes that nobody knows", () => {
    fc.assert(
      fc.property(secret, fc.nat(3), (value, which) => {
        const message = messages(value)[which]!;
        const kept = blanked(datagramOf(message));
        expect(shows(kept, value)).toBe(false);
        const parsed = parseMessage(kept.subarray(L2TP_CONTROL_HEADER_BYTES));
        const { kind } = message;
        const rest =
          kind === "ICCN" ? { proxyAuthenName: utf8("bob") } : kind === "SCCCN" ? {} : { hostName: "lac" };
        expect(parsed).toMatchObject({ outcome: "message", message: { kind, ...rest } });
      }),
    );
  });

  it("have no hidden value", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 40 }), (callingNumber) => {
        const message = { kind: "ICRQ", assignedSessionId: 7, callSerialNumber: 8, callingNumber } as const;
        const open = datagramOf(message, true);
        const kept = blanked(open);
        const hiddenPart = open.slice(-10);
        expect(shows(kept, hiddenPart)).toBe(false);
        expect(kept.length).toBe(open.length);
      }),
    );
  });

  it("have none of it when they have been cut, wherever that was", () => {
    const value = new Uint8Array(16).fill(0xee);
    for (const message of messages(value)) {
      const datagram = datagramOf(message);
      for (let cut = L2TP_CONTROL_HEADER_BYTES; cut <= datagram.length; cut++)
        expect(shows(blanked(datagram, cut), Uint8Array.of(0xee, 0xee))).toBe(false);
    }
  });

  it("are as they were where there is no secret in them", () => {
    const cdn = {
      kind: "CDN",
      assignedSessionId: 1,
      resultCode: { result: 2, error: 4, message: "full" },
    } as const;
    for (const message of [cdn, { kind: "HELLO" } as const, { kind: "ICRP", assignedSessionId: 9 } as const])
      expect(blanked(datagramOf(message))).toEqual(datagramOf(message));
  });
});
