import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, utf8 } from "../../src/base/bytes.ts";
import { decodeL2tp } from "../../src/journal/decode-l2tp.ts";
import { decodePpp } from "../../src/journal/decode-ppp.ts";
import { decodePppoe } from "../../src/journal/decode-pppoe.ts";
import { plain, quoted } from "../../src/journal/decoded.ts";
import { L2TP_CONTROL_HEADER_BYTES, writeControlHeader } from "../../src/wire/l2tp-control-header.ts";
import { emitMessage, type L2tpMessage, MESSAGES } from "../../src/wire/l2tp-messages.ts";
import { PADI, PADS } from "../../src/wire/pppoe.ts";
import { accessLineTag, maxPayloadTag, TAG_SERVICE_NAME, textTag } from "../../src/wire/pppoe-tags.ts";
import { fromHost } from "../pppoe/support.ts";

function l2tp(message: L2tpMessage, hide = false): Uint8Array {
  const hiding = { secret: utf8("s"), randomVector: new Uint8Array(16) };
  const datagram = emitMessage(message, hide ? hiding : undefined, L2TP_CONTROL_HEADER_BYTES);
  writeControlHeader(datagram, 5, 6, 7, 8);
  return datagram;
}

const CONTROL = { protocolVersion: 0x0100, framingCapabilities: 3, hostName: "lac", assignedTunnelId: 9 };
const PLACE = "[tunnel 5, session 6, Ns 7, Nr 8]";

