/** Reads the AVPs behind the Message Type of a control message, and notes the first that cannot be put up with. */

import { accessLineField, decodeAccessLineValue, VENDOR_BROADBAND_FORUM } from "./l2tp-access-line.ts";
import {
  ATTRIBUTE_BY_TYPE,
  ATTRIBUTES,
  type Attribute,
  FIELD_BY_TYPE,
  type FieldName,
  MESSAGE_TYPE,
  RANDOM_VECTOR,
} from "./l2tp-attributes.ts";
import {
  AVP_HEADER_BYTES,
  avpIsHidden,
  avpIsMandatory,
  avpIsReserved,
  avpLength,
  avpType,
  avpVendorId,
} from "./l2tp-avp.ts";
import { GENERAL_ERROR } from "./l2tp-codes.ts";
import { revealValue } from "./l2tp-hiding.ts";
import type { RelayedAvp } from "./l2tp-messages.ts";

/**
 * Octets of a message that AVPs are kept of for a tunnel switch. No honest one has so many, and who sends 64 KB with
 * each call would make us hold on to them for as long as the call.
 */
const KEPT_BYTES = 4096;
const NO_BYTES = new Uint8Array(0);

/** How strictly a message is read, and what is kept of it. */
export interface ReadOptions {
  /** An unknown AVP with the M bit is ignored like one without it. */
  readonly ignoreUnknown?: boolean;
  /** Keep the AVPs of messages that a tunnel switch sends on (`avps`), those in the first 4,096 octets. */
  readonly keepAvps?: boolean;
}

/** Why a message cannot be accepted: an Error Code and a text. */
export interface Refusal {
  readonly error: number;
  readonly text: string;
}

/** The values of a message by the names of their fields. */
export type Fields = { [F in FieldName]?: unknown } & { accessLine?: unknown; avps?: readonly RelayedAvp[] };

/** One message's worth of reading. */
export class FieldReader {
  ignored = 0;
  refusal: Refusal | undefined;
  /** Also of a message that is refused: the answer names it. */
  assignedTunnelId: number | undefined;
  assignedSessionId: number | undefined;
  readonly #secret: Uint8Array | undefined;
  readonly #options: ReadOptions;
  readonly #message: Fields;
  /** The fields that the message may have; others are read and passed over. */
  readonly #allowed: ReadonlySet<FieldName>;
  readonly #carriesLine: boolean;
  readonly #kept: RelayedAvp[] | undefined;
  /** The AVP that is being read is in a copy of ours. */
  #isCopied = false;
  #randomVector: Uint8Array | undefined;
  #accessLine: Record<string, unknown> | undefined;

  constructor(
    message: Fields,
    allowed: ReadonlySet<FieldName>,
    carriesLine: boolean,
    isRelayed: boolean,
    secret: Uint8Array | undefined,
    options: ReadOptions,
  ) {
    this.#message = message;
    this.#allowed = allowed;
    this.#carriesLine = carriesLine;
    this.#kept = isRelayed && options.keepAvps === true ? [] : undefined;
    this.#secret = secret;
    this.#options = options;
  }

