import { describe, expect, it } from "vitest";
import { CORE0, HOP, LNS, mac, NextHopSite, VIA_CORE0 } from "../support/next-hop-site.ts";
import { NUD, octets, PlayedKernel, type PlayedLink, type PlayedRoute } from "../support/played-rtnetlink.ts";

const EACCES = 13;
const EINVAL = 22;
const VLAN7: PlayedLink = {
  ifindex: 70,
  name: "core0.7",
  mac: mac(7),
  vlan: { lower: 2, tag: { tpid: 0x8100, tci: 7 } },
};
/** 802.1ad outside, 802.1Q inside. */
const SERVICE: PlayedLink = { ...VLAN7, name: "svc", vlan: { lower: 2, tag: { tpid: 0x88a8, tci: 100 } } };
const CUSTOMER: PlayedLink = {
  ...VLAN7,
  ifindex: 71,
  name: "svc.7",
  vlan: { lower: 70, tag: { tpid: 0x8100, tci: 7 } },
};
const VIA_VLAN = { ...VIA_CORE0, ifindex: 70 };

/** What becomes of a watch of the LNS when the kernel says so. */
function resolved(route: PlayedRoute | number, ...links: readonly PlayedLink[]) {
  const site = new NextHopSite();
  for (const link of links) site.kernel.setLink(link);
  site.kernel.setRoute(LNS, route);
  if (typeof route === "object") {
    const address = route.gateway ?? octets(LNS);
    site.kernel.setNeighbour({ ifindex: route.ifindex, address, state: NUD.permanent, mac: mac(11) });
  }
  site.watch(LNS);
  site.run(10);
  expect(site.told).toHaveLength(1);
  return site.news()[0];
}

describe("a next hop", () => {
  it("over a VLAN device is the device beneath, with the tag, and the VLAN device's own MAC and MTU", () => {
    expect(resolved(VIA_VLAN, { ...CORE0, mtuBytes: 9000 }, { ...VLAN7, mtuBytes: 1496 })).toEqual({
      ...HOP,
      sourceMac: mac(7),
      tags: [{ tpid: 0x8100, tci: 7 }],
      mtuBytes: 1496,
    });
  });

  it("over two VLAN devices has the lower one's tag outermost", () => {
    expect(resolved({ ...VIA_CORE0, ifindex: 71 }, SERVICE, CUSTOMER)).toMatchObject({
      ifindex: 2,
      device: "core0",
      tags: [
        { tpid: 0x88a8, tci: 100 },
        { tpid: 0x8100, tci: 7 },
      ],
    });
  });

  it("that is on-link is the destination itself", () => {
    const { gateway: _, ...onLink } = VIA_CORE0;
    expect(resolved(onLink)).toEqual(HOP);
  });

  it("has the route's MTU, but no larger one than the device's", () => {
    expect(resolved({ ...VIA_CORE0, mtuBytes: 1400 })).toMatchObject({ mtuBytes: 1400 });
    expect(resolved({ ...VIA_CORE0, mtuBytes: 9000 })).toMatchObject({ mtuBytes: 1500 });
  });

  it("may have a gateway of the other family", () => {
    const gateway = octets("fe80::2");
    expect(resolved({ ...VIA_CORE0, gateway })).toEqual(HOP);
  });

  it.each([
    ["no route to 192.0.2.1", resolved(101)],
    ["the route to 192.0.2.1 is prohibit", resolved(EACCES)],
    ["the route to 192.0.2.1 is blackhole", resolved(EINVAL)],
    ["192.0.2.1 is an address of this host", resolved({ ifindex: 1, type: 2 })],
    ["the route to 192.0.2.1 is multicast", resolved({ ...VIA_CORE0, type: 5 })],
    ["device core0 is down", resolved(VIA_CORE0, { ...CORE0, up: false })],
    ["device core0 has no carrier", resolved(VIA_CORE0, { ...CORE0, carrier: false })],
    ["device core0 has no carrier", resolved(VIA_VLAN, { ...CORE0, carrier: false }, VLAN7)],
    ["device tun0 has no Ethernet header", resolved(VIA_CORE0, { ...CORE0, name: "tun0", type: 65534 })],
    ["device 99 is gone", resolved({ ...VIA_CORE0, ifindex: 99 })],
    ["device 98 is gone", resolved(VIA_VLAN, { ...VLAN7, vlan: { ...VLAN7.vlan!, lower: 98 } })],
    [
      "what is beneath device core0.7 is in another network namespace",
      resolved(VIA_VLAN, { ...VLAN7, vlan: { ...VLAN7.vlan!, netns: true } }),
    ],
    [
      "device core0.7 has more than 2 VLAN tags",
      resolved(VIA_VLAN, { ...VLAN7, vlan: { ...VLAN7.vlan!, lower: 70 } }),
    ],
    ["no address of ours to speak to 192.0.2.1 from", resolved({ ifindex: 2 })],
  ])("is none: %s", (reason, told) => {
    expect(told).toEqual({ reason });
  });

  it("changes with a VLAN device's lower device", () => {
    const site = new NextHopSite();
    site.kernel.setLink(VLAN7);
    site.kernel.setRoute(LNS, VIA_VLAN);
    site.kernel.hosts.set(PlayedKernel.key(70, VIA_CORE0.gateway), mac(11));
    site.watch(LNS);
    site.run(10);
    site.kernel.setLink({ ...CORE0, name: "uplink" });
    site.run(10);
    expect(site.news().map((hop) => "device" in hop && hop.device)).toEqual(["core0", "uplink"]);
  });
});
