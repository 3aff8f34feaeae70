import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/base/bytes.ts";
import type { UdpPeerSpec } from "../../../src/channel/dataplane.ts";
import { peerEntry } from "../../../src/dataplane/xdp/peer-entry.ts";
import type { NextHop } from "../../../src/io/next-hops.ts";
import {
  XDP_PEER_ADDRESS_CONTROL,
  XDP_PEER_CHECKSUM,
  XDP_PEER_FLAGS,
  XDP_PEER_HEADER,
  XDP_PEER_HEADER_BYTES,
  XDP_PEER_IFINDEX,
  XDP_PEER_IN_TAGS,
  XDP_PEER_IP_SUM,
  XDP_PEER_IPV6,
  XDP_PEER_LENGTH,
  XDP_PEER_LOCAL,
  XDP_PEER_MAX_PPP,
  XDP_PEER_REMOTE,
  XDP_PEER_UDP,
  XDP_PEER_UDP_SUM,
} from "../../../src/io/xdp.ts";

const HOP: NextHop = {
  ifindex: 4,
  device: "core0",
  sourceMac: fromHex("020000000001"),
  destinationMac: fromHex("020000000002"),
  tags: [{ tpid: 0x8100, tci: 5 }],
  mtuBytes: 1500,
  localAddress: "192.0.2.1",
};

const SPEC: UdpPeerSpec = {
  kind: "udp",
  port: 1,
  address: "192.0.2.2",
  udpPort: 1702,
  pathMtuBytes: 1600,
  addressControl: true,
  lengthBit: true,
  checksum: true,
  oversize: "fragment",
  dscp: 10,
};

const ENTRY = { spec: SPEC, localAddress: "192.0.2.1", localPort: 1701, domain: 1, hop: HOP };

/** The numbers of an entry, and its header. */
function read(entry: Uint8Array) {
  const view = new DataView(entry.buffer);
  const headerBytes = view.getUint16(XDP_PEER_HEADER_BYTES, true);
  return {
    flags: view.getUint32(XDP_PEER_FLAGS, true),
    ifindex: view.getUint32(XDP_PEER_IFINDEX, true),
    maxPpp: view.getUint16(XDP_PEER_MAX_PPP, true),
    ipSum: view.getUint16(XDP_PEER_IP_SUM, true),
    udpSum: view.getUint16(XDP_PEER_UDP_SUM, true),
    inTags: [0, 4].map((at) => view.getUint32(XDP_PEER_IN_TAGS + at, true).toString(16)),
    header: toHex(entry.subarray(XDP_PEER_HEADER, XDP_PEER_HEADER + headerBytes)),
  };
}

/** The one's complement sum of words. */
const sum = (...words: readonly number[]): number => words.reduce((a, b) => a + b) % 0xffff;

describe("what the program is told of a peer", () => {
  it("over IPv4: all that goes before L2TP's header, with ready sums", () => {
    const { header, ...numbers } = read(peerEntry(ENTRY));
    const ip = "4528 0000 0000 0000 4011 0000 c0000201 c0000202".replaceAll(" ", "");
    expect(header).toBe(`020000000002020000000001${"81000005"}0800${ip}06a506a600000000`);
    expect(numbers).toEqual({
      flags: XDP_PEER_UDP | XDP_PEER_LENGTH | XDP_PEER_ADDRESS_CONTROL | XDP_PEER_CHECKSUM,
      ifindex: 4,
      // the device's MTU, less IPv4, UDP, L2TP with its length, and FF03
      maxPpp: 1500 - 20 - 8 - 8 - 2,
      ipSum: sum(0x4528, 0x4011, 0xc000, 0x0201, 0xc000, 0x0202),
      udpSum: sum(0xc000, 0x0201, 0xc000, 0x0202, 17, 1701, 1702),
      inTags: ["81000005", "0"],
    });
  });

  it("over IPv6, where the path is narrower than the device", () => {
    const spec = {
      ...SPEC,
      address: "2001:db8::2",
      pathMtuBytes: 1400,
      lengthBit: false,
      addressControl: false,
    };
    const hop = { ...HOP, tags: [], localAddress: "2001:db8::1" };
    const { header, ...numbers } = read(peerEntry({ ...ENTRY, spec, localAddress: "2001:db8::1", hop }));
    const addresses = `20010db8${"0".repeat(23)}120010db8${"0".repeat(23)}2`;
    expect(header).toBe(`02000000000202000000000186dd${"62800000"}0000${"1140"}${addresses}06a506a600000000`);
    expect(numbers).toMatchObject({
      flags: XDP_PEER_UDP | XDP_PEER_IPV6 | XDP_PEER_CHECKSUM,
      maxPpp: 1400 - 40 - 8 - 6,
      udpSum: sum(0x2001, 0x0db8, 1, 0x2001, 0x0db8, 2, 17, 1701, 1702),
      inTags: ["0", "0"],
    });
  });

  it("without a next hop: who it is, and that nothing is to be sent to it", () => {
    const entry = peerEntry({ ...ENTRY, hop: undefined });
    expect(read(entry)).toMatchObject({ ifindex: 0, header: "" });
    expect(toHex(entry.subarray(XDP_PEER_REMOTE, XDP_PEER_REMOTE + 5))).toBe("c000020200");
    expect(toHex(entry.subarray(XDP_PEER_LOCAL, XDP_PEER_LOCAL + 5))).toBe("c000020100");
    const nowhere = peerEntry({ ...ENTRY, localAddress: undefined, hop: undefined });
    expect(toHex(nowhere.subarray(XDP_PEER_LOCAL, XDP_PEER_LOCAL + 4))).toBe("00000000");
  });
});
