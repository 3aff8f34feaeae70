import { describe, expect, it } from "vitest";
import { concatBytes, fromHex } from "../../src/base/bytes.ts";
import { DROP_REASONS } from "../../src/channel/dataplane.ts";
import { ACCEPT } from "../../src/dataplane/drop-codes.ts";
import {
  emitPppoeFrame,
  ethernetHeader,
  isFromPeer,
  largestPppFrame,
  PppoeFrame,
  readPppoeFrame,
  readTags,
} from "../../src/dataplane/pppoe-frame.ts";

const OURS = "020000000001";
const THEIRS = "020000000002";

function read(octets: Uint8Array) {
  const frame = new PppoeFrame();
  const bytes = concatBytes(new Uint8Array(3), octets, new Uint8Array(3).fill(0xee));
  const verdict = readPppoeFrame(frame, bytes, 3, octets.length);
  if (verdict !== ACCEPT) return DROP_REASONS[verdict];
  const { sessionId, ethernetBytes, pppOffset, pppBytes } = frame;
  return { sessionId, ethernetBytes, ppp: bytes.slice(pppOffset, pppOffset + pppBytes) };
}

describe("the largest PPP frame through an MTU of 1500", () => {
  it.each([
    [[], 1494],
    [[0x8100], 1494],
    [[0x88a8], 1490],
    [[0x88a8, 0x8100], 1486],
    [[0x8100, 0x8100], 1490],
  ])("under tags %j has %i octets", (tpids, octets) => {
    const tags = tpids.map((tpid) => ({ tpid, tci: 5 }));
    expect(largestPppFrame(1500, tags)).toBe(octets);
  });
});

describe("a PPPoE session frame", () => {
  it.each([
    ["no tag", "", 14],
    ["one tag", "8100 0064", 18],
    ["two tags", "88a8 0064 8100 2005", 22],
    ["a legacy outer tag", "9100 0064 8100 0005", 22],
  ])("is read under %s; padding is cut off", (_, tags, ethernetBytes) => {
    const octets = fromHex(`${OURS}${THEIRS}${tags} 8864 1100 0102 0004 c0210901 000000000000`);
    expect(read(octets)).toEqual({ sessionId: 0x0102, ethernetBytes, ppp: fromHex("c0210901") });
  });

  it.each([
    ["", "truncated"],
    [`${OURS}${THEIRS}88`, "truncated"],
    [`${OURS}${THEIRS}8864 1100 0102 00`, "truncated"],
    [`${OURS}${THEIRS}8864 1100 0102 0000`, "truncated"],
    [`${OURS}${THEIRS}8100 0064 8864 1100 01`, "truncated"],
    [`${OURS}${THEIRS}8864 1100 0102 0005 c0210901`, "bad-length"],
    [`${OURS}${THEIRS}8864 2100 0102 0004 c0210901`, "bad-version"],
    [`${OURS}${THEIRS}8864 1165 0102 0004 c0210901`, "bad-version"],
    [`${OURS}${THEIRS}0800 1100 0102 0004 c0210901`, "bad-version"],
    [`${OURS}${THEIRS}8100 0001 8100 0002 8100 0003 8864 1100 0102 0004 c0210901`, "bad-version"],
  ])("of %s is dropped: %s", (hex, reason) => {
    expect(read(fromHex(hex))).toBe(reason);
  });

  const peer = {
    kind: "ethernet",
    port: 1,
    remoteMac: fromHex(THEIRS),
    localMac: fromHex(OURS),
    tags: [
      { tpid: 0x88a8, tci: 0x0064 },
      { tpid: 0x8100, tci: 0x2005 },
    ],
  } as const;

  it("is written with the peer's addresses and tags", () => {
    const frame = emitPppoeFrame(peer, 0x0102, fromHex("c0210901"));
    const expected = `${THEIRS}${OURS} 88a8 0064 8100 2005 8864 1100 0102 0004 c0210901`;
    expect(frame).toEqual(fromHex(expected));
  });

  it.each([
    ["the peer", `${OURS}${THEIRS} 88a8 0064 8100 2005 8864`, true],
    ["the peer, with another priority", `${OURS}${THEIRS} 88a8 e064 8100 0005 8864`, true],
    ["another MAC address", `${OURS}020000000003 88a8 0064 8100 2005 8864`, false],
    ["the peer to somebody else", `020000000003${THEIRS} 88a8 0064 8100 2005 8864`, false],
    ["another inner VLAN", `${OURS}${THEIRS} 88a8 0064 8100 2006 8864`, false],
    ["another outer VLAN", `${OURS}${THEIRS} 88a8 0065 8100 2005 8864`, false],
    ["another TPID", `${OURS}${THEIRS} 8100 0064 8100 2005 8864`, false],
    ["fewer tags", `${OURS}${THEIRS} 88a8 0064 8864`, false],
  ])("from %s", (_, hex, believed) => {
    const header = ethernetHeader(peer);
    const received = fromHex(hex);
    expect(isFromPeer(received, 0, received.length, header, 0, header.length)).toBe(believed);
  });

  it("tells its tags", () => {
    const header = fromHex(`${OURS}${THEIRS} 88a8 0064 8100 2005 8864`);
    expect(readTags(header, 0, header.length)).toEqual(peer.tags);
  });
});
