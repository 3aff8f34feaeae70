import { concatBytes } from "../../../src/base/bytes.ts";
import {
  parseActiveFeatures,
  parseCanRedirect,
  parseChangedDevice,
  parseIsRedirectTarget,
} from "../../../src/wire/device-features.ts";
import {
  emitGenericMessage,
  parseFamily,
  parseGenericMessage,
  parseMulticastGroup,
} from "../../../src/wire/generic-netlink.ts";
import {
  attribute,
  attributeList,
  attributeString,
  attributeText,
  emitNetlinkMessage,
  familyOf,
  nestedAttribute,
  netlinkErrno,
  parseAttributes,
  parseNetlinkMessages,
  readHostU16,
  readHostU32,
} from "../../../src/wire/rtnetlink.ts";
import { parseAddress, parseAddressKey } from "../../../src/wire/rtnetlink-address.ts";
import { parseNetworkEvent } from "../../../src/wire/rtnetlink-event.ts";
import { parseLinkEvent } from "../../../src/wire/rtnetlink-link.ts";
import { parseLinkLayer } from "../../../src/wire/rtnetlink-link-layer.ts";
import { parseHasProgram, parseVethEnd } from "../../../src/wire/rtnetlink-link-xdp.ts";
import { parseNeighbour, parseNeighbourKey } from "../../../src/wire/rtnetlink-neighbour.ts";
import { parseRoute, parseRouteDestination } from "../../../src/wire/rtnetlink-route.ts";
import { parseDefaultPolicy, parsePolicy, policyApplies } from "../../../src/wire/xfrm-policy.ts";
import { CAPTURED } from "../captures.ts";
import { samples, wordMarks } from "../sample.ts";
import { type CodecTarget, ensure } from "../target.ts";
import { codec } from "./codec.ts";

/** Answers of the families of features, which have the number 30. */
const FAMILY = 30;
const featureBit = (name: string) => nestedAttribute(1, attributeString(2, name));
const GENERIC = samples(
  [
    emitGenericMessage(0x10, 1, 0, 1, attribute(1, Uint8Array.of(FAMILY, 0)), attributeString(2, "netdev")),
    emitGenericMessage(FAMILY, 1, 0, 2, attribute(3, Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0))),
    emitGenericMessage(
      FAMILY,
      11,
      0,
      3,
      nestedAttribute(4, nestedAttribute(3, featureBit("rx-gro"), featureBit("lro"))),
    ),
    emitGenericMessage(
      0x10,
      1,
      0,
      4,
      nestedAttribute(
        7,
        nestedAttribute(1, attributeString(1, "mgmt"), attribute(2, Uint8Array.of(9, 0, 0, 0))),
      ),
    ),
    emitGenericMessage(FAMILY, 4, 0, 5, attribute(1, Uint8Array.of(7, 0, 0, 0))),
  ],
  wordMarks,
);

/** A veth device whose other end is in another namespace and has a program. */
const VETH = samples(
  [
    emitNetlinkMessage(
      16,
      0,
      1,
      concatBytes(
        new Uint8Array(16),
        attribute(5, Uint8Array.of(7, 0, 0, 0)),
        attribute(37, Uint8Array.of(1, 0, 0, 0)),
        nestedAttribute(18, attributeString(1, "veth")),
        nestedAttribute(43, attribute(2, Uint8Array.of(1))),
      ),
    ),
  ],
  wordMarks,
);

/** An IPsec policy of IPv4 with a template, one of IPv6 with a mark, and what becomes of packets without one. */
const POLICIES = samples(
  [
    emitNetlinkMessage(0x13, 2, 1, concatBytes(policyInfo(2, 24), attribute(5, new Uint8Array(64)))),
    emitNetlinkMessage(0x13, 2, 1, concatBytes(policyInfo(10, 64), attribute(21, new Uint8Array(8).fill(1)))),
    emitNetlinkMessage(0x28, 0, 2, Uint8Array.of(2, 2, 1, 0)),
  ],
  wordMarks,
);

/** struct xfrm_userpolicy_info of what leaves for a prefix, to UDP/1701. */
function policyInfo(family: number, prefixLength: number): Uint8Array {
  const info = new Uint8Array(168);
  info.set([10, 8, 0, 2]);
  info.set([1701 >> 8, 1701 & 0xff, 0xff, 0xff], 32);
  info.set([family, 0, prefixLength, prefixLength, 17], 40);
  info[160] = 1;
  return info;
}

