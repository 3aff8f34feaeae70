/** What the kernel says of devices that a program forwards on. */

import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LinkFeatures } from "../../src/io/link-features.ts";
import { openLinkFeatures } from "../../src/io/native-link-features.ts";
import { Netns } from "../support/netns.ts";
import { isRoot } from "../support/system.ts";

const NEAR = `lwf${process.pid % 1e6}a`;
const FAR = `lwf${process.pid % 1e6}b`;
const AWAY = `lwf${process.pid % 1e6}c`;

const ip = (...words: string[]) => execFileSync("ip", words, { encoding: "utf8" });
const indexOf = (name: string): number => JSON.parse(ip("-json", "link", "show", name))[0].ifindex;

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
    expect(features.isRedirectTarget(indexOf(NEAR), NEAR)).toBe(false);
  });

  it("is known by its name as it is now", () => {
    const ifindex = indexOf(NEAR);
    expect(features.nameOf(ifindex)).toBe(NEAR);
    ip("link", "set", NEAR, "name", `${NEAR}x`);
    expect(features.nameOf(ifindex)).toBe(`${NEAR}x`);
    ip("link", "set", `${NEAR}x`, "name", NEAR);
    expect(features.nameOf(2_000_000_000)).toBeUndefined();
  });
});
