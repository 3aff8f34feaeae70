import { createHash } from "node:crypto";
import { equalBytes, readU16 } from "../../../src/base/bytes.ts";
import { assignedAt, typeAt } from "../../../src/journal/control-fields.ts";
import { decodeL2tp } from "../../../src/journal/decode-l2tp.ts";
import {
  emitL2tp,
  isL2tpControl,
  l2tpNs,
  l2tpPayloadEnd,
  l2tpPayloadStart,
  l2tpSessionId,
  l2tpTunnelId,
  parseL2tp,
} from "../../../src/wire/l2tp.ts";
import {
  ACCESS_LINE_FIELDS,
  accessLineField,
  accessLineFromPppoe,
  accessLineType,
  decodeAccessLineValue,
  encodeAccessLineValue,
} from "../../../src/wire/l2tp-access-line.ts";
import {
  AVP_HEADER_BYTES,
  AVP_VALUE_MAX_BYTES,
  areAvps,
  avpIsHidden,
  avpIsMandatory,
  avpIsReserved,
  avpLength,
  avpType,
  avpVendorId,
  emitAvps,
  parseAvps,
} from "../../../src/wire/l2tp-avp.ts";
import {
  controlBody,
  controlNr,
  controlNs,
  controlSessionId,
  controlTunnelId,
  notL2tpControl,
} from "../../../src/wire/l2tp-control-header.ts";
import { challengeResponse, hideValue, revealValue } from "../../../src/wire/l2tp-hiding.ts";
import {
  emitMessage,
  fitsAvp,
  type L2tpMessage,
  parseMessage,
  peekHostName,
} from "../../../src/wire/l2tp-messages.ts";
import { blankL2tpSecrets } from "../../../src/wire/l2tp-secrets.ts";
import { md5 } from "../../../src/wire/md5.ts";
import { CAPTURED } from "../captures.ts";
import { avpMarks, samples } from "../sample.ts";
import { type CodecTarget, ensure } from "../target.ts";
import { codec } from "./codec.ts";

const SECRET = Uint8Array.from(Buffer.from("tunnel-secret"));
const octets = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** What our own peers say: kinds and attributes that no capture holds. */
const SPOKEN: readonly L2tpMessage[] = [
  {
    kind: "SCCRQ",
    protocolVersion: 0x0100,
    framingCapabilities: 3,
    bearerCapabilities: 3,
    tieBreaker: new Uint8Array(8),
    hostName: "lac.example",
    vendorName: "Somebody",
    assignedTunnelId: 500,
    receiveWindowSize: 128,
    challenge: new Uint8Array(16).fill(1),
  },
  {
    kind: "SCCRP",
    protocolVersion: 0x0100,
    framingCapabilities: 3,
    hostName: "lns.example",
    assignedTunnelId: 501,
    challengeResponse: new Uint8Array(16).fill(2),
  },
  { kind: "SCCCN" },
  { kind: "HELLO" },
  { kind: "ICRQ", assignedSessionId: 900, callSerialNumber: 7, callingNumber: "5551234", subAddress: "sub" },
  { kind: "ICRP", assignedSessionId: 901 },
  {
    kind: "ICCN",
    txConnectSpeed: 1_000_000,
    framingType: 1,
    initialReceivedLcp: octets(1, 4, 5, 0xd4),
    lastSentLcp: octets(3, 5, 0xc2, 0x23, 5),
    lastReceivedLcp: octets(5, 6, 1, 2, 3, 4),
    proxyAuthenType: 2,
    proxyAuthenName: octets(0x62, 0x6f, 0x62),
    proxyAuthenChallenge: new Uint8Array(16),
    proxyAuthenId: 5,
    proxyAuthenResponse: new Uint8Array(16),
  },
  { kind: "CDN", assignedSessionId: 901, resultCode: { result: 2, error: 4, message: "full" } },
  { kind: "StopCCN", assignedTunnelId: 501, resultCode: { result: 1 } },
  { kind: "WEN", callErrors: new Uint8Array(26) },
  { kind: "SLI", accm: new Uint8Array(10) },
];
const HIDING = { secret: SECRET, randomVector: new Uint8Array(16).fill(9) };

