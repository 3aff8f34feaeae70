/**
 * Control messages of L2TPv2 as values (RFC 2661 §6): which attributes each must and may have, and what
 * follows from those that it should not have (§4.1, §7.1).
 */

import { fromUtf8, readU16, utf8 } from "../base/bytes.ts";
import { type AccessLineAvps, accessLineField, VENDOR_BROADBAND_FORUM } from "./l2tp-access-line.ts";
import {
  ATTRIBUTE_BY_TYPE,
  ATTRIBUTES,
  type Attribute,
  FIELD_BY_TYPE,
  type FieldName,
  type FieldValues,
  HOST_NAME,
  MESSAGE_TYPE,
  RANDOM_VECTOR,
} from "./l2tp-attributes.ts";
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
} from "./l2tp-avp.ts";
import { GENERAL_ERROR } from "./l2tp-codes.ts";
import { FieldReader, type Fields, type ReadOptions } from "./l2tp-message-reader.ts";
import { type Hiding, MessageWriter } from "./l2tp-message-writer.ts";

interface MessageSpec<Required extends FieldName, Optional extends FieldName> {
  readonly type: number;
  /** What ends when the message cannot be accepted. */
  readonly scope: "tunnel" | "session";
  readonly required: readonly Required[];
  readonly optional: readonly Optional[];
  /** The M bit of its Message Type: who does not know the message clears the tunnel (§4.4.1). */
  readonly mandatory: boolean;
}

function spec<const Required extends FieldName, const Optional extends FieldName>(
  type: number,
  scope: "tunnel" | "session",
  required: readonly Required[],
  optional: readonly Optional[],
  mandatory = true,
): MessageSpec<Required, Optional> {
  return { type, scope, required, optional, mandatory };
}

const CONTROL_OPTIONS = [
  "bearerCapabilities",
  "receiveWindowSize",
  "challenge",
  "firmwareRevision",
  "vendorName",
] as const;

/** The Host Name before all that may be hidden: receivers find the secret by it, some of them only as they go along. */
const CONTROL_REQUIRED = ["protocolVersion", "hostName", "framingCapabilities", "assignedTunnelId"] as const;

/** §3.2 and §6.1 to §6.14, in the order in which we send the attributes. */
export const MESSAGES = {
  SCCRQ: spec(1, "tunnel", CONTROL_REQUIRED, [...CONTROL_OPTIONS, "tieBreaker"]),
  SCCRP: spec(2, "tunnel", CONTROL_REQUIRED, [...CONTROL_OPTIONS, "challengeResponse"]),
  SCCCN: spec(3, "tunnel", [], ["challengeResponse"]),
  StopCCN: spec(4, "tunnel", ["assignedTunnelId", "resultCode"], []),
  HELLO: spec(6, "tunnel", [], []),
  OCRQ: spec(
    7,
    "session",
    ["assignedSessionId", "callSerialNumber", "minimumBps", "maximumBps", "bearerType", "framingType"],
    ["calledNumber", "subAddress"],
  ),
  OCRP: spec(8, "session", ["assignedSessionId"], ["physicalChannelId"]),
  OCCN: spec(9, "session", ["txConnectSpeed", "framingType"], ["rxConnectSpeed", "sequencingRequired"]),
  ICRQ: spec(
    10,
    "session",
    ["assignedSessionId", "callSerialNumber"],
    [
      "bearerType",
      "physicalChannelId",
      "callingNumber",
      "calledNumber",
      "subAddress",
      "connectSpeedUpdateEnable",
    ],
  ),
  ICRP: spec(11, "session", ["assignedSessionId"], []),
  ICCN: spec(
    12,
    "session",
    ["txConnectSpeed", "framingType"],
    [
      "initialReceivedLcp",
      "lastSentLcp",
      "lastReceivedLcp",
      "proxyAuthenType",
      "proxyAuthenName",
      "proxyAuthenChallenge",
      "proxyAuthenId",
      "proxyAuthenResponse",
      "privateGroupId",
      "rxConnectSpeed",
      "sequencingRequired",
    ],
  ),
  CDN: spec(14, "session", ["resultCode", "assignedSessionId"], ["q931CauseCode", "pppDisconnectCause"]),
  // §6.13 and §6.14 want the one attribute of each; what only informs does not end a call for the lack of it
  WEN: spec(15, "session", [], ["callErrors"]),
  SLI: spec(16, "session", [], ["accm"]),
  // RFC 5515 §4: about several sessions, whatever the header says, and nothing to end a tunnel for
  CSUN: spec(28, "tunnel", [], ["connectSpeedUpdate"], false),
  CSURQ: spec(29, "tunnel", [], ["connectSpeedUpdate"], false),
} as const;

