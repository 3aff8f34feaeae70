import { readU16, readU32 } from "../base/bytes.ts";
import {
  ETHERTYPE_PPPOE_DISCOVERY,
  type EthernetFrame,
  formatMac,
  parseEthernet,
  vlanId,
} from "../wire/ethernet.ts";
import { PADI, PADO, PADR, PADS, PADT, parseDiscovery } from "../wire/pppoe.ts";
import {
  findAccessLine,
  type PppoeTag,
  TAG_AC_COOKIE,
  TAG_AC_NAME,
  TAG_AC_SYSTEM_ERROR,
  TAG_GENERIC_ERROR,
  TAG_HOST_UNIQ,
  TAG_PPP_MAX_PAYLOAD,
  TAG_RELAY_SESSION_ID,
  TAG_SERVICE_NAME,
  TAG_SERVICE_NAME_ERROR,
  TAG_VENDOR_SPECIFIC,
} from "../wire/pppoe-tags.ts";
import { type Decoded, hex, octets, quoted, sizeOf } from "./decoded.ts";

const NAMES: Readonly<Record<number, string>> = {
  [PADI]: "PADI",
  [PADO]: "PADO",
  [PADR]: "PADR",
  [PADS]: "PADS",
  [PADT]: "PADT",
};

/** Tags whose values are text. */
const TEXT_TAGS: Readonly<Record<number, string>> = {
  [TAG_SERVICE_NAME]: "Service-Name",
  [TAG_AC_NAME]: "AC-Name",
  [TAG_SERVICE_NAME_ERROR]: "Service-Name-Error",
  [TAG_AC_SYSTEM_ERROR]: "AC-System-Error",
  [TAG_GENERIC_ERROR]: "Generic-Error",
};
const ERROR_TAGS: readonly number[] = [TAG_SERVICE_NAME_ERROR, TAG_AC_SYSTEM_ERROR, TAG_GENERIC_ERROR];

const OCTET_TAGS: Readonly<Record<number, string>> = {
  [TAG_HOST_UNIQ]: "Host-Uniq",
  [TAG_AC_COOKIE]: "AC-Cookie",
  [TAG_RELAY_SESSION_ID]: "Relay-Session-Id",
};

/** Reads an Ethernet frame of PPPoE discovery (RFC 2516, RFC 4638, TR-101); whatever it is, it never throws. */
export function decodePppoe(bytes: Uint8Array): Decoded {
  const frame = parseEthernet(bytes);
  if (frame === undefined) return { name: "(no Ethernet frame)", text: `${sizeOf(bytes)}` };
  const where = whereOf(frame);
  if (frame.etherType !== ETHERTYPE_PPPOE_DISCOVERY)
    return { name: "(no discovery)", text: `${where}, EtherType ${hex(frame.etherType, 4)}` };
  const packet = parseDiscovery(frame.payload);
  if (typeof packet === "string") return { name: "(malformed discovery)", text: `${where}, ${packet}` };
  const { code, sessionId, tags } = packet;
  const error = tags.find(({ type }) => ERROR_TAGS.includes(type));
  const parts = [where];
  if (sessionId !== 0) parts.push(`session ${sessionId}`);
  for (const tag of tags) parts.push(describeTag(tag));
  return {
    name: NAMES[code] ?? `(discovery code ${hex(code, 2)})`,
    text: parts.join(", "),
    ...(error !== undefined && { error: TEXT_TAGS[error.type]! }),
  };
}

function whereOf({ source, destination, tags }: EthernetFrame): string {
  const vlans = tags.length === 0 ? "" : ` in VLAN ${tags.map(vlanId).join(".")}`;
  return `${formatMac(source)} to ${formatMac(destination)}${vlans}`;
}

function describeTag(tag: PppoeTag): string {
  const { type, value } = tag;
  const text = TEXT_TAGS[type];
  if (text !== undefined) return `${text} ${quoted(value)}`;
  const name = OCTET_TAGS[type];
  if (name !== undefined) return `${name} ${octets(value)}`;
  if (type === TAG_PPP_MAX_PAYLOAD && value.length === 2) return `PPP-Max-Payload ${readU16(value, 0)}`;
  if (type === TAG_VENDOR_SPECIFIC) return describeVendor(tag);
  return `tag ${hex(type, 4)} ${octets(value)}`;
}

function describeVendor(tag: PppoeTag): string {
  const line = findAccessLine([tag]);
  if (line === undefined)
    return tag.value.length < 4
      ? `Vendor-Specific ${octets(tag.value)}`
      : `Vendor-Specific of ${readU32(tag.value, 0)}, ${octets(tag.value.subarray(4))}`;
  const parts = [];
  if (line.circuitId !== undefined) parts.push(`Agent-Circuit-Id ${quoted(line.circuitId)}`);
  if (line.remoteId !== undefined) parts.push(`Agent-Remote-Id ${quoted(line.remoteId)}`);
  const more = line.subOptions.length - parts.length;
  if (more > 0) parts.push(`${more} values of the access line`);
  return parts.length === 0 ? "access line without values" : parts.join(", ");
}
