import { describe, expect, it } from "vitest";
import {
  findTextTag,
  TAG_AC_SYSTEM_ERROR,
  TAG_SERVICE_NAME,
  TAG_SERVICE_NAME_ERROR,
  textTag,
} from "../../src/wire/pppoe-tags.ts";
import { type ConfigChange, call, concentrator, frames, hostMac } from "./support.ts";

const BY_SERVICE = { offered: ["gold"], acceptUnlisted: true, acceptEmpty: true };

describe("what a PADS that refuses says", () => {
  it.each<readonly [string, ConfigChange, Uint8Array, string]>([
    [
      "a second session of a MAC address",
      { limits: { maxSessionsPerMac: 1, atMacLimit: "refuse" } },
      hostMac(1),
      "too many sessions from this address",
    ],
    [
      "a session beyond the port's limit",
      { limits: { maxSessions: 1 } },
      hostMac(2),
      "session limit reached",
    ],
  ])("is AC-System-Error, after %s", (_, change, host, text) => {
    const ac = concentrator({ services: BY_SERVICE, ...change });
    call(ac, 0, { host: hostMac(1) });
    const [pads] = frames(call(ac, 1, { host }).outputs);
    expect(pads?.packet.sessionId).toBe(0);
    expect(findTextTag(pads!.packet.tags, TAG_AC_SYSTEM_ERROR)).toBe(text);
    expect(findTextTag(pads!.packet.tags, TAG_SERVICE_NAME_ERROR)).toBeUndefined();
    expect(pads?.packet.tags).toContainEqual(textTag(TAG_SERVICE_NAME, ""));
  });

  it("is AC-System-Error, after an owner who did not say in time", () => {
    const ac = concentrator({ limits: { confirmTimeoutMs: 5000 } });
    call(ac, 0);
    const [pads] = frames(ac.timeout(5000));
    expect(findTextTag(pads!.packet.tags, TAG_AC_SYSTEM_ERROR)).toBe(
      "the session could not be set up in time",
    );
  });
});
