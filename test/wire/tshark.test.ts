/** What our codecs emit, judged by tshark: nothing malformed, no warning, and the fields that we meant. */

import { describe, expect, it } from "vitest";
import { fromHex, utf8 } from "../../src/base/bytes.ts";
import { emitChap } from "../../src/wire/chap.ts";
import {
  BROADCAST_MAC,
  ETHERTYPE_PPPOE_DISCOVERY,
  ETHERTYPE_PPPOE_SESSION,
  emitEthernet,
  type VlanTag,
} from "../../src/wire/ethernet.ts";
import { emitIpcpOption } from "../../src/wire/ipcp.ts";
import { emitIpv6cpOption } from "../../src/wire/ipv6cp.ts";
import { emitL2tp, type L2tpHeader } from "../../src/wire/l2tp.ts";
import { emitMessage, type L2tpMessage } from "../../src/wire/l2tp-messages.ts";
import { emitLcp, emitLcpOption, type LcpPacket } from "../../src/wire/lcp.ts";
import { emitPap } from "../../src/wire/pap.ts";
import { emitPpp, PPP_CHAP, PPP_IPCP, PPP_IPV6CP, PPP_LCP, PPP_PAP } from "../../src/wire/ppp.ts";
import { type ConfigOption, emitControlPacket, emitOptions } from "../../src/wire/ppp-control.ts";
import {
  emitDiscovery,
  PADI,
  PADO,
  PADR,
  PADS,
  PADT,
  PPPOE_HEADER_BYTES,
  PPPOE_SESSION_DATA,
  writePppoeHeader,
} from "../../src/wire/pppoe.ts";
import {
  accessLineTag,
  maxPayloadTag,
  type PppoeTag,
  TAG_AC_COOKIE,
  TAG_AC_NAME,
  TAG_GENERIC_ERROR,
  TAG_HOST_UNIQ,
  TAG_RELAY_SESSION_ID,
  TAG_SERVICE_NAME,
  textTag,
} from "../../src/wire/pppoe-tags.ts";
import { expectNoMalformed, tsharkFields, withCapture } from "../support/tshark.ts";
import { udpFrame } from "../support/udp-frame.ts";

const L2TP_PORT = 1701;
const SECRET = utf8("secret");
const CPE = Uint8Array.of(2, 0, 0, 0, 0, 0xc);
const US = Uint8Array.of(2, 0, 0, 0, 0, 0xa);
const QINQ: readonly VlanTag[] = [
  { tpid: 0x88a8, tci: 0x0064 },
  { tpid: 0x8100, tci: 0x6007 },
];

function discovery(code: number, sessionId: number, tags: readonly PppoeTag[]): Uint8Array {
  return emitEthernet({
    destination: code === PADI ? BROADCAST_MAC : US,
    source: CPE,
    tags: QINQ,
    etherType: ETHERTYPE_PPPOE_DISCOVERY,
    payload: emitDiscovery({ code, sessionId, tags }),
  });
}

function session(protocol: number, packet: Uint8Array): Uint8Array {
  const ppp = emitPpp(protocol, packet);
  const payload = new Uint8Array(PPPOE_HEADER_BYTES + ppp.length);
  writePppoeHeader(payload, 0, PPPOE_SESSION_DATA, 7, ppp.length);
  payload.set(ppp, PPPOE_HEADER_BYTES);
  return emitEthernet({
    destination: US,
    source: CPE,
    tags: [],
    etherType: ETHERTYPE_PPPOE_SESSION,
    payload,
  });
}

/** Each frame's first value of `field`, after tshark has found nothing wrong with any. */
function judged(frames: readonly Uint8Array[], field: string): string[] {
  return withCapture(frames, (path) => {
    expectNoMalformed(path);
    return tsharkFields(path, [field]).flatMap((frame) => frame[field]!.slice(0, 1));
  });
}

