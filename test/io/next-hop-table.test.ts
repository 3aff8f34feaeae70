import { describe, expect, it } from "vitest";
import { NEVER } from "../../src/base/time.ts";
import {
  CORE0,
  CORE1,
  GATEWAY,
  HOP,
  LNS,
  mac,
  NextHopSite,
  SOURCE,
  settledSite,
  VIA_CORE0,
  VIA_CORE1,
} from "../support/next-hop-site.ts";
import {
  addressMessage,
  linkMessage,
  NUD,
  octets,
  PlayedKernel,
  type PlayedLink,
  RTM,
  routeMessage,
  ruleMessage,
} from "../support/played-rtnetlink.ts";

describe("next hops", () => {
  it("are found by a question for each of what they rest on, and the neighbour is looked for", () => {
    const site = new NextHopSite();
    site.watch(LNS);
    expect(site.table.deadline()).toBe(0);
    site.run(10);
    expect(site.news()).toEqual([HOP]);
    // the neighbour was not there at first; that it is there now is announced, too
    expect(site.asked()).toEqual({
      [RTM.GETROUTE]: 1,
      [RTM.GETLINK]: 1,
      [RTM.GETNEIGH]: 3,
      [RTM.NEWNEIGH]: 1,
    });
  });

  it("of one gateway ask for what they share once", () => {
    const site = settledSite();
    for (let i = 2; i < 200; i++) {
      site.kernel.setRoute(`192.0.2.${i}`, VIA_CORE0);
      site.watch(`192.0.2.${i}`);
    }
    site.run(1000);
    expect(site.news()).toHaveLength(198);
    const { [RTM.GETROUTE]: routes, ...others } = site.asked();
    expect(routes).toBeGreaterThanOrEqual(198);
    expect(others).toEqual({});
  });

  it("change with the route, within a few milliseconds, and once for a route that is deleted and added", () => {
    const site = settledSite();
    site.watch({ remote: GATEWAY });
    const changed = site.now;
    site.kernel.setRoute(LNS, 101);
    site.kernel.setRoute(LNS, { ...VIA_CORE1, mtuBytes: 1400 });
    site.run(50);
    const hop = { ...HOP, ifindex: 3, device: "core1", sourceMac: mac(2), destinationMac: mac(12) };
    expect(site.news()).toContainEqual({ ...hop, mtuBytes: 1400 });
    expect(site.toldAt - changed).toBeLessThanOrEqual(5);
    site.kernel.setRoute(LNS, 101);
    site.run(50);
    expect(site.news()).toEqual([{ reason: "no route to 192.0.2.1" }]);
  });

  it("ask once for a storm of changes, and a bounded number of times for one that lasts", () => {
    const site = settledSite();
    for (let i = 0; i < 1000; i++) site.kernel.events.push(ruleMessage());
    site.run(20);
    expect(site.asked()).toEqual({ [RTM.GETROUTE]: 1 });
    for (let i = 0; i < 100; i++) {
      site.kernel.events.push(ruleMessage());
      site.run(1);
    }
    expect(site.asked()[RTM.GETROUTE]).toBeLessThanOrEqual(50);
    expect(site.news()).toEqual([]);
  });

  it("ask for nothing when what happens does not concern them", () => {
    const site = settledSite();
    const tun: PlayedLink = { ifindex: 900, name: "sub0", mac: new Uint8Array(0), type: 65534 };
    const { events } = site.kernel;
    for (let i = 0; i < 100; i++) {
      site.kernel.setLink(tun);
      events.push(addressMessage(RTM.NEWADDR, 900, octets("100.64.0.1")));
      events.push(routeMessage(RTM.NEWROUTE, 0, octets("198.51.100.7"), 32, { ifindex: 900 }));
      events.push(routeMessage(RTM.NEWROUTE, 0, octets("2001:db8::"), 32, { ifindex: 900 }));
      events.push(addressMessage(RTM.DELADDR, 900, octets("100.64.0.1")));
      site.kernel.setNeighbour({
        ifindex: 2,
        address: octets("10.0.0.99"),
        state: NUD.reachable,
        mac: mac(5),
      });
      site.kernel.deleteLink(900);
      site.run(5);
    }
    expect(site.asked()).toEqual({});
  });

  it.each([
    ["a rule", ruleMessage()],
    ["a route to a prefix around it", routeMessage(RTM.NEWROUTE, 0, octets("192.0.0.0"), 16, VIA_CORE1)],
    ["a default route that goes", routeMessage(RTM.DELROUTE, 0, octets("0.0.0.0"), 0, VIA_CORE1)],
    ["an Ethernet device", linkMessage(RTM.NEWLINK, 0, CORE1)],
    ["an address on its device", addressMessage(RTM.NEWADDR, 2, octets("10.0.0.7"))],
    ["its source address, wherever", addressMessage(RTM.DELADDR, 77, SOURCE)],
  ])("are asked for again after %s", (_what, event) => {
    const site = settledSite();
    site.kernel.events.push(event);
    site.run(10);
    expect(site.asked()[RTM.GETROUTE]).toBe(1);
    expect(site.news()).toEqual([]);
  });

  it("are looked at now and then even if nobody says anything: redirects and path MTU are not announced", () => {
    const site = settledSite();
    site.kernel.routes.set(LNS, { ...VIA_CORE0, mtuBytes: 1280 });
    site.run(31_000);
    expect(site.news()).toEqual([{ ...HOP, mtuBytes: 1280 }]);
    site.asked();
    site.run(300_000);
    expect(site.asked()).toEqual({ [RTM.GETROUTE]: 10 });
  });

  it("are all asked for again when notifications were lost", () => {
    const site = settledSite();
    site.kernel.setLink({ ...CORE0, name: "uplink", mtuBytes: 1450 });
    site.kernel.setNeighbour({ ifindex: 2, address: GATEWAY, state: NUD.reachable, mac: mac(33) });
    site.kernel.events.length = 0;
    site.table.overrun(site.now);
    site.run(10);
    expect(site.news().at(-1)).toEqual({ ...HOP, device: "uplink", mtuBytes: 1450, destinationMac: mac(33) });
  });

  it("that nobody watches cost nothing any more", () => {
    const site = settledSite();
    const [key] = [site.watch(LNS)];
    site.table.forget(key);
    expect(site.table.deadline()).toBe(NEVER);
    site.kernel.setRoute(LNS, VIA_CORE1);
    site.kernel.setLink(CORE0);
    site.table.overrun(site.now);
    site.run(100_000);
    expect(site.asked()).toEqual({});
    expect(site.news()).toEqual([]);
  });

  it("do not ask for what they do not rest on any more", () => {
    const site = settledSite();
    site.kernel.setRoute(LNS, VIA_CORE1);
    site.run(10);
    site.asked();
    site.kernel.setNeighbour({ ifindex: 2, address: GATEWAY, state: NUD.stale, mac: mac(11) });
    site.run(100);
    expect(site.asked()).toEqual({});
  });

  it("that are forgotten while the kernel is asked do not come back", () => {
    const site = new NextHopSite();
    const key = site.watch(LNS);
    const [ask] = site.table.timeout(0);
    site.table.forget(key);
    if (ask?.kind !== "ask") throw new Error("nothing was asked");
    expect(site.table.answered(0, ask.seq, site.kernel.answer(ask.request))).toEqual([]);
    expect(site.table.deadline()).toBe(NEVER);
  });

  it("are asked for again a second later when the kernel does not answer", () => {
    const site = new NextHopSite();
    site.watch(LNS);
    const [ask] = site.table.timeout(0);
    if (ask?.kind !== "ask") throw new Error("nothing was asked");
    expect(site.table.answered(0, ask.seq, [])).toEqual([]);
    expect(site.table.deadline()).toBe(1000);
    site.run(1000);
    expect(site.news()).toEqual([HOP]);
  });

  it("believe the answer to the newest question only", () => {
    const site = settledSite();
    const ask = () => {
      site.table.heard(site.now, [ruleMessage()]);
      site.now += 10;
      const [output] = site.table.timeout(site.now);
      if (output?.kind !== "ask") throw new Error("nothing was asked");
      return { seq: output.seq, answer: site.kernel.answer(output.request) };
    };
    const older = ask();
    site.kernel.routes.set(LNS, { ...VIA_CORE0, mtuBytes: 1300 });
    const newer = ask();
    site.perform(site.table.answered(site.now, newer.seq, newer.answer));
    site.perform(site.table.answered(site.now, older.seq, older.answer));
    expect(site.news()).toEqual([{ ...HOP, mtuBytes: 1300 }]);
  });
});

