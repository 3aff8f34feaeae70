/** An address of l2tp.listen that the host gets late, loses and gets back: who asks for health is told, every time. */

import { isDeepStrictEqual } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask } from "../../src/control/client.ts";
import type { HealthView, ReadinessView } from "../../src/gateway/operations-views.ts";
import { eventually } from "../support/eventually.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { connect, Netns } from "../support/netns.ts";
import { isRoot } from "../support/system.ts";

const config = (listen: string) => `name: lns
l2tp:
  listen: [{ ${listen} }]
  peers: [{ name: everyone, role: lac }]
default: { refuse: true }
`;

describe.skipIf(!isRoot)("a local address of L2TP", () => {
  let netns: Netns;
  let gateway: GatewayProcess | undefined;

  beforeEach(() => {
    netns = Netns.create("lns");
    connect(netns, "core0", netns, "core1");
    netns.configure("core0");
    netns.configure("core1");
  });

  afterEach(async () => {
    await gateway?.close();
    netns.delete();
  });

  /** What health and /readyz say. */
  async function told(): Promise<{ readonly codes: readonly string[]; readonly ready: boolean }> {
    const { socket } = gateway!;
    const { problems } = await ask<HealthView>(socket, { path: "/v1/health" });
    const ready = await ask<ReadinessView>(socket, { path: "/readyz" }).then(
      () => true,
      () => false,
    );
    return { codes: problems.map(({ code }) => code), ready };
  }

  const AWAY = { codes: ["address-missing"], ready: false };
  const THERE = { codes: [], ready: true };

  /** The kernel makes an IPv6 address ready some time after it has taken it, without duplicate address detection, too. */
  const isThere = () => eventually("it is there", async () => isDeepStrictEqual(await told(), THERE));

  it.each([
    ["IPv4", "192.0.2.11/24"],
    ["IPv6", "2001:db8::11/64"],
  ])("%s: comes, goes and comes again", async (_, address) => {
    gateway = await GatewayProcess.start(netns, config(`address: "${address.split("/")[0]}"`));
    expect(await told()).toEqual(AWAY);
    for (let round = 0; round < 2; round++) {
      netns.ip("address", "add", address, "dev", "core0", "nodad");
      await isThere();
      netns.ip("address", "del", address, "dev", "core0");
      expect(await told()).toEqual(AWAY);
    }
    // its net is another's with a route to it, which makes it no address of ours
    netns.ip("route", "add", "default", "dev", "core0");
    netns.ip("-6", "route", "add", "default", "dev", "core0");
    expect(await told()).toEqual(AWAY);
    netns.ip("address", "add", address, "dev", "lo", "nodad");
    await isThere();
  });

  it("that is a link-local one is looked for on its device", async () => {
    gateway = await GatewayProcess.start(netns, config('address: "fe80::11", interface: core0'));
    expect(await told()).toEqual(AWAY);
    netns.ip("address", "add", "fe80::11/64", "dev", "core0", "nodad");
    await isThere();
  });

  it.each(["0.0.0.0", "::"])("%s is there without any", async (address) => {
    gateway = await GatewayProcess.start(netns, config(`address: "${address}"`));
    expect(await told()).toEqual(THERE);
  });
});