const BODIES = [
  ...CAPTURED.control,
  ...SPOKEN.map((message) => emitMessage(message)),
  ...SPOKEN.map((message) => emitMessage(message, HIDING)),
];

/** Datagrams of a peer: captured ones, and what our own peers say. */
export const CONTROL_DATAGRAMS: readonly Uint8Array[] = [
  ...CAPTURED.l2tp,
  ...BODIES.map((body, i) =>
    emitL2tp(
      {
        control: true,
        lengthBit: true,
        tunnelId: i % 3,
        sessionId: i % 2,
        priority: false,
        sequence: { ns: i % 4, nr: 0 },
      },
      body,
    ),
  ),
];

/** A type of RFC 5515 before a value of every length that one has. */
const LINES = samples(
  ACCESS_LINE_FIELDS.flatMap((field) =>
    [3, 4, 8, 20].map((length) => Uint8Array.of(accessLineType(field), ...new Uint8Array(length).fill(0x31))),
  ),
);

function checkAvps(input: Uint8Array): void {
  const avps = parseAvps(input);
  ensure(areAvps(input) === (avps !== undefined), "the two forms disagree");
  if (avps === undefined) return;
  let at = 0;
  for (const avp of avps) {
    ensure(
      avpLength(input, at) === AVP_HEADER_BYTES + avp.value.length &&
        avpIsMandatory(input, at) === avp.mandatory &&
        avpIsHidden(input, at) === avp.hidden &&
        avpIsReserved(input, at) === avp.reserved &&
        avpVendorId(input, at) === avp.vendorId &&
        avpType(input, at) === avp.type,
      "the two forms disagree",
    );
    at += avpLength(input, at);
  }
  ensure(at === input.length, "AVPs that do not fill their message");
  if (avps.every((avp) => !avp.reserved)) ensure(equalBytes(emitAvps(avps), input), "AVPs have changed");
}

function checkMessage(input: Uint8Array, secret?: Uint8Array): void {
  const parsed = parseMessage(input, secret);
  if (parsed.outcome !== "message") return;
  const emitted = emitMessage(parsed.message);
  const again = parseMessage(emitted, secret);
  // an attribute that was read may not fit when it is written: what is not UTF-8 grows to U+FFFD
  if (again.outcome === "message")
    ensure(equalBytes(emitMessage(again.message), emitted), "what was emitted is emitted differently");
  else
    ensure(
      again.outcome === "refused" && input.length > AVP_VALUE_MAX_BYTES / 3,
      "what was emitted is not parsed",
    );
}

