/** PPP frames as short text and back, so that tests read like packet traces. */

import { fromHex, fromUtf8, toHex } from "../../src/base/bytes.ts";
import { parseChap } from "../../src/wire/chap.ts";
import { parseIpcpOption } from "../../src/wire/ipcp.ts";
import { parseLcp, parseLcpOption } from "../../src/wire/lcp.ts";
import { parsePap } from "../../src/wire/pap.ts";
import { emitPpp, PPP_CHAP, PPP_IPCP, PPP_IPV6CP, PPP_LCP, PPP_PAP, parsePpp } from "../../src/wire/ppp.ts";
import { type ConfigOption, emitControlPacket } from "../../src/wire/ppp-control.ts";

/** "LCP configure-request [mru=1492 magic]": identifiers and random values left out. */
export function show(frame: Uint8Array): string {
  const { protocol, information } = parsePpp(frame)!;
  switch (protocol) {
    case PPP_LCP:
      return `LCP ${showControl(information, showLcpOption)}`;
    case PPP_IPCP:
      return `IPCP ${showControl(information, showIpcpOption)}`;
    case PPP_IPV6CP:
      return `IPV6CP ${showControl(information, (option) => toHex(option.data))}`;
    case PPP_PAP: {
      const packet = parsePap(information)!;
      return `PAP ${packet.kind}${"message" in packet ? text(packet.message) : ""}`;
    }
    case PPP_CHAP: {
      const packet = parseChap(information)!;
      return `CHAP ${packet.kind}${"message" in packet ? text(packet.message) : ""}`;
    }
    default:
      return `${protocol.toString(16)} ${toHex(information)}`;
  }
}

/** The frames among outputs, shown. */
export function sent(outputs: readonly { readonly kind: string }[]): string[] {
  return framesOf(outputs).map(show);
}

export function framesOf(outputs: readonly { readonly kind: string }[]): Uint8Array[] {
  return outputs.flatMap((output) => ("frame" in output ? [output.frame as Uint8Array] : []));
}

/** A control frame from its code, identifier and data in hexadecimal. */
export function frame(
  protocol: number,
  code: number,
  identifier: number,
  data: Uint8Array | string = "",
): Uint8Array {
  const octets = typeof data === "string" ? fromHex(data) : data;
  return emitPpp(protocol, emitControlPacket({ code, identifier, data: octets }));
}

/** The peer's Ack of a Configure-Request of ours. */
export function ackOf(request: Uint8Array): Uint8Array {
  const copy = request.slice();
  copy[2] = 2;
  return copy;
}

/** Code and identifier of a control frame. */
export function identifierOf(request: Uint8Array): number {
  return request[3]!;
}

function showControl(information: Uint8Array, option: (option: ConfigOption) => string): string {
  const packet = parseLcp(information)!;
  if ("options" in packet) return `${packet.kind} [${packet.options.map(option).join(" ")}]`;
  if (packet.kind === "terminate-request") return `${packet.kind}${text(packet.data)}`;
  if (packet.kind === "protocol-reject") return `${packet.kind} ${packet.rejectedProtocol.toString(16)}`;
  if (packet.kind === "code-reject") return `${packet.kind} ${toHex(packet.rejectedPacket)}`;
  return packet.kind;
}

function showLcpOption(raw: ConfigOption): string {
  const option = parseLcpOption(raw);
  switch (option.kind) {
    case "mru":
      return `mru=${option.mruBytes}`;
    case "authentication":
      return `auth=${option.protocol.toString(16)}${option.data.length > 0 ? `/${option.data[0]}` : ""}`;
    case "unknown":
      return `type${option.type}`;
    default:
      return option.kind;
  }
}

function showIpcpOption(raw: ConfigOption): string {
  const option = parseIpcpOption(raw);
  return "address" in option ? `${option.kind}=${option.address.join(".")}` : `type${raw.type}`;
}

function text(octets: Uint8Array): string {
  return octets.length === 0 ? "" : ` "${fromUtf8(octets)}"`;
}
