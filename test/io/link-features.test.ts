import { describe, expect, it } from "vitest";
import { openLinkFeatures } from "../../src/io/native-link-features.ts";
import { isRoot } from "../support/system.ts";

describe("features of devices", () => {
  it("of the loopback device: nothing can be redirected to it, and it leaves tags alone", () => {
    const features = openLinkFeatures();
    expect(features.isRedirectTarget(1, "lo")).toBe(false);
    expect(features.mayBecomeTarget(1)).toBe(false);
    if (isRoot) expect(features.keepVlanTags(1)).toBeUndefined();
    features.close();
  });
});
