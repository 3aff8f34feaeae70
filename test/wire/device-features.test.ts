import { describe, expect, it } from "vitest";
import { concatBytes } from "../../src/base/bytes.ts";
import {
  clearFeaturesRequest,
  getXdpFeaturesRequest,
  parseActiveFeatures,
  parseCanRedirect,
  parseChangedDevice,
  parseIsRedirectTarget,
} from "../../src/wire/device-features.ts";
import {
  emitGenericMessage,
  getFamilyRequest,
  parseFamily,
  parseMulticastGroup,
} from "../../src/wire/generic-netlink.ts";
import {
  attribute,
  attributeString,
  attributeU32,
  type NetlinkMessage,
  nestedAttribute,
  parseNetlinkMessages,
} from "../../src/wire/rtnetlink.ts";

const FAMILY = 30;

/** A message as the kernel would send it. */
function message(family: number, ...attributes: readonly Uint8Array[]): NetlinkMessage {
  return parseNetlinkMessages([emitGenericMessage(family, 1, 0, 7, ...attributes)])[0]!;
}

const octets = (text: Uint8Array) => Buffer.from(text).toString("latin1");

describe("families of generic netlink", () => {
  it("are asked for by name, and have numbers", () => {
    expect(octets(getFamilyRequest(7, "ethtool"))).toContain("ethtool\0");
    expect(parseFamily(message(0x10, attribute(1, Uint8Array.of(FAMILY, 0))))).toBe(FAMILY);
    expect(parseFamily(message(0x10, attribute(1, Uint8Array.of(FAMILY))))).toBeUndefined();
    expect(parseFamily(message(FAMILY, attribute(1, Uint8Array.of(FAMILY, 0))))).toBeUndefined();
  });

  it("have multicast groups with names", () => {
    const group = (name: string, id: number) =>
      nestedAttribute(id, attributeU32(2, id), attributeString(1, name));
    const groups = message(0x10, nestedAttribute(7, group("mgmt", 4), group("page-pool", 5)));
    expect(parseMulticastGroup(groups, "page-pool")).toBe(5);
    expect(parseMulticastGroup(groups, "other")).toBeUndefined();
    expect(parseMulticastGroup(message(0x10), "mgmt")).toBeUndefined();
    const numberless = message(0x10, nestedAttribute(7, nestedAttribute(1, attributeString(1, "mgmt"))));
    expect(parseMulticastGroup(numberless, "mgmt")).toBeUndefined();
  });
});

describe("features of a device", () => {
  it("have changed where a notification says so", () => {
    expect(parseChangedDevice(message(FAMILY, attributeU32(1, 9)), FAMILY)).toBe(9);
    expect(parseChangedDevice(message(FAMILY), FAMILY)).toBeUndefined();
    expect(parseChangedDevice(message(FAMILY + 1, attributeU32(1, 9)), FAMILY)).toBeUndefined();
  });

  it("say whether frames can be redirected to it", () => {
    const features = (bits: number) =>
      message(FAMILY, attribute(3, Uint8Array.of(bits, 0, 0, 0, 0, 0, 0, 0)));
    expect(parseIsRedirectTarget(features(0b111), FAMILY)).toBe(true);
    expect(parseIsRedirectTarget(features(0b011), FAMILY)).toBe(false);
    expect(parseIsRedirectTarget(message(FAMILY), FAMILY)).toBeUndefined();
    expect([0b000, 0b001, 0b010, 0b111].map((bits) => parseCanRedirect(features(bits), FAMILY))).toEqual([
      false,
      false,
      false,
      true,
    ]);
    expect(parseCanRedirect(message(FAMILY), FAMILY)).toBeUndefined();
    expect(parseIsRedirectTarget(features(0b111), FAMILY + 1)).toBeUndefined();
    expect(octets(getXdpFeaturesRequest(7, FAMILY, 0x41424344))).toContain("DCBA");
  });

  it("are the names of the bits that are on", () => {
    const bit = (name: string) => nestedAttribute(1, attributeString(2, name));
    const active = nestedAttribute(4, nestedAttribute(3, bit("rx-gro"), bit("rx-vlan-hw-parse")));
    expect(parseActiveFeatures(message(FAMILY, active), FAMILY)).toEqual(["rx-gro", "rx-vlan-hw-parse"]);
    expect(parseActiveFeatures(message(FAMILY), FAMILY)).toBeUndefined();
    expect(parseActiveFeatures(message(FAMILY, nestedAttribute(4)), FAMILY)).toBeUndefined();
  });

  it("are switched off by their names", () => {
    const request = octets(concatBytes(clearFeaturesRequest(7, FAMILY, 5, ["rx-vlan-hw-parse", "rx-gro"])));
    expect(request).toContain("rx-vlan-hw-parse\0");
    expect(request).toContain("rx-gro\0");
  });
});
