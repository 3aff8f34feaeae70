import { fromUtf8, readU16, readU32 } from "../base/bytes.ts";
import { accessLineField, decodeAccessLineValue, VENDOR_BROADBAND_FORUM } from "../wire/l2tp-access-line.ts";
import {
  ATTRIBUTE_BY_TYPE,
  ATTRIBUTES,
  MESSAGE_TYPE,
  RANDOM_VECTOR,
  type SpeedUpdate,
} from "../wire/l2tp-attributes.ts";
import { AVP_HEADER_BYTES, avpIsHidden, avpLength, avpType, avpVendorId } from "../wire/l2tp-avp.ts";
import {
  describeDisconnect,
  describeResult,
  type PppDisconnectCause,
  type ResultCode,
} from "../wire/l2tp-codes.ts";
import {
  controlBody,
  controlNr,
  controlNs,
  controlSessionId,
  controlTunnelId,
  notL2tpControl,
} from "../wire/l2tp-control-header.ts";
import { decodeLcpOptions } from "./decode-ppp.ts";
import { type Decoded, hex, octets, quoted, sizeOf } from "./decoded.ts";

/** By Message Type, of L2TPv2 and its extensions (RFC 2661 §3.2, RFC 3573, RFC 3817, RFC 4951, RFC 5515). */
const MESSAGE_NAMES: Readonly<Record<number, string>> = {
  1: "SCCRQ",
  2: "SCCRP",
  3: "SCCCN",
  4: "StopCCN",
  6: "HELLO",
  7: "OCRQ",
  8: "OCRP",
  9: "OCCN",
  10: "ICRQ",
  11: "ICRP",
  12: "ICCN",
  14: "CDN",
  15: "WEN",
  16: "SLI",
  17: "MDMST",
  18: "SRRQ",
  19: "SRRP",
  21: "FSQ",
  22: "FSR",
  28: "CSUN",
  29: "CSURQ",
};

const { resultCode, pppDisconnectCause } = ATTRIBUTES;

/** Attributes whose numbers are bits. */
const BITS: readonly number[] = [
  ATTRIBUTES.framingCapabilities.type,
  ATTRIBUTES.bearerCapabilities.type,
  ATTRIBUTES.framingType.type,
  ATTRIBUTES.bearerType.type,
];
const LCP_OPTIONS: readonly number[] = [
  ATTRIBUTES.initialReceivedLcp.type,
  ATTRIBUTES.lastSentLcp.type,
  ATTRIBUTES.lastReceivedLcp.type,
  ATTRIBUTES.lcpWantOptions.type,
  ATTRIBUTES.lcpAllowOptions.type,
  ATTRIBUTES.lnsLastSentLcp.type,
  ATTRIBUTES.lnsLastReceivedLcp.type,
];
const SECRETS: readonly number[] = [
  ATTRIBUTES.challenge.type,
  ATTRIBUTES.challengeResponse.type,
  ATTRIBUTES.proxyAuthenChallenge.type,
  ATTRIBUTES.proxyAuthenResponse.type,
];
const PROXY_AUTHEN_TYPES = ["", "textual exchange", "CHAP", "PAP", "none", "MS-CHAP"];

/** One AVP of a message. */
interface Found {
  readonly vendor: number;
  readonly type: number;
  readonly hidden: boolean;
  readonly value: Uint8Array;
}

/** Reads an L2TP control message, as it is or without its secrets; whatever it is, it never throws. */
export function decodeL2tp(datagram: Uint8Array): Decoded {
  const reason = notL2tpControl(datagram);
  if (reason !== undefined) return { name: "(no L2TP control message)", text: reason };
  const place = [`Ns ${controlNs(datagram)}, Nr ${controlNr(datagram)}`];
  const session = controlSessionId(datagram);
  if (session !== 0) place.unshift(`session ${session}`);
  if (controlTunnelId(datagram) !== 0) place.unshift(`tunnel ${controlTunnelId(datagram)}`);
  const where = `[${place.join(", ")}]`;
  const { avps, isWhole } = avpsOf(controlBody(datagram));
  const first = avps[0];
  if (first === undefined)
    return isWhole
      ? { name: "ZLB", text: where }
      : { name: "(malformed)", text: `${where} AVPs do not add up` };
  const type = messageTypeOf(first);
  if (type === undefined) return { name: "(malformed)", text: `${where} no Message Type in front` };
  const name = MESSAGE_NAMES[type] ?? `message type ${type}`;
  const isStop = name === "StopCCN";
  const result = resultOf(avps);
  const parts = avps.slice(1).map((avp) => describeAvp(avp, isStop));
  if (!isWhole) parts.push("and AVPs that do not add up");
  const text = parts.filter((part) => part !== "").join(", ");
  return {
    name,
    text: text === "" ? where : `${text} ${where}`,
    ...(result !== undefined && { result }),
  };
}

/** The AVPs up to the first that does not fit. */
function avpsOf(body: Uint8Array): { readonly avps: readonly Found[]; readonly isWhole: boolean } {
  const avps: Found[] = [];
  let at = 0;
  while (at + AVP_HEADER_BYTES <= body.length) {
    const length = avpLength(body, at);
    if (length < AVP_HEADER_BYTES || at + length > body.length) break;
    avps.push({
      vendor: avpVendorId(body, at),
      type: avpType(body, at),
      hidden: avpIsHidden(body, at),
      value: body.subarray(at + AVP_HEADER_BYTES, at + length),
    });
    at += length;
  }
  return { avps, isWhole: at === body.length };
}

