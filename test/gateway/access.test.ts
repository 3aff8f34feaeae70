import { afterEach, describe, expect, it } from "vitest";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import { readDiscoveryFrame } from "../../src/pppoe/discovery-frame.ts";
import { PADI, PADO, PADR } from "../../src/wire/pppoe.ts";
import { findTag, TAG_AC_COOKIE, TAG_SERVICE_NAME, textTag } from "../../src/wire/pppoe-tags.ts";
import { fromHost, hostMac } from "../pppoe/support.ts";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { macOf, type Node, type SubscriberSide, startAlone, startPair, World } from "../support/world.ts";

const PTA_YAML = `
name: pta
access: [{ interface: acc0 }]
default: { terminate: local }
units:
  local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/22 }
users-file: users.yaml
`;

const ALICE = ["alice@isp.example", "wonderland"] as const;
const ACC0 = { kind: "link", link: { flags: 0, up: true, operState: "up", mtuBytes: 1500 } } as const;

let world: World;

/** A count of discovery on acc0. */
function count(node: Node, name: string): number {
  return node.views.counters()[`pppoe.acc0.${name}`] ?? 0;
}

afterEach(() => {
  world = new World(0);
});

/** Calls, and is online, refused or not answered at all a second later. */
async function call(
  side: SubscriberSide,
  number: number,
  user: string,
  password: string,
  mac = macOf(number),
): Promise<Subscriber> {
  const subscriber = side.subscriber(number, user, password, mac);
  subscriber.start();
  await world.pass(1_000);
  return subscriber;
}

/** A host that calls and never begins PPP. */
class SilentHosts {
  readonly node: Node;
  offers = 0;

  constructor(node: Node, side: SubscriberSide) {
    this.node = node;
    const toOthers = node.onEthernet;
    node.onEthernet = (bytes) => {
      const frame = readDiscoveryFrame(bytes);
      if (typeof frame === "string" || frame.packet.code !== PADO || frame.destination[1] !== 1) {
        toOthers(bytes);
        return;
      }
      this.offers += 1;
      const cookie = { type: TAG_AC_COOKIE, value: findTag(frame.packet.tags, TAG_AC_COOKIE)! };
      const tags = [textTag(TAG_SERVICE_NAME, ""), cookie];
      side.world.carry(() => node.receiveEthernet(fromHost({ code: PADR, host: frame.destination, tags })));
    };
  }

  call(hosts: number): void {
    for (let n = 1; n <= hosts; n++) this.node.receiveEthernet(fromHost({ code: PADI, host: hostMac(n) }));
  }
}

describe("a gateway that drains an access interface", () => {
  it("answers nobody new, keeps its sessions, and takes calls again when told to", async () => {
    world = new World(1);
    const { node, side } = await startAlone(world, PTA_YAML, USERS_YAML);
    const there = await call(side, 1, ...ALICE);
    expect(side.online.has(there)).toBe(true);
    expect(node.gateway.drain(true, "acc0")).toBe(true);
    const late = await call(side, 2, "bob", "builder");
    expect(count(node, "discarded.draining")).toBe(1);
    expect(side.online.has(late)).toBe(false);
    // longer than three missed echoes take
    await world.pass(120_000);
    expect(side.online.has(there)).toBe(true);
    expect(node.views.sessions()).toHaveLength(1);
    node.gateway.drain(false, "acc0");
    expect(side.online.has(await call(side, 3, "bob", "builder"))).toBe(true);
  });

  it("may be configured to begin like that", async () => {
    world = new World(2);
    const yaml = PTA_YAML.replace("interface: acc0", "interface: acc0, drain: true");
    const { node, side } = await startAlone(world, yaml, USERS_YAML);
    expect(side.online.has(await call(side, 1, ...ALICE))).toBe(false);
    expect(count(node, "discarded.draining")).toBeGreaterThan(0);
    expect(count(node, "padoSent")).toBe(0);
  });
});

