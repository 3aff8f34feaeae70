/**
 * Control messages of L2TPv2 as values (RFC 2661 §6): which attributes each must and may have, and what
 * follows from those that it should not have (§4.1, §7.1).
 */

import { fromUtf8, readU16, utf8, writeU16 } from "../base/bytes.ts";
import {
  ATTRIBUTES,
  type Attribute,
  FIELD_BY_TYPE,
  type FieldName,
  type FieldValues,
  HOST_NAME,
  MESSAGE_TYPE,
  RANDOM_VECTOR,
} from "./l2tp-attributes.ts";
import { AVP_VALUE_MAX_BYTES, type Avp, emitAvps, parseAvps } from "./l2tp-avp.ts";
import { GENERAL_ERROR } from "./l2tp-codes.ts";
import { hideValue, revealValue } from "./l2tp-hiding.ts";

interface MessageSpec<Required extends FieldName, Optional extends FieldName> {
  readonly type: number;
  /** What ends when the message cannot be accepted. */
  readonly scope: "tunnel" | "session";
  readonly required: readonly Required[];
  readonly optional: readonly Optional[];
}

function spec<const Required extends FieldName, const Optional extends FieldName>(
  type: number,
  scope: "tunnel" | "session",
  required: readonly Required[],
  optional: readonly Optional[],
): MessageSpec<Required, Optional> {
  return { type, scope, required, optional };
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
    ["bearerType", "physicalChannelId", "callingNumber", "calledNumber", "subAddress"],
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
  CDN: spec(14, "session", ["resultCode", "assignedSessionId"], ["q931CauseCode"]),
  // §6.13 and §6.14 want the one attribute of each; what only informs does not end a call for the lack of it
  WEN: spec(15, "session", [], ["callErrors"]),
  SLI: spec(16, "session", [], ["accm"]),
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
}

export type MessageKind = keyof typeof MESSAGES;

/** One kind of message as a plain value. */
export type MessageOf<K extends MessageKind> =
  (typeof MESSAGES)[K] extends MessageSpec<infer Required, infer Optional>
    ? { readonly kind: K } & Pick<FieldValues, Required> & Partial<Pick<FieldValues, Optional>>
    : never;

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

interface Refusal {
  readonly error: number;
  readonly text: string;
}

type Fields = { [F in FieldName]?: unknown };

/** Reads AVPs behind the Message Type one by one and remembers the first that cannot be put up with. */
class FieldReader {
  readonly fields: Fields = {};
  ignored = 0;
  refusal: Refusal | undefined;
  readonly #secret: Uint8Array | undefined;
  #randomVector: Uint8Array | undefined;

  constructor(secret: Uint8Array | undefined) {
    this.#secret = secret;
  }

  read(avp: Avp): void {
    if (avp.vendorId !== 0 || avp.reserved) {
      const vendor = avp.vendorId === 0 ? "" : `vendor ${avp.vendorId} `;
      this.#pass(avp, GENERAL_ERROR.unknownMandatoryAvp, `${vendor}attribute ${avp.type}`);
      return;
    }
    if (avp.type === RANDOM_VECTOR) {
      this.#randomVector = avp.value;
      return;
    }
    const field = FIELD_BY_TYPE.get(avp.type);
    if (field === undefined) {
      this.#pass(avp, GENERAL_ERROR.unknownMandatoryAvp, `attribute ${avp.type}`);
      return;
    }
    // the first of several counts
    if (field in this.fields) return;
    const attribute = ATTRIBUTES[field] as Attribute<unknown>;
    const value = avp.hidden ? this.#reveal(avp) : avp.value;
    if (value === undefined) {
      this.#pass(avp, GENERAL_ERROR.value, `hidden ${attribute.name} cannot be read`);
      return;
    }
    if (value.length < attribute.minBytes || value.length > attribute.maxBytes) {
      this.#pass(avp, GENERAL_ERROR.length, `${attribute.name} of ${value.length} octets`);
      return;
    }
    const decoded = attribute.decode(value);
    if (decoded === undefined) this.#pass(avp, GENERAL_ERROR.value, `${attribute.name} out of range`);
    else this.fields[field] = decoded;
  }

  #reveal(avp: Avp): Uint8Array | undefined {
    if (this.#secret === undefined || this.#randomVector === undefined) return undefined;
    return revealValue(avp.type, avp.value, this.#secret, this.#randomVector);
  }

  #pass(avp: Avp, error: number, text: string): void {
    if (avp.mandatory) this.refusal ??= { error, text };
    else this.ignored += 1;
  }
}