function isIetf({ vendor, type, hidden }: Found, wanted: number): boolean {
  return vendor === 0 && type === wanted && !hidden;
}

function messageTypeOf(first: Found): number | undefined {
  return isIetf(first, MESSAGE_TYPE) && first.value.length === 2 ? readU16(first.value, 0) : undefined;
}

/** The Result Code with the PPP Disconnect Cause Code (RFC 3145) beside it. */
function resultOf(avps: readonly Found[]): ResultCode | undefined {
  const found = avps.find((avp) => isIetf(avp, resultCode.type));
  if (found === undefined || found.value.length < resultCode.minBytes) return undefined;
  const code = resultCode.decode(found.value);
  const disconnect = disconnectOf(avps);
  return code && { ...code, ...(disconnect !== undefined && { disconnect }) };
}

function disconnectOf(avps: readonly Found[]): PppDisconnectCause | undefined {
  const found = avps.find((avp) => isIetf(avp, pppDisconnectCause.type));
  return found !== undefined && found.value.length >= pppDisconnectCause.minBytes
    ? pppDisconnectCause.decode(found.value)
    : undefined;
}

function describeAvp(avp: Found, isStop: boolean): string {
  const { vendor, type, hidden, value } = avp;
  if (vendor === VENDOR_BROADBAND_FORUM) return describeLine(avp);
  if (vendor !== 0) return `AVP ${type} of vendor ${vendor}, ${sizeOf(value)}`;
  if (type === RANDOM_VECTOR) return "";
  const attribute = ATTRIBUTE_BY_TYPE[type];
  if (attribute === undefined) return `AVP ${type}, ${sizeOf(value)}`;
  const { name, minBytes, maxBytes } = attribute;
  if (hidden) return `${name} (hidden)`;
  if (SECRETS.includes(type)) return `${name} (not kept)`;
  if (value.length < minBytes || value.length > maxBytes) return `${name} of ${sizeOf(value)} (malformed)`;
  if (LCP_OPTIONS.includes(type)) return `${name} {${decodeLcpOptions(value)}}`;
  return `${name}${valueText(type, attribute.decode(value), value, isStop)}`;
}

function valueText(type: number, decoded: unknown, value: Uint8Array, isStop: boolean): string {
  switch (type) {
    case resultCode.type:
      return `: ${describeStop(isStop ? "StopCCN" : "CDN", decoded as ResultCode)}`;
    case pppDisconnectCause.type:
      return `: ${causeText(decoded as PppDisconnectCause)}`;
    case ATTRIBUTES.protocolVersion.type:
      return ` ${value[0]}.${value[1]}`;
    case ATTRIBUTES.proxyAuthenType.type:
      return ` ${PROXY_AUTHEN_TYPES[decoded as number] || String(decoded)}`;
    case ATTRIBUTES.proxyAuthenName.type:
      return ` ${quoted(value)}`;
    case ATTRIBUTES.q931CauseCode.type:
      return ` ${readU16(value, 0)} ${quoted(fromUtf8(value.subarray(3)))}`;
    case ATTRIBUTES.accm.type:
      return ` send ${hex(readU32(value, 2), 8)}, receive ${hex(readU32(value, 6), 8)}`;
    case ATTRIBUTES.callErrors.type:
      return ` ${[2, 6, 10, 14, 18, 22].map((at) => readU32(value, at)).join(", ")}`;
    case ATTRIBUTES.connectSpeedUpdate.type: {
      const { sessionId, txConnectSpeed, rxConnectSpeed } = decoded as SpeedUpdate;
      return ` session ${sessionId} Tx ${txConnectSpeed} bit/s Rx ${rxConnectSpeed} bit/s`;
    }
  }
  if (typeof decoded === "number") return ` ${BITS.includes(type) ? hex(decoded, 1) : decoded}`;
  if (typeof decoded === "string") return ` ${quoted(decoded)}`;
  if (decoded === true) return "";
  return decoded instanceof Uint8Array ? ` ${octets(decoded)}` : " (malformed)";
}

/** A Result Code in words. */
export function describeStop(name: string, { message, disconnect, ...code }: ResultCode): string {
  const text = `${describeResult(name === "StopCCN" ? "StopCCN" : "CDN", code)}${said(message)}`;
  return disconnect === undefined ? text : `${text}; ${causeText(disconnect)}`;
}

function causeText({ message, ...cause }: PppDisconnectCause): string {
  return `${describeDisconnect(cause)}${said(message)}`;
}

function said(message: string | undefined): string {
  return message === undefined || message === "" ? "" : `: ${quoted(message)}`;
}

/** What a LAC tells of the subscriber's line (RFC 5515 §5). */
function describeLine({ type, hidden, value }: Found): string {
  const field = accessLineField(type);
  if (field === undefined) return `AVP ${type} of vendor ${VENDOR_BROADBAND_FORUM}, ${sizeOf(value)}`;
  const name = words(field);
  if (hidden) return `${name} (hidden)`;
  const decoded = decodeAccessLineValue(field, value);
  if (typeof decoded === "string") return `${name} ${quoted(decoded)}`;
  if (typeof decoded === "object") return `${name} ${Object.values(decoded).join("/")}`;
  return decoded === undefined ? `${name} (malformed)` : `${name} ${decoded}`;
}

/** "agentCircuitId" as "Agent Circuit Id". */
function words(field: string): string {
  return field.charAt(0).toUpperCase() + field.slice(1).replaceAll(/[A-Z]/g, (letter) => ` ${letter}`);
}
