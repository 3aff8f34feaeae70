/** What a next hop rests on, as rtnetlink says it: neighbours, link layers, and what notifications are about. */

import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { parseCidr, parseIpAddress } from "../../src/wire/ip-address.ts";
import { attributeU32, netlinkErrno, parseNetlinkMessages } from "../../src/wire/rtnetlink.ts";
import { parseNetworkEvent, RTMGRP_NETWORK } from "../../src/wire/rtnetlink-event.ts";
import { getLinkRequest } from "../../src/wire/rtnetlink-link.ts";
import { parseLinkLayer } from "../../src/wire/rtnetlink-link-layer.ts";
import {
  getNeighbourRequest,
  parseNeighbour,
  useNeighbourRequest,
} from "../../src/wire/rtnetlink-neighbour.ts";
import { getRouteRequest, parseRoute } from "../../src/wire/rtnetlink-route.ts";
import { linkMessage, NUD, neighbourMessage, type PlayedLink, RTM } from "../support/played-rtnetlink.ts";
import { KERNEL_ANSWERS, KERNEL_NOTIFICATIONS } from "../vectors/rtnetlink-kernel.ts";

const ip = (text: string) => parseIpAddress(text)!;
const cidr = (text: string) => parseCidr(text)!;
const answer = (name: string) => parseNetlinkMessages(KERNEL_ANSWERS[name]!.answer.map(fromHex));
const only = (bytes: Uint8Array) => parseNetlinkMessages([bytes])[0]!;

/** Each notification of a name as what it is about. */
const events = (name: string) =>
  parseNetlinkMessages(KERNEL_NOTIFICATIONS[name]!.map(fromHex)).map(parseNetworkEvent);

describe("neighbours", () => {
  const lwa4 = { ifindex: 3, address: ip("192.0.2.2") };
  const lwa6 = { ifindex: 3, address: ip("2001:db8::2") };

  it.each([
    ["get-neighbour-none", getNeighbourRequest(20, lwa4)],
    ["use-neighbour", useNeighbourRequest(21, lwa4)],
    ["get-neighbour6", getNeighbourRequest(24, lwa6)],
    ["get-route-via6", getRouteRequest(25, ip("198.51.100.9"), { source: ip("192.0.2.1") })],
  ])("%s is what the kernel was asked", (name, request) => {
    expect(toHex(request)).toBe(KERNEL_ANSWERS[name]!.request);
  });

  it("come with what is known of them", () => {
    const mac = fromHex("020000000022");
    expect(answer("get-neighbour4").map(parseNeighbour)).toEqual([{ ...lwa4, state: "reachable", mac }]);
    expect(answer("get-neighbour6").map(parseNeighbour)).toEqual([{ ...lwa6, state: "permanent", mac }]);
    expect(answer("get-neighbour-incomplete").map(parseNeighbour)).toEqual([
      { ...lwa4, state: "incomplete" },
    ]);
    expect(netlinkErrno(KERNEL_ANSWERS["get-neighbour-none"]!.answer.map(fromHex))).toBe(2); // ENOENT
    expect(netlinkErrno(KERNEL_ANSWERS["use-neighbour"]!.answer.map(fromHex))).toBe(0);
  });

  it("have every state that the kernel has a bit for", () => {
    const stateOf = (state: number) =>
      parseNeighbour(only(neighbourMessage(RTM.NEWNEIGH, 0, { ...lwa4, state })))?.state;
    for (const [name, bit] of Object.entries(NUD)) expect(stateOf(bit)).toBe(name);
    expect(stateOf(0x10)).toBe("probe");
    expect(stateOf(0x8000)).toBe("none");
  });

  it("are none when they go, belong to a bridge or contradict themselves", () => {
    const message = answer("get-neighbour4")[0]!;
    expect(parseNeighbour({ ...message, type: RTM.DELNEIGH })).toBeUndefined();
    const damaged = (at: number, octet: number) => {
      const payload = Uint8Array.from(message.payload);
      payload[at] = octet;
      return { ...message, payload };
    };
    expect(parseNeighbour(damaged(0, 7))).toBeUndefined(); // AF_BRIDGE
    expect(parseNeighbour(damaged(0, 10))).toBeUndefined(); // AF_INET6 with four octets
    expect(parseNeighbour({ ...message, payload: message.payload.subarray(0, 11) })).toBeUndefined();
  });

  it("of another kind of link have no MAC address", () => {
    const message = neighbourMessage(RTM.NEWNEIGH, 0, {
      ...lwa4,
      state: NUD.permanent,
      mac: new Uint8Array(20),
    });
    expect(parseNeighbour(only(message))).toEqual({ ...lwa4, state: "permanent" });
  });
});

describe("routes", () => {
  it("of IPv4 may have a gateway of IPv6", () => {
    const [route] = answer("get-route-via6").map(parseRoute);
    expect(route).toMatchObject({ type: "unicast", ifindex: 3, gateway: ip("2001:db8::2"), mtuBytes: 1400 });
    expect(route).not.toHaveProperty("encapsulated");
  });

  it("that encapsulate say so", () => {
    const [message] = parseNetlinkMessages(KERNEL_NOTIFICATIONS.encap!.map(fromHex));
    expect(parseRoute(message!)).toMatchObject({ destination: cidr("203.0.113.0/24"), encapsulated: true });
  });

  it("have no gateway or source of a length that no address has", () => {
    const message = answer("get-route-local")[0]!;
    const payload = concatBytes(
      message.payload,
      attributeU32(7, 1).subarray(0, 8),
      Uint8Array.of(6, 0, 5, 0, 1, 2),
    );
    expect(parseRoute({ ...message, payload })).not.toHaveProperty("gateway");
  });
});