/**
 * An AVP of ICRQ or ICCN as it was received, in the clear also if it was hidden: for a tunnel switch, which sends
 * it on. All of them are there but the Message Type, the Random Vector and what means nothing in another tunnel
 * (Assigned Session ID). When sent, those that the message has a value of its own for are not repeated.
 */
export interface RelayedAvp {
  /** 0: IETF. */
  readonly vendor: number;
  readonly type: number;
  readonly mandatory: boolean;
  readonly value: Uint8Array;
  /** It came hidden. Of no meaning when sent: a message is hidden as a whole. */
  readonly hidden?: boolean;
}

export type MessageKind = keyof typeof MESSAGES;

/** One kind of message as a plain value. */
export type MessageOf<K extends MessageKind> =
  (typeof MESSAGES)[K] extends MessageSpec<infer Required, infer Optional>
    ? { readonly kind: K } & Pick<FieldValues, Required> & Partial<Pick<FieldValues, Optional>> & Extras<K>
    : never;

/** What is not one field for one attribute. */
type Extras<K extends MessageKind> = K extends "ICRQ"
  ? { readonly accessLine?: AccessLineAvps } & Relayed
  : K extends "ICCN"
    ? Relayed
    : unknown;

/** For what is sent on from another tunnel. */
interface Relayed {
  readonly avps?: readonly RelayedAvp[];
  /** To be hidden, whatever the peer's policy is; never set in what was received. */
  readonly hide?: boolean;
}

export type L2tpMessage = { [K in MessageKind]: MessageOf<K> }[MessageKind];

/** What the body of a control message turned out to be. */
export type ParsedMessage =
  /** `ignoredAvps`: not recognised or malformed, without the M bit. */
  | { readonly outcome: "message"; readonly message: L2tpMessage; readonly ignoredAvps: number }
  /** Ends what the message is about, with result 2 and this error and text (§4.2, §7.1). */
  | {
      readonly outcome: "refused";
      readonly kind: MessageKind;
      readonly scope: "tunnel" | "session";
      readonly error: number;
      readonly text: string;
      readonly assignedTunnelId?: number;
      readonly assignedSessionId?: number;
    }
  /** Clears the tunnel if mandatory, else to be ignored (§4.4.1). */
  | { readonly outcome: "unknown-type"; readonly type: number; readonly mandatory: boolean }
  /** AVPs that do not add up, or no Message Type in front. */
  | { readonly outcome: "malformed"; readonly reason: string };

const KIND_BY_TYPE: ReadonlyMap<number, MessageKind> = new Map(
  (Object.keys(MESSAGES) as MessageKind[]).map((kind) => [MESSAGES[kind].type, kind]),
);

const FIELDS_OF: ReadonlyMap<MessageKind, ReadonlySet<FieldName>> = new Map(
  (Object.keys(MESSAGES) as MessageKind[]).map((kind) => [
    kind,
    new Set<FieldName>([...MESSAGES[kind].required, ...MESSAGES[kind].optional]),
  ]),
);
const NO_FIELDS: ReadonlySet<FieldName> = new Set();

