import { beforeEach, describe, expect, it } from "vitest";
import { ClearNextHops } from "../../src/io/clear-next-hops.ts";
import type { IpsecPolicies } from "../../src/io/ipsec-policies.ts";
import type { UdpConversation } from "../../src/io/ipsec-policy-set.ts";
import type { NextHop, NextHopQuery, NextHops, Unresolved } from "../../src/io/next-hops.ts";
import { formatIpAddress } from "../../src/wire/ip-address.ts";

const HOP: NextHop = {
  ifindex: 4,
  device: "core0",
  sourceMac: new Uint8Array(6),
  destinationMac: new Uint8Array(6),
  tags: [],
  mtuBytes: 1500,
  localAddress: "10.8.0.1",
};
const QUERY = { remoteAddress: "10.8.0.2", remotePort: 1702, localPort: 1701 } as const;
const PROTECTED = { reason: "an IPsec policy protects it" };

class FakeHops implements NextHops {
  readonly watches = new Set<(hop: NextHop | Unresolved) => void>();
  closed = false;

  watch(_: NextHopQuery, changed: (hop: NextHop | Unresolved) => void) {
    this.watches.add(changed);
    return { close: () => this.watches.delete(changed) };
  }

  tell(hop: NextHop | Unresolved): void {
    for (const changed of this.watches) changed(hop);
  }

  close(): void {
    this.closed = true;
  }
}

class FakePolicies implements IpsecPolicies {
  readonly asked: string[] = [];
  readonly guarded = new Set<string>();
  changed: () => void = () => {};
  closed = false;

  obstacle({ localAddress, localPort, remoteAddress, remotePort }: UdpConversation): string | undefined {
    const remote = formatIpAddress(remoteAddress);
    this.asked.push(`${formatIpAddress(localAddress)} ${localPort} ${remote} ${remotePort}`);
    return this.guarded.has(remote) ? PROTECTED.reason : undefined;
  }

  onChange(handler: () => void): void {
    this.changed = handler;
  }

  close(): void {
    this.closed = true;
  }
}

describe("next hops for who passes by IPsec", () => {
  let hops: FakeHops;
  let policies: FakePolicies;
  let clear: ClearNextHops;
  let told: (NextHop | Unresolved)[];
  const watch = () => clear.watch(QUERY, (hop) => told.push(hop));

  beforeEach(() => {
    hops = new FakeHops();
    policies = new FakePolicies();
    clear = new ClearNextHops(hops, policies);
    told = [];
  });

  it("are the routes' where no policy applies", () => {
    watch();
    hops.tell(HOP);
    hops.tell({ reason: "device core0 is down" });
    expect(told).toEqual([HOP, { reason: "device core0 is down" }]);
    expect(policies.asked).toEqual(["10.8.0.1 1701 10.8.0.2 1702"]);
  });

  it("are none where a policy applies, as long as it does", () => {
    policies.guarded.add(QUERY.remoteAddress);
    watch();
    hops.tell(HOP);
    hops.tell({ ...HOP, mtuBytes: 1400 });
    expect(told).toEqual([PROTECTED]);
    policies.guarded.clear();
    policies.changed();
    policies.changed();
    expect(told).toEqual([PROTECTED, { ...HOP, mtuBytes: 1400 }]);
    policies.guarded.add(QUERY.remoteAddress);
    policies.changed();
    expect(told.at(-1)).toEqual(PROTECTED);
  });

  it("ask once for a flow until the policies change", () => {
    for (let tunnel = 0; tunnel < 3; tunnel++) watch();
    hops.tell(HOP);
    expect(policies.asked).toHaveLength(1);
    policies.changed();
    expect(policies.asked).toHaveLength(2);
    expect(told).toHaveLength(3);
  });

  it("are not told to who does not watch any more", () => {
    const watched = watch();
    hops.tell(HOP);
    watched.close();
    policies.guarded.add(QUERY.remoteAddress);
    policies.changed();
    expect(hops.watches.size).toBe(0);
    watch();
    clear.close();
    hops.tell(HOP);
    expect(told).toEqual([HOP]);
    expect([hops.closed, policies.closed]).toEqual([true, true]);
  });
});
