/** Units: a device for each session or one for all, in our own network namespace or in a named one. */

import type { ChildProcess } from "node:child_process";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DialProcess, type DialUp, type DialWords } from "../support/dial-process.ts";
import { eventually } from "../support/eventually.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import type { Netns } from "../support/netns.ts";
import { ping } from "../support/ping.ts";
import { connectAccess, PASSWORD, quietNetns, secretFiles } from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const CROWD = 200;
const SMALL_MRU = 1200;

const config = (elsewhere: string): string => `name: pta
access:
  - { interface: acc0, sessions-per-mac: 3 }
realms:
  own.example: { terminate: own }
  elsewhere.example: { terminate: elsewhere }
  shared.example: { terminate: shared }
  shared-elsewhere.example: { terminate: shared-elsewhere }
users-file: users.yaml
units:
  own: { name: own%d, address: 100.64.0.1, pool: 100.64.0.0/24, mtu: 1400 }
  elsewhere: { name: far%d, netns: ${elsewhere}, address: 100.65.0.1, pool: 100.65.0.0/16, mtu: 1400 }
  shared: { mode: shared, name: shared0, address: 100.66.0.1, pool: 100.66.0.0/24 }
  shared-elsewhere: { mode: shared, name: shared1, netns: ${elsewhere}, address: 100.67.0.1, pool: 100.67.0.0/24 }
`;

/** ip(8) monitor in a namespace: links and addresses as they change. */
class Monitor {
  output = "";
  readonly #child: ChildProcess;

  constructor(netns: Netns) {
    this.#child = netns.spawn(["ip", "-o", "monitor", "link", "address"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.output += text;
    });
  }

  /** Waits until it listens: it has told of a device that we make and remove. */
  async listens(netns: Netns): Promise<void> {
    await eventually("the monitor listens", () => {
      netns.ip("link", "add", "probe", "type", "veth", "peer", "name", "probe-end");
      netns.ip("link", "delete", "probe");
      return this.output.includes("probe");
    });
  }

  /** The lines about links, or addresses, of a device, in order. */
  linesOf(device: string): string[] {
    return this.output.split("\n").filter((line) => new RegExp(`^(Deleted )?\\d+: ${device}[: ]`).test(line));
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }
}

