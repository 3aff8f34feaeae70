/** The emulated subscriber: many at once, with one device for all or without any. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CommandProcess } from "../support/command-process.ts";
import { DialProcess, type DialWords } from "../support/dial-process.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import type { Netns } from "../support/netns.ts";
import { ping } from "../support/ping.ts";
import { connectAccess, PASSWORD, ptaConfig, quietNetns, secretFiles } from "../support/site.ts";
import { isRoot } from "../support/system.ts";

const COUNT = 50;
const MANY = { user: "u%d@isp.example", password: PASSWORD, count: COUNT, rate: 100 } as const;

describe.skipIf(!isRoot)("lacewing dial", () => {
  let subscriber: Netns;
  let gatewayNetns: Netns;
  let gateway: GatewayProcess;
  const dials: DialProcess[] = [];

  const call = (words: DialWords): DialProcess => {
    const dial = new DialProcess(subscriber, words);
    dials.push(dial);
    return dial;
  };
  const devices = (netns: Netns): string[] =>
    (JSON.parse(netns.ip("-json", "link")) as { ifname: string }[]).map(({ ifname }) => ifname).toSorted();

  beforeAll(async () => {
    subscriber = quietNetns("sub");
    gatewayNetns = quietNetns("gw");
    connectAccess(subscriber, gatewayNetns);
    const users = Array.from({ length: COUNT }, (_, i) => `u${i + 1}@isp.example`);
    const units = ["mode: shared", "name: subscribers"];
    gateway = await GatewayProcess.start(gatewayNetns, ptaConfig({ units }), secretFiles(...users));
  });

  afterEach(async () => {
    for (const dial of dials.splice(0)) await dial.kill();
  });

  afterAll(async () => {
    await gateway?.close();
    for (const netns of [subscriber, gatewayNetns]) netns?.delete();
  });

  it.each(["shared", "none", "each"] as const)(
    "brings many online and hangs up all: device %s",
    async (device) => {
      const dial = call({ ...MANY, device });
      expect(await dial.summary()).toMatchObject({ up: COUNT, failed: 0, elapsedMs: expect.any(Number) });
      const ups = dial.ups();
      expect(new Set(ups.map(({ address }) => address)).size).toBe(COUNT);
      expect(new Set(ups.map(({ mac }) => mac)).size).toBe(COUNT);
      expect((await gateway.show("sessions")).filter(({ state }) => state === "open")).toHaveLength(COUNT);
      const made = devices(subscriber).filter((name) => name.startsWith("dial"));
      expect(made).toHaveLength({ shared: 1, none: 0, each: COUNT }[device]);
      if (device === "shared") {
        // each address is that of another session
        for (const { address } of [ups[0]!, ups[COUNT - 1]!]) {
          subscriber.ip("address", "add", `${address}/32`, "dev", "dial0");
          subscriber.ip("route", "replace", "100.64.0.1", "dev", "dial0");
          expect((await ping(subscriber, { to: "100.64.0.1", from: address })).received).toBe(5);
        }
      }
      expect(await dial.hangUp()).toMatchObject({ code: 0, signal: null });
      expect(dial.downs()).toHaveLength(COUNT);
      await gateway.hasSessions(0);
      expect(devices(subscriber)).toEqual(["lo", "sub0"]);
      expect(gateway.complaints()).toEqual([]);
    },
  );

  it("says who failed, and ends with code 1", async () => {
    const dial = call({ user: "u1@isp.example", password: "not this one" });
    expect((await dial.down()).reason).toMatch(/wrong user name or password|authentication failed/);
    expect(await dial.exited).toEqual({ code: 1, signal: null });
  });

  it("says what is wrong with its interface, and ends with code 1", async () => {
    const words = ["dial", "--user", "u", "--password", "p", "--interface"];
    const missing = new CommandProcess(subscriber, [...words, "nowhere0"]);
    expect(await missing.exited).toEqual({ code: 1, signal: null });
    expect(missing.output).toContain("there is no interface nowhere0");
  });

  it("ends when the interface vanishes under its sessions", async () => {
    const dial = call({ ...MANY, device: "shared" });
    await dial.summary();
    subscriber.ip("link", "delete", "sub0");
    expect(await dial.exited).toMatchObject({ signal: null });
    await gateway.hasSessions(0);
  });
});