describe("L2TP control messages for people", () => {
  it.each<[L2tpMessage, string]>([
    [
      {
        kind: "SCCRQ",
        ...CONTROL,
        receiveWindowSize: 4,
        challenge: new Uint8Array(16),
        vendorName: "Some\u0007body",
      },
      `Protocol Version 1.0, Host Name "lac", Framing Capabilities 0x3, Assigned Tunnel ID 9, Receive Window Size 4, Challenge (not kept), Vendor Name "Some\\u{7}body" ${PLACE}`,
    ],
    [{ kind: "HELLO" }, PLACE],
    [
      { kind: "StopCCN", assignedTunnelId: 9, resultCode: { result: 5, error: 0x0100 } },
      `Assigned Tunnel ID 9, Result Code: result 5 (the protocol version of the requester is not supported), highest version 0x0100 ${PLACE}`,
    ],
    [
      {
        kind: "ICRQ",
        assignedSessionId: 12,
        callSerialNumber: 7,
        callingNumber: "5551234",
        accessLine: {
          agentCircuitId: "olt 1/1",
          actualDataRateUpstream: 5_000_000_000,
          interworkingFunction: true,
        },
        avps: [{ vendor: 9, type: 3, mandatory: false, value: new Uint8Array(4) }],
      },
      `Assigned Session ID 12, Call Serial Number 7, Calling Number "5551234", Agent Circuit Id "olt 1/1", Actual Data Rate Upstream 5000000000, Interworking Function true, AVP 3 of vendor 9, 4 octets ${PLACE}`,
    ],
    [
      {
        kind: "ICCN",
        txConnectSpeed: 1000,
        framingType: 1,
        lastSentLcp: fromHex("0104 05d4 0305 c22305"),
        proxyAuthenType: 3,
        proxyAuthenName: utf8("bob"),
        proxyAuthenResponse: utf8("builder"),
        sequencingRequired: true,
      },
      `(Tx) Connect Speed 1000, Framing Type 0x1, Last Sent LCP CONFREQ {MRU 1492, Authentication-Protocol CHAP}, Proxy Authen Type PAP, Proxy Authen Name "bob", Proxy Authen Response (not kept), Sequencing Required ${PLACE}`,
    ],
    [
      {
        kind: "CDN",
        assignedSessionId: 12,
        resultCode: { result: 2, error: 7, message: "full" },
        pppDisconnectCause: { code: 13, protocol: 0xc021, direction: 1, message: "bye" },
      },
      `Result Code: result 2 (call disconnected for the reason indicated in error code), error 7 (try another): "full", Assigned Session ID 12, PPP Disconnect Cause Code: PPP disconnect cause 13 (authentication timed out), protocol 0xc021, at the peer: "bye" ${PLACE}`,
    ],
    [
      { kind: "SLI", accm: fromHex("0000 000a0000 ffffffff") },
      `ACCM send 0x000a0000, receive 0xffffffff ${PLACE}`,
    ],
    [
      { kind: "CSUN", connectSpeedUpdate: [{ sessionId: 3, txConnectSpeed: 10, rxConnectSpeed: 20 }] },
      `Connect Speed Update session 3 Tx 10 bit/s Rx 20 bit/s ${PLACE}`,
    ],
  ])("say what is in $kind", (message, text) => {
    expect(decodeL2tp(l2tp(message))).toMatchObject({ name: message.kind, text });
  });

  it("have the names of the RFCs, all that we speak and those that we only hear of", () => {
    for (const [kind, { type }] of Object.entries(MESSAGES)) {
      const datagram = l2tp({ kind: "HELLO" });
      datagram[datagram.length - 1] = type;
      expect(decodeL2tp(datagram).name).toBe(kind);
    }
    const strange = l2tp({ kind: "HELLO" });
    strange[strange.length - 1] = 99;
    expect(decodeL2tp(strange).name).toBe("message type 99");
  });

  it("say that a value is hidden", () => {
    const { text } = decodeL2tp(l2tp({ kind: "ICRQ", assignedSessionId: 12, callSerialNumber: 7 }, true));
    expect(text).toBe(`Assigned Session ID 12, Call Serial Number (hidden) ${PLACE}`);
  });

  it("give the codes of an end as numbers", () => {
    const resultCode = { result: 2, error: 4 };
    const pppDisconnectCause = { code: 16, protocol: 0, direction: 2 };
    const cdn = { kind: "CDN", assignedSessionId: 1, resultCode, pppDisconnectCause } as const;
    expect(decodeL2tp(l2tp(cdn)).result).toEqual({ ...resultCode, disconnect: pppDisconnectCause });
  });

  it.each([
    ["a data message", fromHex("0002 0005 0006"), "(no L2TP control message)", "not-control"],
    ["a ZLB", fromHex("c802 000c 0005 0000 0001 0002"), "ZLB", "[tunnel 5, Ns 1, Nr 2]"],
    [
      "AVPs that do not add up",
      fromHex("c802 000f 0005 0000 0001 0002 800800"),
      "(malformed)",
      "[tunnel 5, Ns 1, Nr 2] AVPs do not add up",
    ],
    [
      "no Message Type",
      fromHex("c802 0014 0005 0000 0001 0002 8008 0000 0009 0001"),
      "(malformed)",
      "[tunnel 5, Ns 1, Nr 2] no Message Type in front",
    ],
    [
      "a value of a wrong length, and an end without one",
      fromHex("c802 001e 0005 0000 0001 0002 8008 0000 0000 000e 8007 0000 0001 00 c000 00"),
      "CDN",
      "Result Code of 1 octet (malformed), and AVPs that do not add up [tunnel 5, Ns 1, Nr 2]",
    ],
  ])("say what is wrong with %s", (_, datagram, name, text) => {
    expect(decodeL2tp(datagram)).toEqual({ name, text });
  });
});

