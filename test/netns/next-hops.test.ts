/** Next hops as the kernel's own routes, rules, neighbours and links make them, in network namespaces. */

import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { addon } from "../../src/io/native.ts";
import { type NextHop, type NextHopQuery, openNextHops, type Unresolved } from "../../src/io/next-hops.ts";
import { formatMac } from "../../src/wire/ethernet.ts";
import { parseCidr, parseIpAddress } from "../../src/wire/ip-address.ts";
import { netlinkErrno } from "../../src/wire/rtnetlink.ts";
import { addRouteRequest, deleteRouteRequest } from "../../src/wire/rtnetlink-route.ts";
import { eventually } from "../support/eventually.ts";
import { connect, Netns } from "../support/netns.ts";
import { isRoot } from "../support/system.ts";

/** What an LNS with tens of thousands of sessions may wait for its new next hop. */
const LONGEST_MS = 100;

const LNS = "192.0.2.1";

/** A watch, with everything that it was told as text: "core0 02:… 1500 from 10.8.0.1", or the reason. */
class Watched {
  readonly told: string[] = [];
  /** When it was told last. */
  at = 0;

  readonly changed = (hop: NextHop | Unresolved): void => {
    this.told.push("reason" in hop ? hop.reason : textOf(hop));
    this.at = performance.now();
  };

  async becomes(what: RegExp): Promise<void> {
    await eventually(`told of ${what}`, () => {
      if (what.test(this.told.at(-1) ?? "")) return true;
      throw new Error(`told: ${JSON.stringify(this.told)}`);
    });
  }
}

function textOf({ device, destinationMac, mtuBytes, localAddress }: NextHop): string {
  return `${device} ${formatMac(destinationMac)} ${mtuBytes} from ${localAddress}`;
}

