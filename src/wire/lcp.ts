/*
 * Link Control Protocol packets (RFC 1661 §5, RFC 1570 §2) and Configuration Options (RFC 1661 §6).
 * The header is that of every control protocol: see ppp-control.ts. Echo, Discard, Identification and
 * Time-Remaining begin their data with a Magic-Number:
 *
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |     Code      |  Identifier   |            Length             |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                         Magic-Number                          |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |    Data ...
 */

import { concatBytes, readU16, readU32, writeU16, writeU32 } from "../base/bytes.ts";
import { PPP_CHAP } from "./ppp.ts";
import {
  CODE_REJECT,
  CONFIGURE_ACK,
  CONFIGURE_NAK,
  CONFIGURE_REJECT,
  CONFIGURE_REQUEST,
  type ConfigOption,
  type ControlPacket,
  emitControlPacket,
  emitOptions,
  parseControlPacket,
  parseOptions,
  TERMINATE_ACK,
  TERMINATE_REQUEST,
} from "./ppp-control.ts";

/** Codes that only LCP has. */
const PROTOCOL_REJECT = 8;
export const ECHO_REQUEST = 9;
export const ECHO_REPLY = 10;
const DISCARD_REQUEST = 11;
export const IDENTIFICATION = 12;
const TIME_REMAINING = 13;

/** Types of Configuration Options. */
export const OPTION_MRU = 1;
const OPTION_ACCM = 2;
export const OPTION_AUTHENTICATION = 3;
const OPTION_QUALITY = 4;
export const OPTION_MAGIC = 5;
const OPTION_PFC = 7;
const OPTION_ACFC = 8;
/** Of Multilink (RFC 1990 §5.1.3), which we don't speak; alone it says nothing. */
export const OPTION_ENDPOINT_DISCRIMINATOR = 19;

/** CHAP algorithms in the Authentication-Protocol option (RFC 1994 §3, RFC 2759). */
export const CHAP_MD5 = 5;
export const CHAP_MSCHAP_V2 = 0x81;

/** Octets of the Magic-Number that begins the data of Echo packets. */
const MAGIC_BYTES = 4;

export type LcpPacket =
  | {
      readonly kind: "configure-request" | "configure-ack" | "configure-nak" | "configure-reject";
      readonly identifier: number;
      readonly options: readonly ConfigOption[];
    }
  | {
      readonly kind: "terminate-request" | "terminate-ack";
      readonly identifier: number;
      readonly data: Uint8Array;
    }
  | { readonly kind: "code-reject"; readonly identifier: number; readonly rejectedPacket: Uint8Array }
  | {
      readonly kind: "protocol-reject";
      readonly identifier: number;
      readonly rejectedProtocol: number;
      readonly rejectedInformation: Uint8Array;
    }
  | {
      readonly kind: "echo-request" | "echo-reply" | "discard-request";
      readonly identifier: number;
      readonly magic: number;
      readonly data: Uint8Array;
    }
  | {
      readonly kind: "identification";
      readonly identifier: number;
      readonly magic: number;
      readonly message: Uint8Array;
    }
  | {
      readonly kind: "time-remaining";
      readonly identifier: number;
      readonly magic: number;
      readonly seconds: number;
      readonly message: Uint8Array;
    }
  | {
      readonly kind: "unknown";
      readonly code: number;
      readonly identifier: number;
      readonly data: Uint8Array;
    };

const CONFIGURE_KINDS = {
  [CONFIGURE_REQUEST]: "configure-request",
  [CONFIGURE_ACK]: "configure-ack",
  [CONFIGURE_NAK]: "configure-nak",
  [CONFIGURE_REJECT]: "configure-reject",
} as const;

const ECHO_KINDS = {
  [ECHO_REQUEST]: "echo-request",
  [ECHO_REPLY]: "echo-reply",
  [DISCARD_REQUEST]: "discard-request",
} as const;

const CODES = {
  "configure-request": CONFIGURE_REQUEST,
  "configure-ack": CONFIGURE_ACK,
  "configure-nak": CONFIGURE_NAK,
  "configure-reject": CONFIGURE_REJECT,
  "terminate-request": TERMINATE_REQUEST,
  "terminate-ack": TERMINATE_ACK,
  "echo-request": ECHO_REQUEST,
  "echo-reply": ECHO_REPLY,
  "discard-request": DISCARD_REQUEST,
} as const;

/** Undefined when a length does not fit. Byte fields of the value are views into `packet`, options are copies. */
export function parseLcp(packet: Uint8Array): LcpPacket | undefined {
  const control = parseControlPacket(packet);
  if (control === undefined) return undefined;
  const { code, identifier, data } = control;
  switch (code) {
    case CONFIGURE_REQUEST:
    case CONFIGURE_ACK:
    case CONFIGURE_NAK:
    case CONFIGURE_REJECT: {
      const options = parseOptions(data);
      return options === undefined ? undefined : { kind: CONFIGURE_KINDS[code], identifier, options };
    }
    case TERMINATE_REQUEST:
      return { kind: "terminate-request", identifier, data };
    case TERMINATE_ACK:
      return { kind: "terminate-ack", identifier, data };
    case CODE_REJECT:
      return { kind: "code-reject", identifier, rejectedPacket: data };
    case PROTOCOL_REJECT:
      if (data.length < 2) return undefined;
      return {
        kind: "protocol-reject",
        identifier,
        rejectedProtocol: readU16(data, 0),
        rejectedInformation: data.subarray(2),
      };
    case ECHO_REQUEST:
    case ECHO_REPLY:
    case DISCARD_REQUEST:
      if (data.length < MAGIC_BYTES) return undefined;
      return {
        kind: ECHO_KINDS[code],
        identifier,
        magic: readU32(data, 0),
        data: data.subarray(MAGIC_BYTES),
      };
    case IDENTIFICATION:
      if (data.length < MAGIC_BYTES) return undefined;
      return {
        kind: "identification",
        identifier,
        magic: readU32(data, 0),
        message: data.subarray(MAGIC_BYTES),
      };
    case TIME_REMAINING:
      if (data.length < MAGIC_BYTES + 4) return undefined;
      return {
        kind: "time-remaining",
        identifier,
        magic: readU32(data, 0),
        seconds: readU32(data, MAGIC_BYTES),
        message: data.subarray(MAGIC_BYTES + 4),
      };
    default:
      return { kind: "unknown", code, identifier, data };
  }
}