describe("PPP control packets for people", () => {
  it.each([
    [
      "c021 0101 0012 0104 05d4 0304 c023 0506 01020304",
      "LCP Configure-Request",
      "id 1: MRU 1492, Authentication-Protocol PAP, Magic-Number 0x01020304",
    ],
    [
      "c021 0302 000b 0305 c22381 0702",
      "LCP Configure-Nak",
      "id 2: Authentication-Protocol MS-CHAPv2, Protocol-Field-Compression",
    ],
    [
      "c021 0403 000a 0d03 06 1303 01",
      "LCP Configure-Reject",
      "id 3: Callback 0x06, Endpoint-Discriminator 0x01",
    ],
    ["c021 0504 0007 627965", "LCP Terminate-Request", 'id 4: "bye"'],
    ["c021 0805 000a 80fd 01010004", "LCP Protocol-Reject", "id 5: of protocol 0x80fd (CCP)"],
    ["c021 0706 0008 0e010004", "LCP Code-Reject", "id 6: of LCP Reset-Request"],
    ["c021 0c07 000b 00000000 637065", "LCP Identification", 'id 7: Magic-Number 0x00000000, "cpe"'],
    ["c023 0101 000e 03626f62 05 0000000000", "PAP Authenticate-Request", 'id 1: name "bob"'],
    ["c023 0301 0007 026e6f", "PAP Authenticate-Nak", 'id 1: "no"'],
    ["c223 0201 000a 02 0000 626f62", "CHAP Response", 'id 1: value of 2 octets, name "bob"'],
    ["c223 0401 0011 453d3639312043 3d00 4d3d6e6f", "CHAP Failure", 'id 1: "E=691 C=M=no"'],
    [
      "8021 0301 0010 0306 64400002 8106 c0000235",
      "IPCP Configure-Nak",
      "id 1: IP-Address 100.64.0.2, Primary-DNS-Address 192.0.2.53",
    ],
    [
      "8057 0101 000e 010a 0011223344556677",
      "IPV6CP Configure-Request",
      "id 1: Interface-Identifier 0x0011223344556677",
    ],
    ["80fd 0e01 0004", "CCP Reset-Request", "id 1"],
    ["c227 0101 0009 01 626f6221", "EAP Request", "id 1: 5 octets"],
    ["c021 0101 0006 0109", "LCP Configure-Request", "id 1: options that do not add up"],
    ["c021 01", "LCP (malformed)", "1 octet"],
    ["88f1 0101", "PPP protocol 0x88f1", "2 octets"],
    ["c0", "(no PPP frame)", "0xc0"],
  ])("say what is in %s", (hex, name, text) => {
    expect(decodePpp(fromHex(hex))).toMatchObject({ name, text });
  });
});

describe("PPPoE discovery for people", () => {
  it("says who asks whom for what, in which VLANs, on which line", () => {
    const line = accessLineTag([
      { type: 1, value: utf8("olt 1/1") },
      { type: 129, value: new Uint8Array(4) },
    ]);
    const tags = [textTag(TAG_SERVICE_NAME, "gold"), maxPayloadTag(1500), line];
    const vlanTags = [
      { tpid: 0x88a8, tci: 100 },
      { tpid: 0x8100, tci: 7 },
    ];
    expect(decodePppoe(fromHost({ code: PADI, tags, vlanTags }))).toEqual({
      name: "PADI",
      text: '02:01:00:00:00:01 to ff:ff:ff:ff:ff:ff in VLAN 100.7, Service-Name "gold", PPP-Max-Payload 1500, Agent-Circuit-Id "olt 1/1", 1 values of the access line',
    });
  });

  it("names an error", () => {
    const tags = [
      textTag(0x0202, "no room"),
      { type: 0x0104, value: Uint8Array.of(1, 2) },
      { type: 0x9999, value: new Uint8Array(30) },
    ];
    expect(decodePppoe(fromHost({ code: PADS, tags }))).toEqual({
      name: "PADS",
      text: '02:01:00:00:00:01 to 02:00:00:00:00:ac, AC-System-Error "no room", AC-Cookie 0x0102, tag 0x9999 of 30 octets',
      error: "AC-System-Error",
    });
  });

  it.each([
    ["nothing", new Uint8Array(3), "(no Ethernet frame)"],
    ["IPv4", concatBytes(new Uint8Array(12), fromHex("0800 4500")), "(no discovery)"],
    ["a cut header", concatBytes(new Uint8Array(12), fromHex("8863 1109 00")), "(malformed discovery)"],
    [
      "an unknown code",
      concatBytes(new Uint8Array(12), fromHex("8863 1142 0000 0000")),
      "(discovery code 0x42)",
    ],
  ])("puts up with %s", (_, frame, name) => {
    expect(decodePppoe(frame).name).toBe(name);
  });
});

describe("what others have said", () => {
  it("does nothing to a terminal, and is not longer than a line", () => {
    expect(quoted(utf8('a"b\\\u001b[31m\u202e'))).toBe('"a\\"b\\\\\\u{1b}[31m\\u{202e}"');
    expect(quoted("x".repeat(1000)).length).toBeLessThan(130);
    expect(plain("line\nbreak")).toBe("line\\u{a}break");
  });
});