  /** Reads everything from `from` on; areAvps() has accepted the octets. */
  readAll(received: Uint8Array, from: number): void {
    // what we keep must not hold on to the datagram: one copy of all, where there is much to keep
    const copy = this.#kept === undefined ? NO_BYTES : received.slice(0, KEPT_BYTES);
    for (let at = from; at < received.length; at += avpLength(received, at)) {
      this.#isCopied = at + avpLength(received, at) <= copy.length;
      this.#read(this.#isCopied ? copy : received, at);
    }
    if (this.#accessLine !== undefined) this.#message.accessLine = this.#accessLine;
    if (this.#kept !== undefined) this.#message.avps = this.#kept;
  }

  #read(body: Uint8Array, at: number): void {
    const vendorId = avpVendorId(body, at);
    const type = avpType(body, at);
    const mandatory = avpIsMandatory(body, at);
    const raw = body.subarray(at + AVP_HEADER_BYTES, at + avpLength(body, at));
    if (avpIsReserved(body, at)) {
      this.#unknown(mandatory, nameOf(vendorId, type));
      return;
    }
    if (vendorId === 0 && type === RANDOM_VECTOR) {
      this.#randomVector = raw;
      return;
    }
    const hidden = avpIsHidden(body, at);
    if (hidden && !this.#isNeeded(vendorId, type)) {
      if (vendorId !== 0 || !FIELD_BY_TYPE.has(type)) this.#unknown(mandatory, nameOf(vendorId, type));
      return;
    }
    const value = hidden ? this.#reveal(type, raw) : raw;
    if (value !== undefined)
      this.#keep({ vendor: vendorId, type, mandatory, value, ...(hidden && { hidden }) });
    if (vendorId === 0) this.#readIetf(type, mandatory, value);
    else if (vendorId === VENDOR_BROADBAND_FORUM && this.#carriesLine) this.#readLine(type, mandatory, value);
    else this.#unknown(mandatory, nameOf(vendorId, type));
  }

  /** Anybody may send hidden AVPs, and to open them takes some thirty times as long as to pass over them. */
  #isNeeded(vendorId: number, type: number): boolean {
    if (this.#kept !== undefined) return true;
    if (vendorId !== 0) return vendorId === VENDOR_BROADBAND_FORUM && this.#carriesLine;
    const field = FIELD_BY_TYPE.get(type);
    return field !== undefined && this.#allowed.has(field) && this.#message[field] === undefined;
  }

  #readIetf(type: number, mandatory: boolean, value: Uint8Array | undefined): void {
    const attribute = ATTRIBUTE_BY_TYPE[type];
    const field = FIELD_BY_TYPE.get(type);
    if (attribute === undefined || field === undefined) {
      this.#unknown(mandatory, nameOf(0, type));
      return;
    }
    const allowed = this.#allowed.has(field);
    const before = allowed ? this.#message[field] : undefined;
    const repeated = attribute === ATTRIBUTES.connectSpeedUpdate;
    // the first of several counts
    if (before !== undefined && !repeated) return;
    const decoded = this.#decode(attribute, mandatory, value);
    if (decoded === undefined) return;
    if (field === "assignedTunnelId") this.assignedTunnelId ??= decoded as number;
    else if (field === "assignedSessionId") this.assignedSessionId ??= decoded as number;
    if (!allowed) return;
    if (!repeated) this.#message[field] = decoded;
    else if (before === undefined) this.#message[field] = [decoded];
    else (before as unknown[]).push(decoded);
  }

  #decode(attribute: Attribute<unknown>, mandatory: boolean, value: Uint8Array | undefined): unknown {
    if (value === undefined) {
      this.#pass(mandatory, GENERAL_ERROR.value, `hidden ${attribute.name} cannot be read`);
      return undefined;
    }
    if (value.length < attribute.minBytes || value.length > attribute.maxBytes) {
      this.#pass(mandatory, GENERAL_ERROR.length, `${attribute.name} of ${value.length} octets`);
      return undefined;
    }
    const decoded = attribute.decode(value);
    if (decoded === undefined) this.#pass(mandatory, GENERAL_ERROR.value, `${attribute.name} out of range`);
    return !this.#isCopied && decoded instanceof Uint8Array ? decoded.slice() : decoded;
  }

  #readLine(type: number, mandatory: boolean, value: Uint8Array | undefined): void {
    const field = accessLineField(type);
    if (field === undefined) {
      this.#unknown(mandatory, nameOf(VENDOR_BROADBAND_FORUM, type));
      return;
    }
    if (this.#accessLine?.[field] !== undefined) return;
    const decoded = value && decodeAccessLineValue(field, value);
    if (decoded === undefined) {
      this.#pass(mandatory, GENERAL_ERROR.value, `access line ${nameOf(VENDOR_BROADBAND_FORUM, type)}`);
      return;
    }
    this.#accessLine ??= {};
    this.#accessLine[field] = decoded;
  }

  #reveal(type: number, hidden: Uint8Array): Uint8Array | undefined {
    if (this.#secret === undefined || this.#randomVector === undefined) return undefined;
    return revealValue(type, hidden, this.#secret, this.#randomVector);
  }

  #keep(avp: RelayedAvp): void {
    if (this.#kept === undefined || !this.#isCopied) return;
    const { vendor, type } = avp;
    if (vendor === 0 && (type === MESSAGE_TYPE || type === ATTRIBUTES.assignedSessionId.type)) return;
    this.#kept.push(avp);
  }

  #unknown(mandatory: boolean, name: string): void {
    this.#pass(mandatory && this.#options.ignoreUnknown !== true, GENERAL_ERROR.unknownMandatoryAvp, name);
  }

  #pass(mandatory: boolean, error: number, text: string): void {
    if (mandatory) this.refusal ??= { error, text };
    else this.ignored += 1;
  }
}

function nameOf(vendorId: number, type: number): string {
  return vendorId === 0 ? `attribute ${type}` : `vendor ${vendorId} attribute ${type}`;
}
