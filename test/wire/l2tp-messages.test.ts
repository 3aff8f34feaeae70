import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { emitL2tp, parseL2tp } from "../../src/wire/l2tp.ts";
import { emitAvps } from "../../src/wire/l2tp-avp.ts";
import { describeResult } from "../../src/wire/l2tp-codes.ts";
import { emitMessage, type L2tpMessage, parseMessage, peekHostName } from "../../src/wire/l2tp-messages.ts";

interface Row {
  readonly name: string;
  readonly datagram: string;
  readonly tunnelId: number;
  readonly sessionId: number;
  readonly ns: number;
  readonly nr: number;
  readonly message: L2tpMessage;
  readonly emitsTheSame: boolean;
}

/** Octets stand in JSON as "hex:…". */
function revive(_: string, value: unknown): unknown {
  return typeof value === "string" && value.startsWith("hex:") ? fromHex(value.slice(4)) : value;
}

const { rows }: { rows: readonly Row[] } = JSON.parse(
  readFileSync(new URL("../vectors/l2tp-messages.json", import.meta.url), "utf8"),
  revive,
);

const secret = utf8("tunnel-secret");
const randomVector = fromHex("000102030405060708090a0b0c0d0e0f");

/** The body of a message from raw AVPs: M bit, vendor, type, value in hexadecimal. */
type RawAvp = readonly [mandatory: boolean, vendorId: number, type: number, hex: string];
function body(...avps: readonly RawAvp[]): Uint8Array {
  return emitAvps(
    avps.map(([mandatory, vendorId, type, value]) => ({
      mandatory,
      hidden: false,
      vendorId,
      type,
      value: fromHex(value),
    })),
  );
}

const ICCN = { kind: "ICCN", txConnectSpeed: 1, framingType: 1 } as const;
const ICRP = [true, 0, 0, "000b"] as const;
const ID = [true, 0, 14, "0007"] as const;

describe("control messages on the wire", () => {
  it.each(rows)("$name", ({ datagram, tunnelId, sessionId, ns, nr, message, emitsTheSame }) => {
    const packet = parseL2tp(fromHex(datagram));
    if (typeof packet === "string") throw new Error(packet);
    expect(packet.header).toMatchObject({ control: true, tunnelId, sessionId, sequence: { ns, nr } });
    expect(parseMessage(packet.payload)).toEqual({ outcome: "message", message, ignoredAvps: 0 });
    const again = emitL2tp(packet.header, emitMessage(message));
    if (emitsTheSame) expect(toHex(again)).toBe(datagram);
    // another order, or a Random Vector that nothing needs: the value is what counts
    else expect(parseMessage(emitMessage(message))).toMatchObject({ message });
  });
});

