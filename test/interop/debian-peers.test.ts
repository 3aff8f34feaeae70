import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFailed } from "vitest";
import { eventually } from "../support/eventually.ts";
import type { PeerJob } from "../support/peer-job.ts";
import {
  addresses,
  callByPppoe,
  endPppd,
  giveSecrets,
  PPPD_PEER_ENDED,
  PPPD_TERMINATED_BY_SIGNAL,
  PPPD_WE_FAILED_TO_AUTHENTICATE,
  pingFrom,
  pingFromGuest,
} from "./debian-peers.ts";
import { GatewayProcess } from "./gateway-process.ts";
import { DEBIAN_CLIENT, DEBIAN_LNS, LNS_CORE, LNS_FOR_DEBIAN, PeerNetwork } from "./peer-network.ts";
import { scenario } from "./scenario.ts";
import { Xl2tpd } from "./xl2tpd.ts";

const FULL_SIZE = 1492;
/** What our LNS offers a caller without proxy LCP: what fits a path of 1500 octets unfragmented. */
const FULL_SIZE_IN_L2TP = 1460;
const TUNNEL_SECRET = "between-the-gateways";
const DEBIAN_SECRET = "between-debian-and-us";
const ALICE = "alice@isp.example";
const BOB = "bob@debian.example";
const CAROL = "carol@pta.example";
const MALLORY = "mallory@isp.example";
const USERS = `
- { name: ${ALICE}, password: wonderland }
- { name: ${CAROL}, password: christmas }
- { name: ${MALLORY}, password: the-right-one }
`;
const PASSWORDS = { [ALICE]: "wonderland", [BOB]: "builder", [CAROL]: "christmas", [MALLORY]: "a-wrong-one" };

const LAC = `
name: lac
access:
  - interface: acc0
l2tp:
  listen: [{ address: 0.0.0.0 }]
  peers:
    - { name: lns, address: ${LNS_CORE}, secret-file: lns.secret }
    - { name: debian, address: ${DEBIAN_LNS}, secret-file: debian.secret }
realms:
  isp.example: { lns: lns }
  debian.example: { lns: debian }
  pta.example: { terminate: local }
units:
  local: { name: pta%d, address: 100.65.0.1, pool: 100.65.0.0/24, dns: [192.0.2.53] }
users-file: users.yaml
`;

const LNS = `
name: lns
l2tp:
  listen: [{ address: 0.0.0.0 }]
  peers:
    - { name: lac, role: lac, host-name: lac, secret-file: lns.secret }
    - { name: debian, role: lac, host-name: debian-client, secret-file: debian.secret }
realms:
  isp.example: { terminate: subscribers }
units:
  subscribers: { name: sub%d, address: 100.64.0.1, pool: 100.64.0.0/24, dns: [192.0.2.53] }
users-file: users.yaml
`;

const SECRETS = { "lns.secret": TUNNEL_SECRET, "debian.secret": DEBIAN_SECRET, "users.yaml": USERS };