/** Reads the body of a control message that is no ZLB. `secret` opens hidden AVPs. */
export function parseMessage(body: Uint8Array, secret?: Uint8Array): ParsedMessage {
  const avps = parseAvps(body);
  if (avps === undefined) return { outcome: "malformed", reason: "AVP lengths do not add up" };
  const first = avps[0];
  if (first === undefined) return { outcome: "malformed", reason: "no AVP" };
  if (first.vendorId !== 0 || first.type !== MESSAGE_TYPE || first.hidden || first.value.length !== 2)
    return { outcome: "malformed", reason: "does not start with a Message Type" };
  const type = readU16(first.value, 0);
  const kind = first.reserved ? undefined : KIND_BY_TYPE.get(type);
  if (kind === undefined) return { outcome: "unknown-type", type, mandatory: first.mandatory };

  const reader = new FieldReader(secret);
  for (const avp of avps.slice(1)) reader.read(avp);
  const { required, optional, scope } = MESSAGES[kind];
  const message: { kind: MessageKind } & Fields = { kind };
  let refusal = reader.refusal;
  for (const field of required) {
    if (!(field in reader.fields))
      refusal ??= { error: GENERAL_ERROR.value, text: `${kind} without ${ATTRIBUTES[field].name}` };
    message[field] = reader.fields[field];
  }
  if (refusal !== undefined) {
    const { assignedTunnelId, assignedSessionId } = reader.fields;
    return {
      outcome: "refused",
      kind,
      scope,
      ...refusal,
      ...(typeof assignedTunnelId === "number" && { assignedTunnelId }),
      ...(typeof assignedSessionId === "number" && { assignedSessionId }),
    };
  }
  // attributes that are known but have no business in this message are passed over
  for (const field of optional) if (field in reader.fields) message[field] = reader.fields[field];
  return { outcome: "message", message: message as L2tpMessage, ignoredAvps: reader.ignored };
}

/** The sender's Host Name, which is never hidden: it tells which secret opens the rest of an SCCRQ. */
export function peekHostName(body: Uint8Array): string | undefined {
  const avp = parseAvps(body)?.find((each) => each.vendorId === 0 && each.type === HOST_NAME && !each.hidden);
  return avp === undefined || avp.value.length === 0 ? undefined : fromUtf8(avp.value);
}

/** What a sender that hides AVPs needs: the secret, and at least 16 random octets for each message. */
export interface Hiding {
  readonly secret: Uint8Array;
  readonly randomVector: Uint8Array;
}

/**
 * Writes the body of a control message; with `hiding`, every value is hidden that may be. An optional
 * attribute that is too long for an AVP (a huge CONFREQ) is left out: a part of it would be untrue.
 */
export function emitMessage(message: L2tpMessage, hiding?: Hiding): Uint8Array {
  const { type, required, optional } = MESSAGES[message.kind];
  const typeValue = new Uint8Array(2);
  writeU16(typeValue, 0, type);
  const avps: Omit<Avp, "reserved">[] = [
    { mandatory: true, hidden: false, vendorId: 0, type: MESSAGE_TYPE, value: typeValue },
  ];
  const values = message as Fields;
  for (const field of [...required, ...optional] as readonly FieldName[]) {
    if (values[field] === undefined) continue;
    const attribute = ATTRIBUTES[field] as Attribute<unknown>;
    const clear = attribute.encode(values[field]);
    const hidden = hiding !== undefined && attribute.hideable;
    if (clear.length + (hidden ? 2 : 0) > AVP_VALUE_MAX_BYTES) continue;
    const value = hidden ? hideValue(attribute.type, clear, hiding.secret, hiding.randomVector) : clear;
    avps.push({ mandatory: attribute.mandatory, hidden, vendorId: 0, type: attribute.type, value });
  }
  if (hiding !== undefined && avps.some((avp) => avp.hidden)) {
    const vector = { mandatory: true, hidden: false, vendorId: 0, type: RANDOM_VECTOR };
    avps.splice(1, 0, { ...vector, value: hiding.randomVector });
  }
  return emitAvps(avps);
}

/** Whether a text fits an attribute of ours. */
export function fitsAvp(text: string): boolean {
  return utf8(text).length <= AVP_VALUE_MAX_BYTES - 2;
}
