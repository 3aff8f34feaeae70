/** Interfaces that are missing at start, go down, are renamed, vanish and come back: the gateway goes on by itself. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DialProcess } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { connect, type Netns } from "../support/netns.ts";
import { ping } from "../support/ping.ts";
import {
  connectAccess,
  LAC_ADDRESS,
  LNS_ADDRESS,
  lacConfig,
  lnsConfig,
  PASSWORD,
  ptaConfig,
  quietNetns,
  secretFiles,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const ALICE = { user: "alice@isp.example", password: PASSWORD } as const;
const BOB = { user: "bob@isp.example", password: PASSWORD } as const;
const FILES = secretFiles(ALICE.user, BOB.user);
const GATEWAY_INSIDE = "100.64.0.1";
const LOST = { to: GATEWAY_INSIDE, count: 1, patienceSeconds: 0.2 } as const;
/** Two calls of one test come from one MAC address. */
const TWO_PER_MAC = ["sessions-per-mac: 2"];

describe.skipIf(!isRoot)("a gateway whose interfaces change", () => {
  let subscriber: Netns;
  let gatewayNetns: Netns;
  let lnsNetns: Netns | undefined;
  const gateways: GatewayProcess[] = [];
  const dials: DialProcess[] = [];

  const start = async (netns: Netns, config: string): Promise<GatewayProcess> => {
    const gateway = await GatewayProcess.start(netns, config, FILES);
    gateways.push(gateway);
    return gateway;
  };
  const call = async (words: { user: string; password: string; device?: "each" }) => {
    const called = await DialProcess.online(subscriber, words);
    dials.push(called.dial);
    return called;
  };

  const carriesPackets = () =>
    eventually("the session carries packets", async () => {
      const { received } = await ping(subscriber, { to: GATEWAY_INSIDE, count: 3, patienceSeconds: 1 });
      return received === 3;
    });

  beforeEach(() => {
    subscriber = quietNetns("sub");
    gatewayNetns = quietNetns("gw");
  });

  afterEach(async () => {
    for (const dial of dials.splice(0)) await dial.kill();
    for (const gateway of gateways.splice(0)) await gateway.close();
    for (const netns of [subscriber, gatewayNetns, lnsNetns]) netns?.delete();
    lnsNetns = undefined;
  });

  it("waits for an access interface that is missing, comes later, and comes up later still", async () => {
    const gateway = await start(gatewayNetns, ptaConfig());
    expect(gateway.output).toContain("waiting for it");
    connect(subscriber, "sub0", gatewayNetns, "acc0");
    subscriber.configure("sub0");
    gatewayNetns.configure("acc0");
    await gateway.logged("access interface open: PPPoE calls are answered", { interface: "acc0" });
    const { up } = await call(ALICE);
    expect((await gateway.session(ALICE.user)).address).toBe(up.address);
  });

  it("keeps sessions while the access interface goes down and comes up again", async () => {
    connectAccess(subscriber, gatewayNetns);
    const gateway = await start(gatewayNetns, ptaConfig({ access: TWO_PER_MAC }));
    const { up } = await call({ ...ALICE, device: "each" });
    const { id } = await gateway.session(ALICE.user);
    gatewayNetns.ip("link", "set", "acc0", "down");
    expect((await ping(subscriber, LOST)).received).toBe(0);
    gatewayNetns.ip("link", "set", "acc0", "up");
    await carriesPackets();
    expect(await gateway.session(ALICE.user)).toMatchObject({ id, address: up.address });
    await call(BOB);
    await gateway.session(BOB.user);
    expect(gateway.complaints()).toEqual([]);
  });

  it("keeps sessions and takes new calls when the access interface is renamed", async () => {
    connectAccess(subscriber, gatewayNetns);
    const gateway = await start(gatewayNetns, ptaConfig({ access: TWO_PER_MAC }));
    await call({ ...ALICE, device: "each" });
    const { id } = await gateway.session(ALICE.user);
    rename(gatewayNetns, "acc0", "access-2");
    await carriesPackets();
    await call(BOB);
    await gateway.session(BOB.user);
    expect((await gateway.session(ALICE.user)).id).toBe(id);
    expect(gateway.complaints()).toEqual([]);
  });

  it("ends sessions with a deleted access interface, and takes calls when it is made again", async () => {
    connectAccess(subscriber, gatewayNetns);
    const gateway = await start(gatewayNetns, ptaConfig());
    const first = await call(ALICE);
    await gateway.session(ALICE.user);
    gatewayNetns.ip("link", "delete", "acc0");
    await gateway.logged("session ended", { user: ALICE.user, cause: "interface-gone" });
    await gateway.hasSessions(0);
    await first.dial.hangUp();
    connectAccess(subscriber, gatewayNetns);
    await call(BOB);
    await gateway.session(BOB.user);
    expect(gateway.complaints()).toEqual([]);
  });

  it("speaks L2TP on an address that is not there at start, once it is", async () => {
    connectAccess(subscriber, gatewayNetns);
    lnsNetns = quietNetns("lns");
    const [lac, lns] = await Promise.all([start(gatewayNetns, lacConfig()), start(lnsNetns, lnsConfig())]);
    expect(lac.output).toContain("is not there yet");
    connect(gatewayNetns, "core0", lnsNetns, "core0");
    gatewayNetns.configure("core0", `${LAC_ADDRESS}/24`);
    lnsNetns.configure("core0", `${LNS_ADDRESS}/24`);
    await call(ALICE);
    await Promise.all([lac.session(ALICE.user), lns.session(ALICE.user)]);
    expect(lac.complaints()).toEqual([]);
  });

  it("keeps bridged sessions while the core interface goes down, comes up and is renamed", async () => {
    connectAccess(subscriber, gatewayNetns);
    lnsNetns = quietNetns("lns");
    connect(gatewayNetns, "core0", lnsNetns, "core0");
    gatewayNetns.configure("core0", `${LAC_ADDRESS}/24`);
    lnsNetns.configure("core0", `${LNS_ADDRESS}/24`);
    const [lac, lns] = await Promise.all([start(gatewayNetns, lacConfig()), start(lnsNetns, lnsConfig())]);
    await call({ ...ALICE, device: "each" });
    const { id } = await lns.session(ALICE.user);
    gatewayNetns.ip("link", "set", "core0", "down");
    expect((await ping(subscriber, LOST)).received).toBe(0);
    rename(gatewayNetns, "core0", "core-2");
    gatewayNetns.ip("link", "set", "core-2", "up");
    await carriesPackets();
    expect((await lns.session(ALICE.user)).id).toBe(id);
    expect([...lac.complaints(), ...lns.complaints()]).toEqual([]);
  });

  it("speaks L2TP on a device that comes, goes and comes back", async () => {
    connectAccess(subscriber, gatewayNetns);
    lnsNetns = quietNetns("lns");
    const lns = await start(lnsNetns, lnsConfig());
    const listen = `listen: [{ address: ${LAC_ADDRESS} }]`;
    const config = lacConfig({ access: TWO_PER_MAC }).replace(
      listen,
      listen.replace(" }]", ", interface: core0 }]"),
    );
    const lac = await start(gatewayNetns, config);
    for (const [round, words] of [ALICE, BOB].entries()) {
      connect(gatewayNetns, "core0", lnsNetns, "core0");
      gatewayNetns.configure("core0", `${LAC_ADDRESS}/24`);
      lnsNetns.configure("core0", `${LNS_ADDRESS}/24`);
      await eventually("the port is open", () => {
        const opened = lac.log().filter(({ msg }) => msg === "L2TP port open");
        return opened.length > round;
      });
      await call(words);
      await lac.session(words.user);
      gatewayNetns.ip("link", "delete", "core0");
      await lac.hasSessions(0);
    }
    expect([...lac.complaints(), ...lns.complaints()]).toEqual([]);
  });
});

/** Down for a moment: older kernels rename no interface that is up. */
function rename(netns: Netns, from: string, to: string): void {
  netns.ip("link", "set", from, "down");
  netns.ip("link", "set", from, "name", to);
  netns.ip("link", "set", to, "up");
}
