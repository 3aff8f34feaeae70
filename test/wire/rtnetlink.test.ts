import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { formatIpAddress, parseCidr, parseIpAddress } from "../../src/wire/ip-address.ts";
import { attribute, netlinkErrno, parseAttributes, parseNetlinkMessages } from "../../src/wire/rtnetlink.ts";
import { addAddressRequest, parseAddress } from "../../src/wire/rtnetlink-address.ts";
import {
  getLinkRequest,
  getLinksRequest,
  parseLinkEvent,
  setLinkRequest,
} from "../../src/wire/rtnetlink-link.ts";
import {
  addRouteRequest,
  deleteRouteRequest,
  getRouteRequest,
  parseRoute,
} from "../../src/wire/rtnetlink-route.ts";
import { KERNEL_ANSWERS } from "../vectors/rtnetlink-kernel.ts";

const ip = (text: string) => parseIpAddress(text)!;
const cidr = (text: string) => parseCidr(text)!;

function answer(name: string): Uint8Array[] {
  return KERNEL_ANSWERS[name]!.answer.map(fromHex);
}

function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}

describe("rtnetlink requests", () => {
  it.each([
    ["get-links", getLinksRequest(1)],
    ["get-link-name", getLinkRequest(2, "lwa")],
    ["set-link-nolla", setLinkRequest(3, { ifindex: 3, mtuBytes: 1492, noIpv6LinkLocal: true })],
    ["set-link-up", setLinkRequest(4, { ifindex: 3, up: true })],
    ["get-link-ix", getLinkRequest(5, 3)],
    [
      "add4peer",
      addAddressRequest(7, {
        ifindex: 3,
        local: ip("192.0.2.1"),
        peer: ip("198.51.100.7"),
        prefixLength: 32,
      }),
    ],
    ["add6", addAddressRequest(8, { ifindex: 3, local: ip("2001:db8::1"), prefixLength: 64 })],
    [
      "route4gw",
      addRouteRequest(12, {
        destination: cidr("10.0.0.0/8"),
        ifindex: 3,
        gateway: ip("192.0.2.254"),
        table: 254,
      }),
    ],
    ["route4table", addRouteRequest(14, { destination: cidr("10.1.0.0/16"), ifindex: 3, table: 1000 })],
    ["get-route4", getRouteRequest(15, ip("10.9.9.9"))],
    ["get-route6", getRouteRequest(16, ip("2001:db8:1::9"))],
    ["delroute4", deleteRouteRequest(19, { destination: cidr("203.0.113.0/24"), ifindex: 3 })],
  ])("%s is what the kernel was asked", (name, request) => {
    expect(toHex(request)).toBe(KERNEL_ANSWERS[name]!.request);
  });

  it("clear the host bits of a route's destination, which the kernel would refuse", () => {
    const route = { destination: cidr("10.0.0.7/8"), ifindex: 1 };
    expect(addRouteRequest(1, route)).toEqual(
      addRouteRequest(1, { ...route, destination: cidr("10.0.0.0/8") }),
    );
  });
});