describe.skipIf(!isRoot)("units", () => {
  let subscriber: Netns;
  let other: Netns;
  let gatewayNetns: Netns;
  let elsewhere: Netns;
  let gateway: GatewayProcess;
  const dials: DialProcess[] = [];

  const call = async (words: Omit<DialWords, "password">): Promise<{ dial: DialProcess; up: DialUp }> => {
    const called = await DialProcess.online(subscriber, { ...words, password: PASSWORD });
    dials.push(called.dial);
    return called;
  };

  beforeAll(async () => {
    subscriber = quietNetns("sub");
    other = quietNetns("other");
    gatewayNetns = quietNetns("gw");
    elsewhere = quietNetns("units");
    // TUN devices take over what is default when they are made
    for (const netns of [gatewayNetns, elsewhere])
      netns.run("sysctl", "-qw", "net.ipv4.conf.default.send_redirects=0");
    for (const netns of [gatewayNetns, elsewhere])
      netns.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.send_redirects=0");
    connectAccess(subscriber, gatewayNetns);
    const realms = ["own", "elsewhere", "shared", "shared-elsewhere"];
    const users = [
      ...realms.flatMap((realm) => [`a@${realm}.example`, `b@${realm}.example`]),
      ...Array.from({ length: CROWD }, (_, i) => `crowd${i + 1}@elsewhere.example`),
      { name: "fixed@shared.example", address: "100.66.0.77" },
    ];
    gateway = await GatewayProcess.start(gatewayNetns, config(elsewhere.name), secretFiles(...users));
  });

  afterEach(async () => {
    for (const dial of dials.splice(0)) await dial.hangUp();
    await gateway.hasSessions(0);
    expect(gateway.complaints()).toEqual([]);
  });

  afterAll(async () => {
    await gateway?.close();
    for (const netns of [subscriber, other, gatewayNetns, elsewhere]) netns?.delete();
  });

  it.each(["own", "elsewhere"])("of a session each are born complete: %s namespace", async (realm) => {
    const netns = realm === "own" ? gatewayNetns : elsewhere;
    const monitor = new Monitor(netns);
    await monitor.listens(netns);
    const { dial, up } = await call({ user: `a@${realm}.example`, device: "each" });
    const { device } = await gateway.session(`a@${realm}.example`);
    expect((await ping(subscriber, { to: up.peerAddress ?? "" })).received).toBe(5);
    await dial.hangUp();
    await gateway.hasSessions(0);
    await eventually("the device is gone", () =>
      monitor.linesOf(device ?? "").some((line) => line.startsWith("Deleted") && line.includes("link/none")),
    );
    await monitor.stop();

    expectBornComplete(monitor, device ?? "", {
      mtuBytes: 1400,
      address: up.peerAddress ?? "",
      peer: up.address,
    });
  });

  it("of a crowd come and go, each born complete, and none is left", async () => {
    const monitor = new Monitor(elsewhere);
    await monitor.listens(elsewhere);
    const crowd = new DialProcess(subscriber, {
      user: "crowd%d@elsewhere.example",
      password: PASSWORD,
      count: CROWD,
      rate: 200,
    });
    dials.push(crowd);
    expect(await crowd.summary()).toMatchObject({ up: CROWD, failed: 0 });
    const units = (await gateway.show("sessions")).map(({ device, address }) => ({ device, address }));
    expect(units).toHaveLength(CROWD);
    expect(new Set(units.map(({ device }) => device)).size).toBe(CROWD);
    expect(await crowd.hangUp()).toEqual({ code: 0, signal: null, tookMs: expect.any(Number) });
    await gateway.hasSessions(0);
    await eventually("all devices are gone", () => !elsewhere.ip("-o", "link").includes("far"));
    await eventually(
      "the monitor has told of it",
      () => monitor.output.match(/^Deleted .* far.*link\/none/gm)?.length === CROWD,
    );
    await monitor.stop();
    for (const { device, address } of units)
      expectBornComplete(monitor, device ?? "", {
        mtuBytes: 1400,
        address: "100.65.0.1",
        peer: address ?? "",
      });
  });

  it("that are shared take subscribers to each other and to the host", async () => {
    const one = await call({ user: "a@shared.example", device: "each" });
    const two = await call({ user: "b@shared.example", device: "each", netns: other.name });
    expect((await gateway.session("b@shared.example")).device).toBe("shared0");
    other.ip("route", "add", one.up.address, "dev", "dial0");
    for (const to of ["100.66.0.1", two.up.address]) {
      subscriber.ip("route", "replace", to, "dev", "dial0");
      const { received, output } = await ping(subscriber, { to, packetBytes: 1492 });
      expect(received, output).toBe(5);
    }
    expect((await ping(gatewayNetns, { to: one.up.address })).received).toBe(5);
  });

  it.each([
    ["in our own namespace", "shared"],
    ["in a named one", "shared-elsewhere"],
  ])("that are shared tell senders what a subscriber's MRU does not take: %s", async (_where, realm) => {
    subscriber.ip("link", "set", "sub0", "mtu", String(SMALL_MRU + 8));
    try {
      const { up } = await call({ user: `a@${realm}.example`, device: "each" });
      expect(up.mtuBytes).toBe(SMALL_MRU);
      const host = realm === "shared" ? gatewayNetns : elsewhere;
      const words = { to: up.address, count: 3, dontFragment: true, patienceSeconds: 1 } as const;
      expect((await ping(host, { ...words, packetBytes: SMALL_MRU })).received).toBe(3);
      const tooBig = await ping(host, { ...words, packetBytes: SMALL_MRU + 1 });
      expect(tooBig.received).toBe(0);
      expect(tooBig.output).toMatch(new RegExp(`mtu ?= ?${SMALL_MRU}`));
      // now that its host knows, a sender that allows it fragments
      expect((await ping(host, { to: up.address, packetBytes: 1492, count: 3 })).received).toBe(3);
    } finally {
      subscriber.ip("link", "set", "sub0", "mtu", "1500");
    }
  });

  it.each(["own", "shared"])("take no packet whose source is not the subscriber's: %s", async (realm) => {
    const { up } = await call({ user: `a@${realm}.example`, device: "each" });
    const to = up.peerAddress ?? "";
    const before = await gateway.counter("drops.wrong-address");
    subscriber.ip("address", "add", "100.66.0.99/32", "dev", "dial0");
    const spoofed = await ping(subscriber, { to, from: "100.66.0.99", count: 4, patienceSeconds: 0.2 });
    expect(spoofed.received).toBe(0);
    expect(await gateway.counter("drops.wrong-address")).toBe(before + 4);
    expect((await ping(subscriber, { to, from: up.address })).received).toBe(5);
  });

  it("that are shared count packets to addresses that nobody has", async () => {
    const before = await gateway.counter("drops.unknown-destination");
    await ping(gatewayNetns, { to: "100.66.0.200", count: 3, patienceSeconds: 0.2 });
    expect(await gateway.counter("drops.unknown-destination")).toBe(before + 3);
  });

  it("give a fixed address to the newest login of its user", async () => {
    const stale = await call({ user: "fixed@shared.example", device: "each", netns: other.name });
    expect(stale.up.address).toBe("100.66.0.77");
    const fresh = await call({ user: "fixed@shared.example", device: "each" });
    expect(fresh.up.address).toBe("100.66.0.77");
    await stale.dial.exited;
    await gateway.logged("session ended", { user: "fixed@shared.example", cause: "replaced" });
    expect((await ping(subscriber, { to: "100.66.0.1" })).received).toBe(5);
    expect(await gateway.show("sessions")).toHaveLength(1);
  });
});

/** Of its first life: never renamed or moved, and first up with its MTU and address. */
function expectBornComplete(
  monitor: Monitor,
  device: string,
  expected: { readonly mtuBytes: number; readonly address: string; readonly peer: string },
): void {
  const lines = monitor.linesOf(device);
  const indexes = new Set(lines.map((line) => /\d+/.exec(line)?.[0]));
  expect(indexes.size, lines.join("\n")).toBe(1);
  const ofIndex = new RegExp(`^(Deleted )?${[...indexes][0]}: `);
  const names = monitor.output
    .split("\n")
    .filter((line) => ofIndex.test(line))
    .map((line) => /\d+: ([^: ]+)/.exec(line)?.[1]);
  expect(new Set(names)).toEqual(new Set([device]));
  expect(lines.join("\n")).not.toMatch(/new-netns|link-netns/);
  const firstUp = lines.findIndex((line) => /<[^>]*\bUP\b/.test(line));
  expect(firstUp, lines.join("\n")).toBeGreaterThanOrEqual(0);
  expect(lines[firstUp]).toContain(` mtu ${expected.mtuBytes} `);
  const addressed = lines.findIndex((line) =>
    line.includes(`inet ${expected.address} peer ${expected.peer}/32`),
  );
  expect(addressed, lines.join("\n")).toBeGreaterThanOrEqual(0);
  expect(addressed).toBeLessThan(firstUp);
}
