import { describe, expect, it } from "vitest";
import { concatBytes } from "../../src/base/bytes.ts";
import {
  attribute,
  attributeString,
  attributeU32,
  emitNetlinkMessage,
  type NetlinkMessage,
  nestedAttribute,
  parseNetlinkMessages,
} from "../../src/wire/rtnetlink.ts";
import { getVethEndRequest, parseHasProgram, parseVethEnd } from "../../src/wire/rtnetlink-link-xdp.ts";

const RTM_NEWLINK = 16;
const VETH = nestedAttribute(18, attributeString(1, "veth"));

function link(...attributes: readonly Uint8Array[]): NetlinkMessage {
  const body = concatBytes(new Uint8Array(16), ...attributes);
  return parseNetlinkMessages([emitNetlinkMessage(RTM_NEWLINK, 0, 1, body)])[0]!;
}

describe("the other end of a veth device", () => {
  it("is in the same namespace, or in one that has a number", () => {
    expect(parseVethEnd(link(VETH, attributeU32(5, 9)))).toEqual({ ifindex: 9 });
    expect(parseVethEnd(link(VETH, attributeU32(5, 9), attributeU32(37, 3)))).toEqual({
      ifindex: 9,
      netnsId: 3,
    });
  });

  it("is not known of other devices, without a number, and of messages that are cut off", () => {
    const other = nestedAttribute(18, attributeString(1, "vlan"));
    const attributes: readonly Uint8Array[][] = [
      [other, attributeU32(5, 9)],
      [VETH],
      [VETH, attributeU32(5, 9), attributeU32(37, 0xffffffff)],
      [VETH, attributeU32(5, 9), attribute(37, Uint8Array.of(1))],
    ];
    for (const each of attributes) expect(parseVethEnd(link(...each))).toBeUndefined();
    expect(parseVethEnd({ ...link(), payload: new Uint8Array(8) })).toBeUndefined();
    expect(parseVethEnd({ ...link(VETH, attributeU32(5, 9)), type: 17 })).toBeUndefined();
  });

  it("is asked for in its own namespace", () => {
    const here = getVethEndRequest(1, { ifindex: 0x41424344 });
    const there = getVethEndRequest(1, { ifindex: 0x41424344, netnsId: 3 });
    expect(Buffer.from(here).toString("latin1")).toContain("DCBA");
    expect(there.length).toBe(here.length + 8);
    expect(there.slice(-8)).toEqual(attributeU32(46, 3));
  });

  it("has a program, or has none", () => {
    const attached = (mode: number) => link(nestedAttribute(43, attribute(2, Uint8Array.of(mode))));
    expect([0, 1, 2].map((mode) => parseHasProgram(attached(mode)))).toEqual([false, true, true]);
    expect(parseHasProgram(link())).toBe(false);
    expect(parseHasProgram(link(nestedAttribute(43)))).toBe(false);
  });
});
