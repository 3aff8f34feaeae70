/** Debian's xl2tpd as LNS and as L2TP client, beyond what debian-peers.test.ts has of it. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFailed } from "vitest";
import { DialProcess } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { connect, Netns } from "../support/netns.ts";
import type { PeerJob } from "../support/peer-job.ts";
import { isRoot } from "../support/system.ts";
import { ControlCapture } from "./control-capture.ts";
import {
  addresses,
  callByPppoe,
  endPppd,
  giveSecrets,
  ipv6Addresses,
  type PppoeCall,
  pingFrom,
  pingFromGuest,
} from "./debian-peers.ts";
import { GatewayProcess } from "./gateway-process.ts";
import {
  DEBIAN_CLIENT,
  DEBIAN_LNS,
  FAR_DEBIAN_CLIENT,
  FAR_DEBIAN_LNS,
  LAC_CORE,
  LAC_FOR_DEBIAN,
  LNS_CORE,
  LNS_FOR_DEBIAN,
  PeerNetwork,
} from "./peer-network.ts";
import { scenario } from "./scenario.ts";
import { Xl2tpd, type Xl2tpdClient } from "./xl2tpd.ts";

const SECRET = "between-debian-and-us";
const ALICE = "alice@isp.example";
const BOB = "bob@debian.example";
const HIDDEN_BOB = "bob@hidden.example";
const FAR_BOB = "bob@far.example";
const CROWD = Array.from({ length: 8 }, (_, i) => `crowd${i + 1}@debian.example`);
const CROWD_PASSWORD = "one-for-all";
/** What fits a path of 1500 octets unfragmented, where there was no proxy LCP. */
const FULL_SIZE_IN_L2TP = 1460;
/** A call through roads that lose one packet in ten each way; LCP repeats itself every 3 s. */
const BAD_ROAD = { timeoutMs: 90_000 };

const FILES = {
  "debian.secret": SECRET,
  "users.yaml": `- { name: ${ALICE}, password: wonderland }\n`,
};

const LAC = `
name: lac
access:
  - { interface: acc0 }
  - { interface: acc1 }
l2tp:
  listen: [{ address: 0.0.0.0 }]
  peers:
    - { name: debian, address: ${DEBIAN_LNS}, secret-file: debian.secret, tunnel-idle-timeout: 1s }
    - { name: hidden, address: ${DEBIAN_LNS}, secret-file: debian.secret, tunnel-idle-timeout: 1s, hide-avps: true }
    - { name: far, address: ${FAR_DEBIAN_LNS}, secret-file: debian.secret, tunnel-idle-timeout: 1s }
realms:
  debian.example: { lns: debian }
  hidden.example: { lns: hidden }
  far.example: { lns: far }
`;

const METHODS = "authentication: [chap, ms-chap-v2, pap]";
const LNS = `
name: lns
l2tp:
  listen: [{ address: 0.0.0.0 }]
  peers:
    - { name: near, role: lac, address: ${DEBIAN_CLIENT}, host-name: debian-client, secret-file: debian.secret, hide-avps: true, ${METHODS} }
    - { name: far, role: lac, address: ${FAR_DEBIAN_CLIENT}, host-name: debian-client, secret-file: debian.secret }
realms:
  isp.example: { terminate: subscribers }
units:
  subscribers: { name: sub%d, address: 100.64.0.1, pool: 100.64.0.0/24, dns: [192.0.2.53], ipv6: true }
users-file: users.yaml
`;

/** Display filters of messages from `address`. xl2tpd that is to hide AVPs sends Random Vectors, and hides nothing. */
const hiddenFrom = (address: string): string => `ip.src == ${address} && l2tp.avp.hidden == 1`;
const randomVectorFrom = (address: string): string => `ip.src == ${address} && l2tp.avp.type == 36`;

const SWITCH = `
name: lts
l2tp:
  listen: [{ address: 0.0.0.0 }]
  peers:
    - { name: client, role: lac, host-name: debian-client, secret-file: debian.secret }
    - { name: ours, address: ${LAC_CORE}, secret-file: debian.secret }
    - { name: theirs, address: ${DEBIAN_LNS}, secret-file: debian.secret, hide-avps: true }
realms:
  isp.example: { lns: ours }
  debian.example: { lns: theirs }
`;

const LNS_BEHIND = `
name: lns
l2tp:
  listen: [{ address: ${LAC_CORE} }]
  peers: [{ name: lts, role: lac, host-name: lts, secret-file: debian.secret }]
realms: { isp.example: { terminate: subscribers } }
units:
  subscribers: { name: sub%d, address: 100.64.0.1, pool: 100.64.0.0/24 }
users-file: users.yaml
`;

