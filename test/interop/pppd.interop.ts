/** Debian's pppd as PPPoE client, beyond what debian-peers.test.ts has of it. */

import { afterAll, beforeAll, describe, expect, onTestFailed } from "vitest";
import type { PeerJob } from "../support/peer-job.ts";
import { isRoot } from "../support/system.ts";
import {
  addresses,
  callByPppoe,
  giveSecrets,
  ipv6Addresses,
  PPPD_PEER_ENDED,
  PPPD_TERMINATED_BY_SIGNAL,
  PPPD_WE_FAILED_TO_AUTHENTICATE,
  type PppoeCall,
  pingFrom,
  pingFromGuest,
} from "./debian-peers.ts";
import { GatewayProcess } from "./gateway-process.ts";
import { LNS_CORE, PeerNetwork } from "./peer-network.ts";
import { scenario } from "./scenario.ts";

const ALICE = "alice@isp.example";
const CAROL = "carol@pta.example";
const MALLORY = "mallory@pta.example";
const USERS = `
- { name: ${ALICE}, password: wonderland }
- { name: ${CAROL}, password: christmas }
- { name: ${MALLORY}, password: the-right-one }
`;
const FILES = { "lns.secret": "between-the-gateways", "users.yaml": USERS };
const METHODS = "authentication: [chap, ms-chap-v2, pap]";

const LAC = `
name: lac
access:
  - { interface: acc0, mru: 1500, ${METHODS} }
l2tp:
  listen: [{ address: 0.0.0.0 }]
  peers:
    - { name: lns, address: ${LNS_CORE}, secret-file: lns.secret }
realms:
  isp.example: { lns: lns }
  pta.example: { terminate: local }
units:
  local: { name: pta%d, address: 100.65.0.1, pool: 100.65.0.0/24, dns: [192.0.2.53], mtu: 1500, ipv6: true }
users-file: users.yaml
`;

const LNS = `
name: lns
l2tp:
  listen: [{ address: 0.0.0.0 }]
  peers:
    - { name: lac, role: lac, host-name: lac, secret-file: lns.secret, ${METHODS} }
realms:
  isp.example: { terminate: subscribers }
units:
  subscribers: { name: sub%d, address: 100.64.0.1, pool: 100.64.0.0/24, dns: [192.0.2.53], mtu: 1500, ipv6: true }
users-file: users.yaml
`;

describe.skipIf(!isRoot)("pppd as PPPoE client", () => {
  let network: PeerNetwork;
  let lac: GatewayProcess;
  let lns: GatewayProcess;

  beforeAll(async () => {
    network = await PeerNetwork.create();
    await network.wideAccessLine();
    await giveSecrets(network.vm, { [ALICE]: "wonderland", [CAROL]: "christmas", [MALLORY]: "a-wrong-one" });
    [lac, lns] = await Promise.all([
      GatewayProcess.start(network.lac, LAC, FILES),
      GatewayProcess.start(network.lns, LNS, FILES),
    ]);
  });

  afterAll(async () => {
    await Promise.all([lac?.stop(), lns?.stop()]);
    await network?.close();
  });

  function call(user: string, how: PppoeCall): PeerJob {
    const pppd = callByPppoe(network.vm, user, how);
    onTestFailed(async () => {
      console.error(`pppd:\n${pppd.output()}\nLAC:\n${lac.log}\nLNS:\n${lns.log}`);
      await pppd.kill();
      await pppd.exited;
    });
    return pppd;
  }

  /** Packets of that size pass both ways, then the client hangs up and everybody knows. */
  async function carriesAndEnds(pppd: PeerJob, user: string, bytes = 1492): Promise<void> {
    const { local, remote } = await addresses(pppd);
    const terminating = user === CAROL ? lac : lns;
    expect(await terminating.session(user)).toMatchObject({ address: local });
    await pingFromGuest(network.vm, "cpe", remote, bytes);
    pingFrom(terminating === lac ? network.lac : network.lns, local, bytes);
    await hangsUp(pppd);
  }

  async function hangsUp(pppd: PeerJob): Promise<void> {
    await pppd.kill();
    // PADT may come before pppd has read our Terminate-Ack: the kernel then reports a hang-up
    expect([PPPD_TERMINATED_BY_SIGNAL, PPPD_PEER_ENDED]).toContain(await pppd.finish());
    expect(pppd.output()).toMatch(/Terminating on signal 15[\s\S]*sent \[LCP TermReq/);
    await Promise.all([lac.idle(), lns.idle()]);
  }

  async function speaksIpv6(user: string): Promise<void> {
    const pppd = call(user, { ipv6: true });
    const { local, remote, device } = await ipv6Addresses(pppd);
    const terminating = user === CAROL ? lac : lns;
    const netns = terminating === lac ? network.lac : network.lns;
    const unit = (await terminating.session(user)).device!;
    await pingFromGuest(network.vm, "cpe", `${remote}%${device}`, 1492);
    pingFrom(netns, `${local}%${unit}`, 1492);
    await carriesAndEnds(pppd, user);
  }

  scenario("pta-ms-chap-v2", async () => {
    const pppd = call(CAROL, { method: "ms-chap-v2" });
    await pppd.waitFor(/CHAP authentication succeeded/);
    await carriesAndEnds(pppd, CAROL);
    expect(pppd.output()).toContain("<auth chap MS-v2>");
  });

  scenario("pta-ms-chap-v2-refused", async () => {
    const pppd = call(MALLORY, { method: "ms-chap-v2" });
    expect(await pppd.finish()).toBe(PPPD_WE_FAILED_TO_AUTHENTICATE);
    expect(pppd.output()).toMatch(/E=691/);
    await lac.idle();
  });

  scenario("pta-ipv6", () => speaksIpv6(CAROL));

  scenario("pta-1500", async () => {
    await carriesAndEnds(call(CAROL, { mtuBytes: 1500 }), CAROL, 1500);
  });

  scenario("pta-vlan", async () => {
    const pppd = call(CAROL, { device: "eth0.100" });
    expect(await lac.session(CAROL)).toMatchObject({ origin: { vlans: [100] } });
    await carriesAndEnds(pppd, CAROL);
  });

  scenario("pta-qinq", async () => {
    const pppd = call(CAROL, { device: "eth0.200.300" });
    expect(await lac.session(CAROL)).toMatchObject({ origin: { vlans: [200, 300] } });
    await carriesAndEnds(pppd, CAROL);
  });

  scenario("pta-odd-options", async () => {
    const options = ["mp", "endpoint", "local:4c.61.63.65"];
    const pppd = call(CAROL, { options });
    await carriesAndEnds(pppd, CAROL);
    expect(pppd.output()).toMatch(/rcvd \[LCP ConfRej[^\n]*<mrru 1492> <endpoint/);
  });

  scenario("lac-ms-chap-v2", async () => {
    const pppd = call(ALICE, { method: "ms-chap-v2" });
    await carriesAndEnds(pppd, ALICE);
    const challenges = pppd.output().match(/rcvd \[CHAP Challenge/g);
    expect(challenges!.length).toBeGreaterThanOrEqual(2);
  });

  scenario("lac-ipv6", () => speaksIpv6(ALICE));

  scenario("lac-1500", async () => {
    await carriesAndEnds(call(ALICE, { mtuBytes: 1500 }), ALICE, 1500);
  });

  scenario("lac-qinq", async () => {
    const pppd = call(ALICE, { device: "eth0.200.300" });
    expect(await lac.session(ALICE)).toMatchObject({ role: "lac", origin: { vlans: [200, 300] } });
    await carriesAndEnds(pppd, ALICE);
  });
});
