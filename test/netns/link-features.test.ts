/** What the kernel says of devices that a program forwards on. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LinkFeatures } from "../../src/io/link-features.ts";
import { addon } from "../../src/io/native.ts";
import { openLinkFeatures } from "../../src/io/native-link-features.ts";
import { ETHTOOL_FAMILY } from "../../src/wire/device-features.ts";
import {
  emitGenericMessage,
  getFamilyRequest,
  NETLINK_GENERIC,
  parseFamily,
} from "../../src/wire/generic-netlink.ts";
import {
  attribute,
  attributeString,
  attributeU32,
  NLM_F_ACK,
  nestedAttribute,
  netlinkErrno,
  parseNetlinkMessages,
} from "../../src/wire/rtnetlink.ts";
import { xdpMissing } from "../dataplane/xdp/rig.ts";
import { eventually } from "../support/eventually.ts";
import { Netns } from "../support/netns.ts";
import { isRoot } from "../support/system.ts";

const NEAR = `lwf${process.pid % 1e6}a`;
const FAR = `lwf${process.pid % 1e6}b`;
const AWAY = `lwf${process.pid % 1e6}c`;

/** Any program: with tables of one entry it does nothing. */
const OBJECT = fileURLToPath(new URL("../../native/xdp/build/lacewing.bpf.o", import.meta.url));

const ip = (...words: string[]) => execFileSync("ip", words, { encoding: "utf8" });
const indexOf = (name: string): number => JSON.parse(ip("-json", "link", "show", name))[0].ifindex;

const ETHTOOL_MSG_FEATURES_SET = 12;

/** As ethtool(8) does it, which may not be there. */
function setGro(name: string, on: boolean): void {
  const socket = addon.openNetlink({ groups: 0, protocol: NETLINK_GENERIC });
  const [answer] = parseNetlinkMessages(addon.netlinkTransact(socket, getFamilyRequest(1, ETHTOOL_FAMILY)));
  const value = on ? [attribute(3, new Uint8Array(0))] : [];
  const bit = nestedAttribute(1, attributeString(2, "rx-gro"), ...value);
  const device = nestedAttribute(1, attributeU32(1, indexOf(name)));
  const wanted = nestedAttribute(3, nestedAttribute(3, bit));
  const family = parseFamily(answer!)!;
  const request = emitGenericMessage(family, ETHTOOL_MSG_FEATURES_SET, NLM_F_ACK, 2, device, wanted);
  expect(netlinkErrno(addon.netlinkTransact(socket, request))).toBe(0);
  addon.close(socket);
}

describe.skipIf(!isRoot)("a pair of veth devices", () => {
  let features: LinkFeatures;
  let other: Netns;

  beforeAll(() => {
    other = Netns.create("features");
    ip("link", "add", NEAR, "type", "veth", "peer", "name", FAR);
    ip("link", "add", AWAY, "type", "veth", "peer", "name", "far", "netns", other.name);
    features = openLinkFeatures();
  });

  afterAll(() => {
    features?.close();
    for (const name of [NEAR, AWAY]) ip("link", "delete", name);
    other?.delete();
  });

  it("says what its other end is, and whether that hides tags", () => {
    // the kernel has that on for a new pair
    expect(features.otherEnd(indexOf(NEAR))).toEqual({ name: FAR, hidesTags: true });
    expect(features.otherEnd(indexOf(AWAY))).toEqual({ name: undefined, hidesTags: undefined });
    expect(features.otherEnd(1)).toBeUndefined();
  });

  it("is not a target while there is neither GRO nor a program at the other end", () => {
    for (const name of [NEAR, AWAY]) {
      expect(features.isRedirectTarget(indexOf(name), name)).toBe(false);
      // nor would a program of its own make it one
      expect(features.mayBecomeTarget(indexOf(name))).toBe(false);
    }
  });

  it("is a target once its other end has GRO or a program, whoever says so, and that is told", async () => {
    const old = openLinkFeatures({ oldKernel: true });
    const near = indexOf(NEAR);
    for (const name of [NEAR, FAR]) ip("link", "set", name, "up");
    const told: boolean[] = [];
    const concerns = (ifindex: number) => ifindex === near;
    const listener = { concerns, changed: (settled: boolean) => void told.push(settled) };
    features.listen(listener);
    for (const asked of [features, old]) expect(asked.isRedirectTarget(near, NEAR)).toBe(false);
    setGro(FAR, true);
    for (const asked of [features, old]) expect(asked.isRedirectTarget(near, NEAR)).toBe(true);
    await eventually("the change is told", () => told.includes(false));
    await eventually("its end is told", () => told.includes(true));
    setGro(FAR, false);
    for (const asked of [features, old]) expect(asked.isRedirectTarget(near, NEAR)).toBe(false);
    old.close();
    for (const name of [NEAR, FAR]) ip("link", "set", name, "down");
  });

  it.skipIf(xdpMissing() !== undefined)(
    "is a target once its other end in another namespace has a program, without the kernel's word, too",
    () => {
      const old = openLinkFeatures({ oldKernel: true });
      const near = indexOf(AWAY);
      const both = () => [features, old].map((asked) => asked.isRedirectTarget(near, AWAY));
      expect(both()).toEqual([false, false]);
      other.ip("link", "set", "dev", "far", "xdp", "object", OBJECT, "section", "xdp");
      expect(both()).toEqual([true, true]);
      other.ip("link", "set", "dev", "far", "xdp", "off");
      expect(both()).toEqual([false, false]);
      old.close();
    },
  );

  it("is known by its name as it is now", () => {
    const ifindex = indexOf(NEAR);
    expect(features.nameOf(ifindex)).toBe(NEAR);
    ip("link", "set", NEAR, "name", `${NEAR}x`);
    expect(features.nameOf(ifindex)).toBe(`${NEAR}x`);
    ip("link", "set", `${NEAR}x`, "name", NEAR);
    expect(features.nameOf(2_000_000_000)).toBeUndefined();
  });
});
