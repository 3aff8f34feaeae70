import { describe, expect, it } from "vitest";
import { concatBytes, writeU16 } from "../../src/base/bytes.ts";
import { parseIpAddress } from "../../src/wire/ip-address.ts";
import { attribute, attributeU32, hostU32, type NetlinkMessage } from "../../src/wire/rtnetlink.ts";
import {
  getPoliciesRequest,
  parseDefaultPolicy,
  parsePolicy,
  policyApplies,
} from "../../src/wire/xfrm-policy.ts";

const NEWPOLICY = 0x13;
const GETDEFAULT = 0x28;
const TEMPLATE = attribute(5, new Uint8Array(64));

const message = (type: number, payload: Uint8Array): NetlinkMessage => ({ type, flags: 2, seq: 7, payload });

/** UDP from 10.8.0.0/24 to 10.8.0.2 port 1701, as the kernel tells of it. */
function info({ family = 2, direction = 1, action = 0 } = {}): Uint8Array {
  const bytes = new Uint8Array(168);
  bytes.set(parseIpAddress("10.8.0.2")!);
  bytes.set(parseIpAddress("10.8.0.0")!, 16);
  writeU16(bytes, 32, 1701);
  writeU16(bytes, 34, 0xffff);
  bytes.set(hostU32(family).subarray(0, 2), 40);
  bytes.set([32, 24, 17], 42);
  bytes.set(hostU32(1000), 152);
  bytes.set([direction, action], 160);
  return bytes;
}

const flow = (source: string, destination: string, destinationPort: number) => ({
  protocol: 17,
  source: parseIpAddress(source)!,
  sourcePort: 40_000,
  destination: parseIpAddress(destination)!,
  destinationPort,
});

describe("an IPsec policy", () => {
  it("is a selector and what becomes of what it selects", () => {
    const policy = parsePolicy(message(NEWPOLICY, concatBytes(info(), TEMPLATE)))!;
    expect(policy).toMatchObject({
      direction: "out",
      action: "protect",
      priority: 1000,
      protocol: 17,
      type: 0,
    });
    expect(policyApplies(policy, flow("10.8.0.9", "10.8.0.2", 1701))).toBe(true);
    expect(policyApplies(policy, flow("10.8.1.9", "10.8.0.2", 1701))).toBe(false);
    expect(policyApplies(policy, flow("10.8.0.9", "10.8.0.3", 1701))).toBe(false);
    expect(policyApplies(policy, flow("10.8.0.9", "10.8.0.2", 1702))).toBe(false);
    expect(policyApplies(policy, flow("2001:db8::1", "2001:db8::2", 1701))).toBe(false);
  });

  it("without templates lets packets go as they are, or blocks them", () => {
    expect(parsePolicy(message(NEWPOLICY, info()))?.action).toBe("plain");
    expect(
      parsePolicy(message(NEWPOLICY, concatBytes(info(), attribute(5, new Uint8Array(0)))))?.action,
    ).toBe("plain");
    expect(parsePolicy(message(NEWPOLICY, info({ action: 1 })))?.action).toBe("block");
  });

  it("may be for a mark, or for an XFRM interface", () => {
    const mark = attribute(21, concatBytes(hostU32(5), hostU32(0xff)));
    const policy = parsePolicy(message(NEWPOLICY, concatBytes(info(), mark, attributeU32(31, 9))));
    expect(policy).toMatchObject({ mark: { value: 5, mask: 0xff }, interfaceId: 9 });
  });

  it.each([
    ["a part of one", message(NEWPOLICY, info().subarray(0, 167))],
    ["of another type", message(NEWPOLICY + 1, info())],
    ["of another family", message(NEWPOLICY, info({ family: 7 }))],
    ["of what is forwarded", message(NEWPOLICY, info({ direction: 2 }))],
    ["a socket's", message(NEWPOLICY, info({ direction: 3 }))],
  ])("is none when it is %s", (_, bad) => {
    expect(parsePolicy(bad)).toBeUndefined();
  });

  it("is there for the rest, too", () => {
    expect(parseDefaultPolicy(message(GETDEFAULT, Uint8Array.of(1, 2, 2)))).toEqual({
      blocksIn: true,
      blocksOut: false,
    });
    expect(parseDefaultPolicy(message(GETDEFAULT, Uint8Array.of(1, 2)))).toBeUndefined();
    expect(parseDefaultPolicy(message(NEWPOLICY, Uint8Array.of(1, 2, 2)))).toBeUndefined();
  });

  it("is asked for with all the others", () => {
    const request = getPoliciesRequest(7);
    expect(request).toHaveLength(16);
    expect(request[4]).toBe(0x15);
  });
});