describe("a host whose logins fail", () => {
  /** How many of its calls, one every second, get a session. */
  async function sessionsOf(node: Node, side: SubscriberSide, password: string): Promise<number> {
    for (let i = 0; i < 16; i++) {
      const mallory = await call(side, 100 + i, "alice@isp.example", password, macOf(7));
      mallory.hangUp();
    }
    return count(node, "padsSent");
  }

  it("is answered less and less often, and another host at once", async () => {
    world = new World(3);
    const { node, side } = await startAlone(world, PTA_YAML, USERS_YAML);
    const sessions = await sessionsOf(node, side, "guess");
    expect(sessions).toBeGreaterThanOrEqual(6);
    expect(sessions).toBeLessThanOrEqual(9);
    expect(count(node, "discarded.login-backoff")).toBeGreaterThan(4);
    expect(side.online.has(await call(side, 1, ...ALICE))).toBe(true);
  });

  it("is, too, when it is the LNS that refuses it", async () => {
    world = new World(4);
    const { lac, side } = await startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
    const sessions = await sessionsOf(lac, side, "guess");
    expect(sessions).toBeGreaterThanOrEqual(6);
    expect(sessions).toBeLessThanOrEqual(9);
    expect(count(lac, "discarded.login-backoff")).toBeGreaterThan(4);
    expect(side.online.has(await call(side, 1, ...ALICE))).toBe(true);
  });

  it("is not one that gets in and hangs up", async () => {
    world = new World(5);
    const { node, side } = await startAlone(world, PTA_YAML, USERS_YAML);
    expect(await sessionsOf(node, side, "wonderland")).toBe(16);
    expect(count(node, "discarded.login-backoff")).toBe(0);
  });

  it("is not one that gets in behind an LNS and hangs up", async () => {
    world = new World(6);
    const { lac, side } = await startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
    expect(await sessionsOf(lac, side, "wonderland")).toBe(16);
    expect(count(lac, "discarded.login-backoff")).toBe(0);
  });
});

describe("an access interface that is removed while callers wait", () => {
  it("leaves nothing of them behind, and takes calls when it is back", async () => {
    world = new World(6);
    const { node, side } = await startAlone(world, PTA_YAML, USERS_YAML);
    const hosts = new SilentHosts(node, side);
    hosts.call(300);
    await world.pass(50);
    expect(count(node, "now.starting")).toBe(count(node, "now.startingWindow"));
    expect(count(node, "now.waitingPadrs")).toBeGreaterThan(100);
    node.host.announce({ kind: "gone", ifindex: 1, name: "acc0" });
    await world.pass(1_000);
    expect(node.views.sessions()).toEqual([]);
    expect(node.views.channels()).toEqual([]);
    const offers = hosts.offers;
    await world.pass(60_000);
    expect(hosts.offers).toBe(offers);
    expect(node.log.filter(({ level }) => level === "error")).toEqual([]);

    const link = { ...ACC0.link, ifindex: 2, name: "acc0", mac: Uint8Array.of(2, 0, 0, 0, 0, 0xac) };
    node.host.announce({ kind: "link", link });
    expect(side.online.has(await call(side, 1, ...ALICE))).toBe(true);
  });
});

describe("subscribers who call at once", () => {
  it("all get in, however slow the gateway and however silent others are", async () => {
    world = new World(7);
    const { node, side } = await startAlone(world, PTA_YAML, USERS_YAML);
    node.dataplane.delayMs = 200;
    new SilentHosts(node, side).call(200);
    const subscribers = Array.from({ length: 200 }, (_, i) => side.subscriber(i + 1, ...ALICE));
    for (const subscriber of subscribers) subscriber.start();
    let most = 0;
    let steps = 0;
    const everyone = await world.until(() => {
      if (steps++ % 20 > 0) return false;
      most = Math.max(most, count(node, "now.starting") / count(node, "now.startingWindow"));
      return side.online.size === subscribers.length;
    }, 10_000);
    expect(everyone).toBe(true);
    expect(side.offline.size).toBe(0);
    expect(most).toBeLessThanOrEqual(1);
    expect(count(node, "padrDelayed")).toBeGreaterThan(0);
  });
});

describe("PADIs", () => {
  it("are answered at the rates of the interface", async () => {
    world = new World(8);
    const yaml = PTA_YAML.replace("interface: acc0", "interface: acc0, padi-rate: 20, padi-rate-per-mac: 2");
    const { node } = await startAlone(world, yaml, USERS_YAML);
    const padi = (n: number) => node.receiveEthernet(fromHost({ code: PADI, host: hostMac(n) }));
    for (let i = 0; i < 30; i++) padi(1);
    expect(count(node, "padoSent")).toBe(10);
    for (let n = 2; n <= 30; n++) padi(n);
    expect(count(node, "padoSent")).toBe(20);
    expect(count(node, "discarded.padi-rate-of-mac")).toBe(20);
    expect(count(node, "discarded.padi-rate-of-port")).toBe(19);
    await world.pass(1_000);
    for (let i = 0; i < 5; i++) padi(1);
    expect(count(node, "padoSent")).toBe(22);
  });
});