/** Reads the body of a control message that is no ZLB. `secret` opens hidden AVPs. */
export function parseMessage(
  body: Uint8Array,
  secret?: Uint8Array,
  options: ReadOptions = {},
): ParsedMessage {
  if (!areAvps(body)) return { outcome: "malformed", reason: "AVP lengths do not add up" };
  if (body.length === 0) return { outcome: "malformed", reason: "no AVP" };
  const firstBytes = avpLength(body, 0);
  const valueBytes = firstBytes - AVP_HEADER_BYTES;
  if (
    avpVendorId(body, 0) !== 0 ||
    avpType(body, 0) !== MESSAGE_TYPE ||
    avpIsHidden(body, 0) ||
    valueBytes !== 2
  )
    return { outcome: "malformed", reason: "does not start with a Message Type" };
  const type = readU16(body, AVP_HEADER_BYTES);
  const kind = avpIsReserved(body, 0) ? undefined : KIND_BY_TYPE.get(type);
  if (kind === undefined) return { outcome: "unknown-type", type, mandatory: avpIsMandatory(body, 0) };

  const message: { readonly kind: MessageKind } & Fields = { kind };
  const isRelayed = kind === "ICRQ" || kind === "ICCN";
  const reader = new FieldReader(
    message,
    FIELDS_OF.get(kind) ?? NO_FIELDS,
    kind === "ICRQ",
    isRelayed,
    secret,
    options,
  );
  reader.readAll(body, firstBytes);
  const { required, scope } = MESSAGES[kind];
  let { refusal } = reader;
  for (const field of required) {
    if (message[field] === undefined)
      refusal ??= { error: GENERAL_ERROR.value, text: `${kind} without ${ATTRIBUTES[field].name}` };
  }
  if (refusal !== undefined) {
    const { assignedTunnelId, assignedSessionId } = reader;
    return {
      outcome: "refused",
      kind,
      scope,
      ...refusal,
      ...(assignedTunnelId !== undefined && { assignedTunnelId }),
      ...(assignedSessionId !== undefined && { assignedSessionId }),
    };
  }
  return { outcome: "message", message: message as L2tpMessage, ignoredAvps: reader.ignored };
}

/** The sender's Host Name, which is never hidden: it tells which secret opens the rest of an SCCRQ. */
export function peekHostName(body: Uint8Array): string | undefined {
  if (!areAvps(body)) return undefined;
  for (let at = 0; at < body.length; at += avpLength(body, at)) {
    if (avpVendorId(body, at) !== 0 || avpType(body, at) !== HOST_NAME) continue;
    if (avpIsHidden(body, at) || avpIsReserved(body, at)) continue;
    const value = body.subarray(at + AVP_HEADER_BYTES, at + avpLength(body, at));
    return value.length === 0 ? undefined : fromUtf8(value);
  }
  return undefined;
}

const writer = new MessageWriter();

/**
 * Octets, with the header, up to which AVPs of another tunnel are added: peers read no more (xl2tpd 4,096), and a
 * message that cannot be delivered ends the tunnel with all its sessions.
 */
const LONGEST_WITH_RELAYED = 4096;
/** For its header, a Random Vector before it, and what hiding adds. */
const ROOM_AROUND_A_VALUE = 64;

/**
 * Writes the body of a control message behind `headroom` free octets; with `hiding`, every value is hidden that
 * may be. An optional attribute that is too long for an AVP (a huge CONFREQ) is left out.
 */
export function emitMessage(message: L2tpMessage, hiding?: Hiding, headroom = 0): Uint8Array {
  const { type, required, optional, mandatory } = MESSAGES[message.kind];
  const values = message as Fields;
  writer.begin(headroom, type, mandatory, hiding);
  for (const field of required) emitField(field, values[field]);
  for (const field of optional) emitField(field, values[field]);
  if (message.kind === "ICRQ" && message.accessLine !== undefined) writer.accessLine(message.accessLine);
  if (values.avps !== undefined) emitRelayed(values.avps, values);
  return writer.finish();
}

function emitField(field: FieldName, value: unknown): void {
  if (value === undefined) return;
  const attribute = ATTRIBUTES[field] as Attribute<unknown>;
  if (Array.isArray(value)) for (const each of value) writer.attribute(attribute, each);
  else writer.attribute(attribute, value);
}

/** What another tunnel's message had, where this one has no value of its own for it and there is room. */
function emitRelayed(avps: readonly RelayedAvp[], values: Fields): void {
  for (const { vendor, type, mandatory, value } of avps) {
    if (writer.length + value.length + ROOM_AROUND_A_VALUE > LONGEST_WITH_RELAYED) continue;
    if (vendor === 0) {
      const field = FIELD_BY_TYPE.get(type);
      if (type === MESSAGE_TYPE || type === RANDOM_VECTOR || field === "assignedSessionId") continue;
      if (field !== undefined && values[field] !== undefined) continue;
    } else if (vendor === VENDOR_BROADBAND_FORUM) {
      const field = accessLineField(type);
      if (field !== undefined && (values.accessLine as AccessLineAvps | undefined)?.[field] !== undefined)
        continue;
    }
    const hideable = vendor !== 0 || (ATTRIBUTE_BY_TYPE[type]?.hideable ?? true);
    writer.octets(mandatory, hideable, vendor, type, value);
  }
}

/** Whether a text fits an attribute of ours. */
export function fitsAvp(text: string): boolean {
  return utf8(text).length <= AVP_VALUE_MAX_BYTES - 2;
}