describe("the layer beneath a link", () => {
  const ETHERNET: PlayedLink = { ifindex: 4, name: "eth0", mac: fromHex("020000000001") };
  const layerOf = (link: PlayedLink) => parseLinkLayer(only(linkMessage(RTM.NEWLINK, 0, link)));

  it("is Ethernet or not, and has somebody at the other end or not", () => {
    expect(layerOf(ETHERNET)).toEqual({ ethernet: true, carrier: true });
    expect(layerOf({ ...ETHERNET, carrier: false })).toEqual({ ethernet: true, carrier: false });
    expect(layerOf({ ...ETHERNET, type: 65534 })).toEqual({ ethernet: false, carrier: true });
    const [real] = answer("get-link-ix").map(parseLinkLayer);
    expect(real).toEqual({ ethernet: true, carrier: true, veth: { otherIfindex: 2 } });
  });

  it("of a VLAN device is the tag, and the device that it is put on for", () => {
    const tag = { tpid: 0x8100, tci: 7 };
    expect(layerOf({ ...ETHERNET, vlan: { lower: 2, tag } })?.vlan).toEqual({ tag, lowerIfindex: 2 });
    const service = { tpid: 0x88a8, tci: 4094 };
    expect(layerOf({ ...ETHERNET, vlan: { lower: 9, tag: service } })?.vlan).toEqual({
      tag: service,
      lowerIfindex: 9,
    });
  });

  it.each([
    ["get-link-vlan", "core0.7", { tag: { tpid: 0x8100, tci: 7 }, lowerIfindex: 2 }],
    ["get-link-svlan", "svc", { tag: { tpid: 0x88a8, tci: 100 }, lowerIfindex: 2 }],
    ["get-link-qinq", "svc.9", { tag: { tpid: 0x8100, tci: 9 }, lowerIfindex: 4 }],
  ])("is read from what a kernel says of its VLAN devices: %s", (name, device, vlan) => {
    expect(toHex(getLinkRequest(1, device))).toBe(KERNEL_ANSWERS[name]!.request);
    expect(answer(name).map(parseLinkLayer)).toEqual([{ ethernet: true, carrier: true, vlan }]);
  });

  it("of a VLAN device may be in another namespace, where its number means another device", () => {
    const tag = { tpid: 0x8100, tci: 7 };
    expect(layerOf({ ...ETHERNET, vlan: { lower: 2, tag, netns: true } })?.vlan).toEqual({ tag });
  });

  it("of any other device with one beneath it (a veth and its peer) is none", () => {
    expect(answer("get-links").map(parseLinkLayer)).not.toContainEqual(
      expect.objectContaining({ vlan: expect.anything() }),
    );
  });

  it("is unknown when the message is cut off or another", () => {
    const message = only(linkMessage(RTM.NEWLINK, 0, ETHERNET));
    expect(parseLinkLayer({ ...message, payload: message.payload.subarray(0, 15) })).toBeUndefined();
    expect(parseLinkLayer({ ...message, type: RTM.DELLINK })).toBeUndefined();
  });
});

describe("notifications", () => {
  it.each([
    ["neighbour", [{ kind: "neighbour", ifindex: 3, address: ip("192.0.2.2") }]],
    ["neighbour6", [{ kind: "neighbour", ifindex: 3, address: ip("2001:db8::2") }]],
    ["route", [{ kind: "route", destination: cidr("198.51.100.0/24") }]],
    ["route-gone", [{ kind: "route", destination: cidr("198.51.100.0/24") }]],
    ["route-default", [{ kind: "route", destination: cidr("0.0.0.0/0") }]],
    ["rule", [{ kind: "rules" }]],
    ["rule6", [{ kind: "rules" }]],
    ["nexthop", [{ kind: "rules" }]],
    [
      "address",
      [
        { kind: "address", ifindex: 3, address: ip("192.0.2.77") },
        { kind: "route", destination: cidr("192.0.2.77/32") },
      ],
    ],
    [
      "address-gone",
      [
        { kind: "address", ifindex: 3, address: ip("192.0.2.77") },
        { kind: "route", destination: cidr("192.0.2.77/32") },
      ],
    ],
    ["link", [{ kind: "link", ifindex: 3, ordinary: true }]],
  ])("say what they are about: %s", (name, about) => {
    expect(events(name)).toEqual(about);
  });

  it("of a device that goes are about it and everything on it", () => {
    const about = events("link-gone");
    expect(about).not.toContain(undefined);
    expect(about.at(-1)).toEqual({ kind: "link", ifindex: 2, ordinary: true });
    expect(about.map((event) => event?.kind)).toEqual(
      expect.arrayContaining(["route", "neighbour", "address"]),
    );
  });

  it("are those of nine multicast groups", () => {
    expect(RTMGRP_NETWORK.toString(16)).toBe("800405d5");
  });

  it("of a subscriber's TUN device, and of a bridge's ports, are told apart", () => {
    const tun = linkMessage(RTM.NEWLINK, 0, { ifindex: 9, name: "t", mac: new Uint8Array(0), type: 65534 });
    expect(parseNetworkEvent(only(tun))).toEqual({ kind: "link", ifindex: 9, ordinary: false });
    const { payload, ...message } = only(tun);
    const port = Uint8Array.from(payload);
    port[0] = 7; // AF_BRIDGE
    expect(parseNetworkEvent({ ...message, payload: port })).toBeUndefined();
    expect(parseNetworkEvent({ ...message, payload, type: 36 })).toBeUndefined();
  });
});