export const L2TP_CODECS: readonly CodecTarget[] = [
  codec(
    "l2tp",
    [
      parseL2tp,
      emitL2tp,
      isL2tpControl,
      l2tpPayloadStart,
      l2tpPayloadEnd,
      l2tpTunnelId,
      l2tpSessionId,
      l2tpNs,
    ],
    samples(CONTROL_DATAGRAMS),
    (input) => {
      const start = l2tpPayloadStart(input, 0, input.length);
      const packet = parseL2tp(input);
      if (start < 0) {
        ensure(typeof packet === "string", "the two forms disagree");
        return;
      }
      const end = l2tpPayloadEnd(input, 0, input.length);
      ensure(start >= 6 && start <= end && end <= input.length, "a payload outside the datagram");
      if (typeof packet === "string") {
        ensure(packet === "bad-flags" && isL2tpControl(input, 0), "the two forms disagree");
        return;
      }
      const { header, payload } = packet;
      ensure(
        header.control === isL2tpControl(input, 0) && payload.length === end - start,
        "the two forms disagree",
      );
      ensure(
        header.tunnelId === l2tpTunnelId(input, 0) &&
          header.sessionId === l2tpSessionId(input, 0) &&
          (header.sequence?.ns ?? -1) === l2tpNs(input, 0),
        "the two forms disagree",
      );
      const emitted = emitL2tp(header, payload);
      const again = parseL2tp(emitted);
      if (typeof again === "string") throw new Error(`what was emitted is ${again}`);
      ensure(equalBytes(emitL2tp(again.header, again.payload), emitted), "emitted differently");
    },
  ),
  codec(
    "l2tp-control-header",
    [notL2tpControl, controlTunnelId, controlSessionId, controlNs, controlNr, controlBody],
    samples(CONTROL_DATAGRAMS),
    (input) => {
      const packet = parseL2tp(input);
      const isControl = typeof packet !== "string" && packet.header.control;
      ensure((notL2tpControl(input) === undefined) === isControl, "the two forms disagree");
      if (!isControl) return;
      const { header, payload } = packet;
      ensure(
        header.tunnelId === controlTunnelId(input) &&
          header.sessionId === controlSessionId(input) &&
          header.sequence?.ns === controlNs(input) &&
          header.sequence.nr === controlNr(input) &&
          equalBytes(payload, controlBody(input)),
        "the two forms disagree",
      );
    },
  ),
  codec(
    "l2tp-avp",
    [
      parseAvps,
      emitAvps,
      areAvps,
      avpLength,
      avpIsMandatory,
      avpIsHidden,
      avpIsReserved,
      avpVendorId,
      avpType,
    ],
    samples(BODIES, avpMarks(0)),
    checkAvps,
  ),
  codec(
    "l2tp-messages",
    [parseMessage, emitMessage, peekHostName, fitsAvp],
    samples(BODIES, avpMarks(0)),
    (input) => {
      checkMessage(input);
      const name = peekHostName(input);
      if (name !== undefined) fitsAvp(name);
    },
  ),
  codec("l2tp-hidden-messages", [parseMessage], samples(BODIES, avpMarks(0)), (input) =>
    checkMessage(input, SECRET),
  ),
  codec("l2tp-secrets", [blankL2tpSecrets], samples(CONTROL_DATAGRAMS), (input) => {
    const message = Uint8Array.from(input);
    blankL2tpSecrets(message, 0, message.length);
    for (const [i, octet] of message.entries()) ensure(octet === input[i] || octet === 0, "an octet changed");
    const { name } = decodeL2tp(input);
    ensure(decodeL2tp(message).name === name || name.startsWith("("), "another message");
    assignedAt(input, 0, input.length);
    typeAt(input, 0, input.length);
  }),
  codec("l2tp-hiding", [revealValue, hideValue, challengeResponse], samples(BODIES), (input) => {
    if (input.length < 3) return;
    const type = input[0]!;
    const vector = input.subarray(1, 1 + Math.min(16, input.length - 1));
    // every sixteen octets cost an MD5: mostly a few of them
    const hidden = input.subarray(0, type % 16 === 1 ? AVP_VALUE_MAX_BYTES : 34);
    const clear = revealValue(type, hidden, SECRET, vector);
    ensure(clear === undefined || clear.length <= hidden.length - 2, "more than was hidden");
    const value = hidden.subarray(0, hidden.length >> 1);
    const again = revealValue(type, hideValue(type, value, SECRET, vector), SECRET, vector);
    ensure(again !== undefined && equalBytes(again, value), "hidden and revealed, it has changed");
    if (readU16(input, 0) % 16 === 0) challengeResponse(2, SECRET, value);
  }),
  codec(
    "l2tp-access-line",
    [accessLineField, accessLineType, decodeAccessLineValue, encodeAccessLineValue, accessLineFromPppoe],
    LINES,
    (input) => {
      const type = input[0] ?? 0;
      const value = input.subarray(1);
      accessLineFromPppoe([{ type, value }]);
      const field = accessLineField(type);
      if (field === undefined) return;
      ensure(accessLineType(field) === type, "another type");
      const decoded = decodeAccessLineValue(field, value);
      if (decoded === undefined) return;
      const encoded = encodeAccessLineValue(field, decoded);
      const again = decodeAccessLineValue(field, encoded);
      ensure(again !== undefined, "what was encoded is not decoded");
      ensure(equalBytes(encodeAccessLineValue(field, again!), encoded), "encoded differently");
    },
  ),
  codec("md5", [md5], samples(BODIES), (input) => {
    const middle = input.length >> 1;
    const digest = md5(input.subarray(0, middle), input.subarray(middle));
    ensure(equalBytes(digest, createHash("md5").update(input).digest()), "another digest than the system's");
  }),
];
