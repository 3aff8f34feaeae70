import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changeDeviceRoutes } from "../../src/io/device-routes.ts";
import { Netns } from "../support/netns.ts";
import { isRoot } from "../support/system.ts";

describe.skipIf(!isRoot)("routes to a device of ours", () => {
  let netns: Netns;

  beforeAll(() => {
    netns = Netns.create("config-routes");
    netns.ip("link", "add", "office", "type", "veth", "peer", "name", "far0");
    netns.configure("far0");
    netns.configure("office", "192.0.2.1/32");
  });

  afterAll(() => netns?.delete());

  function change(added: readonly string[], removed: readonly string[], device = "office"): Promise<void> {
    return changeDeviceRoutes({ device, netns: netns.name, added, removed });
  }

  function routes(): string[] {
    const found = JSON.parse(netns.ip("-json", "route", "show", "dev", "office")) as { dst: string }[];
    return found.map(({ dst }) => dst).sort();
  }

  it("come and go, also those that are there already, or gone", async () => {
    await change(["198.51.100.0/24", "203.0.113.7/32"], []);
    expect(routes()).toEqual(["198.51.100.0/24", "203.0.113.7"]);
    await change(["198.51.100.0/24", "203.0.113.8/29"], ["203.0.113.7/32", "192.0.2.128/25"]);
    expect(routes()).toEqual(["198.51.100.0/24", "203.0.113.8/29"]);
  });

  it("are refused where the host has them to something else, and those are left alone", async () => {
    netns.ip("route", "add", "198.51.100.128/25", "dev", "far0");
    await expect(change(["198.51.100.128/25"], [])).rejects.toThrow(
      "office: route 198.51.100.128/25: the host has it already, to something else (ip route show 198.51.100.128/25)",
    );
    await change([], ["198.51.100.128/25"]);
    expect(netns.ip("route", "show", "198.51.100.128/25")).toContain("dev far0");
  });

  it("are refused of a device that is not there", async () => {
    await expect(change(["198.51.100.0/24"], [], "bureau")).rejects.toThrow(/bureau is not there/);
  });
});
