/** Units in another network namespace of a gateway that may not enter it, by the helper that may. */

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../src/control/client.ts";
import type { ReloadView } from "../../src/gateway/operations-views.ts";
import type { StoryView } from "../../src/journal/story-view.ts";
import { DialProcess, type DialUp } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import type { Netns } from "../support/netns.ts";
import { ping } from "../support/ping.ts";
import { connectAccess, PASSWORD, quietNetns, secretFiles } from "../support/site.ts";
import { isRoot } from "../support/system.ts";
import { UnitHelper } from "../support/unit-helper.ts";

/** The service's: with them, user 0 is nobody special. */
const THREE_CAPABILITIES = ["setpriv", "--bounding-set=-all,+net_admin,+net_raw,+bpf", "--inh-caps=-all"];

const config = (netns: string, pool: string): string => `name: pta
access: [{ interface: acc0, sessions-per-mac: 4 }]
data-plane: { workers: 2 }
realms:
  each.example: { terminate: each }
users-file: users.yaml
units:
  each: { name: far%d, netns: ${netns}, address: 100.65.0.1, pool: 100.65.0.0/24 }
${pool === "" ? "" : `  all: { mode: shared, name: far, netns: ${netns}, address: 100.66.0.1, pool: ${pool} }\n`}`;

describe.skipIf(!isRoot)("a gateway with the service's three capabilities", () => {
  let subscriber: Netns;
  let gatewayNetns: Netns;
  let elsewhere: Netns;
  let gateway: GatewayProcess;
  let helper: UnitHelper;
  const dials: DialProcess[] = [];

  const call = async (user: string, device: "each" | "none" = "each"): Promise<DialUp> => {
    const called = await DialProcess.online(subscriber, { user, password: PASSWORD, device });
    dials.push(called.dial);
    return called.up;
  };
  const isRefused = async (user: string): Promise<void> => {
    const dial = new DialProcess(subscriber, { user, password: PASSWORD });
    const { reason } = await dial.down();
    expect(reason).toBe("the peer ended the link: no service at the moment");
    await dial.hangUp();
  };
  const hasTraffic = async ({ peerAddress }: DialUp): Promise<void> => {
    expect((await ping(subscriber, { to: peerAddress!, count: 1 })).received).toBe(1);
  };

  beforeAll(async () => {
    subscriber = quietNetns("sub");
    gatewayNetns = quietNetns("gw");
    elsewhere = quietNetns("units");
    connectAccess(subscriber, gatewayNetns);
    helper = await UnitHelper.start("root", elsewhere.name);
    await helper.kill();
    const users = ["a", "b", "c"].map((name) => `${name}@each.example`);
    gateway = await GatewayProcess.start(gatewayNetns, config(elsewhere.name, ""), secretFiles(...users), {
      under: THREE_CAPABILITIES,
      environment: { LACEWING_UNIT_HELPER: helper.socket },
    });
  });

  afterAll(async () => {
    for (const dial of dials) await dial.hangUp();
    await gateway?.close();
    await helper?.close();
    for (const netns of [subscriber, gatewayNetns, elsewhere]) netns?.delete();
  });

  it("says at its start what is missing, and refuses whom it has no device for", async () => {
    const { level, error } = await gateway.logged(
      "no device can be made in the network namespace: subscribers of the unit group are refused",
      { unit: "each" },
    );
    expect(level).toBe("error");
    expect(error).toContain(`the network namespace ${elsewhere.name} cannot be entered`);
    expect(error).toContain("systemctl enable --now lacewing-units.socket");
    await isRefused("a@each.example");
    const story = await ask<StoryView>(gateway.socket, { path: "/v1/why?user=a@each.example" });
    expect(story.headline).toContain("systemctl enable --now lacewing-units.socket");
    expect(story.likely.map(({ code }) => code)).toEqual(["no-namespace"]);
  });

  it("has devices there once the helper runs, which goes on without them", async () => {
    await helper.startAgain();
    const before = helper.descriptors();
    const up = await call("a@each.example");
    const { device } = await gateway.session("a@each.example");
    const [link] = JSON.parse(elsewhere.ip("-j", "address", "show", "dev", device!));
    expect(link).toMatchObject({ mtu: 1492, addr_info: [{ local: "100.65.0.1", address: up.address }] });
    await hasTraffic(up);
    await eventually("the helper keeps nothing open", () => helper.descriptors() === before);
  });

  it("keeps them when the helper is killed, and makes the next when it is there again", async () => {
    const [first] = dials[0]!.ups();
    await helper.kill();
    await hasTraffic(first!);
    await isRefused("b@each.example");
    await helper.startAgain();
    // both have the same peer: a device for the first alone
    await call("b@each.example", "none");
    const { device } = await gateway.session("b@each.example");
    expect(elsewhere.ip("-o", "link", "show", "up")).toContain(`${device}:`);
    await hasTraffic(first!);
  });

  it("makes shared ones with several queues there, and changes their routes", async () => {
    const path = join(dirname(gateway.socket), "lacewing.yaml");
    const head = readFileSync(path, "utf8").split("name: pta")[0]!;
    const reload = async (pool: string): Promise<void> => {
      writeFileSync(path, head + config(elsewhere.name, pool));
      const done = await ask<ReloadView>(gateway.socket, { path: "/v1/reload", body: { plan: false } });
      expect(done).toMatchObject({ problems: [], endingSessions: 0 });
    };
    const routes = (): string[] =>
      (JSON.parse(elsewhere.ip("-j", "route", "show", "dev", "far")) as { dst: string }[]).map(
        ({ dst }) => dst,
      );
    await reload("100.66.0.0/24");
    expect(routes()).toEqual(["100.66.0.0/24"]);
    const [link] = JSON.parse(elsewhere.ip("-j", "-d", "link", "show", "far"));
    expect(link.linkinfo.info_data).toMatchObject({ multi_queue: true });
    await reload("100.66.1.0/24");
    expect(routes()).toEqual(["100.66.1.0/24"]);
  });

  it("leaves nothing there", async () => {
    for (const dial of dials.splice(0)) await dial.hangUp();
    await gateway.stop();
    await eventually("all devices are gone", () => !elsewhere.ip("-o", "link").includes("far"));
  });
});