describe("tshark reads what we emit", () => {
  it("as PPPoE discovery under two VLAN tags", () => {
    const hostUniq: PppoeTag = { type: TAG_HOST_UNIQ, value: fromHex("0102030405060708") };
    const cookie: PppoeTag = { type: TAG_AC_COOKIE, value: fromHex("00112233445566778899aabbccddeeff") };
    const line = accessLineTag([
      { type: 1, value: utf8("dslam-1 atm 1/1:8.35") },
      { type: 2, value: utf8("remote") },
      { type: 0x81, value: fromHex("00001f40") },
      { type: 0x82, value: fromHex("00004e20") },
    ]);
    const service = textTag(TAG_SERVICE_NAME, "isp");
    const relay: PppoeTag = { type: TAG_RELAY_SESSION_ID, value: fromHex("00aabbccddee") };
    const frames = [
      discovery(PADI, 0, [service, hostUniq, line, maxPayloadTag(1500)]),
      discovery(PADO, 0, [
        textTag(TAG_AC_NAME, "lac1"),
        service,
        hostUniq,
        cookie,
        relay,
        maxPayloadTag(1500),
      ]),
      discovery(PADR, 0, [service, hostUniq, cookie, relay, line, maxPayloadTag(1500)]),
      discovery(PADS, 7, [service, hostUniq, relay, maxPayloadTag(1500)]),
      discovery(PADT, 7, [textTag(TAG_GENERIC_ERROR, "the LNS ended the session")]),
    ];
    expect(judged(frames, "pppoe.code")).toEqual(["0x09", "0x07", "0x19", "0x65", "0xa7"]);
  });

  it("as every LCP packet", () => {
    const options: readonly ConfigOption[] = [
      emitLcpOption({ kind: "mru", mruBytes: 1492 }),
      emitLcpOption({ kind: "authentication", protocol: PPP_CHAP, data: Uint8Array.of(5) }),
      emitLcpOption({ kind: "magic", magic: 0xdeadbeef }),
      emitLcpOption({ kind: "pfc" }),
      emitLcpOption({ kind: "acfc" }),
    ];
    const identifier = 1;
    const magic = 0xdeadbeef;
    const data = utf8("goodbye");
    const request = emitLcp({ kind: "configure-request", identifier, options });
    const rejectedInformation = fromHex("0101000e010a0200000000000001");
    const packets: readonly LcpPacket[] = [
      { kind: "configure-request", identifier, options },
      { kind: "configure-ack", identifier, options },
      { kind: "configure-nak", identifier, options: options.slice(0, 1) },
      { kind: "configure-reject", identifier, options: options.slice(3) },
      { kind: "terminate-request", identifier, data },
      { kind: "terminate-ack", identifier, data: new Uint8Array(0) },
      { kind: "code-reject", identifier, rejectedPacket: request },
      { kind: "protocol-reject", identifier, rejectedProtocol: PPP_IPV6CP, rejectedInformation },
      { kind: "echo-request", identifier, magic, data: new Uint8Array(0) },
      { kind: "echo-reply", identifier, magic, data: new Uint8Array(0) },
      { kind: "discard-request", identifier, magic, data },
      { kind: "identification", identifier, magic, message: utf8("lacewing") },
      { kind: "time-remaining", identifier, magic, seconds: 600, message: new Uint8Array(0) },
    ];
    const frames = packets.map((packet) => session(PPP_LCP, emitLcp(packet)));
    expect(judged(frames, "ppp.code")).toEqual(frames.map((_, i) => `${i + 1}`));
  });

  it("as authentication and network control", () => {
    const identifier = 3;
    const address = Uint8Array.of(192, 0, 2, 9);
    const ipcp = emitOptions([
      emitIpcpOption({ kind: "ip-address", address }),
      emitIpcpOption({ kind: "primary-dns", address }),
      emitIpcpOption({ kind: "secondary-dns", address }),
    ]);
    const ipv6cp = emitOptions([
      emitIpv6cpOption({ kind: "interface-identifier", identifier: fromHex("0200000000000001") }),
    ]);
    const message = utf8("welcome");
    const frames = [
      session(
        PPP_PAP,
        emitPap({ kind: "authenticate-request", identifier, peerId: utf8("alice"), password: SECRET }),
      ),
      session(PPP_PAP, emitPap({ kind: "authenticate-ack", identifier, message })),
      session(PPP_PAP, emitPap({ kind: "authenticate-nak", identifier, message: new Uint8Array(0) })),
      session(
        PPP_CHAP,
        emitChap({ kind: "challenge", identifier, value: fromHex("00".repeat(16)), name: utf8("lns") }),
      ),
      session(
        PPP_CHAP,
        emitChap({ kind: "response", identifier, value: fromHex("ff".repeat(16)), name: utf8("alice") }),
      ),
      session(PPP_CHAP, emitChap({ kind: "success", identifier, message })),
      session(PPP_CHAP, emitChap({ kind: "failure", identifier, message })),
      session(PPP_IPCP, emitControlPacket({ code: 1, identifier, data: ipcp })),
      session(PPP_IPV6CP, emitControlPacket({ code: 1, identifier, data: ipv6cp })),
    ];
    expect(judged(frames, "ppp.protocol")).toEqual([
      "0xc023",
      "0xc023",
      "0xc023",
      "0xc223",
      "0xc223",
      "0xc223",
      "0xc223",
      "0x8021",
      "0x8057",
    ]);
  });

  const messages: readonly L2tpMessage[] = [
    {
      kind: "SCCRQ",
      protocolVersion: 0x0100,
      framingCapabilities: 3,
      bearerCapabilities: 0,
      hostName: "lac1",
      vendorName: "Lacewing",
      firmwareRevision: 1,
      assignedTunnelId: 11,
      receiveWindowSize: 128,
      challenge: fromHex("00112233445566778899aabbccddeeff"),
      tieBreaker: fromHex("0102030405060708"),
    },
    {
      kind: "SCCRP",
      protocolVersion: 0x0100,
      framingCapabilities: 3,
      hostName: "lns1",
      assignedTunnelId: 22,
      challenge: fromHex("00112233445566778899aabbccddeeff"),
      challengeResponse: fromHex("ffeeddccbbaa99887766554433221100"),
    },
    { kind: "SCCCN", challengeResponse: fromHex("ffeeddccbbaa99887766554433221100") },
    {
      kind: "ICRQ",
      assignedSessionId: 111,
      callSerialNumber: 1,
      bearerType: 2,
      physicalChannelId: 7,
      callingNumber: "02:00:00:00:00:0c",
      calledNumber: "isp",
    },
    { kind: "ICRP", assignedSessionId: 222 },
    {
      kind: "ICCN",
      txConnectSpeed: 100_000_000,
      rxConnectSpeed: 20_000_000,
      framingType: 1,
      initialReceivedLcp: fromHex("010405d4"),
      lastSentLcp: fromHex("0305c22305"),
      lastReceivedLcp: fromHex("010405d4"),
      proxyAuthenType: 2,
      proxyAuthenName: utf8("alice"),
      proxyAuthenChallenge: fromHex("00".repeat(16)),
      proxyAuthenId: 3,
      proxyAuthenResponse: fromHex("ff".repeat(16)),
    },
    { kind: "HELLO" },
    { kind: "CDN", assignedSessionId: 111, resultCode: { result: 2, error: 6, message: "no address left" } },
    { kind: "StopCCN", assignedTunnelId: 11, resultCode: { result: 6 } },
  ];

  for (const mode of ["plain", "hidden"] as const) {
    it(`as L2TP control messages with ${mode} AVPs`, () => {
      const hiding = { secret: SECRET, randomVector: fromHex("000102030405060708090a0b0c0d0e0f") };
      const frames = messages.map((message, ns) => {
        const body = emitMessage(message, mode === "hidden" ? hiding : undefined);
        return udpFrame(control(body, ns), L2TP_PORT);
      });
      frames.push(udpFrame(control(new Uint8Array(0), messages.length), L2TP_PORT));
      const types = ["1", "2", "3", "10", "11", "12", "6", "14", "4"];
      expect(judged(frames, "l2tp.avp.message_type")).toEqual(types);
    });
  }

  it("as L2TP data with every combination of bits", () => {
    const echo = emitLcp({ kind: "echo-request", identifier: 1, magic: 0xdeadbeef, data: new Uint8Array(0) });
    const frame = emitPpp(PPP_LCP, echo);
    const frames: Uint8Array[] = [];
    for (let bits = 0; bits < 16; bits++) {
      const header: L2tpHeader = {
        control: false,
        lengthBit: (bits & 1) !== 0,
        ...((bits & 2) !== 0 && { sequence: { ns: bits, nr: 0 } }),
        ...((bits & 4) !== 0 && { offsetBytes: 2 }),
        priority: (bits & 8) !== 0,
        tunnelId: 22,
        sessionId: 222,
      };
      frames.push(udpFrame(emitL2tp(header, frame), L2TP_PORT));
    }
    expect(judged(frames, "ppp.protocol")).toEqual(frames.map(() => "0xc021"));
  });
});

function control(body: Uint8Array, ns: number): Uint8Array {
  const ids = { tunnelId: 22, sessionId: 0 };
  return emitL2tp({ control: true, lengthBit: true, priority: false, sequence: { ns, nr: 0 }, ...ids }, body);
}