describe.skipIf(process.getuid?.() !== 0)("with Debian's pppd and xl2tpd", () => {
  let network: PeerNetwork;
  let lac: GatewayProcess;
  let lns: GatewayProcess;

  beforeAll(async () => {
    network = await PeerNetwork.create();
    await giveSecrets(network.vm, PASSWORDS);
  });

  afterAll(() => network?.close());

  beforeEach(async () => {
    [lac, lns] = await Promise.all([
      GatewayProcess.start(network.lac, LAC, SECRETS),
      GatewayProcess.start(network.lns, LNS, SECRETS),
    ]);
    onTestFailed(() => console.error(`LAC:\n${lac.log}\nLNS:\n${lns.log}`));
  });

  afterEach(async () => {
    await Promise.all([lac?.stop(), lns?.stop()]);
  });

  describe("a PPPoE subscriber behind our LAC, on our LNS", () => {
    for (const [id, method] of [
      ["lac-chap", "chap"],
      ["lac-pap", "pap"],
    ] as const) {
      scenario(id, async () => {
        const pppd = callByPppoe(network.vm, ALICE, { method });
        const { local, remote } = await addresses(pppd);
        expect(local).toMatch(/^100\.64\.0\.\d+$/);
        expect(remote).toBe("100.64.0.1");
        expect(await lac.session(ALICE)).toMatchObject({ role: "lac", onward: { peer: "lns" } });
        expect(await lns.session(ALICE)).toMatchObject({
          role: "lns",
          address: local,
          origin: { peer: "lac" },
        });
        await pingFromGuest(network.vm, "cpe", remote, FULL_SIZE);
        pingFrom(network.lns, local, FULL_SIZE);

        await pppd.kill();
        expect(await pppd.finish()).toBe(PPPD_TERMINATED_BY_SIGNAL);
        await Promise.all([lac.idle(), lns.idle()]);
      });
    }

    scenario("lac-lns-ends", async () => {
      const pppd = callByPppoe(network.vm, ALICE);
      await addresses(pppd);
      expect(await lns.stop()).toBe(0);
      expect(await pppd.finish()).toBe(PPPD_PEER_ENDED);
      expect(pppd.output()).toContain("LCP terminated by peer");
      await lac.idle();
    });

    scenario("lac-lac-ends", async () => {
      const pppd = callByPppoe(network.vm, ALICE);
      await addresses(pppd);
      expect(await lac.stop()).toBe(0);
      expect(await pppd.finish()).toBe(PPPD_PEER_ENDED);
      await lns.idle();
    });

    scenario("lac-wrong-password", async () => {
      const pppd = callByPppoe(network.vm, MALLORY);
      expect(await pppd.finish()).toBe(PPPD_WE_FAILED_TO_AUTHENTICATE);
      await Promise.all([lac.idle(), lns.idle()]);
    });
  });

  describe("a PPPoE subscriber behind our LAC, on xl2tpd as LNS with a tunnel secret", () => {
    let xl2tpd: Xl2tpd;

    beforeEach(async () => {
      xl2tpd = await Xl2tpd.lns(network.vm, {
        address: DEBIAN_LNS,
        secret: DEBIAN_SECRET,
        local: "100.66.0.1",
        pool: "100.66.0.10-100.66.0.20",
      });
      onTestFailed(() => console.error(`xl2tpd:\n${xl2tpd.job.output()}`));
    });

    afterEach(() => xl2tpd?.stop());

    async function online(): Promise<PeerJob> {
      const pppd = callByPppoe(network.vm, BOB);
      const { local, remote } = await addresses(pppd);
      expect(remote).toBe("100.66.0.1");
      expect(await lac.session(BOB)).toMatchObject({ role: "lac", onward: { peer: "debian" } });
      await pingFromGuest(network.vm, "cpe", remote, FULL_SIZE);
      await pingFromGuest(network.vm, "isp", local, FULL_SIZE);
      return pppd;
    }

    scenario("xl2tpd-lns", async () => {
      const pppd = await online();
      await pppd.kill();
      expect(await pppd.finish()).toBe(PPPD_TERMINATED_BY_SIGNAL);
      await lac.idle();
      await xl2tpd.job.waitFor(/Connection closed to \S+, serial|Call \d+ to \S+ disconnected/);
    });

    scenario("xl2tpd-lns-ends", async () => {
      const pppd = await online();
      await endPppd(network.vm, "isp");
      expect(await pppd.finish()).toBe(PPPD_PEER_ENDED);
      await lac.idle();
    });
  });

  describe("xl2tpd as L2TP client of our LNS, with a tunnel secret", () => {
    let xl2tpd: Xl2tpd;
    let pppd: PeerJob;

    beforeEach(async () => {
      xl2tpd = await Xl2tpd.client(network.vm, {
        address: DEBIAN_CLIENT,
        secret: DEBIAN_SECRET,
        lns: LNS_FOR_DEBIAN,
        user: ALICE,
      });
      pppd = xl2tpd.pppdLog();
      onTestFailed(() => console.error(`xl2tpd:\n${xl2tpd.job.output()}\npppd:\n${pppd.output()}`));
      await xl2tpd.control("c lns");
    });

    afterEach(async () => {
      await pppd?.kill();
      await xl2tpd?.stop();
    });

    scenario("xl2tpd-client", async () => {
      const { local, remote } = await addresses(pppd);
      expect(remote).toBe("100.64.0.1");
      expect(await lns.session(ALICE)).toMatchObject({
        role: "lns",
        address: local,
        origin: { peer: "debian" },
      });
      expect(await lns.show("tunnels")).toMatchObject([{ hostName: "debian-client", state: "established" }]);
      await pingFromGuest(network.vm, "client", remote, FULL_SIZE_IN_L2TP);
      pingFrom(network.lns, local, FULL_SIZE_IN_L2TP);

      await xl2tpd.control("d lns");
      await lns.idle();
      await eventually("the tunnel is gone", async () =>
        (await lns.show("tunnels")).every((tunnel) => tunnel.state === "closing"),
      );
    });

    scenario("xl2tpd-client-told", async () => {
      await addresses(pppd);
      expect(await lns.stop()).toBe(0);
      await pppd.waitFor(/LCP terminated by peer/);
      await xl2tpd.job.waitFor(/Connection closed to \S+, port 1701/);
    });
  });

  describe("a PPPoE subscriber that we terminate ourselves", () => {
    for (const [id, method] of [
      ["pta-pap", "pap"],
      ["pta-chap", "chap"],
    ] as const) {
      scenario(id, async () => {
        const pppd = callByPppoe(network.vm, CAROL, { method });
        const { local, remote } = await addresses(pppd);
        expect(remote).toBe("100.65.0.1");
        expect(await lac.session(CAROL)).toMatchObject({ role: "pta", address: local });
        await pingFromGuest(network.vm, "cpe", remote, FULL_SIZE);
        pingFrom(network.lac, local, FULL_SIZE);

        await pppd.kill();
        expect(await pppd.finish()).toBe(PPPD_TERMINATED_BY_SIGNAL);
        await lac.idle();
      });
    }

    scenario("pta-gateway-ends", async () => {
      const pppd = callByPppoe(network.vm, CAROL);
      await addresses(pppd);
      expect(await lac.stop()).toBe(0);
      expect(await pppd.finish()).toBe(PPPD_PEER_ENDED);
    });
  });
});