describe("rtnetlink answers", () => {
  it("tell success, refusal and silence apart", () => {
    expect(netlinkErrno(answer("set-link-up"))).toBe(0);
    expect(netlinkErrno(answer("get-links"))).toBe(0);
    expect(netlinkErrno(answer("get-link-ix"))).toBe(0);
    expect(netlinkErrno(answer("add6again"))).toBe(17); // EEXIST
    expect(netlinkErrno(answer("get-route-none"))).toBe(101); // ENETUNREACH
    expect(netlinkErrno([])).toBeUndefined();
    expect(netlinkErrno([new Uint8Array(7)])).toBeUndefined();
  });

  it("list the links", () => {
    const links = present(parseNetlinkMessages(answer("get-links")).map(parseLinkEvent));
    expect(links).toMatchObject([
      { kind: "link", link: { ifindex: 1, name: "lo", up: false, mtuBytes: 65536 } },
      { kind: "link", link: { ifindex: 2, name: "lwb", up: true, operState: "lower-layer-down" } },
      { kind: "link", link: { ifindex: 3, name: "lwa", up: false, operState: "down", mtuBytes: 1500 } },
    ]);
    const [event] = present(parseNetlinkMessages(answer("get-link-ix")).map(parseLinkEvent));
    expect(event).toEqual({
      kind: "link",
      link: {
        ifindex: 3,
        name: "lwa",
        flags: 69699,
        up: true,
        operState: "up",
        mtuBytes: 1492,
        mac: fromHex("ee3665fafc49"),
      },
    });
  });

  it("list the addresses, with the peer of a point-to-point one", () => {
    const addresses = present(parseNetlinkMessages(answer("get-addresses")).map(parseAddress));
    expect(
      addresses.map(({ ifindex, local, peer, prefixLength }) => [
        ifindex,
        formatIpAddress(local),
        peer && formatIpAddress(peer),
        prefixLength,
      ]),
    ).toEqual([
      [3, "192.0.2.1", undefined, 24],
      [3, "192.0.2.1", "198.51.100.7", 32],
      [2, "fe80::4b:b4ff:fe90:61a6", undefined, 64],
      [3, "2001:db8::1", undefined, 64],
    ]);
  });

  it("find the way to an address", () => {
    const [route4] = present(parseNetlinkMessages(answer("get-route4")).map(parseRoute));
    expect(route4).toEqual({
      type: "unicast",
      destination: cidr("10.9.9.9/32"),
      table: 254,
      ifindex: 3,
      gateway: ip("192.0.2.254"),
      source: ip("192.0.2.1"),
    });
    const [route6] = present(parseNetlinkMessages(answer("get-route6")).map(parseRoute));
    expect(route6).toMatchObject({ ifindex: 3, gateway: ip("2001:db8::2"), source: ip("2001:db8::1") });
    const [local] = present(parseNetlinkMessages(answer("get-route-local")).map(parseRoute));
    expect(local).toMatchObject({ type: "local", ifindex: 1 });
  });

  it("give the path MTU that the kernel learnt", () => {
    const body = parseNetlinkMessages(answer("get-route4"))[0]!;
    const mtu = attribute(8, attribute(2, fromHex("78050000")));
    expect(parseRoute({ ...body, payload: concatBytes(body.payload, mtu) })?.mtuBytes).toBe(1400);
  });
});

describe("rtnetlink notifications", () => {
  const link = parseNetlinkMessages(answer("get-link-ix"))[0]!;

  it("tell that a link is gone", () => {
    expect(parseLinkEvent({ ...link, type: 17 })).toEqual({ kind: "gone", ifindex: 3, name: "lwa" });
  });

  it("of a bridge's ports are not about the link", () => {
    const payload = Uint8Array.from(link.payload);
    payload[0] = 7; // AF_BRIDGE
    expect(parseLinkEvent({ ...link, payload, type: 17 })).toBeUndefined();
    expect(parseLinkEvent({ ...link, payload })).toBeUndefined();
  });

  it("of one kind are no other's", () => {
    expect(parseAddress(link)).toBeUndefined();
    expect(parseRoute(link)).toBeUndefined();
    expect(parseLinkEvent({ ...link, type: 20 })).toBeUndefined();
  });
});

describe("netlink octets", () => {
  it("that are cut off or contradict themselves never throw and give no half values", () => {
    const whole = concatBytes(...Object.values(KERNEL_ANSWERS).flatMap((entry) => entry.answer.map(fromHex)));
    fc.assert(
      fc.property(fc.nat(whole.length), fc.array(fc.tuple(fc.nat(), fc.nat(255))), (length, damages) => {
        const bytes = whole.slice(0, length);
        for (const [position, octet] of damages) if (length > 0) bytes[position % length] = octet;
        netlinkErrno([bytes]);
        for (const message of parseNetlinkMessages([bytes])) {
          parseLinkEvent(message);
          const address = parseAddress(message);
          if (address !== undefined) expect([4, 16]).toContain(address.local.length);
          const route = parseRoute(message);
          if (route !== undefined) expect([4, 16]).toContain(route.destination.address.length);
        }
      }),
    );
  });

  it("carry attributes that come back", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.nat(0x3fff), fc.uint8Array({ maxLength: 20 })), {
          selector: ([type]) => type,
        }),
        (entries) => {
          const bytes = concatBytes(...entries.map(([type, value]) => attribute(type, value)));
          expect(bytes.length % 4).toBe(0);
          expect([...parseAttributes(bytes, 0)]).toEqual(entries);
        },
      ),
    );
  });

  it("end at an attribute of length zero instead of looping", () => {
    expect([...parseAttributes(new Uint8Array(64), 0)]).toEqual([]);
    expect(parseNetlinkMessages([new Uint8Array(64)])).toEqual([]);
  });
});
