/** Debian's own peers, recorded: every frame must be understood, and come out of our codecs octet for octet. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readU16, toHex, utf8 } from "../../src/base/bytes.ts";
import { emitChap, parseChap } from "../../src/wire/chap.ts";
import { ETHERTYPE_PPPOE_DISCOVERY, emitEthernet, parseEthernet } from "../../src/wire/ethernet.ts";
import { emitIpcpOption, parseIpcpOption } from "../../src/wire/ipcp.ts";
import { emitIpv6cpOption, parseIpv6cpOption } from "../../src/wire/ipv6cp.ts";
import { emitL2tp, parseL2tp } from "../../src/wire/l2tp.ts";
import { emitAvps, parseAvps } from "../../src/wire/l2tp-avp.ts";
import { parseMessage } from "../../src/wire/l2tp-messages.ts";
import { emitLcp, emitLcpOption, parseLcp, parseLcpOption } from "../../src/wire/lcp.ts";
import { emitPap, parsePap } from "../../src/wire/pap.ts";
import { emitPpp, PPP_CHAP, PPP_IPCP, PPP_IPV6CP, PPP_LCP, PPP_PAP, parsePpp } from "../../src/wire/ppp.ts";
import {
  type ConfigOption,
  emitControlPacket,
  emitOptions,
  parseControlPacket,
  parseOptions,
} from "../../src/wire/ppp-control.ts";
import {
  emitDiscovery,
  PPPOE_CODE,
  PPPOE_HEADER_BYTES,
  PPPOE_SESSION_ID,
  parseDiscovery,
  pppoePayloadLength,
  writePppoeHeader,
} from "../../src/wire/pppoe.ts";
import { readPcap } from "../support/pcap.ts";
import { datagramOf } from "../support/udp-frame.ts";

const L2TP_PORT = 1701;
const SECRET = utf8("tunnel-secret");
const DISCOVERY_NAMES: Readonly<Record<number, string>> = {
  9: "PADI",
  7: "PADO",
  25: "PADR",
  101: "PADS",
  167: "PADT",
};
const CONFIGURE_CODES = [1, 2, 3, 4];

function capture(name: string): Uint8Array[] {
  return readPcap(readFileSync(new URL(`../vectors/${name}.pcap`, import.meta.url)));
}

/** Reads and writes every layer of a frame, compares them, and names what it was. */
function throughCodecs(frame: Uint8Array): string {
  const ethernet = parseEthernet(frame)!;
  same(emitEthernet(ethernet), frame);
  const datagram = datagramOf(frame, L2TP_PORT);
  if (datagram !== undefined) return l2tp(datagram);
  return ethernet.etherType === ETHERTYPE_PPPOE_DISCOVERY
    ? discovery(ethernet.payload)
    : session(ethernet.payload);
}

function discovery(payload: Uint8Array): string {
  const packet = parseDiscovery(payload);
  if (typeof packet === "string") throw new Error(packet);
  same(emitDiscovery(packet), payload);
  return DISCOVERY_NAMES[packet.code]!;
}

function session(payload: Uint8Array): string {
  const length = pppoePayloadLength(payload, 0, payload.length);
  const header = new Uint8Array(PPPOE_HEADER_BYTES);
  writePppoeHeader(header, 0, payload[PPPOE_CODE]!, readU16(payload, PPPOE_SESSION_ID), length);
  same(header, payload.subarray(0, PPPOE_HEADER_BYTES));
  const frame = payload.subarray(PPPOE_HEADER_BYTES, PPPOE_HEADER_BYTES + length);
  const ppp = parsePpp(frame)!;
  same(emitPpp(ppp.protocol, ppp.information), frame);
  return pppControl(ppp.protocol, ppp.information);
}

function l2tp(datagram: Uint8Array): string {
  const packet = parseL2tp(datagram);
  if (typeof packet === "string") throw new Error(packet);
  same(emitL2tp(packet.header, packet.payload), datagram);
  if (!packet.header.control) {
    const ppp = parsePpp(packet.payload)!;
    return pppControl(ppp.protocol, ppp.information);
  }
  if (packet.payload.length === 0) return "ZLB";
  same(emitAvps(parseAvps(packet.payload)!), packet.payload);
  const read = parseMessage(packet.payload, SECRET);
  if (read.outcome !== "message") throw new Error(`${read.outcome} in ${toHex(packet.payload)}`);
  return read.message.kind;
}

