import { readU16, readU32 } from "../base/bytes.ts";
import { formatIpAddress } from "../wire/ip-address.ts";
import { parseIpcpOption } from "../wire/ipcp.ts";
import { parseIpv6cpOption } from "../wire/ipv6cp.ts";
import { CHAP_MD5, CHAP_MSCHAP_V2, parseLcpOption } from "../wire/lcp.ts";
import { PPP_CHAP, PPP_IPCP, PPP_IPV6CP, PPP_LCP, PPP_PAP, parsePpp } from "../wire/ppp.ts";
import {
  CODE_REJECT,
  CONFIGURE_REJECT,
  CONFIGURE_REQUEST,
  CONTROL_HEADER_BYTES,
  type ConfigOption,
  type ControlPacket,
  parseControlPacket,
  parseOptions,
  TERMINATE_REQUEST,
} from "../wire/ppp-control.ts";
import { type Decoded, hex, octets, quoted, sizeOf } from "./decoded.ts";

/** Control and authentication protocols of PPP that have been seen in the field. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  [PPP_LCP]: "LCP",
  [PPP_PAP]: "PAP",
  [PPP_CHAP]: "CHAP",
  [PPP_IPCP]: "IPCP",
  [PPP_IPV6CP]: "IPV6CP",
  32849: "BCP", // 0x8031, bridging
  32851: "ECP", // 0x8053, encryption
  33020: "CCP", // 0x80fc, on a single link of a bundle
  33021: "CCP", // 0x80fd
  33409: "MPLSCP", // 0x8281
  49189: "LQR", // 0xc025
  49193: "CBCP", // 0xc029
  49703: "EAP", // 0xc227
};

/** Codes 1 to 7 of LCP and every NCP (RFC 1661 §5), and those of LCP alone (RFC 1570 too). */
const CODES = [
  "Configure-Request",
  "Configure-Ack",
  "Configure-Nak",
  "Configure-Reject",
  "Terminate-Request",
  "Terminate-Ack",
  "Code-Reject",
  "Protocol-Reject",
  "Echo-Request",
  "Echo-Reply",
  "Discard-Request",
  "Identification",
  "Time-Remaining",
  "Reset-Request",
  "Reset-Ack",
];
const PROTOCOL_REJECT = 8;
const IDENTIFICATION = 12;
const TIME_REMAINING = 13;

const PAP_CODES = ["Authenticate-Request", "Authenticate-Ack", "Authenticate-Nak"];
const CHAP_CODES = ["Challenge", "Response", "Success", "Failure"];
const EAP_CODES = ["Request", "Response", "Success", "Failure"];
const CODES_OF: Readonly<Record<string, readonly string[]>> = {
  PAP: PAP_CODES,
  CHAP: CHAP_CODES,
  EAP: EAP_CODES,
};

/** Reads a PPP frame, as it is or without its secrets; whatever it is, it never throws. */
export function decodePpp(frame: Uint8Array): Decoded {
  const parsed = parsePpp(frame);
  if (parsed === undefined) return { name: "(no PPP frame)", text: octets(frame) };
  const { protocol, information } = parsed;
  const name = PROTOCOLS[protocol];
  if (name === undefined) return { name: `PPP protocol ${hex(protocol, 4)}`, text: `${sizeOf(information)}` };
  const packet = parseControlPacket(information);
  if (packet === undefined) return { name: `${name} (malformed)`, text: `${sizeOf(information)}` };
  const { code, identifier } = packet;
  const codeName = (CODES_OF[name] ?? CODES)[code - 1] ?? `code ${code}`;
  const body = bodyText(protocol, packet);
  return {
    name: `${name} ${codeName}`,
    text: body === "" ? `id ${identifier}` : `id ${identifier}: ${body}`,
    identifier,
  };
}

/** The options of a Configure-Request, as the LCP AVPs of L2TP hold them. */
export function decodeLcpOptions(options: Uint8Array): string {
  return optionsText(options, describeLcpOption);
}

function bodyText(protocol: number, packet: ControlPacket): string {
  if (protocol === PPP_PAP) return papText(packet);
  if (protocol === PPP_CHAP) return chapText(packet);
  const isNegotiated = protocol === PPP_LCP || (protocol >= 0x8000 && protocol < 0xc000);
  return isNegotiated ? controlText(protocol, packet) : `${sizeOf(packet.data)}`;
}

/** The password is never looked at. */
function papText({ code, data }: ControlPacket): string {
  const length = data[0];
  if (length === undefined) return "";
  const field = data.subarray(1, 1 + length);
  if (field.length < length) return "malformed";
  return code === 1 ? `name ${quoted(field)}` : field.length === 0 ? "" : quoted(field);
}

function chapText({ code, data }: ControlPacket): string {
  if (code > 2) return data.length === 0 ? "" : quoted(withoutZeroes(data));
  const size = data[0];
  if (size === undefined || 1 + size > data.length) return "malformed";
  return `value of ${size} octets, name ${quoted(data.subarray(1 + size))}`;
}

/** Of a Success or Failure, the numbers have been blanked. */
function withoutZeroes(data: Uint8Array): Uint8Array {
  return data.filter((octet) => octet !== 0);
}

