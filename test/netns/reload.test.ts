/** A gateway's file is changed, and it goes on with it: devices, routes and sockets of the system follow. */

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../src/control/client.ts";
import type { ReloadView } from "../../src/gateway/operations-views.ts";
import { DialProcess } from "../support/dial-process.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { connect, type Netns } from "../support/netns.ts";
import { ping } from "../support/ping.ts";
import { connectAccess, PASSWORD, quietNetns, secretFiles } from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const YAML = `name: pta
access: [{ interface: acc0 }]
default: { terminate: office }
units:
  office: { mode: shared, name: office, address: 100.64.0.1, pool: 100.64.0.2-100.64.0.2 }
users-file: users.yaml
`;

describe.skipIf(!isRoot)("a gateway whose file has changed", () => {
  let subscriber: Netns;
  let another: Netns;
  let pta: Netns;
  let gateway: GatewayProcess;

  beforeAll(async () => {
    subscriber = quietNetns("config-sub");
    another = quietNetns("config-another");
    pta = quietNetns("config-pta");
    connectAccess(subscriber, pta);
    connect(another, "sub0", pta, "acc1");
    another.configure("sub0");
    pta.configure("acc1");
    gateway = await GatewayProcess.start(pta, YAML, secretFiles("anna", "berta"));
  });

  afterAll(async () => {
    await gateway?.close();
    for (const netns of [subscriber, another, pta]) netns?.delete();
  });

  function reload(change: (yaml: string) => string): Promise<ReloadView> {
    const path = join(dirname(gateway.socket), "lacewing.yaml");
    writeFileSync(path, change(readFileSync(path, "utf8")));
    return ask<ReloadView>(gateway.socket, { path: "/v1/reload", body: { plan: false } });
  }

  it("keeps a session through what need not end it, and serves what has come", async () => {
    const anna = await DialProcess.online(subscriber, { user: "anna", password: PASSWORD, device: "each" });
    expect(anna.up.address).toBe("100.64.0.2");
    const done = await reload((yaml) =>
      yaml
        .replace("[{ interface: acc0 }]", "[{ interface: acc0, pado-delay: 1ms }, { interface: acc1 }]")
        .replace("100.64.0.2-100.64.0.2", "[100.64.0.2-100.64.0.2, 100.64.8.0/24]"),
    );
    expect(done).toMatchObject({ endingSessions: 0, problems: [] });
    const routes = JSON.parse(pta.ip("-json", "route", "show", "dev", "office")) as { dst: string }[];
    expect(routes.map(({ dst }) => dst)).toContain("100.64.8.0/24");
    const berta = await DialProcess.online(another, { user: "berta", password: PASSWORD, device: "each" });
    expect(berta.up.address).toBe("100.64.8.1");
    for (const { address } of [anna.up, berta.up])
      expect((await ping(pta, { to: address, count: 1 })).received).toBe(1);

    const gone = await reload((yaml) => yaml.replace(", { interface: acc1 }]", "]"));
    expect(gone).toMatchObject({ endingSessions: 1, problems: [] });
    await gateway.hasSessions(1);
    expect((await gateway.session("anna")).state).toBe("open");
    await anna.dial.hangUp();
    expect(gateway.complaints()).toEqual([]);
  });

  it("goes on as it was when the file is wrong", async () => {
    await expect(reload((yaml) => yaml.replace("access:", "acess:"))).rejects.toThrow(/acess/);
    await expect(gateway.show("status")).resolves.toMatchObject({ name: "pta" });
  });
});