describe("neighbours of next hops", () => {
  it("that do not answer are looked for every second, and told of when they do", () => {
    const site = new NextHopSite();
    site.kernel.hosts.clear();
    site.watch(LNS);
    for (let second = 0; second < 10; second++) {
      site.run(1000);
      site.kernel.giveUp();
    }
    expect(site.news()).toEqual([{ reason: "no neighbour yet: 10.0.0.2 on device core0 has not answered" }]);
    const used = site.asked()[RTM.NEWNEIGH]!;
    expect(used).toBeGreaterThanOrEqual(9);
    expect(used).toBeLessThanOrEqual(11);
    site.kernel.setNeighbour({ ifindex: 2, address: GATEWAY, state: NUD.reachable, mac: mac(11) });
    site.run(10);
    expect(site.news()).toEqual([HOP]);
    site.run(10_000);
    expect(site.asked()[RTM.NEWNEIGH]).toBeUndefined();
  });

  it("that have gone stale are confirmed, and stay believed meanwhile", () => {
    const site = settledSite();
    for (let i = 0; i < 5; i++) {
      site.kernel.setNeighbour({ ifindex: 2, address: GATEWAY, state: NUD.stale, mac: mac(11) });
      site.run(30_000);
      expect(site.asked()[RTM.NEWNEIGH]).toBe(1);
    }
    expect(site.news()).toEqual([]);
  });

  it("that are forgotten by the kernel are looked for at once", () => {
    const site = settledSite();
    site.kernel.hosts.set(PlayedKernel.key(2, GATEWAY), mac(44));
    const changed = site.now;
    site.kernel.deleteNeighbour(2, GATEWAY);
    site.run(100);
    expect(site.news()).toEqual([{ ...HOP, destinationMac: mac(44) }]);
    expect(site.toldAt - changed).toBeLessThanOrEqual(5);
  });

  it.each(["permanent", "noarp"] as const)("that are %s are taken as they are", (state) => {
    const site = new NextHopSite();
    site.kernel.setNeighbour({ ifindex: 2, address: GATEWAY, state: NUD[state], mac: mac(66) });
    site.watch(LNS);
    site.run(100_000);
    expect(site.news()).toEqual([{ ...HOP, destinationMac: mac(66) }]);
    expect(site.asked()[RTM.NEWNEIGH]).toBeUndefined();
  });

  it("that the kernel will not look for are a reason", () => {
    const site = new NextHopSite();
    site.kernel.refusesUse = 1;
    site.watch(LNS);
    site.run(5000);
    const reason = "no neighbour: asking for 10.0.0.2 on device core0 was refused, CAP_NET_ADMIN is missing";
    expect(site.news()).toEqual([{ reason }]);
    site.kernel.refusesUse = 0;
    site.run(1000);
    expect(site.news().at(-1)).toEqual(HOP);
  });
});
