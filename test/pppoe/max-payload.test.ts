import { describe, expect, it } from "vitest";
import {
  findTag,
  maxPayloadTag,
  TAG_PPP_MAX_PAYLOAD,
  TAG_SERVICE_NAME,
  textTag,
} from "../../src/wire/pppoe-tags.ts";
import { call, concentrator, frames } from "./support.ts";

const ANY = textTag(TAG_SERVICE_NAME, "");

describe("PPP-Max-Payload", () => {
  const S_TAG = { tpid: 0x88a8, tci: 1 };
  const C_TAG = { tpid: 0x8100, tci: 2 };

  it.each([
    [[], 1508, 1500],
    [[C_TAG], 1508, 1500],
    [[S_TAG, C_TAG], 1508, undefined],
    [[S_TAG, C_TAG], 1516, 1500],
    [[S_TAG, C_TAG], 1510, 1494],
  ])("under the tags %j of a port with an MTU of %d promises %j", (vlanTags, portMtuBytes, promised) => {
    const ac = concentrator({ limits: { maxPayloadBytes: 1500, portMtuBytes } });
    const { outputs, session } = call(ac, 0, { vlanTags, tags: [ANY, maxPayloadTag(1500)] });
    expect((outputs[0] as { maxPayloadBytes?: number }).maxPayloadBytes).toBe(promised);
    const [pads] = frames(ac.confirm(1, session));
    const said = findTag(pads!.packet.tags, TAG_PPP_MAX_PAYLOAD);
    expect(said).toEqual(promised === undefined ? undefined : maxPayloadTag(promised).value);
  });
});