function pppControl(protocol: number, packet: Uint8Array): string {
  const control = parseControlPacket(packet)!;
  same(emitControlPacket(control), packet);
  switch (protocol) {
    case PPP_LCP: {
      if (CONFIGURE_CODES.includes(control.code))
        options(control.data, (option) => emitLcpOption(parseLcpOption(option)));
      const lcp = parseLcp(packet)!;
      same(emitLcp(lcp), packet);
      return `LCP ${lcp.kind}`;
    }
    case PPP_PAP: {
      const pap = parsePap(packet)!;
      same(emitPap(pap), packet);
      return `PAP ${pap.kind}`;
    }
    case PPP_CHAP: {
      const chap = parseChap(packet)!;
      same(emitChap(chap), packet);
      return `CHAP ${chap.kind}`;
    }
    case PPP_IPCP:
      options(control.data, (option) => emitIpcpOption(parseIpcpOption(option)));
      return "IPCP";
    case PPP_IPV6CP:
      options(control.data, (option) => emitIpv6cpOption(parseIpv6cpOption(option)));
      return "IPV6CP";
    default:
      throw new Error(`no codec for PPP protocol ${protocol.toString(16)}`);
  }
}

function options(data: Uint8Array, again: (option: ConfigOption) => ConfigOption): void {
  same(emitOptions(parseOptions(data)!.map(again)), data);
}

function same(emitted: Uint8Array, captured: Uint8Array): void {
  expect(toHex(emitted)).toBe(toHex(captured));
}

describe("frames of Debian's peers go through the codecs unchanged", () => {
  const PPPOE = [
    "PADI",
    "PADO",
    "PADR",
    "PADS",
    "LCP configure-request",
    "LCP configure-ack",
    "IPCP",
    "IPV6CP",
  ];
  const END = ["LCP echo-request", "LCP echo-reply", "LCP terminate-request", "LCP terminate-ack", "PADT"];

  it("of pppd and pppoe-server with PAP", () => {
    const kinds = capture("pppoe-pap").map(throughCodecs);
    const pap = ["PAP authenticate-request", "PAP authenticate-ack"];
    expect(kinds).toEqual(expect.arrayContaining([...PPPOE, ...pap, ...END]));
  });

  it("of pppd and pppoe-server with CHAP", () => {
    const kinds = capture("pppoe-chap").map(throughCodecs);
    const chap = ["CHAP challenge", "CHAP response", "CHAP success"];
    expect(kinds).toEqual(expect.arrayContaining([...PPPOE, ...chap, ...END]));
  });

  const L2TP = ["SCCRQ", "SCCRP", "SCCCN", "ICRQ", "ICRP", "ICCN", "ZLB", "HELLO", "CDN", "StopCCN"];
  const PPP = ["LCP configure-request", "CHAP challenge", "CHAP response", "CHAP success", "IPCP"];

  for (const mode of ["plain", "hidden"]) {
    it(`of two xl2tpd with ${mode} AVPs`, () => {
      const kinds = capture(`l2tp-${mode}`).map(throughCodecs);
      expect(kinds).toEqual(expect.arrayContaining([...L2TP, ...PPP]));
    });
  }
});

describe("xl2tpd that is told to hide AVPs", () => {
  const RANDOM_VECTOR = 36;

  it("sends Random Vectors and hides nothing behind them", () => {
    const kinds: string[] = [];
    for (const frame of capture("l2tp-hidden")) {
      const packet = parseL2tp(datagramOf(frame, L2TP_PORT)!);
      if (typeof packet === "string" || !packet.header.control) continue;
      const avps = parseAvps(packet.payload)!;
      expect(avps.some((avp) => avp.hidden)).toBe(false);
      const read = parseMessage(packet.payload);
      if (avps.some((avp) => avp.type === RANDOM_VECTOR))
        kinds.push(read.outcome === "message" ? read.message.kind : "?");
    }
    expect(kinds).toEqual(["SCCRQ", "SCCRP", "SCCCN", "ICRQ", "ICRP", "ICCN", "CDN", "StopCCN"]);
  });
});
