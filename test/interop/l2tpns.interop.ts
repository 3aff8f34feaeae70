/**
 * Debian's l2tpns as LNS behind our LAC, and as LAC in front of our LNS. All in namespaces of this machine:
 *
 *     sub  sub0 --- acc0  lac     core0 --- core0  l2tpns           (10.9.5.1, 10.9.5.2)
 *     sub  sub0 --- acc0  l2tpns  core0 --- core0  lns              (10.9.6.1, 10.9.6.2)
 */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFailed } from "vitest";
import { DialProcess, type DialWords } from "../support/dial-process.ts";
import { connect, Netns } from "../support/netns.ts";
import { ping } from "../support/ping.ts";
import { isRoot } from "../support/system.ts";
import { GatewayProcess } from "./gateway-process.ts";
import { L2tpns } from "./l2tpns.ts";
import { scenario } from "./scenario.ts";

const SECRET = "between-l2tpns-and-us";
const PASSWORD = "one-for-all";
const CROWD = 20;
const USERS = Array.from({ length: CROWD }, (_, i) => `user${i + 1}@isp.example`);
const FILES = {
  "l2tpns.secret": SECRET,
  "users.yaml": USERS.map((name) => `- { name: ${name}, password: ${PASSWORD} }\n`).join(""),
};
/** l2tpns's own address inside of PPP. */
const L2TPNS_INSIDE = "100.67.255.1";
const OURS_INSIDE = "100.64.0.1";

/** An LNS at `address` that takes calls of one LAC. */
const lnsConfig = (address: string, lac: string, hostName: string): string => `
name: lns
l2tp:
  listen: [{ address: ${address} }]
  peers: [{ name: ${lac}, role: lac, host-name: ${hostName}, secret-file: l2tpns.secret }]
realms: { isp.example: { terminate: subscribers } }
units:
  subscribers: { name: sub%d, address: ${OURS_INSIDE}, pool: 100.64.0.0/24 }
users-file: users.yaml
`;

/** Subscribers on one side, an LNS on the other, somebody in between. */
class Line {
  readonly subscribers = Netns.create("sub");
  readonly left: Netns;
  readonly right: Netns;

  constructor(left: string, right: string, network: string) {
    this.left = Netns.create(left);
    this.right = Netns.create(right);
    connect(this.subscribers, "sub0", this.left, "acc0");
    connect(this.left, "core0", this.right, "core0");
    this.subscribers.configure("sub0");
    this.left.configure("acc0");
    this.left.configure("core0", `${network}.1/24`);
    this.right.configure("core0", `${network}.2/24`);
  }

  close(): void {
    for (const netns of [this.subscribers, this.left, this.right]) netns.delete();
  }
}