describe.skipIf(!isRoot)("next hops of a host with two ways to an LNS", () => {
  let host: Netns;
  let far: Netns;
  let hops: ReturnType<typeof openNextHops>;
  /** By device of the LNS. */
  let macs: readonly [string, string];

  const watch = (query: string | NextHopQuery): Watched => {
    const watched = new Watched();
    hops.watch(typeof query === "string" ? { remoteAddress: query } : query, watched.changed);
    return watched;
  };

  beforeEach(() => {
    host = Netns.create("hop-host");
    far = Netns.create("hop-far");
    for (const netns of [host, far]) netns.run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0");
    for (const n of [0, 1]) {
      connect(host, `core${n}`, far, `core${n}`);
      host.configure(`core${n}`, `10.8.${n}.1/24`, `10.8.${n}.11/24`, `2001:db8:${n}::1/64`);
      far.configure(`core${n}`, `10.8.${n}.2/24`, `2001:db8:${n}::2/64`);
    }
    far.ip("address", "add", `${LNS}/32`, "dev", "lo");
    far.ip("address", "add", "2001:db8:ffff::1/128", "dev", "lo", "nodad");
    macs = [formatMac(far.macOf("core0")), formatMac(far.macOf("core1"))];
    hops = openNextHops({ netnsPath: host.path });
  });

  afterEach(() => {
    hops.close();
    host.delete();
    far.delete();
  });

  it("finds who is on the link, and tells it once", async () => {
    const neighbour = new Watched();
    const query = { remoteAddress: "10.8.0.2" };
    let hop: NextHop | undefined;
    const first = hops.watch(query, (now) => {
      neighbour.changed(now);
      if (!("reason" in now)) hop = now;
    });
    expect(neighbour.told).toEqual([]);
    await neighbour.becomes(new RegExp(`^core0 ${macs[0]} 1500 from 10.8.0.1$`));
    expect(hop!.sourceMac).toEqual(host.macOf("core0"));
    expect(hop!.ifindex).toBe(Number(host.run("cat", "/sys/class/net/core0/ifindex")));
    expect(hop!.tags).toEqual([]);
    const second = watch(query);
    await second.becomes(/^core0/);
    expect(second.told).toHaveLength(1);
    first.close();
    host.ip("link", "set", "core0", "mtu", "1400");
    await second.becomes(/1400/);
    expect(neighbour.told.at(-1)).toMatch(/1500/);
  });

  it("follows a route to another gateway, at once", async () => {
    host.ip("route", "add", `${LNS}/32`, "via", "10.8.0.2", "mtu", "1300");
    const lns = watch(LNS);
    const gateway = watch("10.8.1.2");
    await Promise.all([lns.becomes(/^core0.* 1300 /), gateway.becomes(/^core1/)]);
    const unresolved = lns.told.length - 1;
    host.ip("route", "replace", `${LNS}/32`, "via", "10.8.1.2");
    await lns.becomes(new RegExp(`^core1 ${macs[1]} 1500 from 10.8.1.1`));
    // nothing between the two
    expect(lns.told).toHaveLength(unresolved + 2);
    host.ip("route", "delete", `${LNS}/32`);
    await lns.becomes(/^no route to 192.0.2.1$/);
    expect(gateway.told.at(-1)).toMatch(/^core1/);
  });

  it("takes far less than 100 ms from a change of the kernel's to the change of the next hop", async () => {
    host.ip("route", "add", "192.0.2.0/24", "via", "10.8.0.2");
    const lns = watch(LNS);
    await Promise.all([lns.becomes(/^core0/), watch("10.8.1.2").becomes(/^core1/)]);
    const socket = addon.openNetlink({ netnsPath: host.path, groups: 0 });
    const route = {
      destination: parseCidr(`${LNS}/32`)!,
      ifindex: Number(host.run("cat", "/sys/class/net/core1/ifindex")),
      gateway: parseIpAddress("10.8.1.2")!,
    };
    const delays: number[] = [];
    for (let round = 1; round <= 5; round++) {
      for (const [request, device] of [
        [addRouteRequest(2 * round, route), "core1"],
        [deleteRouteRequest(2 * round + 1, route), "core0"],
      ] as const) {
        const begun = performance.now();
        expect(netlinkErrno(addon.netlinkTransact(socket, request))).toBe(0);
        await lns.becomes(new RegExp(`^${device}`));
        delays.push(lns.at - begun);
      }
    }
    addon.close(socket);
    expect(Math.max(...delays)).toBeLessThan(LONGEST_MS);
  });

  it("follows a neighbour to another address, and looks for one that was forgotten", async () => {
    const lns = watch("10.8.0.2");
    await lns.becomes(/^core0/);
    far.ip("link", "set", "core0", "address", "02:00:00:00:00:99");
    host.ip("neighbour", "delete", "10.8.0.2", "dev", "core0");
    await lns.becomes(/^core0 02:00:00:00:00:99 /);
    host.ip(
      "neighbour",
      "replace",
      "10.8.0.2",
      "lladdr",
      "02:00:00:00:00:77",
      "dev",
      "core0",
      "nud",
      "permanent",
    );
    await lns.becomes(/^core0 02:00:00:00:00:77 /);
    expect(host.ip("neighbour", "show", "10.8.0.2")).toContain("PERMANENT");
  });

  it("has a stale neighbour confirmed", async () => {
    const lns = watch("10.8.0.2");
    await lns.becomes(/^core0/);
    host.run("sysctl", "-qw", "net.ipv4.neigh.core0.delay_first_probe_time=1");
    const before = lns.told.length;
    const entry = ["10.8.0.2", "lladdr", macs[0], "dev", "core0"];
    host.ip("neighbour", "replace", ...entry, "nud", "stale");
    await eventually("it is reachable again", () =>
      /REACHABLE/.test(host.ip("neighbour", "show", "10.8.0.2")),
    );
    expect(lns.told).toHaveLength(before);
  });

  it("waits for a neighbour that does not answer, and tells when it does", async () => {
    const late = watch("10.8.0.3");
    await late.becomes(/^no neighbour yet: 10.8.0.3 on device core0 has not answered$/);
    far.ip("address", "add", "10.8.0.3/24", "dev", "core0");
    await late.becomes(new RegExp(`^core0 ${macs[0]}`));
    expect(late.told).toHaveLength(2);
  });

  it("follows a device that is renamed, goes down, comes up and disappears", async () => {
    host.ip("route", "add", `${LNS}/32`, "via", "10.8.0.2");
    const [onLink, routed] = [watch("10.8.0.2"), watch(LNS)];
    await Promise.all([onLink.becomes(/^core0/), routed.becomes(/^core0/)]);
    host.run("sysctl", "-qw", "net.ipv4.conf.core0.arp_notify=1");
    host.ip("link", "set", "core0", "name", "uplink");
    await Promise.all([onLink.becomes(/^uplink/), routed.becomes(/^uplink/)]);
    host.ip("link", "set", "uplink", "down");
    await Promise.all([onLink.becomes(/^no route/), routed.becomes(/^no route/)]);
    host.ip("link", "set", "uplink", "up");
    await onLink.becomes(/^uplink/);
    far.ip("link", "set", "core0", "down");
    await onLink.becomes(/^device uplink has no carrier$/);
    far.ip("link", "set", "core0", "up");
    await onLink.becomes(/^uplink/);
    host.ip("link", "delete", "uplink");
    await onLink.becomes(/^no route/);
    expect(routed.told.at(-1)).toMatch(/^no route/);
  });

  it("asks for the source that packets have: policy rules send two addresses two ways", async () => {
    host.ip("route", "add", LNS, "via", "10.8.0.2");
    host.ip("route", "add", LNS, "via", "10.8.1.2", "table", "100");
    const from = (localAddress: string) => watch({ remoteAddress: LNS, localAddress });
    const [one, other, foreign] = [from("10.8.0.1"), from("10.8.0.11"), from("10.8.0.77")];
    await Promise.all([one.becomes(/^core0.* from 10.8.0.1$/), other.becomes(/^core0.* from 10.8.0.11$/)]);
    await foreign.becomes(/^no route to 192.0.2.1 from 10.8.0.77$/);
    host.ip("rule", "add", "from", "10.8.0.11", "lookup", "100");
    await other.becomes(new RegExp(`^core1 ${macs[1]} 1500 from 10.8.0.11$`));
    expect(one.told.at(-1)).toMatch(/^core0/);
    host.ip("rule", "delete", "from", "10.8.0.11", "lookup", "100");
    await other.becomes(/^core0/);
    host.ip("address", "add", "10.8.0.77/24", "dev", "core0");
    await foreign.becomes(/^core0.* from 10.8.0.77$/);
  });

  it("binds to a device that is asked for", async () => {
    host.ip("route", "add", "default", "via", "10.8.0.2");
    host.ip("route", "add", "default", "via", "10.8.1.2", "metric", "100");
    const ifindex = Number(host.run("cat", "/sys/class/net/core1/ifindex"));
    const [any, bound] = [watch(LNS), watch({ remoteAddress: LNS, ifindex })];
    await Promise.all([any.becomes(/^core0/), bound.becomes(/^core1/)]);
    await watch({ remoteAddress: LNS, ifindex: 4711 }).becomes(/^there is no device 4711$/);
  });

  it("finds IPv6 gateways by their link-local addresses, and IPv4's by IPv6", async () => {
    const linkLocal = (n: number) => /fe80\S+(?=\/)/.exec(far.ip("-6", "address", "show", `core${n}`))![0];
    host.ip("route", "add", "2001:db8:ffff::/48", "via", linkLocal(0), "dev", "core0");
    const lns = watch("2001:db8:ffff::1");
    await lns.becomes(new RegExp(`^core0 ${macs[0]} 1500 from 2001:db8::1$`));
    host.ip("route", "replace", "2001:db8:ffff::/48", "via", linkLocal(1), "dev", "core1");
    await lns.becomes(new RegExp(`^core1 ${macs[1]} 1500 from 2001:db8:1::1$`));
    await watch("2001:db8::2").becomes(new RegExp(`^core0 ${macs[0]}`));
    host.ip("route", "add", LNS, "via", "inet6", linkLocal(1), "dev", "core1");
    await watch(LNS).becomes(new RegExp(`^core1 ${macs[1]} 1500 from 10.8.1.1$`));
    host.ip("link", "set", "core1", "down");
    await lns.becomes(/^no route/);
  });

  it("takes one of several gateways, and another when that one's device is down", async () => {
    host.ip("route", "add", LNS, "nexthop", "via", "10.8.0.2", "nexthop", "via", "10.8.1.2");
    const lns = watch(LNS);
    await lns.becomes(/^core/);
    const [taken, other] = lns.told.at(-1)!.startsWith("core0") ? ["core0", "core1"] : ["core1", "core0"];
    host.ip("link", "set", taken, "down");
    await lns.becomes(new RegExp(`^${other}`));
  });

  it("says why there is no next hop", async () => {
    host.ip("tuntap", "add", "dev", "tun9", "mode", "tun");
    host.configure("tun9", "10.9.0.1/24");
    host.ip("route", "add", "blackhole", "198.51.100.1");
    host.ip("route", "add", "prohibit", "198.51.100.2");
    host.ip("route", "add", "unreachable", "198.51.100.3");
    await Promise.all([
      watch("127.0.0.1").becomes(/^127.0.0.1 is an address of this host$/),
      watch("10.8.0.1").becomes(/^10.8.0.1 is an address of this host$/),
      watch("::1").becomes(/^::1 is an address of this host$/),
      watch("203.0.113.1").becomes(/^no route to 203.0.113.1$/),
      watch("10.9.0.2").becomes(/^device tun9 has no Ethernet header$/),
      watch("198.51.100.1").becomes(/^the route to 198.51.100.1 is blackhole$/),
      watch("198.51.100.2").becomes(/^the route to 198.51.100.2 is prohibit$/),
      watch("198.51.100.3").becomes(/^no route to 198.51.100.3$/),
      watch("10.8.0.255").becomes(/^the route to 10.8.0.255 is broadcast$/),
      watch("224.0.0.9").becomes(/^the route to 224.0.0.9 is multicast$|no route/),
      watch("nobody").becomes(/^not an IP address$/),
    ]);
  });

  it("looks at everything again when more happened than it could hear of", async () => {
    host.ip("route", "add", LNS, "via", "10.8.0.2");
    const lns = watch(LNS);
    await lns.becomes(/^core0/);
    const deaf = Array.from(
      { length: 30_000 },
      (_, i) => `route replace 198.18.${(i >> 8) & 127}.${i & 255} dev core0`,
    );
    const batch = [...deaf, `route replace ${LNS} via 10.8.1.2`].join("\n");
    // nothing is read while this runs
    execFileSync("ip", ["-n", host.name, "-batch", "-"], { input: batch });
    await lns.becomes(/^core1/);
  });

  it("takes a device without ARP as it is", async () => {
    host.ip("link", "set", "core0", "arp", "off");
    await watch("10.8.0.2").becomes(new RegExp(`^core0 ${formatMac(host.macOf("core0"))} `));
  });

  it("is silent when it is closed", async () => {
    const lns = watch("10.8.0.2");
    const other = openNextHops({ netnsPath: host.path });
    const still = new Watched();
    other.watch({ remoteAddress: "10.8.0.2" }, still.changed);
    await Promise.all([lns.becomes(/^core0/), still.becomes(/^core0/)]);
    hops.close();
    host.ip("link", "set", "core0", "mtu", "1400");
    await still.becomes(/1400/);
    expect(lns.told.at(-1)).toMatch(/1500/);
    other.close();
  });
});
