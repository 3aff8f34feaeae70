/** Unit groups with IPv6: the address that IPV6CP names for our end is on the device. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DialProcess } from "../support/dial-process.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { Netns } from "../support/netns.ts";
import { connectAccess, PASSWORD, quietNetns, secretFiles } from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const OWN = "a@own.example";
const ALONG = "b@own.example";
const SHARED = "a@shared.example";

const config = (netns: string): string => `name: pta
access:
  - { interface: acc0, sessions-per-mac: 3 }
realms:
  own.example: { terminate: own }
  shared.example: { terminate: shared }
users-file: users.yaml
units:
  own: { name: own%d, netns: ${netns}, address: 100.64.0.1, pool: 100.64.0.0/24, ipv6: true }
  shared: { mode: shared, name: shared0, netns: ${netns}, address: 100.66.0.1, pool: 100.66.0.0/24, ipv6: true }
`;

describe.skipIf(!isRoot)("units with IPv6", () => {
  let subscriber: Netns;
  let gatewayNetns: Netns;
  let units: Netns | undefined;
  let gateway: GatewayProcess | undefined;
  const dials: DialProcess[] = [];

  beforeEach(() => {
    subscriber = quietNetns("sub");
    gatewayNetns = quietNetns("gw");
    connectAccess(subscriber, gatewayNetns);
  });

  afterEach(async () => {
    for (const dial of dials.splice(0)) await dial.kill();
    await gateway?.close();
    for (const netns of [subscriber, gatewayNetns, units]) netns?.delete();
  });

  const start = async (netns: Netns): Promise<GatewayProcess> => {
    units = netns;
    gateway = await GatewayProcess.start(gatewayNetns, config(netns.name), secretFiles(OWN, ALONG, SHARED));
    return gateway;
  };

  /** The session's device, once it is open. */
  const call = async (user: string): Promise<string> => {
    const { dial } = await DialProcess.online(subscriber, { user, password: PASSWORD });
    dials.push(dial);
    return (await gateway!.session(user)).device!;
  };

  it.each([
    ["of a session each", OWN, "fe80::6440:1"],
    ["that are shared", SHARED, "fe80::6442:1"],
  ])("%s have our link-local address, and answer at it", async (_which, user, address) => {
    const netns = Netns.create("six");
    const running = await start(netns);
    const device = await call(user);
    const listed = netns.ip("-6", "-o", "address", "show", "dev", device);
    expect(listed.trim().split("\n")).toHaveLength(1);
    expect(listed).toContain(`inet6 ${address}/64 scope link`);
    expect(listed).not.toContain("tentative");
    netns.run("ping", "-6", "-n", "-c", "1", "-W", "5", `${address}%${device}`);
    expect(netns.ip("-6", "route", "show", "dev", device)).toContain("fe80::/64");
    expect(running.complaints()).toEqual([]);
  });

  it("carry IPv4 where the host has IPv6 disabled, which is said once for each group", async () => {
    const netns = quietNetns("four");
    const running = await start(netns);
    const devices = [await call(OWN), await call(ALONG), await call(SHARED)];
    for (const device of devices) expect(netns.ip("-6", "-o", "address", "show", "dev", device)).toBe("");
    expect(running.output.match(/the host has IPv6 disabled/g)).toHaveLength(2);
    expect(running.complaints()).toEqual([]);
  });
});