describe.skipIf(!isRoot)("l2tpns", () => {
  let line: Line;
  let l2tpns: L2tpns;
  let gateway: GatewayProcess;
  let dial: DialProcess | undefined;

  beforeEach(() => {
    onTestFailed(() =>
      console.error(`dial:\n${dial?.output}\ngateway:\n${gateway.log}\nl2tpns:\n${l2tpns.log()}`),
    );
  });

  afterEach(async () => {
    await dial?.kill();
  });

  function call(words: Partial<DialWords> = {}): DialProcess {
    dial = new DialProcess(line.subscribers, { user: USERS[0]!, password: PASSWORD, ...words });
    return dial;
  }

  /** One subscriber, on a device of his own: his packets come back, and he hangs up. */
  async function carriesAndEnds(inside: string): Promise<void> {
    const one = call({ device: "each" });
    await one.up();
    await gateway.session(USERS[0]!);
    line.subscribers.ip("route", "replace", inside, "dev", "dial0");
    const { received } = await ping(line.subscribers, { to: inside, count: 5, packetBytes: 1400 });
    expect(received).toBe(5);
    expect((await one.hangUp()).code).toBe(0);
    await gateway.idle();
  }

  async function crowdGetsInAndOut(): Promise<void> {
    const all = call({ user: "user%d@isp.example", count: CROWD });
    const { up, failed } = await all.summary(60_000);
    expect({ up, failed }).toEqual({ up: CROWD, failed: 0 });
    expect(await gateway.show("status")).toMatchObject({ openSessions: CROWD });
    await all.hangUp();
    await gateway.idle();
  }

  describe("as LNS of our LAC", () => {
    beforeAll(async () => {
      line = new Line("lac", "l2tpns", "10.9.5");
      const users = Object.fromEntries(USERS.map((name) => [name, PASSWORD]));
      const address = "10.9.5.2";
      l2tpns = await L2tpns.lns(line.right, {
        ...{ address, device: "core0", secret: SECRET, pool: "100.67.0.0/24", users },
      });
      gateway = await GatewayProcess.start(
        line.left,
        `
name: lac
access: [{ interface: acc0 }]
l2tp:
  listen: [{ address: 10.9.5.1 }]
  peers: [{ name: l2tpns, address: ${address}, secret-file: l2tpns.secret }]
realms: { isp.example: { lns: l2tpns } }
`,
        FILES,
      );
    });

    afterAll(async () => {
      await gateway?.stop();
      await l2tpns?.stop();
      line?.close();
    });

    scenario("l2tpns-lns", () => carriesAndEnds(L2TPNS_INSIDE));

    scenario("l2tpns-lns-crowd", crowdGetsInAndOut);

    scenario("l2tpns-lns-refuses", async () => {
      const { reason } = await call({ password: "a-wrong-one" }).down();
      expect(reason).toContain("PADT");
      await gateway.idle();
      expect(gateway.log).toContain("CDN from the peer, result 3");
    });
  });

  describe("as LAC of our LNS", () => {
    beforeAll(async () => {
      line = new Line("l2tpns", "lns", "10.9.6");
      const lns = "10.9.6.2";
      l2tpns = await L2tpns.lac(line.left, {
        ...{
          address: "10.9.6.1",
          device: "core0",
          access: "acc0",
          secret: SECRET,
          realm: "isp.example",
          lns,
        },
      });
      gateway = await GatewayProcess.start(line.right, lnsConfig(lns, "l2tpns", "l2tpns-lac"), FILES);
    });

    afterAll(async () => {
      await gateway?.stop();
      await l2tpns?.stop();
      line?.close();
    });

    scenario("l2tpns-lac", () => carriesAndEnds(OURS_INSIDE));

    scenario("l2tpns-lac-crowd", crowdGetsInAndOut);

    scenario("l2tpns-lac-told", async () => {
      const one = call();
      await one.up();
      expect(await gateway.stop()).toBe(0);
      await one.down();
    });
  });

  describe("as LAC of our switch", () => {
    let farther: Netns;
    let lns: GatewayProcess;

    beforeAll(async () => {
      line = new Line("l2tpns", "lts", "10.9.7");
      farther = Netns.create("lns");
      connect(line.right, "core1", farther, "core0");
      line.right.configure("core1", "10.9.8.1/24");
      farther.configure("core0", "10.9.8.2/24");
      const address = "10.9.7.1";
      const lts = "10.9.7.2";
      l2tpns = await L2tpns.lac(line.left, {
        ...{ address, device: "core0", access: "acc0", secret: SECRET, realm: "isp.example", lns: lts },
      });
      [gateway, lns] = await Promise.all([
        GatewayProcess.start(
          line.right,
          `
name: lts
l2tp:
  listen: [{ address: 0.0.0.0 }]
  peers:
    - { name: l2tpns, role: lac, host-name: l2tpns-lac, secret-file: l2tpns.secret }
    - { name: lns, address: 10.9.8.2, secret-file: l2tpns.secret }
realms: { isp.example: { lns: lns } }
`,
          FILES,
        ),
        GatewayProcess.start(farther, lnsConfig("10.9.8.2", "lts", "lts"), FILES),
      ]);
    });

    afterAll(async () => {
      await Promise.all([gateway?.stop(), lns?.stop()]);
      await l2tpns?.stop();
      line?.close();
      farther?.delete();
    });

    scenario("l2tpns-switch", async () => {
      await carriesAndEnds(OURS_INSIDE);
      await lns.idle();
    });
  });
});