/** The kernel's answers; a dump has several messages, and one alone is as good. */
const ANSWERS = samples(CAPTURED.netlink, wordMarks);

export const NETLINK_CODECS: readonly CodecTarget[] = [
  codec(
    "rtnetlink",
    [parseNetlinkMessages, netlinkErrno, parseAttributes, attributeText, readHostU16, readHostU32],
    ANSWERS,
    (input) => {
      netlinkErrno([input]);
      for (const { payload } of parseNetlinkMessages([input])) {
        ensure(payload.length <= input.length, "more than there is");
        const attributes = parseAttributes(payload, Math.min(16, payload.length));
        const name = attributes.get(3);
        if (name !== undefined) attributeText(name);
        readHostU16(attributes.get(4));
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
  codec(
    "rtnetlink-next-hops",
    [
      parseNetworkEvent,
      parseAddressKey,
      parseRouteDestination,
      parseNeighbourKey,
      parseNeighbour,
      parseLinkLayer,
    ],
    ANSWERS,
    (input) => {
      for (const message of parseNetlinkMessages([input])) {
        const event = parseNetworkEvent(message);
        const about = [parseAddressKey, parseRouteDestination, parseNeighbourKey].filter(
          (parse) => parse(message) !== undefined,
        );
        ensure(about.length <= 1, "a message about two things");
        if (event?.kind === "route")
          ensure(event.destination.prefixLength <= event.destination.address.length * 8, "a prefix too long");
        const neighbour = parseNeighbour(message);
        if (neighbour !== undefined) {
          ensure(event?.kind === "neighbour", "a neighbour that nothing was heard of");
          ensure(neighbour.mac === undefined || neighbour.mac.length === 6, "a MAC address of no six octets");
        }
        const vlan = parseLinkLayer(message)?.vlan;
        ensure(vlan === undefined || vlan.tag.tci <= 0xfff, "a VLAN id too large");
      }
    },
  ),
  codec(
    "generic-netlink",
    [
      parseGenericMessage,
      parseFamily,
      parseMulticastGroup,
      parseIsRedirectTarget,
      parseCanRedirect,
      parseChangedDevice,
      parseActiveFeatures,
      attributeList,
    ],
    GENERIC,
    (input) => {
      for (const message of parseNetlinkMessages([input])) {
        for (const value of parseGenericMessage(message, FAMILY)?.values() ?? [])
          ensure(attributeList(value).length <= value.length / 4, "more attributes than octets");
        const family = parseFamily(message);
        ensure(family === undefined || family <= 0xffff, "a family's number too large");
        const group = parseMulticastGroup(message, "mgmt");
        ensure(group === undefined || Number.isInteger(group), "a group that is no number");
        const device = parseChangedDevice(message, FAMILY);
        ensure(device === undefined || Number.isInteger(device), "a device that is no number");
        parseIsRedirectTarget(message, FAMILY);
        parseCanRedirect(message, FAMILY);
        parseActiveFeatures(message, FAMILY);
      }
    },
  ),
  codec("veth-ends", [parseVethEnd, parseHasProgram], VETH, (input) => {
    for (const message of parseNetlinkMessages([input])) {
      const end = parseVethEnd(message);
      ensure(end?.netnsId !== 0xffffffff, "a namespace without a number");
      ensure(!parseHasProgram(message) || message.type === 16, "a program on what is no link");
    }
  }),
  codec("xfrm-policies", [parsePolicy, parseDefaultPolicy, policyApplies], POLICIES, (input) => {
    for (const message of parseNetlinkMessages([input])) {
      const policy = parsePolicy(message);
      ensure(policy === undefined || parseDefaultPolicy(message) === undefined, "one message of two kinds");
      if (policy === undefined) continue;
      const { source, destination } = policy;
      ensure(source.address.length === destination.address.length, "addresses of two families");
      const flow = { protocol: 17, sourcePort: 1701, destinationPort: 1701 };
      policyApplies(policy, { ...flow, source: source.address, destination: destination.address });
    }
  }),
];
