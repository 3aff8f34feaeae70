import { readU16 } from "../../src/base/bytes.ts";
import { ETHERTYPE_PPPOE_SESSION, parseEthernet } from "../../src/wire/ethernet.ts";
import { parseL2tp } from "../../src/wire/l2tp.ts";
import { MESSAGES } from "../../src/wire/l2tp-messages.ts";
import { parsePpp } from "../../src/wire/ppp.ts";
import { parseDiscovery } from "../../src/wire/pppoe.ts";

const DISCOVERY: Readonly<Record<number, string>> = {
  7: "PADO",
  9: "PADI",
  25: "PADR",
  101: "PADS",
  167: "PADT",
};
const PROTOCOLS: Readonly<Record<number, string>> = {
  33: "IPv4",
  87: "IPv6",
  49185: "LCP",
  32801: "IPCP",
  32855: "IPV6CP",
  49187: "PAP",
  49699: "CHAP",
};
const CONTROL_CODES = [
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
] as const;
const CODES: Readonly<Record<string, readonly string[]>> = {
  LCP: CONTROL_CODES,
  IPCP: CONTROL_CODES,
  IPV6CP: CONTROL_CODES,
  PAP: ["Authenticate-Request", "Authenticate-Ack", "Authenticate-Nak"],
  CHAP: ["Challenge", "Response", "Success", "Failure"],
};
const MESSAGE_NAMES = new Map(Object.entries(MESSAGES).map(([name, { type }]) => [type, name]));
const PPPOE_HEADER_BYTES = 6;

/** One line about an Ethernet frame or an L2TP datagram of the simulation, for people. */
export function describeFrame(bytes: Uint8Array): string {
  // addresses of ours begin with 02:00 and ff:ff, L2TP has its version in the second octet
  return bytes[0] !== 2 && (bytes[1]! & 0x0f) === 2 ? describeL2tp(bytes) : describeEthernet(bytes);
}

function describeL2tp(datagram: Uint8Array): string {
  const packet = parseL2tp(datagram);
  if (typeof packet === "string") return `L2TP ${packet}`;
  const { header, payload } = packet;
  const ids = `${header.tunnelId}/${header.sessionId}`;
  if (!header.control) return `L2TP ${ids} ${describePpp(withoutAddressControl(payload))}`;
  const { ns, nr } = header.sequence!;
  const name = payload.length < 8 ? "ZLB" : (MESSAGE_NAMES.get(readU16(payload, 6)) ?? "message");
  return `L2TP ${ids} ${name} Ns ${ns} Nr ${nr}`;
}

function withoutAddressControl(ppp: Uint8Array): Uint8Array {
  return ppp[0] === 0xff && ppp[1] === 3 ? ppp.subarray(2) : ppp;
}

function describeEthernet(bytes: Uint8Array): string {
  const frame = parseEthernet(bytes);
  if (frame === undefined) return "no Ethernet frame";
  if (frame.etherType === ETHERTYPE_PPPOE_SESSION)
    return `PPPoE ${readU16(frame.payload, 2)} ${describePpp(frame.payload.subarray(PPPOE_HEADER_BYTES))}`;
  const packet = parseDiscovery(frame.payload);
  if (typeof packet === "string") return `discovery: ${packet}`;
  return `${DISCOVERY[packet.code] ?? `discovery ${packet.code}`} ${packet.sessionId}`;
}

function describePpp(bytes: Uint8Array): string {
  const frame = parsePpp(bytes);
  if (frame === undefined) return "no PPP frame";
  const name = PROTOCOLS[frame.protocol] ?? `PPP ${frame.protocol.toString(16)}`;
  const code = CODES[name]?.[(frame.information[0] ?? 0) - 1];
  return code === undefined ? name : `${name} ${code} ${frame.information[1]}`;
}
