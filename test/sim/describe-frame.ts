import { readU16 } from "../../src/base/bytes.ts";
import { decodeL2tp } from "../../src/journal/decode-l2tp.ts";
import { decodePpp } from "../../src/journal/decode-ppp.ts";
import { decodePppoe } from "../../src/journal/decode-pppoe.ts";
import type { Decoded } from "../../src/journal/decoded.ts";
import { ETHERTYPE_PPPOE_SESSION, parseEthernet } from "../../src/wire/ethernet.ts";
import { parseL2tp } from "../../src/wire/l2tp.ts";
import { PPP_IPV4, PPP_IPV6, parsePpp } from "../../src/wire/ppp.ts";

const PPPOE_HEADER_BYTES = 6;

/** One line about an Ethernet frame or an L2TP datagram of the simulation, for people: as the journal tells it. */
export function describeFrame(bytes: Uint8Array): string {
  // addresses of ours begin with 02:00 and ff:ff, L2TP has its version in the second octet
  return bytes[0] !== 2 && (bytes[1]! & 0x0f) === 2 ? describeL2tp(bytes) : describeEthernet(bytes);
}

function describeL2tp(datagram: Uint8Array): string {
  const packet = parseL2tp(datagram);
  if (typeof packet === "string") return `L2TP ${packet}`;
  const { header, payload } = packet;
  if (header.control) return `L2TP ${textOf(decodeL2tp(datagram))}`;
  return `L2TP ${header.tunnelId}/${header.sessionId} ${describePpp(payload)}`;
}

function describeEthernet(bytes: Uint8Array): string {
  const frame = parseEthernet(bytes);
  if (frame?.etherType === ETHERTYPE_PPPOE_SESSION)
    return `PPPoE ${readU16(frame.payload, 2)} ${describePpp(frame.payload.subarray(PPPOE_HEADER_BYTES))}`;
  return textOf(decodePppoe(bytes));
}

function describePpp(bytes: Uint8Array): string {
  const protocol = parsePpp(bytes)?.protocol;
  if (protocol === PPP_IPV4) return "IPv4";
  return protocol === PPP_IPV6 ? "IPv6" : textOf(decodePpp(bytes));
}

function textOf({ name, text }: Decoded): string {
  return `${name} ${text}`;
}