describe.skipIf(!isRoot)("xl2tpd", () => {
  let network: PeerNetwork;
  let crowd: Netns;

  beforeAll(async () => {
    network = await PeerNetwork.create();
    await network.badRoads();
    crowd = Netns.create("crowd");
    connect(crowd, "sub0", network.lac, "acc1");
    crowd.configure("sub0");
    network.lac.configure("acc1");
    const passwords = Object.fromEntries(CROWD.map((user) => [user, CROWD_PASSWORD]));
    await giveSecrets(network.vm, {
      ...passwords,
      [ALICE]: "wonderland",
      [BOB]: "builder",
      [HIDDEN_BOB]: "builder",
      [FAR_BOB]: "builder",
    });
  });

  afterAll(async () => {
    await network?.close();
    crowd?.delete();
  });

  describe("as LNS of our LAC", () => {
    let lac: GatewayProcess;
    let xl2tpd: Xl2tpd | undefined;

    beforeEach(async () => {
      lac = await GatewayProcess.start(network.lac, LAC, FILES);
      onTestFailed(() => console.error(`LAC:\n${lac.log}`));
    });

    afterEach(async () => {
      await lac?.stop();
      await xl2tpd?.stop();
      xl2tpd = undefined;
    });

    interface Manner {
      readonly far?: boolean;
      readonly hidden?: boolean;
      readonly pppd?: readonly string[];
    }

    async function start({ far = false, ...rest }: Manner = {}): Promise<Xl2tpd> {
      xl2tpd = await Xl2tpd.lns(network.vm, {
        ...(far ? { netns: "far-isp" as const, address: FAR_DEBIAN_LNS } : { address: DEBIAN_LNS }),
        secret: SECRET,
        local: "100.66.0.1",
        pool: "100.66.0.10-100.66.0.30",
        ...rest,
      });
      const { job } = xl2tpd;
      onTestFailed(() => console.error(`xl2tpd:\n${job.output()}`));
      return xl2tpd;
    }

    function call(user: string, how: PppoeCall = {}): PeerJob {
      const pppd = callByPppoe(network.vm, user, how);
      onTestFailed(() => console.error(`pppd:\n${pppd.output()}`));
      return pppd;
    }

    /** Full-size packets pass both ways, and the client hangs up. */
    async function carriesAndEnds(pppd: PeerJob, user: string): Promise<void> {
      const { local, remote } = await addresses(pppd);
      await lac.session(user);
      await pingFromGuest(network.vm, "cpe", remote, 1492);
      await pingFromGuest(network.vm, "isp", local, 1492);
      await pppd.kill();
      await pppd.finish();
      await lac.idle();
    }

    scenario("xl2tpd-lns-hidden", async () => {
      await start({ hidden: true });
      const capture = await ControlCapture.start(network.lac, "peer0");
      await carriesAndEnds(call(HIDDEN_BOB), HIDDEN_BOB);
      const { octets, counts } = await capture.stop(hiddenFrom(LAC_FOR_DEBIAN), randomVectorFrom(DEBIAN_LNS));
      for (const messages of counts) expect(messages).toBeGreaterThan(0);
      expect(octets.includes("debian")).toBe(true); // Host Name may not be hidden: this is what goes in the clear
      expect(octets.includes(HIDDEN_BOB)).toBe(false);
    });

    scenario("xl2tpd-lns-ms-chap-v2", async () => {
      await start({ pppd: ["require-mschap-v2"] });
      const pppd = call(BOB, { method: "any" });
      await carriesAndEnds(pppd, BOB);
      const asked = [...pppd.output().matchAll(/sent \[LCP ConfAck[^\n]*<auth chap ([^>]+)>/g)];
      expect(asked.map((match) => match[1])).toEqual(["MD5", "MS-v2"]);
    });

    scenario("xl2tpd-lns-window", async () => {
      const server = await start();
      const words = { user: "crowd%d@debian.example", password: CROWD_PASSWORD, count: CROWD.length };
      const dial = new DialProcess(crowd, words);
      onTestFailed(() => console.error(`dial:\n${dial.output}`));
      const { up, failed } = await dial.summary(110_000);
      expect({ up, failed }).toEqual({ up: CROWD.length, failed: 0 });
      expect(await lac.show("tunnels")).toMatchObject([{ hostName: "debian", sessions: CROWD.length }]);
      await dial.hangUp();
      await lac.idle();
      await server.job.waitFor(/(Call \d+ to \S+ disconnected[\s\S]*){8}|Connection closed/);
    });

    scenario("xl2tpd-lns-loss", async () => {
      // By PAP: a pppd whose CHAP Success is lost never repeats its Response. By echo, too: it sends no PADT, and
      // when all its Terminate-Requests are lost, the LNS has to find out
      const server = await start({
        far: true,
        pppd: ["require-pap", "lcp-echo-interval 3", "lcp-echo-failure 5"],
      });
      const before = await network.lost("far-isp");
      const pppd = call(FAR_BOB, { method: "any" });
      const { local, remote } = await addresses(pppd, BAD_ROAD);
      await lac.session(FAR_BOB);
      await network.pingOnBadRoad("cpe", remote);
      await network.pingUntilLost("far-isp", before, local);
      await pppd.kill();
      await pppd.finish();
      await lac.idle(BAD_ROAD);
      await server.job.waitFor(/Connection closed|disconnected/, BAD_ROAD);
    });
  });

  describe("as L2TP client of our LNS", () => {
    let lns: GatewayProcess;
    let xl2tpd: Xl2tpd;
    let pppd: PeerJob;

    beforeEach(async () => {
      lns = await GatewayProcess.start(network.lns, LNS, FILES);
      onTestFailed(() =>
        console.error(`LNS:\n${lns.log}\nxl2tpd:\n${xl2tpd?.job.output()}\npppd:\n${pppd?.output()}`),
      );
    });

    afterEach(async () => {
      await pppd?.kill();
      await xl2tpd?.stop();
      await lns?.stop();
    });

    async function start(manner: Omit<Partial<Xl2tpdClient>, "netns"> & { far?: boolean }) {
      const { far = false, ...rest } = manner;
      xl2tpd = await Xl2tpd.client(network.vm, {
        ...(far ? { netns: "far-client" as const, address: FAR_DEBIAN_CLIENT } : { address: DEBIAN_CLIENT }),
        secret: SECRET,
        lns: LNS_FOR_DEBIAN,
        user: ALICE,
        ...rest,
      });
      pppd = xl2tpd.pppdLog();
    }

    async function carriesAndEnds(): Promise<void> {
      const { local, remote } = await addresses(pppd);
      expect(await lns.session(ALICE)).toMatchObject({ role: "lns", address: local });
      await pingFromGuest(network.vm, "client", remote, FULL_SIZE_IN_L2TP);
      pingFrom(network.lns, local, FULL_SIZE_IN_L2TP);
      await xl2tpd.control("d lns");
      await lns.idle();
    }

    scenario("xl2tpd-client-hidden", async () => {
      await start({ hidden: true, pppd: ["refuse-chap", "refuse-pap", "refuse-mschap", "refuse-eap"] });
      const capture = await ControlCapture.start(network.lns, "peer0");
      await xl2tpd.control("c lns");
      await carriesAndEnds();
      const { counts } = await capture.stop(randomVectorFrom(DEBIAN_CLIENT));
      expect(counts[0]).toBeGreaterThan(0);
      expect(pppd.output()).toContain("<auth chap MS-v2>");
    });

    scenario("xl2tpd-client-odd-options", async () => {
      const odd = ["mp", "deflate 15,15", "bsdcomp 15,15", "vj-max-slots 16", "asyncmap a0000"];
      await start({ pppd: odd, userSpace: true });
      await xl2tpd.control("c lns");
      await carriesAndEnds();
      const said = pppd.output();
      expect(said).toMatch(/sent \[LCP ConfReq[^\n]*<asyncmap 0xa0000>[^\n]*<pcomp> <accomp> <mrru/);
      expect(said).toMatch(/rcvd \[IPCP ConfRej[^\n]*<compress VJ/);
      expect(said).toMatch(/sent \[CCP ConfReq[^\n]*<deflate 15>[^\n]*<bsd v1 15>/);
      expect(said).toMatch(/rcvd \[LCP ProtRej[^\n]* 80 fd /);
    });

    scenario("xl2tpd-client-ipv6", async () => {
      await start({ pppd: ["+ipv6"] });
      await xl2tpd.control("c lns");
      const { local, remote, device } = await ipv6Addresses(pppd);
      const unit = (await lns.session(ALICE)).device!;
      await pingFromGuest(network.vm, "client", `${remote}%${device}`, FULL_SIZE_IN_L2TP);
      pingFrom(network.lns, `${local}%${unit}`, FULL_SIZE_IN_L2TP);
      await carriesAndEnds();
    });

    scenario("xl2tpd-client-crowd", async () => {
      const names = ["lns1", "lns2", "lns3", "lns4"];
      // the kernel takes data of several tunnels on one pair of ports for one tunnel's
      await start({ tunnels: names.length, userSpace: true });
      for (const [i, name] of names.entries()) {
        await xl2tpd.control(`c ${name}`);
        await xl2tpd.job.waitFor(new RegExp(`(Connecting to host[\\s\\S]*){${i + 1}}`));
      }
      await eventually(
        "all sessions are open",
        async () => {
          const sessions = await lns.show("sessions");
          return sessions.filter(({ state }) => state === "open").length === names.length;
        },
        { timeoutMs: 60_000 },
      );
      const tunnels = await lns.show("tunnels");
      expect(tunnels.filter(({ state }) => state === "established")).toHaveLength(names.length);
      for (const [i, name] of names.entries()) {
        await xl2tpd.control(`d ${name}`);
        await xl2tpd.job.waitFor(new RegExp(`(Disconnecting from [\\s\\S]*){${i + 1}}`));
      }
      await lns.idle();
    });

    scenario("xl2tpd-client-loss", async () => {
      const before = await network.lost("far-client");
      await start({ far: true, pppd: ["refuse-chap", "refuse-mschap", "refuse-mschap-v2", "refuse-eap"] });
      await xl2tpd.control("c lns");
      const { local, remote } = await addresses(pppd, BAD_ROAD);
      await lns.session(ALICE);
      await network.pingUntilLost("far-client", before, remote);
      expect(local).toMatch(/^100\.64\.0\./);
      await xl2tpd.control("d lns");
      await eventually(
        "the session is gone",
        async () => (await lns.show("sessions")).length === 0,
        BAD_ROAD,
      );
    });
  });

  describe("as L2TP client of our switch", () => {
    let lts: GatewayProcess;
    let lns: GatewayProcess;
    let client: Xl2tpd | undefined;
    let server: Xl2tpd | undefined;
    let pppd: PeerJob | undefined;

    beforeAll(async () => {
      // from where the switch is to xl2tpd's LNS, and back
      network.lac.run("sysctl", "-qw", "net.ipv4.ip_forward=1");
      network.lns.ip("route", "add", `${DEBIAN_LNS}/32`, "via", LAC_CORE);
      await network.vm.mustRun(["ip", "-n", "isp", "route", "add", `${LNS_CORE}/32`, "via", LAC_FOR_DEBIAN]);
    });

    beforeEach(async () => {
      [lts, lns] = await Promise.all([
        GatewayProcess.start(network.lns, SWITCH, FILES),
        GatewayProcess.start(network.lac, LNS_BEHIND, FILES),
      ]);
      onTestFailed(() => {
        console.error(`LTS:\n${lts.log}\nLNS:\n${lns.log}\npppd:\n${pppd?.output()}`);
        console.error(`xl2tpd:\n${client?.job.output()}\nxl2tpd as LNS:\n${server?.job.output()}`);
      });
    });

    afterEach(async () => {
      await pppd?.kill();
      await client?.stop();
      await server?.stop();
      await Promise.all([lts?.stop(), lns?.stop()]);
    });

    async function call(user: string): Promise<PeerJob> {
      const address = DEBIAN_CLIENT;
      client = await Xl2tpd.client(network.vm, { address, secret: SECRET, lns: LNS_FOR_DEBIAN, user });
      pppd = client.pppdLog();
      await client.control("c lns");
      return pppd;
    }

    scenario("xl2tpd-switch-ours", async () => {
      const { local, remote } = await addresses(await call(ALICE));
      expect(await lts.session(ALICE)).toMatchObject({ role: "lts", onward: { peer: "ours" } });
      expect(await lns.session(ALICE)).toMatchObject({ role: "lns", address: local });
      await pingFromGuest(network.vm, "client", remote, FULL_SIZE_IN_L2TP);
      pingFrom(network.lac, local, FULL_SIZE_IN_L2TP);
      await client!.control("d lns");
      await Promise.all([lts.idle(), lns.idle()]);
    });

    scenario("xl2tpd-switch-theirs", async () => {
      const address = DEBIAN_LNS;
      const pool = "100.66.0.10-100.66.0.30";
      server = await Xl2tpd.lns(network.vm, {
        address,
        secret: SECRET,
        local: "100.66.0.1",
        pool,
        hidden: true,
      });
      const { local, remote } = await addresses(await call(BOB));
      expect(remote).toBe("100.66.0.1");
      expect(await lts.session(BOB)).toMatchObject({ role: "lts", onward: { peer: "theirs" } });
      await pingFromGuest(network.vm, "client", remote, FULL_SIZE_IN_L2TP);
      await pingFromGuest(network.vm, "isp", local, FULL_SIZE_IN_L2TP);
      await endPppd(network.vm, "isp");
      await pppd!.waitFor(/LCP terminated by peer/);
      await lts.idle();
    });
  });
});
