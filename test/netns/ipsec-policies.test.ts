/** The kernel's IPsec policies, as `ip xfrm` makes them, and what they say of datagrams. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NativeError } from "../../src/io/addon.ts";
import { type IpsecPolicies, openIpsecPolicies } from "../../src/io/ipsec-policies.ts";
import { addon } from "../../src/io/native.ts";
import { parseIpAddress } from "../../src/wire/ip-address.ts";
import { NETLINK_XFRM } from "../../src/wire/xfrm-policy.ts";
import { eventually } from "../support/eventually.ts";
import { Netns } from "../support/netns.ts";
import { isRoot } from "../support/system.ts";

const TEMPLATE = "tmpl src 10.8.0.1 dst 10.8.0.2 proto esp mode transport";
const OUT = "src 10.8.0.1/32 dst 10.8.0.2/32 proto 17 dport 1701 dir out";

/** A kernel may be built without them. */
const hasIpsec = ((): boolean => {
  try {
    addon.close(addon.openNetlink({ groups: 0, protocol: NETLINK_XFRM }));
    return true;
  } catch (error) {
    if ((error as NativeError).code === "EPROTONOSUPPORT") return false;
    throw error;
  }
})();

describe.skipIf(!isRoot || !hasIpsec)("the host's IPsec policies", () => {
  let host: Netns;
  let policies: IpsecPolicies;
  let changes: number;

  const policy = (words: string, change = "add") =>
    host.ip("xfrm", "policy", change, ...words.split(" ").filter((word) => word !== ""));
  const about = (local: string, remote: string, localPort = 1701, remotePort = 1701) =>
    policies.obstacle({
      localAddress: parseIpAddress(local)!,
      localPort,
      remoteAddress: parseIpAddress(remote)!,
      remotePort,
    });
  const l2tp = () => about("10.8.0.1", "10.8.0.2");
  const open = () => {
    policies = openIpsecPolicies({ netnsPath: host.path });
    changes = 0;
    policies.onChange(() => {
      changes += 1;
    });
  };

  beforeEach(() => {
    host = Netns.create("ipsec");
    open();
  });

  afterEach(() => {
    policies.close();
    host.delete();
  });

  /** Those that are there when they are first read. */
  function set(...all: readonly string[]): void {
    for (const words of all) policy(words);
    policies.close();
    open();
  }

  it("say nothing when there are none", () => {
    expect(l2tp()).toBeUndefined();
  });

  it("are known at once when they are made and deleted", async () => {
    policy(`${OUT} ${TEMPLATE}`);
    await eventually("it is known", () => l2tp() !== undefined);
    expect(l2tp()).toBe("an IPsec policy protects UDP from 10.8.0.1 port 1701 to 10.8.0.2 port 1701");
    expect(changes).toBeGreaterThan(0);
    policy(OUT, "delete");
    await eventually("it is gone", () => l2tp() === undefined);
  });

  it("apply by addresses, ports and protocol", () => {
    set(`${OUT} ${TEMPLATE}`, `src 10.9.0.0/16 dst 10.9.0.1/32 proto 6 dir out ${TEMPLATE}`);
    expect(l2tp()).toBeDefined();
    expect(about("10.8.0.1", "10.8.0.3")).toBeUndefined();
    expect(about("10.8.0.3", "10.8.0.2")).toBeUndefined();
    expect(about("10.8.0.1", "10.8.0.2", 1701, 1702)).toBeUndefined();
    expect(about("10.8.0.1", "10.8.0.2", 1702, 1701)).toBeDefined();
    expect(about("10.9.0.2", "10.9.0.1")).toBeUndefined();
  });

  it("apply to what is received, too, and of IPv6", () => {
    set(
      `src 10.8.0.2/32 dst 10.8.0.0/24 dir in ${TEMPLATE}`,
      "src 2001:db8::/32 dst 2001:db8:1::/48 dir out tmpl src 2001:db8::1 dst 2001:db8:1::1 proto esp mode tunnel",
    );
    expect(l2tp()).toBe("an IPsec policy protects UDP from 10.8.0.2 port 1701 to 10.8.0.1 port 1701");
    expect(about("2001:db8::1", "2001:db8:1::9")).toContain("protects");
    expect(about("2001:db8::1", "2001:db8:2::9")).toBeUndefined();
  });

  it("do not apply to hosts when they are for what is forwarded, for a mark or for an XFRM interface", () => {
    set(
      `src 0.0.0.0/0 dst 0.0.0.0/0 dir fwd ${TEMPLATE}`,
      `src 0.0.0.0/0 dst 10.8.0.0/16 dir out mark 5 mask 0xff ${TEMPLATE}`,
      `src 0.0.0.0/0 dst 10.0.0.0/8 dir out if_id 7 ${TEMPLATE}`,
    );
    expect(l2tp()).toBeUndefined();
  });

  it("hold by their priority, and the stricter one of two with the same", () => {
    set(`src 10.8.0.0/24 dst 0.0.0.0/0 dir out priority 20 ${TEMPLATE}`);
    expect(l2tp()).toContain("protects");
    set(`${OUT} priority 10`);
    expect(l2tp()).toBeUndefined();
    set(`src 0.0.0.0/0 dst 10.8.0.2/32 dir out priority 10 action block`);
    expect(l2tp()).toContain("blocks");
  });

  it("may block by default what none is for", async () => {
    host.ip("xfrm", "policy", "setdefault", "out", "block");
    await eventually("it is known", () => l2tp() !== undefined);
    expect(l2tp()).toContain("by default");
    policy(OUT);
    await eventually("there is an exception", () => l2tp() === undefined);
  });
});
