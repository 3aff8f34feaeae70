/** The sample configurations of deploy/, as they are: their roles in namespaces with their addresses. */

import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { DialProcess } from "../support/dial-process.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { connect, type Netns } from "../support/netns.ts";
import { ping } from "../support/ping.ts";
import { connectAccess, quietNetns } from "../support/site.ts";
import { isRoot } from "../support/system.ts";

function sample(name: string): string {
  return readFileSync(new URL(`../../deploy/${name}`, import.meta.url), "utf8");
}

const SECRET = "sixteen octets it is\n";
const FILES = {
  "lns1.secret": SECRET,
  "lac1.secret": SECRET,
  "wholesale.secret": SECRET,
  "isp-a.secret": SECRET,
  "isp-b.secret": SECRET,
  // the realms of lac.yaml, lns.yaml and switch.yaml
  "users.yaml": `${sample("users.yaml")}- { name: alice@a.example, password: change me }\n`,
};

const ALICE = { user: "alice@isp.example", password: "change me" };

describe.skipIf(!isRoot)("the sample configurations", () => {
  const places: Netns[] = [];
  const gateways: GatewayProcess[] = [];

  afterEach(async () => {
    for (const gateway of gateways.splice(0)) await gateway.close();
    for (const netns of places.splice(0)) netns.delete();
  });

  function place(name: string): Netns {
    const netns = quietNetns(`config-${name}`);
    places.push(netns);
    return netns;
  }

  async function run(netns: Netns, config: string): Promise<GatewayProcess> {
    const gateway = await GatewayProcess.start(netns, config, FILES);
    gateways.push(gateway);
    return gateway;
  }

  it("are a LAC and an LNS that carry a subscriber", async () => {
    const [subscriber, lac, lns] = [place("sub"), place("lac"), place("lns")];
    connectAccess(subscriber, lac);
    connect(lac, "core0", lns, "core0");
    lac.configure("core0", "10.0.0.2/24");
    lns.configure("core0", "10.0.0.11/24");
    const [atLns, atLac] = await Promise.all([run(lns, sample("lns.yaml")), run(lac, sample("lac.yaml"))]);
    const { dial, up } = await DialProcess.online(subscriber, { ...ALICE, device: "each" });
    expect((await atLac.session(ALICE.user)).role).toBe("lac");
    const { address } = up;
    expect(await atLns.session(ALICE.user)).toMatchObject({ role: "lns", unit: "subscribers", address });
    expect(await ping(subscriber, { to: "100.64.0.1", count: 1 })).toMatchObject({ received: 1 });
    await dial.hangUp();
    expect(atLac.complaints()).toEqual([]);
  });

  it("are a tunnel switch between a LAC and an LNS", async () => {
    const [subscriber, lac, lts, lns] = [place("sub"), place("lac"), place("lts"), place("lns")];
    connectAccess(subscriber, lac);
    connect(lac, "core0", lts, "access0");
    connect(lts, "core0", lns, "core0");
    lac.configure("core0", "10.0.0.2/31");
    lts.configure("access0", "10.0.0.3/31");
    lts.configure("core0", "10.0.0.5/24");
    lns.configure("core0", "10.0.0.11/24");
    lac.ip("route", "add", "10.0.0.5", "via", "10.0.0.3", "src", "10.0.0.2");
    const towards = (file: string, address: string, name: string): string =>
      sample(file)
        .replaceAll("isp.example", "a.example")
        .replace(address, "10.0.0.5")
        .replace(`host-name: ${name}`, "host-name: lts1");
    const [atSwitch] = await Promise.all([
      run(lts, sample("switch.yaml")),
      run(lns, towards("lns.yaml", "10.0.0.2", "lac1")),
      run(lac, towards("lac.yaml", "10.0.0.11", "lns1")),
    ]);
    const { dial } = await DialProcess.online(subscriber, { user: "alice@a.example", password: "change me" });
    const { role, onward } = await atSwitch.session("alice@a.example");
    expect([role, onward?.peer]).toEqual(["lts", "isp-a1"]);
    await dial.hangUp();
    expect(atSwitch.complaints()).toEqual([]);
  });

  it("are local termination on one device", async () => {
    const [subscriber, pta] = [place("sub"), place("pta")];
    connectAccess(subscriber, pta);
    const gateway = await run(pta, sample("pta.yaml"));
    const { dial, up } = await DialProcess.online(subscriber, {
      user: "carol",
      password: "0815",
      device: "each",
    });
    expect(up.address).toBe("192.0.2.10");
    expect(await gateway.session("carol")).toMatchObject({ role: "pta", device: "subscribers" });
    expect(await ping(subscriber, { to: "192.0.2.1", count: 1 })).toMatchObject({ received: 1 });
    await dial.hangUp();
    expect(gateway.complaints()).toEqual([]);
  });
});