function controlText(protocol: number, { code, data }: ControlPacket): string {
  if (code >= CONFIGURE_REQUEST && code <= CONFIGURE_REJECT) {
    if (protocol === PPP_LCP) return optionsText(data, describeLcpOption);
    if (protocol === PPP_IPCP) return optionsText(data, describeIpcpOption);
    if (protocol === PPP_IPV6CP) return optionsText(data, describeIpv6cpOption);
    return optionsText(data, ({ type, data: value }) => `option ${type} ${octets(value)}`);
  }
  if (code === TERMINATE_REQUEST || code === TERMINATE_REQUEST + 1)
    return data.length === 0 ? "" : quoted(data);
  if (code === CODE_REJECT) return rejectedText(protocol, data);
  if (protocol !== PPP_LCP) return data.length === 0 ? "" : octets(data);
  if (code === PROTOCOL_REJECT) return protocolRejectText(data);
  if (code > PROTOCOL_REJECT && code <= TIME_REMAINING) return magicText(code, data);
  return octets(data);
}

function rejectedText(protocol: number, rejected: Uint8Array): string {
  const name = PROTOCOLS[protocol] ?? hex(protocol, 4);
  const code = rejected[0];
  return code === undefined ? "of nothing" : `of ${name} ${CODES[code - 1] ?? `code ${code}`}`;
}

function protocolRejectText(data: Uint8Array): string {
  if (data.length < 2) return "of nothing";
  const protocol = readU16(data, 0);
  return `of protocol ${hex(protocol, 4)}${PROTOCOLS[protocol] === undefined ? "" : ` (${PROTOCOLS[protocol]})`}`;
}

function magicText(code: number, data: Uint8Array): string {
  if (data.length < CONTROL_HEADER_BYTES) return "malformed";
  const magic = `Magic-Number ${hex(readU32(data, 0), 8)}`;
  const rest = data.subarray(4);
  if (code === IDENTIFICATION) return `${magic}, ${quoted(rest)}`;
  if (code === TIME_REMAINING && rest.length >= 4) return `${magic}, ${readU32(rest, 0)} s`;
  return magic;
}

function optionsText(data: Uint8Array, describe: (option: ConfigOption) => string): string {
  const options = parseOptions(data);
  if (options === undefined) return "options that do not add up";
  return options.length === 0 ? "no options" : options.map(describe).join(", ");
}

const MORE_LCP_OPTIONS: Readonly<Record<number, string>> = {
  9: "FCS-Alternatives",
  10: "Self-Describing-Padding",
  11: "Numbered-Mode",
  13: "Callback",
  17: "MRRU",
  18: "Short-Sequence-Number",
  19: "Endpoint-Discriminator",
};

function describeLcpOption(option: ConfigOption): string {
  const parsed = parseLcpOption(option);
  switch (parsed.kind) {
    case "mru":
      return `MRU ${parsed.mruBytes}`;
    case "accm":
      return `ACCM ${hex(parsed.map, 8)}`;
    case "authentication":
      return `Authentication-Protocol ${authenticationName(parsed.protocol, parsed.data)}`;
    case "quality":
      return `Quality-Protocol ${hex(parsed.protocol, 4)}`;
    case "magic":
      return `Magic-Number ${hex(parsed.magic, 8)}`;
    case "pfc":
      return "Protocol-Field-Compression";
    case "acfc":
      return "Address-and-Control-Field-Compression";
    case "malformed":
      return `malformed option ${parsed.type}`;
    case "unknown":
      return `${MORE_LCP_OPTIONS[parsed.type] ?? `option ${parsed.type}`} ${octets(parsed.data)}`;
  }
}

function authenticationName(protocol: number, data: Uint8Array): string {
  if (protocol === PPP_CHAP) {
    if (data[0] === CHAP_MD5) return "CHAP";
    if (data[0] === CHAP_MSCHAP_V2) return "MS-CHAPv2";
    return data[0] === 0x80 ? "MS-CHAP" : `CHAP with algorithm ${data[0] ?? "none"}`;
  }
  return PROTOCOLS[protocol] ?? hex(protocol, 4);
}

const IPCP_NAMES = {
  "ip-address": "IP-Address",
  "primary-dns": "Primary-DNS-Address",
  "primary-nbns": "Primary-NBNS-Address",
  "secondary-dns": "Secondary-DNS-Address",
  "secondary-nbns": "Secondary-NBNS-Address",
} as const;

function describeIpcpOption(option: ConfigOption): string {
  const parsed = parseIpcpOption(option);
  switch (parsed.kind) {
    case "ip-compression":
      return `IP-Compression-Protocol ${hex(parsed.protocol, 4)}`;
    case "malformed":
      return `malformed option ${parsed.type}`;
    case "unknown":
      return `option ${parsed.type} ${octets(parsed.data)}`;
    default:
      return `${IPCP_NAMES[parsed.kind]} ${formatIpAddress(parsed.address)}`;
  }
}

function describeIpv6cpOption(option: ConfigOption): string {
  const parsed = parseIpv6cpOption(option);
  if (parsed.kind === "interface-identifier") return `Interface-Identifier ${octets(parsed.identifier)}`;
  return parsed.kind === "malformed"
    ? `malformed option ${parsed.type}`
    : `option ${parsed.type} ${octets(parsed.data)}`;
}
