/**
 * What a LAC knows of the subscriber's access line, as AVPs of the Broadband Forum in ICRQ (RFC 5515 §5). The
 * numbers are those of the PPPoE sub-options that the values come from (TR-101 appendix A, RFC 4679); only the
 * data rates differ: kbit/s in 32 bits there, bit/s in 64 bits here.
 */

import { fromUtf8, readU32, utf8Within, writeU32 } from "../base/bytes.ts";

/** The Vendor ID of these AVPs. */
export const VENDOR_BROADBAND_FORUM = 3561;

/** Data rates are in bit/s, delays in milliseconds. */
export interface AccessLineAvps {
  readonly agentCircuitId?: string;
  readonly agentRemoteId?: string;
  readonly actualDataRateUpstream?: number;
  readonly actualDataRateDownstream?: number;
  readonly minimumDataRateUpstream?: number;
  readonly minimumDataRateDownstream?: number;
  readonly attainableDataRateUpstream?: number;
  readonly attainableDataRateDownstream?: number;
  readonly maximumDataRateUpstream?: number;
  readonly maximumDataRateDownstream?: number;
  readonly minimumDataRateUpstreamLowPower?: number;
  readonly minimumDataRateDownstreamLowPower?: number;
  readonly maximumInterleavingDelayUpstream?: number;
  readonly actualInterleavingDelayUpstream?: number;
  readonly maximumInterleavingDelayDownstream?: number;
  readonly actualInterleavingDelayDownstream?: number;
  readonly accessLoopEncapsulation?: {
    readonly dataLink: number;
    readonly encapsulation1: number;
    readonly encapsulation2: number;
  };
  /** The DSL or PON type as ANCP numbers it. */
  readonly ancpAccessLineType?: number;
  /** The access node interworks between PPPoA and PPPoE. */
  readonly interworkingFunction?: boolean;
}

export type AccessLineField = keyof AccessLineAvps;
type AccessLineValue = NonNullable<AccessLineAvps[AccessLineField]>;

type ValueKind = "text" | "rate" | "number" | "encapsulation" | "flag";

/** Every field with its number and form. */
const FIELDS: Readonly<Record<AccessLineField, readonly [type: number, kind: ValueKind]>> = {
  agentCircuitId: [1, "text"],
  agentRemoteId: [2, "text"],
  actualDataRateUpstream: [129, "rate"],
  actualDataRateDownstream: [130, "rate"],
  minimumDataRateUpstream: [131, "rate"],
  minimumDataRateDownstream: [132, "rate"],
  attainableDataRateUpstream: [133, "rate"],
  attainableDataRateDownstream: [134, "rate"],
  maximumDataRateUpstream: [135, "rate"],
  maximumDataRateDownstream: [136, "rate"],
  minimumDataRateUpstreamLowPower: [137, "rate"],
  minimumDataRateDownstreamLowPower: [138, "rate"],
  maximumInterleavingDelayUpstream: [139, "number"],
  actualInterleavingDelayUpstream: [140, "number"],
  maximumInterleavingDelayDownstream: [141, "number"],
  actualInterleavingDelayDownstream: [142, "number"],
  accessLoopEncapsulation: [144, "encapsulation"],
  ancpAccessLineType: [145, "number"],
  interworkingFunction: [254, "flag"],
};

export const ACCESS_LINE_FIELDS = Object.keys(FIELDS) as readonly AccessLineField[];

const FIELD_BY_TYPE: ReadonlyMap<number, AccessLineField> = new Map(
  ACCESS_LINE_FIELDS.map((field) => [FIELDS[field][0], field]),
);

/** Octets of an Agent Circuit ID or Remote ID (RFC 5515 §5.1, §5.2). */
const LONGEST_ID = 63;

/** The field that an AVP of the Broadband Forum fills. */
export function accessLineField(type: number): AccessLineField | undefined {
  return FIELD_BY_TYPE.get(type);
}

export function accessLineType(field: AccessLineField): number {
  return FIELDS[field][0];
}

/** The value of an AVP; undefined when its length is wrong or a rate is beyond 2⁵³. */
export function decodeAccessLineValue(
  field: AccessLineField,
  value: Uint8Array,
): AccessLineValue | undefined {
  switch (FIELDS[field][1]) {
    case "text":
      return value.length === 0 ? undefined : fromUtf8(value);
    case "rate": {
      if (value.length !== 8) return undefined;
      const high = readU32(value, 0);
      return high >= 2 ** 21 ? undefined : high * 2 ** 32 + readU32(value, 4);
    }
    case "number":
      return value.length === 4 ? readU32(value, 0) : undefined;
    case "encapsulation":
      return value.length === 3 ? encapsulation(value) : undefined;
    case "flag":
      return value.length === 4 ? readU32(value, 0) !== 0 : undefined;
  }
}

/** The octets of a field; its value is of the field's kind. */
export function encodeAccessLineValue(field: AccessLineField, value: AccessLineValue): Uint8Array {
  if (typeof value === "string") return utf8Within(value, LONGEST_ID);
  if (typeof value === "object")
    return Uint8Array.of(value.dataLink, value.encapsulation1, value.encapsulation2);
  const number = Number(value);
  if (FIELDS[field][1] === "rate") {
    const bytes = new Uint8Array(8);
    writeU32(bytes, 0, Math.floor(number / 2 ** 32));
    writeU32(bytes, 4, number % 2 ** 32);
    return bytes;
  }
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, number);
  return bytes;
}

function encapsulation(value: Uint8Array): AccessLineAvps["accessLoopEncapsulation"] {
  return { dataLink: value[0]!, encapsulation1: value[1]!, encapsulation2: value[2]! };
}

/** What PPPoE said of a line, for ICRQ: rates in kbit/s become bit/s; what is unknown or of a wrong length is left out. */
export function accessLineFromPppoe(
  subOptions: readonly { readonly type: number; readonly value: Uint8Array }[],
): AccessLineAvps {
  const line: Partial<Record<AccessLineField, AccessLineValue>> = {};
  for (const { type, value } of subOptions) {
    const field = FIELD_BY_TYPE.get(type);
    if (field === undefined || field in line) continue;
    const kind = FIELDS[field][1];
    // RFC 4679 §3.3.19: there is no value, the sub-option's presence says it
    if (kind === "flag") line[field] = true;
    else if (kind === "rate") {
      if (value.length === 4) line[field] = readU32(value, 0) * 1000;
    } else {
      const decoded = decodeAccessLineValue(field, value);
      if (decoded !== undefined) line[field] = decoded;
    }
  }
  return line as AccessLineAvps;
}
