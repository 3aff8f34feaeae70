import {
  attributeText,
  familyOf,
  netlinkErrno,
  parseAttributes,
  parseNetlinkMessages,
  readHostU32,
} from "../../../src/wire/rtnetlink.ts";
import { parseAddress } from "../../../src/wire/rtnetlink-address.ts";
import { parseLinkEvent } from "../../../src/wire/rtnetlink-link.ts";
import { parseRoute } from "../../../src/wire/rtnetlink-route.ts";
import { CAPTURED } from "../captures.ts";
import { samples, wordMarks } from "../sample.ts";
import { type CodecTarget, ensure } from "../target.ts";
import { codec } from "./codec.ts";

/** The kernel's answers; a dump has several messages, and one alone is as good. */
const ANSWERS = samples(CAPTURED.netlink, wordMarks);

export const NETLINK_CODECS: readonly CodecTarget[] = [
  codec(
    "rtnetlink",
    [parseNetlinkMessages, netlinkErrno, parseAttributes, attributeText, readHostU32],
    ANSWERS,
    (input) => {
      netlinkErrno([input]);
      for (const { payload } of parseNetlinkMessages([input])) {
        ensure(payload.length <= input.length, "more than there is");
        const attributes = parseAttributes(payload, Math.min(16, payload.length));
        const name = attributes.get(3);
        if (name !== undefined) attributeText(name);
        readHostU32(attributes.get(4));
      }
    },
  ),
  codec("rtnetlink-events", [parseLinkEvent, parseAddress, parseRoute, familyOf], ANSWERS, (input) => {
    for (const message of parseNetlinkMessages([input])) {
      parseLinkEvent(message);
      const address = parseAddress(message);
      if (address !== undefined)
        ensure(address.prefixLength <= address.local.length * 8, "a prefix longer than its address");
      const route = parseRoute(message);
      if (route === undefined) continue;
      familyOf(route.destination.address);
      ensure(route.destination.prefixLength <= route.destination.address.length * 8, "a prefix too long");
    }
  }),
];
