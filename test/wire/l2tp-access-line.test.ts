import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { type AccessLineAvps, accessLineFromPppoe } from "../../src/wire/l2tp-access-line.ts";
import { emitAvps } from "../../src/wire/l2tp-avp.ts";
import { emitMessage, parseMessage } from "../../src/wire/l2tp-messages.ts";

const ICRQ = { kind: "ICRQ", assignedSessionId: 7, callSerialNumber: 5 } as const;

/** ICRQ with AVPs of the Broadband Forum: number and value in hexadecimal. */
function icrq(mandatory: boolean, ...avps: readonly (readonly [number, string])[]): Uint8Array {
  const plain = { mandatory: true, hidden: false, vendorId: 0 };
  return emitAvps([
    { ...plain, type: 0, value: fromHex("000a") },
    { ...plain, type: 14, value: fromHex("0007") },
    { ...plain, type: 15, value: fromHex("00000005") },
    ...avps.map(([type, hex]) => ({
      mandatory,
      hidden: false,
      vendorId: 3561,
      type,
      value: fromHex(hex),
    })),
  ]);
}

function lineOf(...avps: readonly (readonly [number, string])[]): AccessLineAvps | undefined {
  const parsed = parseMessage(icrq(false, ...avps));
  if (parsed.outcome !== "message" || parsed.message.kind !== "ICRQ") throw new Error(parsed.outcome);
  return parsed.message.accessLine;
}

const rate = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const number = fc.integer({ min: 0, max: 0xffff_ffff });
const octet = fc.nat(255);
const id = fc.stringMatching(/^[ -~]{1,63}$/);
const line: fc.Arbitrary<AccessLineAvps> = fc.record(
  {
    agentCircuitId: id,
    agentRemoteId: id,
    actualDataRateUpstream: rate,
    actualDataRateDownstream: rate,
    minimumDataRateUpstream: rate,
    minimumDataRateDownstream: rate,
    attainableDataRateUpstream: rate,
    attainableDataRateDownstream: rate,
    maximumDataRateUpstream: rate,
    maximumDataRateDownstream: rate,
    minimumDataRateUpstreamLowPower: rate,
    minimumDataRateDownstreamLowPower: rate,
    maximumInterleavingDelayUpstream: number,
    actualInterleavingDelayUpstream: number,
    maximumInterleavingDelayDownstream: number,
    actualInterleavingDelayDownstream: number,
    accessLoopEncapsulation: fc.record({ dataLink: octet, encapsulation1: octet, encapsulation2: octet }),
    ancpAccessLineType: number,
    interworkingFunction: fc.boolean(),
  },
  { requiredKeys: ["agentCircuitId"] },
);

describe("the access line in ICRQ", () => {
  it("is written with the vendor's numbers, rates in 64 bits", () => {
    const accessLine = { agentCircuitId: "c", actualDataRateDownstream: 0x1_0000_0002 };
    const hex = toHex(emitMessage({ ...ICRQ, accessLine }));
    expect(hex).toContain("00070de9000163");
    expect(hex).toContain("000e0de900820000000100000002");
  });

  it("is the same after writing and reading, in the clear and hidden", () => {
    const secret = utf8("s");
    const hiding = { secret, randomVector: fromHex("01"), padding: fromHex("0f0307") };
    fc.assert(
      fc.property(line, fc.boolean(), (accessLine, hide) => {
        const body = emitMessage({ ...ICRQ, accessLine }, hide ? hiding : undefined);
        expect(parseMessage(body, secret)).toMatchObject({ message: { accessLine }, ignoredAvps: 0 });
      }),
    );
  });

  it.each([
    ["a rate of 32 bits", [129, "00000001"]],
    ["a rate that no number holds", [129, "0020000000000000"]],
    ["a delay of two octets", [139, "0001"]],
    ["an encapsulation of two octets", [144, "0001"]],
    ["an empty Circuit ID", [1, ""]],
    ["an unknown number", [99, "00"]],
  ] as const)("leaves out %s, and fails for it only with the M bit", (_, avp) => {
    expect(lineOf(avp)).toBeUndefined();
    expect(parseMessage(icrq(true, avp))).toMatchObject({ outcome: "refused", assignedSessionId: 7 });
  });

  it("is nothing in another message", () => {
    const body = emitAvps([
      { mandatory: true, hidden: false, vendorId: 0, type: 0, value: fromHex("000b") },
      { mandatory: true, hidden: false, vendorId: 0, type: 14, value: fromHex("0007") },
      { mandatory: false, hidden: false, vendorId: 3561, type: 1, value: utf8("x") },
    ]);
    expect(parseMessage(body)).toMatchObject({ message: { kind: "ICRP" }, ignoredAvps: 1 });
  });

  it("has the first of several", () => {
    expect(lineOf([1, "61"], [1, "62"])).toEqual({ agentCircuitId: "a" });
  });
});

describe("the access line of PPPoE", () => {
  it("becomes that of ICRQ, with rates in bit/s", () => {
    const subOptions = [
      { type: 1, value: utf8("eth 1/2:100") },
      { type: 2, value: utf8("alice") },
      { type: 0x81, value: fromHex("00009c40") },
      { type: 0x82, value: fromHex("ffffffff") },
      { type: 0x8c, value: fromHex("00000004") },
      { type: 0x90, value: fromHex("010203") },
      { type: 0xfe, value: new Uint8Array(0) },
    ];
    expect(accessLineFromPppoe(subOptions)).toEqual({
      agentCircuitId: "eth 1/2:100",
      agentRemoteId: "alice",
      actualDataRateUpstream: 40_000_000,
      actualDataRateDownstream: 4_294_967_295_000,
      actualInterleavingDelayUpstream: 4,
      accessLoopEncapsulation: { dataLink: 1, encapsulation1: 2, encapsulation2: 3 },
      interworkingFunction: true,
    });
  });

  it("leaves out what is unknown or of a wrong length, and takes the first of several", () => {
    const subOptions = [
      { type: 0x81, value: fromHex("0000000000009c40") },
      { type: 0x77, value: fromHex("01") },
      { type: 1, value: utf8("first") },
      { type: 1, value: utf8("second") },
    ];
    expect(accessLineFromPppoe(subOptions)).toEqual({ agentCircuitId: "first" });
  });
});