const octets = (minLength = 0) => fc.uint8Array({ minLength, maxLength: 300 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const text = fc.string({ maxLength: 100 }).filter((each) => !each.startsWith("\ufeff"));

const iccn: fc.Arbitrary<L2tpMessage> = fc.record(
  {
    kind: fc.constant("ICCN" as const),
    txConnectSpeed: u32,
    framingType: u32,
    initialReceivedLcp: octets(),
    lastSentLcp: octets(),
    lastReceivedLcp: octets(),
    proxyAuthenType: u16,
    proxyAuthenName: octets(),
    proxyAuthenChallenge: octets(1),
    proxyAuthenId: u16,
    proxyAuthenResponse: octets(),
    privateGroupId: text,
    rxConnectSpeed: u32,
    sequencingRequired: fc.constant(true as const),
  },
  { requiredKeys: ["kind", "txConnectSpeed", "framingType"] },
);

const icrq: fc.Arbitrary<L2tpMessage> = fc.record(
  {
    kind: fc.constant("ICRQ" as const),
    assignedSessionId: u16,
    callSerialNumber: u32,
    bearerType: u32,
    physicalChannelId: u32,
    callingNumber: text,
    calledNumber: text,
    subAddress: text,
  },
  { requiredKeys: ["kind", "assignedSessionId", "callSerialNumber"] },
);

const cdn: fc.Arbitrary<L2tpMessage> = fc.record({
  kind: fc.constant("CDN" as const),
  assignedSessionId: u16,
  resultCode: fc.oneof(
    fc.record({ result: u16 }),
    fc.record({ result: u16, error: u16 }),
    fc.record({ result: u16, error: u16, message: text.filter((each) => each !== "") }),
  ),
});

const csun: fc.Arbitrary<L2tpMessage> = fc.record({
  kind: fc.constantFrom("CSUN" as const, "CSURQ" as const),
  connectSpeedUpdate: fc.array(fc.record({ sessionId: u16, txConnectSpeed: u32, rxConnectSpeed: u32 }), {
    minLength: 1,
    maxLength: 5,
  }),
});

describe("control messages as values", () => {
  it("are the same after writing and reading, in the clear and hidden", () => {
    fc.assert(
      fc.property(fc.oneof(iccn, icrq, cdn, csun), fc.boolean(), octets(), (message, hide, padding) => {
        const bytes = emitMessage(message, hide ? { secret, randomVector, padding } : undefined);
        expect(parseMessage(bytes, secret)).toEqual({ outcome: "message", message, ignoredAvps: 0 });
      }),
    );
  });

  it("hide how long a value is, within fifteen octets", () => {
    const message: L2tpMessage = { ...ICCN, proxyAuthenResponse: utf8("horse") };
    const lengths = new Set<number>();
    for (let i = 0; i < 256; i++) {
      const padding = Uint8Array.from({ length: 32 }, (_, k) => i + 7 * k);
      lengths.add(emitMessage(message, { secret, randomVector, padding }).length);
    }
    const plain = emitMessage(message, { secret, randomVector }).length;
    expect(lengths.size).toBeGreaterThan(5);
    // three hidden values
    for (const length of lengths) expect(length - plain).toBeLessThanOrEqual(45);
  });

  it("of which a cause code in CDN is one, and options of the LNS in none are passed over", () => {
    const cdnOf = (...avps: readonly RawAvp[]) =>
      parseMessage(body([true, 0, 0, "000e"], [true, 0, 1, "0003"], ID, ...avps));
    expect(cdnOf([false, 0, 46, "0003c02101627965"])).toMatchObject({
      message: {
        pppDisconnectCause: { code: 3, protocol: 0xc021, direction: 1, message: "bye" },
      },
    });
    expect(cdnOf([false, 0, 46, "0003c021"])).toMatchObject({ outcome: "message", ignoredAvps: 1 });
    for (const type of [49, 50, 51, 52])
      expect(cdnOf([true, 0, type, "0104"])).toMatchObject({ outcome: "message", ignoredAvps: 0 });
  });

  it("of which only RFC 5515's have a Message Type without the M bit", () => {
    expect(toHex(emitMessage({ kind: "CSUN" }))).toBe("000800000000001c");
    expect(toHex(emitMessage({ kind: "HELLO" }))).toBe("8008000000000006");
  });

  it("leave room in front of them", () => {
    const plain = emitMessage({ kind: "HELLO" });
    const behind = emitMessage({ kind: "HELLO" }, undefined, 12);
    expect(behind.subarray(12)).toEqual(plain);
    expect(behind).toHaveLength(12 + plain.length);
  });

  it("show nothing of a hidden password", () => {
    const message: L2tpMessage = {
      kind: "ICCN",
      txConnectSpeed: 1,
      framingType: 1,
      proxyAuthenResponse: utf8("correct horse"),
    };
    const hidden = emitMessage(message, { secret, randomVector });
    expect(toHex(hidden)).not.toContain(toHex(utf8("correct")));
    expect(parseMessage(hidden, secret)).toMatchObject({ message });
    // the Tx Connect Speed has the M bit, so who cannot read it cannot go on
    expect(parseMessage(hidden)).toMatchObject({ outcome: "refused", kind: "ICCN", scope: "session" });
  });

  it("never hide what must not be, nor ids, which a refusal needs", () => {
    const greeting = { protocolVersion: 256, framingCapabilities: 3, hostName: "lac", assignedTunnelId: 9 };
    const hidden = emitMessage({ kind: "SCCRQ", ...greeting, vendorName: "V" }, { secret, randomVector });
    expect(peekHostName(hidden)).toBe("lac");
    expect(parseMessage(hidden)).toMatchObject({ outcome: "refused", assignedTunnelId: 9 });
  });

  it("leave out an optional attribute that does not fit an AVP", () => {
    const message: L2tpMessage = { kind: "ICCN", txConnectSpeed: 1, framingType: 1 };
    const long = { ...message, lastSentLcp: new Uint8Array(1018) };
    expect(parseMessage(emitMessage(long))).toMatchObject({ message });
    const edge = { ...message, lastSentLcp: new Uint8Array(1016) };
    expect(parseMessage(emitMessage(edge))).toMatchObject({ message: edge });
    expect(parseMessage(emitMessage(edge, { secret, randomVector }), secret)).toMatchObject({ message });
  });

  it("never throw, whatever they are read from", () => {
    const front = fc.constantFrom(...rows.map((row) => fromHex(row.datagram).subarray(12)));
    fc.assert(
      fc.property(front, fc.nat({ max: 200 }), octets(), fc.boolean(), (good, cut, junk, withSecret) => {
        const bytes = concatBytes(good.subarray(0, cut), junk);
        const parsed = parseMessage(bytes, withSecret ? secret : undefined);
        if (parsed.outcome === "message")
          expect(parseMessage(emitMessage(parsed.message))).toMatchObject({ outcome: "message" });
        peekHostName(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("an AVP that is not recognised", () => {
  const known = { outcome: "message", message: { kind: "ICRP", assignedSessionId: 7 } };

  it.each([
    ["of a vendor", [false, 3561, 1, "ff"]],
    ["of the IETF", [false, 0, 4711, "ff"]],
    ["that is malformed", [false, 0, 38, "0000"]],
  ] as const)("without the M bit is ignored: one %s", (_, avp) => {
    expect(parseMessage(body(ICRP, avp, ID))).toEqual({ ...known, ignoredAvps: 1 });
  });

  it.each([
    ["of a vendor", [true, 3561, 1, "ff"], 8, "vendor 3561 attribute 1"],
    ["of the IETF", [true, 0, 4711, "ff"], 8, "attribute 4711"],
    ["of a wrong length", [true, 0, 24, "0000"], 2, "(Tx) Connect Speed of 2 octets"],
    ["out of range", [true, 0, 10, "0000"], 3, "Receive Window Size out of range"],
  ] as const)("with the M bit refuses the message: one %s", (_, avp, error, text) => {
    expect(parseMessage(body(ICRP, avp, ID))).toEqual({
      outcome: "refused",
      kind: "ICRP",
      scope: "session",
      error,
      text,
      assignedSessionId: 7,
    });
  });

  it("with the M bit is ignored, too, where the policy says so: not so one that is known and malformed", () => {
    const lenient = { ignoreUnknown: true };
    const unknown = body(ICRP, [true, 3561, 1, "ff"], [true, 0, 4711, "ff"], ID);
    expect(parseMessage(unknown, undefined, lenient)).toEqual({ ...known, ignoredAvps: 2 });
    const malformed = body(ICRP, [true, 0, 24, "0000"], ID);
    expect(parseMessage(malformed, undefined, lenient)).toMatchObject({ outcome: "refused", error: 2 });
  });

  it("is one with a reserved bit", () => {
    const bytes = body(ICRP, ID);
    bytes[8]! |= 0x04;
    expect(parseMessage(bytes)).toMatchObject({ outcome: "refused", error: 8 });
  });

  it("is one with a reserved bit also where a Host Name is looked for", () => {
    const bytes = body([true, 0, 0, "0001"], [false, 0, 7, "61"], [true, 0, 7, "62"]);
    bytes[8]! |= 0x04;
    expect(peekHostName(bytes)).toBe("b");
  });

  it("is not one that belongs to another message", () => {
    expect(parseMessage(body(ICRP, ID, [true, 0, 21, "31"]))).toEqual({ ...known, ignoredAvps: 0 });
  });
});

describe("a message is judged as a whole", () => {
  it("by what it must have", () => {
    expect(parseMessage(body([true, 0, 0, "000a"], ID))).toMatchObject({
      outcome: "refused",
      kind: "ICRQ",
      text: "ICRQ without Call Serial Number",
      assignedSessionId: 7,
    });
  });

  it("by the first of equal attributes", () => {
    expect(parseMessage(body(ICRP, ID, [true, 0, 14, "0008"]))).toMatchObject({
      message: { assignedSessionId: 7 },
    });
  });

  it("by its type, if that is unknown", () => {
    expect(parseMessage(body([true, 0, 0, "0063"]))).toEqual({
      outcome: "unknown-type",
      type: 99,
      mandatory: true,
    });
    expect(parseMessage(body([false, 0, 0, "0005"]))).toMatchObject({
      outcome: "unknown-type",
      mandatory: false,
    });
  });

  it.each([
    ["nothing", ""],
    ["AVPs that do not add up", "8008 0000 0000 000b 8009"],
    ["another attribute in front", "8008 0000 000e 0007"],
    ["a Message Type of one octet", "8007 0000 0000 01"],
    ["a Message Type of a vendor", "8008 0001 0000 0001"],
    ["a hidden Message Type", "c008 0000 0000 0001"],
  ])("and malformed when it has %s", (_, hex) => {
    expect(parseMessage(fromHex(hex))).toMatchObject({ outcome: "malformed" });
  });

  it("with each hidden value opened by the Random Vector before it", () => {
    const first = emitMessage(
      { kind: "ICRQ", assignedSessionId: 7, callSerialNumber: 5 },
      { secret, randomVector },
    );
    const other = fromHex("ffee");
    const second = emitMessage(
      { kind: "ICCN", txConnectSpeed: 1, framingType: 1 },
      { secret, randomVector: other },
    );
    // behind its Message Type (8 octets): Random Vector (8), then two hidden values
    const parsed = parseMessage(concatBytes(first, second.subarray(8)), secret);
    expect(parsed).toEqual({
      outcome: "message",
      message: { kind: "ICRQ", assignedSessionId: 7, callSerialNumber: 5 },
      ignoredAvps: 0,
    });
  });
});

describe("disconnect causes", () => {
  it.each([
    [
      { code: 3, protocol: 0xc021, direction: 1, message: "bye" },
      'PPP disconnect cause 3 (normal disconnection by LCP Terminate-Request), protocol 0xc021, at the peer: "bye"',
    ],
    [{ code: 99, protocol: 0, direction: 0 }, "PPP disconnect cause 99"],
  ])("%j have a text", (disconnect, text) => {
    expect(describeResult("CDN", { result: 1, disconnect })).toBe(
      `result 1 (call disconnected due to loss of carrier); ${text}`,
    );
  });
});

describe("result codes", () => {
  it.each([
    ["StopCCN", { result: 4 }, "result 4 (requester is not authorized to establish a control channel)"],
    [
      "StopCCN",
      { result: 5, error: 256 },
      "result 5 (the protocol version of the requester is not supported), highest version 0x0100",
    ],
    [
      "CDN",
      { result: 2, error: 7, message: "full" },
      'result 2 (call disconnected for the reason indicated in error code), error 7 (try another): "full"',
    ],
    ["CDN", { result: 77, error: 0 }, "result 77 (unknown)"],
  ] as const)("of %s %j have a text", (message, code, line) => {
    expect(describeResult(message, code)).toBe(line);
  });

  it("keep an Error Message short", () => {
    const message: L2tpMessage = {
      kind: "CDN",
      assignedSessionId: 1,
      resultCode: { result: 2, error: 6, message: "é".repeat(5000) },
    };
    expect(parseMessage(emitMessage(message))).toMatchObject({
      message: { resultCode: { message: "é".repeat(100) } },
    });
  });
});