/** The inverse of parseLcp. */
export function emitLcp(packet: LcpPacket): Uint8Array {
  return emitControlPacket(lcpControlPacket(packet));
}

function lcpControlPacket(packet: LcpPacket): ControlPacket {
  const { identifier } = packet;
  switch (packet.kind) {
    case "configure-request":
    case "configure-ack":
    case "configure-nak":
    case "configure-reject":
      return { code: CODES[packet.kind], identifier, data: emitOptions(packet.options) };
    case "terminate-request":
    case "terminate-ack":
      return { code: CODES[packet.kind], identifier, data: packet.data };
    case "code-reject":
      return { code: CODE_REJECT, identifier, data: packet.rejectedPacket };
    case "protocol-reject":
      return {
        code: PROTOCOL_REJECT,
        identifier,
        data: concatBytes(u16(packet.rejectedProtocol), packet.rejectedInformation),
      };
    case "echo-request":
    case "echo-reply":
    case "discard-request":
      return { code: CODES[packet.kind], identifier, data: concatBytes(u32(packet.magic), packet.data) };
    case "identification":
      return { code: IDENTIFICATION, identifier, data: concatBytes(u32(packet.magic), packet.message) };
    case "time-remaining":
      return {
        code: TIME_REMAINING,
        identifier,
        data: concatBytes(u32(packet.magic), u32(packet.seconds), packet.message),
      };
    case "unknown":
      return { code: packet.code, identifier, data: packet.data };
  }
}

/** What an LCP Configuration Option says. */
export type LcpOption =
  | { readonly kind: "mru"; readonly mruBytes: number }
  | { readonly kind: "accm"; readonly map: number }
  /** `data`: what follows the protocol number; for CHAP its first octet is the algorithm. */
  | { readonly kind: "authentication"; readonly protocol: number; readonly data: Uint8Array }
  | { readonly kind: "quality"; readonly protocol: number; readonly data: Uint8Array }
  | { readonly kind: "magic"; readonly magic: number }
  | { readonly kind: "pfc" }
  | { readonly kind: "acfc" }
  /** A type of the above with a length that it cannot have. */
  | { readonly kind: "malformed"; readonly type: number; readonly data: Uint8Array }
  | { readonly kind: "unknown"; readonly type: number; readonly data: Uint8Array };

/** Reads one option; what it means does not depend on the others. */
export function parseLcpOption(option: ConfigOption): LcpOption {
  const { type, data } = option;
  const malformed: LcpOption = { kind: "malformed", type, data };
  switch (type) {
    case OPTION_MRU:
      return data.length === 2 ? { kind: "mru", mruBytes: readU16(data, 0) } : malformed;
    case OPTION_ACCM:
      return data.length === 4 ? { kind: "accm", map: readU32(data, 0) } : malformed;
    case OPTION_AUTHENTICATION:
    case OPTION_QUALITY: {
      if (data.length < 2) return malformed;
      const protocol = readU16(data, 0);
      if (type === OPTION_QUALITY) return { kind: "quality", protocol, data: data.subarray(2) };
      // RFC 1994 §3: with CHAP the length is 5, one octet of algorithm
      if (protocol === PPP_CHAP && data.length !== 3) return malformed;
      return { kind: "authentication", protocol, data: data.slice(2) };
    }
    case OPTION_MAGIC:
      return data.length === 4 ? { kind: "magic", magic: readU32(data, 0) } : malformed;
    case OPTION_PFC:
      return data.length === 0 ? { kind: "pfc" } : malformed;
    case OPTION_ACFC:
      return data.length === 0 ? { kind: "acfc" } : malformed;
    default:
      return { kind: "unknown", type, data };
  }
}

/** The inverse of parseLcpOption. */
export function emitLcpOption(option: LcpOption): ConfigOption {
  switch (option.kind) {
    case "mru":
      return { type: OPTION_MRU, data: u16(option.mruBytes) };
    case "accm":
      return { type: OPTION_ACCM, data: u32(option.map) };
    case "authentication":
      return { type: OPTION_AUTHENTICATION, data: concatBytes(u16(option.protocol), option.data) };
    case "quality":
      return { type: OPTION_QUALITY, data: concatBytes(u16(option.protocol), option.data) };
    case "magic":
      return { type: OPTION_MAGIC, data: u32(option.magic) };
    case "pfc":
      return { type: OPTION_PFC, data: new Uint8Array(0) };
    case "acfc":
      return { type: OPTION_ACFC, data: new Uint8Array(0) };
    case "malformed":
    case "unknown":
      return { type: option.type, data: option.data };
  }
}

function u16(value: number): Uint8Array {
  const bytes = new Uint8Array(2);
  writeU16(bytes, 0, value);
  return bytes;
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, value);
  return bytes;
}
